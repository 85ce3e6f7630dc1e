package admin

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/fault"
	"github.com/cumulet/cumulet/internal/emulator/simulated"
)

// The clock of these tests is that of testing/synctest: it begins at 2000-01-01
// and advances only while nothing happens.

// bench is the admin API over one cloud called eci.
type bench struct {
	handler http.Handler
	engine  *engine.Engine
	faults  *fault.Set
	calls   *Calls
}

func newBench(t *testing.T) *bench {
	t.Helper()
	wall := clock.RealClock{}
	runtime := simulated.New(simulated.Options{Clock: wall})
	t.Cleanup(runtime.Close)
	made := 0
	b := &bench{faults: fault.NewSet(wall, 1), calls: NewCalls(wall)}
	b.engine = engine.New(engine.Options{Clock: wall, Runtime: runtime, Latency: engine.Latency{Schedule: time.Second},
		NewID: func() string { made++; return fmt.Sprintf("eci-%d", made) }})
	t.Cleanup(b.engine.Close)
	b.handler = New(wall, []Cloud{{Name: "eci", Engine: b.engine, Faults: b.faults, Calls: b.calls, SetFate: runtime.SetFate}})
	return b
}

// do makes a call and returns its status and body without white space.
func (b *bench) do(method, path, body string) string {
	answer := httptest.NewRecorder()
	b.handler.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return strings.TrimSpace(fmt.Sprintf("%d %s", answer.Code, strings.NewReplacer("\n", "", "  ", "", `": `, `":`).Replace(answer.Body.String())))
}

func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		spec := engine.Spec{Name: "web", CPU: 0.5, Memory: 1, RestartPolicy: "Never", Tags: []engine.NameValue{{Name: "app", Value: "web"}},
			Containers: []engine.Container{{Name: "app", Image: "app:1"}}}
		b.engine.Create(spec)
		b.engine.Create(spec)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		steps := []struct{ method, path, body, want string }{
			{"POST", "/groups/eci/eci-1/fate", `{"container":"app","exit":3,"log":"bye"}`, "204"},
			{"POST", "/groups/eci/eci-1/fate", `{"container":"app","exit":3}`, `409 {"error":"container is not running"}`},
			{"POST", "/groups/eci/eci-2/fate", `{"exot":3}`, `400 {"error":"reading the request: json: unknown field \"exot\""}`},
			{"POST", "/groups/eci/eci-2/fate", `{"exit":300}`, `400 {"error":"fate: exit 300: want an exit code between 0 and 255"}`},
			{"POST", "/groups/eci/eci-2/expire", "", "202"},
			{"POST", "/groups/eci/eci-2/expire", "", `409 {"error":"container group is in a state that forbids this"}`},
			{"POST", "/groups/eci/eci-9/expire", "", `404 {"error":"no such container group"}`},
			{"GET", "/groups/kci/eci-1", "", `404 {"error":"no such cloud: \"kci\""}`},
			{"GET", "/groups?cloud=kci", "", `404 {"error":"no such cloud: \"kci\""}`},
			{"GET", "/healthz", "", `200 {"status":"ok"}`},
		}
		for _, s := range steps {
			got := b.do(s.method, s.path, s.body)
			synctest.Wait()
			if diff := cmp.Diff(s.want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", s.method, s.path, diff)
			}
		}
		if err := b.engine.Delete("eci-2", false); err != nil {
			t.Fatalf("deleting: %v", err)
		}
		one := `{"cloud":"eci","id":"eci-1","name":"web","status":"Failed","live":true,"tags":{"app":"web"},"cpu":0.5,"memory":1,` +
			`"createdAt":"2000-01-01T00:00:00Z","scheduledAt":"2000-01-01T00:00:01Z","endedAt":"2000-01-01T00:00:11Z","billedSeconds":10}`
		two := `{"cloud":"eci","id":"eci-2","name":"web","status":"Expired","reason":"SpotToBeReleased","live":false,"tags":{"app":"web"},"cpu":0.5,"memory":1,` +
			`"createdAt":"2000-01-01T00:00:00Z","scheduledAt":"2000-01-01T00:00:01Z","endedAt":"2000-01-01T00:00:11Z","deletedAt":"2000-01-01T00:00:11Z","billedSeconds":10}`
		if diff := cmp.Diff("200 ["+one+","+two+"]", b.do("GET", "/groups", "")); diff != "" {
			t.Errorf("all groups (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff("200 ["+one+"]", b.do("GET", "/groups?live=true&cloud=eci", "")); diff != "" {
			t.Errorf("live groups (-want +got):\n%s", diff)
		}
		detail := b.do("GET", "/groups/eci/eci-1", "")
		for _, part := range []string{
			`"containers":[{"name":"app","image":"app:1","ready":false,"restartCount":0,"state":"Terminated","reason":"Error","exitCode":3}]`,
			`{"type":"Normal","reason":"Started","message":"Started container app","container":"app","count":1,"first":"2000-01-01T00:00:01Z","last":"2000-01-01T00:00:01Z"}`,
		} {
			if !strings.Contains(detail, part) {
				t.Errorf("detail %s\nlacks %s", detail, part)
			}
		}
	})
}

