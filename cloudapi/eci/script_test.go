package eci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/pace"
)

// step is one expected request and its answer.
type step struct {
	action string
	check  func(t *testing.T, form url.Values, header http.Header) // may be nil
	answer func(w http.ResponseWriter, r *http.Request)
}

// script is a server that answers expected requests in order. A request that
// is not expected fails the test, and so does one that does not come.
type script struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	steps   []step
	forms   []url.Values
	headers []http.Header
}

// form returns the parameters of the first request that came.
func (s *script) form() url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forms[0]
}

// header returns all values of a header of the requests that came.
func (s *script) header(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, h := range s.headers {
		out = append(out, h.Get(name))
	}
	return out
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var next *step
	if len(s.steps) > 0 {
		next = &s.steps[0]
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		s.t.Errorf("reading the form: %v", err)
	}
	action := r.Header.Get("X-Acs-Action")
	if next == nil || next.action != action {
		s.t.Errorf("unexpected request %s", action)
		http.Error(w, "unexpected", http.StatusTeapot)
		return
	}
	s.checkFrame(r)
	s.mu.Lock()
	s.forms = append(s.forms, r.PostForm)
	s.headers = append(s.headers, r.Header.Clone())
	s.mu.Unlock()
	if next.check != nil {
		next.check(s.t, r.PostForm, r.Header)
	}
	next.answer(w, r)
}

// checkFrame holds what all requests share.
func (s *script) checkFrame(r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.URL.RawQuery != "" {
		s.t.Errorf("%s %s, want POST / without a query", r.Method, r.URL)
	}
	if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
		s.t.Errorf("content type %q, want a form", got)
	}
	if got := r.Header.Get("X-Acs-Version"); got != "2018-08-08" {
		s.t.Errorf("version %q", got)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 Credential=") {
		s.t.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	if got := r.PostForm.Get("RegionId"); got != "cn-hangzhou" {
		s.t.Errorf("region %q", got)
	}
}

// play returns a client of a server with these steps.
func play(t *testing.T, steps ...step) (*Client, *script) {
	t.Helper()
	s := &script{t: t, steps: steps}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, missing := range s.steps {
			t.Errorf("no request %s came", missing.action)
		}
	})
	s.url = server.URL
	return quickClient(t, Options{Endpoint: server.URL}), s
}

// quickClient returns a client that repeats without long pauses.
func quickClient(t *testing.T, options Options) *Client {
	t.Helper()
	options.Region = "cn-hangzhou"
	if options.Credentials == (Credentials{}) {
		options.Credentials = Credentials{AccessKeyID: "key-1", AccessKeySecret: "s3cret"}
	}
	client, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	client.pacer = pace.New(pace.Options{Default: pace.Rate{PerSecond: 1000, Burst: 1000}, MaxAttempts: 4, BaseDelay: time.Millisecond})
	return client
}

// says answers with a status and a body.
func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// refuses answers with an error of the API.
func refuses(status int, code string) func(http.ResponseWriter, *http.Request) {
	return says(status, fmt.Sprintf(`{"RequestId":"R-1","HostId":"h","Code":%q,"Message":"it is so"}`, code))
}

// hangsUp takes the request and closes the connection.
func hangsUp(w http.ResponseWriter, _ *http.Request) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	if conn, _, err := hijacker.Hijack(); err == nil {
		_ = conn.Close()
	}
}

// breaksOff announces more bytes than it sends.
func breaksOff(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+100))
		says(http.StatusOK, body)(w, r)
	}
}

// hangs answers nothing until the client has gone.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func smallSpec() cloudapi.GroupSpec {
	return cloudapi.GroupSpec{
		Name: "default-web", Identity: cloudapi.Identity{Cluster: "c-1", Node: "vk-1"},
		Containers: []cloudapi.Container{{Name: "web", Image: "nginx"}},
	}
}

// groupsPage answers DescribeContainerGroups with groups of these ids.
func groupsOf(next string, ids ...string) func(http.ResponseWriter, *http.Request) {
	var groups []map[string]string
	for _, id := range ids {
		groups = append(groups, map[string]string{"ContainerGroupId": id, "Status": "Running"})
	}
	return lists("ContainerGroups", next, groups)
}

// statusOfIDs answers DescribeContainerGroupStatus with groups of these ids.
func statusOfIDs(next string, ids ...string) func(http.ResponseWriter, *http.Request) {
	var groups []map[string]string
	for _, id := range ids {
		groups = append(groups, map[string]string{"ContainerGroupId": id, "Status": "Running"})
	}
	return lists("Data", next, groups)
}

func lists(name, next string, list any) func(http.ResponseWriter, *http.Request) {
	body, err := json.Marshal(map[string]any{"RequestId": "R-1", "NextToken": next, name: list})
	if err != nil {
		panic(err)
	}
	return says(http.StatusOK, string(body))
}
