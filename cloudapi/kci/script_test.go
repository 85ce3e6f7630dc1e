package kci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/cloudapi/internal/credential"
	"github.com/cumulet/cumulet/cloudapi/internal/pace"
)

// now is the fixed time of the tests' clients.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// step is one expected call and what the cloud does.
type step struct {
	action string
	// want holds parameters that the call must have.
	want map[string]string
	do   http.HandlerFunc
}

// answers writes a JSON body with a status.
func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

// refuses writes an error of the documented shape.
func refuses(status int, code, message string) http.HandlerFunc {
	return answers(status, fmt.Sprintf(`{"RequestId":"req-err","Error":{"Type":"Sender","Code":%q,"Message":%q}}`, code, message))
}

// hangUp breaks the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// script is a server that expects exactly these calls in this order.
func script(t *testing.T, steps ...step) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	next := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		mu.Lock()
		at := next
		next++
		mu.Unlock()
		if at >= len(steps) {
			t.Errorf("call %d, %s, was not expected", at+1, form.Get("Action"))
			refuses(500, "ServiceUnavailable", "not expected")(w, r)
			return
		}
		if got := form.Get("Action"); got != steps[at].action {
			t.Errorf("call %d is %s, want %s", at+1, got, steps[at].action)
		}
		for name, want := range steps[at].want {
			if got := form.Get(name); got != want {
				t.Errorf("call %d has %s=%q, want %q", at+1, name, got, want)
			}
		}
		steps[at].do(w, r)
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if next < len(steps) {
			t.Errorf("%d calls came, %d were expected", next, len(steps))
		}
	})
	return server
}

// serve checks what every call has in common and passes its parameters on.
func serve(t *testing.T, handle func(http.ResponseWriter, *http.Request, url.Values)) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/" || r.URL.RawQuery != "" {
			t.Errorf("the call is %s %s, want POST / without a query", r.Method, r.URL)
		}
		if err := r.ParseForm(); err != nil {
			t.Errorf("reading the form: %v", err)
		}
		if got := r.PostForm.Get("Version"); got != "2020-07-02" {
			t.Errorf("Version=%q, want 2020-07-02", got)
		}
		if r.Header.Get("Authorization") == "" || r.Header.Get("Accept") != "application/json" {
			t.Errorf("headers are %v; the call must be signed and accept JSON", r.Header)
		}
		handle(w, r, r.PostForm)
	}))
	t.Cleanup(server.Close)
	return server
}

// connect makes a client of a test server that neither waits nor is paced.
func connect(t *testing.T, server *httptest.Server, change ...func(*Options)) *Client {
	t.Helper()
	key, err := credential.Static(credential.AccessKey{ID: "AKTEST", Secret: "SKTEST=="})
	if err != nil {
		t.Fatal(err)
	}
	options := Options{
		Region: "cn-beijing-6", Endpoint: server.URL, Credentials: key,
		Clock: clocktesting.NewFakeClock(now), HTTPTimeout: 20 * time.Second,
	}
	for _, by := range change {
		by(&options)
	}
	client, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	client.pacer = pace.New(pace.Options{
		Default: pace.Rate{PerSecond: 1e6, Burst: 1e6}, BaseDelay: time.Microsecond, MaxDelay: time.Microsecond,
	})
	t.Cleanup(client.http.CloseIdleConnections)
	return client
}

func inSeed(o *Options) { o.Dialect = Seed }
