package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
)

// In these tests time.Sleep does not wait: testing/synctest runs them on a fake
// clock that advances once every goroutine of the test is idle.

// epoch is the time at which a synctest bubble begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// at is a time of the test in seconds.
func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// manualRuntime does what the test says.
type manualRuntime struct {
	mu      sync.Mutex
	started map[string]*manualInstance
}

// manualInstance notes its calls and reports on demand.
type manualInstance struct {
	id     string
	spec   *Spec
	report func(Observation)

	mu    sync.Mutex
	calls []string
}

func (r *manualRuntime) Start(id string, spec *Spec, report func(Observation)) Instance {
	i := &manualInstance{id: id, spec: spec, report: report}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started == nil {
		r.started = map[string]*manualInstance{}
	}
	r.started[id] = i
	return i
}

func (r *manualRuntime) instance(t *testing.T, id string) *manualInstance {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.started[id]
	if !ok {
		t.Fatalf("the runtime never started %s", id)
	}
	return i
}

func (i *manualInstance) note(call string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls = append(i.calls, call)
}

func (i *manualInstance) noted() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.calls...)
}

func (i *manualInstance) Stop(force bool) { i.note(fmt.Sprintf("Stop(%t)", force)) }
func (i *manualInstance) Restart()        { i.note("Restart()") }
func (i *manualInstance) Update(spec *Spec) {
	i.note(fmt.Sprintf("Update(%s)", spec.Containers[0].Image))
}
func (i *manualInstance) Usage() Usage { return Usage{RxBytes: 7} }
func (i *manualInstance) Logs(container string, previous bool) ([]LogLine, error) {
	return []LogLine{{Text: fmt.Sprintf("%s %t", container, previous)}}, nil
}
func (i *manualInstance) Exec(_ context.Context, _ string, req ExecRequest) (int, error) {
	return len(req.Command), nil
}

// fixture is an engine with numbered groups.
type fixture struct {
	*Engine
	runtime *manualRuntime
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	runtime := &manualRuntime{}
	made := 0
	o := Options{
		Clock:          clock.RealClock{},
		Runtime:        runtime,
		NewID:          func() string { made++; return fmt.Sprintf("eci-%d", made) },
		NewInterfaceID: func() string { return "eni-1" },
		Addresses:      netip.MustParsePrefix("10.0.0.0/29"),
		Latency:        Latency{Schedule: 2 * time.Second},
	}
	if change != nil {
		change(&o)
	}
	f := &fixture{New(o), runtime}
	t.Cleanup(f.Close)
	return f
}

// wait lets seconds pass and everything that is due happen.
func wait(seconds int) {
	time.Sleep(time.Duration(seconds) * time.Second)
	synctest.Wait()
}

// webSpec has one container.
func webSpec() Spec {
	return Spec{Name: "web", Subnet: "vsw-1", CPU: 1, Memory: 2, Tags: []NameValue{{"app", "web"}},
		Containers: []Container{{Name: "nginx", Image: "nginx:1"}}}
}

// running is an observation of webSpec's container.
func running() Observation {
	return Observation{Status: Running, HostIP: "192.168.0.9", Containers: []ContainerState{{
		Name: "nginx", Image: "nginx:1", Ready: true, Started: true,
		Current: RunState{Kind: KindRunning, StartedAt: at(3)},
	}}}
}

func (f *fixture) mustGet(t *testing.T, id string) Group {
	t.Helper()
	g, err := f.Get(id)
	if err != nil {
		t.Fatalf("getting %s: %v", id, err)
	}
	return g
}

func TestLifeOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		spec := webSpec()
		waiting := []ContainerState{{Name: "nginx", Image: "nginx:1",
			Current: RunState{Kind: KindWaiting, Reason: "ContainerCreating"}}}
		want := Group{
			ID: "eci-1", Spec: &spec, Status: Scheduling, MAC: "00:16:3e:00:00:01", ENI: "eni-1",
			Tags: []NameValue{{"app", "web"}}, CreatedAt: at(0), ChangedAt: at(0),
			InitContainers: []ContainerState{}, Containers: waiting,
		}
		compare := func(step string) {
			t.Helper()
			if diff := cmp.Diff(want, f.mustGet(t, "eci-1"), ignoreLocation); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", step, diff)
			}
		}
		if diff := cmp.Diff(want, f.Create(webSpec()), ignoreLocation); diff != "" {
			t.Fatalf("created (-want +got):\n%s", diff)
		}
		wait(1)
		compare("still scheduling")

		wait(1)
		want.Status, want.IP = Pending, "10.0.0.2"
		want.ScheduledAt, want.StartedAt, want.ChangedAt = at(2), at(2), at(2)
		compare("scheduled")
		instance := f.runtime.instance(t, "eci-1")
		if instance.spec.Address != "10.0.0.2" {
			t.Errorf("the runtime was told address %q, want 10.0.0.2", instance.spec.Address)
		}

		wait(1)
		instance.report(running())
		want.Status, want.HostIP, want.ChangedAt = Running, "192.168.0.9", at(3)
		want.InitContainers, want.Containers = nil, running().Containers
		compare("running")

		wait(1)
		instance.report(running())
		compare("nothing new changes no time")

		wait(1)
		ended := running()
		ended.Status, ended.Reason, ended.Message = Failed, "Error", "it broke"
		instance.report(ended)
		want.Status, want.Reason, want.Message = Failed, "Error", "it broke"
		want.EndedAt, want.ChangedAt = at(5), at(5)
		compare("failed")

		wait(1)
		if err := f.Delete("eci-1", false); err != nil {
			t.Fatalf("deleting: %v", err)
		}
		if _, err := f.Get("eci-1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("getting a deleted group: %v, want ErrNotFound", err)
		}
		if diff := cmp.Diff([]string{"Stop(true)"}, instance.noted()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		found, err := f.Find("eci-1")
		if err != nil {
			t.Fatalf("finding: %v", err)
		}
		want.DeletedAt, want.ChangedAt = at(6), at(6)
		want.Spec = &Spec{Name: "web", Subnet: "vsw-1", CPU: 1, Memory: 2}
		if diff := cmp.Diff(want, found, ignoreLocation); diff != "" {
			t.Errorf("remembered (-want +got):\n%s", diff)
		}
	})
}

