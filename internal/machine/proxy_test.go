package machine

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// TestProxy fetches through the machine's proxy, directly and through a proxy of
// the host's.
func TestProxy(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "content") })
	plain, secure := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	defer plain.Close()
	defer secure.Close()
	direct := http.ProxyURL(nil)
	var passed atomic.Int64
	// The host's proxy is the same, behind a password.
	hosts := newProxy(direct)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		basic := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		if user, password, ok := basic.BasicAuth(); !ok || user != "me" || password != "s:cret" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		passed.Add(1)
		hosts.ServeHTTP(w, r)
	}))
	defer upstream.Close()
	through := func(*http.Request) (*url.URL, error) {
		u, err := url.Parse(upstream.URL)
		if err == nil {
			u.User = url.UserPassword("me", "s:cret")
		}
		return u, err
	}
	cases := map[string]struct {
		reason string
		next   func(*http.Request) (*url.URL, error)
		target string
		passed int64
	}{
		"Plain":           {reason: "The host dials.", next: direct, target: plain.URL},
		"TLS":             {reason: "A tunnel, so that the registry's certificate is the client's to verify.", next: direct, target: secure.URL},
		"PlainThroughOwn": {reason: "The host's proxy dials.", next: through, target: plain.URL, passed: 1},
		"TLSThroughOwn":   {reason: "A tunnel in a tunnel.", next: through, target: secure.URL, passed: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			passed.Store(0)
			proxy := httptest.NewServer(newProxy(tc.next))
			defer proxy.Close()
			if got := fetchThrough(t, proxy.URL, tc.target, secure.Certificate()); got != "content" {
				t.Errorf("%s\ngot %q", tc.reason, got)
			}
			if got := passed.Load(); got != tc.passed {
				t.Errorf("%s\n%d requests passed the host's proxy, want %d", tc.reason, got, tc.passed)
			}
		})
	}
}

func fetchThrough(t *testing.T, proxy, target string, trusted *x509.Certificate) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(trusted)
	transport := &http.Transport{
		Proxy:           func(*http.Request) (*url.URL, error) { return url.Parse(proxy) },
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Timeout: 10 * time.Second, Transport: transport}
	response, err := client.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
