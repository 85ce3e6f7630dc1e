package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// api is a front that counts what it handles.
type api struct{ handled atomic.Int32 }

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.handled.Add(1)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"id":"eci-1"}`)
}

func (a *api) Action(r *http.Request) string { return r.URL.Query().Get("Action") }

func (a *api) WriteError(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%s: %s", code, message)
}

// call makes a request and tells "STATUS BODY", or "gone" without an answer.
func call(t *testing.T, server *httptest.Server, action string) string {
	t.Helper()
	// A POST with a body is not repeated by the client itself.
	answer, err := server.Client().Post(server.URL+"/?Action="+action, "text/plain", strings.NewReader("x"))
	if err != nil {
		return "gone"
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "gone"
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}

func TestRequestFaults(t *testing.T) {
	const good = `202 {"id":"eci-1"}`
	throttled := Fault{Kind: Error, Status: 400, Code: "Throttling", Message: "slow down"}
	only := func(f Fault, action string, after, times int) Fault {
		f.Action, f.After, f.Times = action, after, times
		return f
	}
	cases := map[string]struct {
		reason  string
		faults  []Fault
		actions []string
		want    []string
		handled int32
	}{
		"None":      {"without faults all is well", nil, []string{"Create"}, []string{good}, 1},
		"Error":     {"an error is in the API's form", []Fault{throttled}, []string{"Create"}, []string{"400 Throttling: slow down"}, 0},
		"Action":    {"other actions pass", []Fault{only(throttled, "Create", 0, 0)}, []string{"List", "Create"}, []string{good, "400 Throttling: slow down"}, 1},
		"Attempts":  {"the second and third are hit", []Fault{only(throttled, "Create", 1, 2)}, []string{"Create", "Create", "List", "Create", "Create"}, []string{good, "400 Throttling: slow down", good, "400 Throttling: slow down", good}, 3},
		"Lost":      {"a lost answer was handled", []Fault{{Kind: Lost, Times: 1}}, []string{"Create", "Create"}, []string{"gone", good}, 2},
		"Drop":      {"a dropped request was not", []Fault{{Kind: Drop, Times: 1}}, []string{"Create", "Create"}, []string{"gone", good}, 1},
		"Truncated": {"half an answer", []Fault{{Kind: Malformed, Body: Truncated}}, []string{"Create"}, []string{`202 {"id":"`}, 1},
		"HTML":      {"a gateway's page", []Fault{{Kind: Malformed, Body: HTML, Status: 502}}, []string{"Create"}, []string{"502 " + page}, 1},
		"Empty":     {"no answer", []Fault{{Kind: Malformed, Body: Empty, Status: 200}}, []string{"Create"}, []string{"200 "}, 1},
		"Delay":     {"a late answer is an answer", []Fault{{Kind: Delay, Delay: metav1.Duration{Duration: time.Millisecond}}}, []string{"Create"}, []string{good}, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			set := NewSet(clock.RealClock{}, 1)
			for _, f := range tc.faults {
				if _, err := set.Add(f); err != nil {
					t.Fatalf("%s: adding: %v", tc.reason, err)
				}
			}
			front := &api{}
			server := httptest.NewServer(set.Wrap(front))
			defer server.Close()
			var got []string
			for _, action := range tc.actions {
				got = append(got, call(t, server, action))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if n := front.handled.Load(); n != tc.handled {
				t.Errorf("%s: %d requests were handled, want %d", tc.reason, n, tc.handled)
			}
		})
	}
}

func TestDelayWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewSet(clock.RealClock{}, 1)
		if _, err := set.Add(Fault{Kind: Delay, Delay: metav1.Duration{Duration: time.Minute}}); err != nil {
			t.Fatalf("adding: %v", err)
		}
		start := time.Now()
		set.Wrap(&api{}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
		if took := time.Since(start); took != time.Minute {
			t.Errorf("took %v, want a minute", took)
		}
	})
}