// ignoreLocation compares times as moments.
var ignoreLocation = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func TestRestartAndUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.Create(webSpec())
		if err := f.Restart("eci-1"); !errors.Is(err, ErrState) {
			t.Errorf("restarting while Scheduling: %v, want ErrState", err)
		}
		wait(2)
		instance := f.runtime.instance(t, "eci-1")
		instance.report(running())
		check := func(step string, want Status) {
			t.Helper()
			if got := f.mustGet(t, "eci-1").Status; got != want {
				t.Errorf("%s: status %s, want %s", step, got, want)
			}
		}
		if err := f.Restart("eci-1"); err != nil {
			t.Fatalf("restarting: %v", err)
		}
		check("restart asked", Restarting)
		if err := f.Update("eci-1", webSpec()); !errors.Is(err, ErrState) {
			t.Errorf("updating while Restarting: %v, want ErrState", err)
		}
		instance.report(Observation{Status: Pending})
		check("containers start", Restarting)
		instance.report(running())
		check("containers run", Running)

		newer := webSpec()
		newer.Containers[0].Image = "nginx:2"
		if err := f.Update("eci-1", newer); err != nil {
			t.Fatalf("updating: %v", err)
		}
		check("update asked", Updating)
		instance.report(running())
		check("updated", Running)
		if got := f.mustGet(t, "eci-1").Spec.Containers[0].Image; got != "nginx:2" {
			t.Errorf("image after the update %q, want nginx:2", got)
		}
		if diff := cmp.Diff([]string{"Restart()", "Update(nginx:2)"}, instance.noted()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil) // a /29: .2 to .6 are for groups
		for range 6 {
			f.Create(webSpec())
			wait(2)
		}
		var got []string
		for _, g := range f.List(nil) {
			got = append(got, g.IP+string(g.Status))
		}
		want := []string{"10.0.0.2Pending", "10.0.0.3Pending", "10.0.0.4Pending", "10.0.0.5Pending", "10.0.0.6Pending",
			"ScheduleFailed"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("addresses (-want +got):\n%s", diff)
		}
		if reason := f.mustGet(t, "eci-6").Reason; reason != "InvalidVSwitchId.IpNotEnough" {
			t.Errorf("reason %q", reason)
		}
		f.runtime.instance(t, "eci-3").report(Observation{Status: Succeeded})
		f.Create(webSpec())
		wait(2)
		if ip := f.mustGet(t, "eci-7").IP; ip != "10.0.0.4" {
			t.Errorf("the address given anew is %q, want the one that was freed, 10.0.0.4", ip)
		}
	})
}

func TestListAndInstanceCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.Create(webSpec())
		f.Create(webSpec())
		if _, err := f.Logs("eci-1", "nginx", false); !errors.Is(err, ErrNotRunning) {
			t.Errorf("logs while Scheduling: %v, want ErrNotRunning", err)
		}
		wait(2)
		got := f.List(func(g *Group) bool { return g.ID == "eci-2" })
		if len(got) != 1 || got[0].ID != "eci-2" {
			t.Errorf("filtered list: %v", got)
		}
		lines, err := f.Logs("eci-1", "nginx", true)
		if err != nil || len(lines) != 1 || lines[0].Text != "nginx true" {
			t.Errorf("logs: %v, %v", lines, err)
		}
		code, err := f.Exec(t.Context(), "eci-1", "nginx", ExecRequest{Command: []string{"a", "b"}})
		if err != nil || code != 2 {
			t.Errorf("exec: %d, %v", code, err)
		}
		usage, err := f.Usage("eci-1")
		if err != nil || usage.RxBytes != 7 {
			t.Errorf("usage: %v, %v", usage, err)
		}
		if err := f.SetTags("eci-1", []NameValue{{"a", "b"}}); err != nil {
			t.Fatalf("tagging: %v", err)
		}
		if diff := cmp.Diff([]NameValue{{"a", "b"}}, f.mustGet(t, "eci-1").Tags); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
		for name, err := range map[string]error{
			"delete": f.Delete("x", false), "restart": f.Restart("x"), "update": f.Update("x", webSpec()),
			"tags": f.SetTags("x", nil),
		} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s of an unknown group: %v, want ErrNotFound", name, err)
			}
		}
	})
}
