package outbound

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestProxy: what is not on loopback goes through the environment's proxy, in a
// tunnel that shows it nothing but the host.
func TestProxy(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.RequestURI
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "direct") }))
	defer cloud.Close()
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("NO_PROXY", "")
	client := Client(Transport())

	if _, err := get(t, client, "https://cloud.example.com/?secret=x"); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("the proxy refuses, but the error is %v", err)
	}
	if got := <-asked; got != "CONNECT cloud.example.com:443" {
		t.Errorf("the proxy was asked %q", got)
	}
	if body, err := get(t, client, cloud.URL); body != "direct" || err != nil {
		t.Errorf("loopback answers %q (%v)", body, err)
	}
}

func get(t *testing.T, client *http.Client, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	return string(body), err
}