func TestProbabilityIsSeeded(t *testing.T) {
	pattern := func(seed uint64) string {
		set := NewSet(clock.RealClock{}, seed)
		if _, err := set.Add(Fault{Kind: Drop, Probability: 0.3}); err != nil {
			t.Fatalf("adding: %v", err)
		}
		var b strings.Builder
		for range 1000 {
			fmt.Fprint(&b, len(set.hits("x", Drop)))
		}
		return b.String()
	}
	first, again := pattern(7), pattern(7)
	if first != again {
		t.Error("the same seed made other choices")
	}
	if first == pattern(8) {
		t.Error("another seed made the same choices")
	}
	if hits := strings.Count(first, "1"); hits < 250 || hits > 350 {
		t.Errorf("%d of 1000 calls were hit, want about 300", hits)
	}
}

func TestUpgradesAreNotSpoiled(t *testing.T) {
	set := NewSet(clock.RealClock{}, 1)
	if _, err := set.Add(Fault{Kind: Malformed, Body: Empty}); err != nil {
		t.Fatalf("adding: %v", err)
	}
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/exec", nil)
	request.Header.Set("Upgrade", "websocket")
	set.Wrap(&api{}).ServeHTTP(answer, request)
	if answer.Code != http.StatusAccepted || answer.Body.Len() == 0 {
		t.Errorf("got %d %q", answer.Code, answer.Body)
	}
}