func TestFaults(t *testing.T) {
	b := newBench(t)
	for _, s := range []struct{ method, path, body, want string }{
		{"GET", "/faults", "", "200 []"},
		{"POST", "/faults", `{"kind":"delay","delay":"2s","action":"Create"}`, `201 [{"cloud":"eci","id":1,"kind":"delay","action":"Create","delay":"2s"}]`},
		{"POST", "/faults", `{"cloud":"eci","kind":"lost","times":1}`, `201 [{"cloud":"eci","id":2,"kind":"lost","times":1}]`},
		{"POST", "/faults", `{"cloud":"kci","kind":"lost"}`, `404 {"error":"no such cloud: \"kci\""}`},
		{"POST", "/faults", `{"kind":"delay"}`, `400 {"error":"fault: delay 0s: want more than zero and at most 5m0s"}`},
		{"POST", "/faults", `{"kind":`, `400 {"error":"reading the request: unexpected EOF"}`},
		{"DELETE", "/faults/eci/1", "", "204"},
		{"DELETE", "/faults/eci/1", "", `404 {"error":"fault 1 of eci: no such fault"}`},
		{"DELETE", "/faults/eci/x", "", `400 {"error":"fault id must be a number, not \"x\""}`},
		{"GET", "/faults", "", `200 [{"cloud":"eci","id":2,"kind":"lost","times":1,"seen":0,"hits":0}]`},
		{"DELETE", "/faults", "", "204"},
		{"GET", "/faults?cloud=eci", "", "200 []"},
	} {
		if diff := cmp.Diff(s.want, b.do(s.method, s.path, s.body)); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", s.method, s.path, s.body, diff)
		}
	}
}

func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := b.calls.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/bad":
				w.WriteHeader(http.StatusBadRequest)
			case "/lost":
				panic(http.ErrAbortHandler)
			case "/text":
				_, _ = io.WriteString(w, "ok")
			}
		}), func(r *http.Request) string { return r.URL.Query().Get("Action") })
		call := func(path string) {
			defer func() { _ = recover() }()
			api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}
		call("/text?Action=Create")
		call("/bad?Action=Create")
		call("/lost?Action=Create")
		time.Sleep(3 * time.Minute)
		call("/")
		want := `200 {"eci":{"actions":{"Create":{"total":3,"answers":{"200":1,"400":1,"lost":1}},"none":{"total":1,"answers":{"200":1}}},` +
			`"minutes":[{"minute":"2000-01-01T00:00:00Z","actions":{"Create":3}},{"minute":"2000-01-01T00:03:00Z","actions":{"none":1}}]}}`
		if diff := cmp.Diff(want, b.do("GET", "/calls", "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := b.do("DELETE", "/calls", ""); got != "204" {
			t.Errorf("resetting: %s", got)
		}
		if got := b.do("GET", "/calls", ""); got != `200 {"eci":{"actions":{},"minutes":[]}}` {
			t.Errorf("after resetting: %s", got)
		}
	})
}