func TestListAndRemove(t *testing.T) {
	set := NewSet(clock.RealClock{}, 1)
	for _, kind := range []Kind{Drop, Lost} {
		if _, err := set.Add(Fault{Kind: kind, Times: 1}); err != nil {
			t.Fatalf("adding: %v", err)
		}
	}
	set.hits("Create", Drop)
	set.hits("Create", Drop)
	got, err := json.Marshal(set.List())
	if err != nil {
		t.Fatalf("encoding: %v", err)
	}
	want := `[{"id":1,"kind":"drop","times":1,"seen":2,"hits":1},{"id":2,"kind":"lost","times":1,"seen":0,"hits":0}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !set.Remove(1) || set.Remove(1) || len(set.List()) != 1 {
		t.Error("removing one fault")
	}
	set.Clear()
	if len(set.List()) != 0 {
		t.Error("clearing all faults")
	}
}

func TestCheck(t *testing.T) {
	cases := map[string]string{
		`{"kind":"eror"}`:                                      `fault: kind "eror": want one of error, delay, drop, lost, malformed, stale, young, partial, unschedulable`,
		`{"kind":"error","code":"X"}`:                          "fault: status 0: want an error status from 400 to 599",
		`{"kind":"error","status":400}`:                        "fault: code: want the error code of the cloud, for instance Throttling",
		`{"kind":"delay"}`:                                     "fault: delay 0s: want more than zero and at most 5m0s",
		`{"kind":"malformed","body":"xml"}`:                    `fault: body "xml": want truncated, html or empty`,
		`{"kind":"malformed","body":"html","status":99}`:       "fault: status 99: want a status from 200 to 599",
		`{"kind":"young"}`:                                     "fault: age 0s: want more than zero",
		`{"kind":"partial","share":2}`:                         "fault: share 2: want a number above 0 and at most 1",
		`{"kind":"stale","action":"Create"}`:                   `fault: action "Create": kind "stale" acts on every read and takes no action`,
		`{"kind":"unschedulable"}`:                             "fault: code: want the reason why there is no machine, for instance NoStock",
		`{"kind":"drop","probability":1.5}`:                    "fault: probability 1.5: want a number from 0 to 1",
		`{"kind":"drop","times":-1}`:                           "fault: after 0 and times -1: want no negative numbers",
		`{"kind":"delay","delay":"2s","action":"Create"}`:      "",
		`{"kind":"young","age":"30s"}`:                         "",
		`{"kind":"unschedulable","code":"NoStock","times":3}`:  "",
		`{"kind":"malformed","body":"truncated","status":200}`: "",
		`{"kind":"error","status":503,"code":"Unavailable"}`:   "",
		`{"kind":"partial","share":0.5,"probability":0.1}`:     "",
	}
	for text, want := range cases {
		var f Fault
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		_, err := NewSet(clock.RealClock{}, 1).Add(f)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: error %q, want %q", text, got, want)
		}
	}
}

// fixed are groups that do not change.
type fixed struct {
	engine.Groups
	all []engine.Group
}

func (f *fixed) List(keep func(*engine.Group) bool) []engine.Group {
	if keep == nil {
		return append([]engine.Group(nil), f.all...)
	}
	return filter(f.all, keep)
}

func (f *fixed) Get(id string) (engine.Group, error) { return find(f.all, id) }

func ids(groups []engine.Group) string {
	var b bytes.Buffer
	for _, g := range groups {
		fmt.Fprintf(&b, "%s=%s ", g.ID, g.Status)
	}
	return strings.TrimSpace(b.String())
}

func TestViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		groups := &fixed{all: []engine.Group{{ID: "a", Status: engine.Running, CreatedAt: start}}}
		set := NewSet(clock.RealClock{}, 1)
		view := set.Groups(groups)
		check := func(step, wantList string, wantErr map[string]error) {
			t.Helper()
			if got := ids(view.List(nil)); got != wantList {
				t.Errorf("%s: list %q, want %q", step, got, wantList)
			}
			if got := ids(view.List(func(g *engine.Group) bool { return g.ID == "none" })); got != "" {
				t.Errorf("%s: filtered list %q, want none", step, got)
			}
			for id, want := range wantErr {
				if _, err := view.Get(id); !errors.Is(err, want) {
					t.Errorf("%s: getting %s: %v, want %v", step, id, err, want)
				}
			}
		}
		add := func(f Fault) {
			t.Helper()
			set.Clear()
			if _, err := set.Add(f); err != nil {
				t.Fatalf("adding: %v", err)
			}
		}
		check("no fault", "a=Running", map[string]error{"a": nil, "b": engine.ErrNotFound})

		add(Fault{Kind: Stale})
		groups.all = []engine.Group{{ID: "a", Status: engine.Failed, CreatedAt: start}, {ID: "b", Status: engine.Pending, CreatedAt: start.Add(time.Minute)}}
		check("stale", "a=Running", map[string]error{"a": nil, "b": engine.ErrNotFound})

		add(Fault{Kind: Young, Age: metav1.Duration{Duration: 30 * time.Second}})
		time.Sleep(80 * time.Second) // b is 20 s old
		check("young", "a=Failed", map[string]error{"a": nil, "b": engine.ErrNotFound})
		time.Sleep(10 * time.Second)
		check("grown", "a=Failed b=Pending", map[string]error{"a": nil, "b": nil})

		add(Fault{Kind: Partial, Share: 1})
		check("permission lost", "", map[string]error{"a": nil})
	})
}

func TestPartial(t *testing.T) {
	groups := &fixed{}
	for i := range 1000 {
		groups.all = append(groups.all, engine.Group{ID: fmt.Sprint(i)})
	}
	set := NewSet(clock.RealClock{}, 1)
	view := set.Groups(groups)
	if _, err := set.Add(Fault{Kind: Partial, Share: 0.2}); err != nil {
		t.Fatalf("adding: %v", err)
	}
	if n := len(view.List(nil)); n < 750 || n > 850 {
		t.Errorf("%d of 1000 groups are left, want about 800", n)
	}
}

func TestAdmit(t *testing.T) {
	set := NewSet(clock.RealClock{}, 1)
	if _, err := set.Add(Fault{Kind: Unschedulable, Code: "NoStock", Message: "sold out", Times: 1}); err != nil {
		t.Fatalf("adding: %v", err)
	}
	var why *engine.UnschedulableError
	if err := set.Admit(nil); !errors.As(err, &why) || why.Reason != "NoStock" || why.Message != "sold out" {
		t.Errorf("admitting: %v", err)
	}
	if err := set.Admit(nil); err != nil {
		t.Errorf("admitting after the fault is spent: %v", err)
	}
}
