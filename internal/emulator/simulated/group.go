package simulated

import (
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// group is one group that runs; it implements engine.Instance.
type group struct {
	runtime *Runtime
	id      string
	report  func(engine.Observation)

	// mu guards all that follows, and the containers.
	mu   sync.Mutex
	spec *engine.Spec
	// inits and apps are in the order of the spec. The first done of the init
	// containers have succeeded.
	inits, apps []*container
	done        int
	// failed is true once an init container failed for good.
	failed bool

	pulled  map[string]bool
	volumes map[string]*shell.Volume

	// stopping, force and stopped follow Stop; restarting follows Restart.
	stopping, force, stopped, restarting bool

	// events wait for the next observation. dirty tells that there is
	// something to report, reporting that somebody is at it.
	events           []engine.Event
	dirty, reporting bool
}

var _ engine.Instance = (*group)(nil)

func newGroup(r *Runtime, id string, spec *engine.Spec, report func(engine.Observation)) *group {
	g := &group{runtime: r, id: id, report: report, spec: spec, pulled: map[string]bool{}}
	for i := range spec.InitContainers {
		g.inits = append(g.inits, newContainer(g, &spec.InitContainers[i], true))
	}
	for i := range spec.Containers {
		g.apps = append(g.apps, newContainer(g, &spec.Containers[i], false))
	}
	return g
}

// do changes the group and reports what came of it. Nobody holds a lock.
func (g *group) do(f func()) {
	g.mu.Lock()
	if g.runtime.closing.Err() == nil {
		f()
	}
	g.mu.Unlock()
	g.flush()
}

// after does f once d has passed; at once if d is zero. The lock is held.
func (g *group) after(d time.Duration, f func()) clock.Timer {
	if d <= 0 {
		f()
		return nil
	}
	return g.runtime.after(d, func() { g.do(f) })
}

// flush reports until there is nothing new. If another goroutine reports, that
// one sees to it: observations come one after the other.
func (g *group) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reporting {
		return
	}
	g.reporting = true
	for g.dirty && g.runtime.closing.Err() == nil {
		g.dirty = false
		o := g.observe()
		g.mu.Unlock()
		g.report(o)
		g.mu.Lock()
	}
	g.reporting = false
}

// observe is all that is known; the lock is held.
func (g *group) observe() engine.Observation {
	o := engine.Observation{
		IP: g.spec.Address, HostIP: g.spec.Address, Status: g.status(),
		InitContainers: states(g.inits), Containers: states(g.apps),
		NewEvents: g.events, Stopped: g.stopped,
	}
	g.events = nil
	return o
}

func states(containers []*container) []engine.ContainerState {
	all := make([]engine.ContainerState, 0, len(containers))
	for _, c := range containers {
		all = append(all, c.state)
	}
	return all
}

// event notes an event; the lock is held.
func (g *group) event(c *container, kind, reason, message string) {
	now := g.runtime.clock.Now()
	g.events = append(g.events, engine.Event{
		Type: kind, Reason: reason, Message: message, Container: c.spec.Name, Count: 1, First: now, Last: now,
	})
	g.dirty = true
}

// begin starts the first init container, or all containers if there is none.
func (g *group) begin() {
	g.dirty = true
	g.advance()
}

// advance starts what is due after the init containers that are done.
func (g *group) advance() {
	if g.stopping || g.restarting || g.failed {
		return
	}
	if g.done < len(g.inits) {
		g.inits[g.done].prepare()
		return
	}
	for _, c := range g.apps {
		c.waitFor("ContainerCreating", "")
		c.launched = false
	}
	g.launch()
}

// initialized tells whether the containers' time has come; the lock is held.
func (g *group) initialized() bool { return g.done == len(g.inits) }

// status is the kubelet's phase of a pod (pkg/kubelet, getPhase).
func (g *group) status() engine.Status {
	switch {
	case g.failed:
		return engine.Failed
	case g.restarting || !g.initialized() || slices.ContainsFunc(g.apps, (*container).replacing):
		return engine.Pending
	}
	n := g.count()
	if g.stopping || g.over() {
		return n.stopping()
	}
	switch {
	case n.waiting > 0:
		return engine.Pending
	case n.running > 0 || g.spec.RestartPolicy == "Always" || g.spec.RestartPolicy == "":
		return engine.Running
	case n.succeeded == n.all:
		return engine.Succeeded
	case g.spec.RestartPolicy == "Never":
		return engine.Failed
	default:
		return engine.Running
	}
}

// counts are how many containers, without the init containers, wait for their
// first run, run, and have succeeded.
type counts struct{ all, waiting, running, succeeded int }

func (g *group) count() counts {
	n := counts{all: len(g.apps)}
	for _, c := range g.apps {
		switch current := &c.state.Current; {
		case current.Kind == engine.KindWaiting && (c.state.Previous == nil || !c.retrying()):
			n.waiting++
		case current.Kind == engine.KindRunning || (c.due && !g.stopping):
			n.running++
		case current.Kind == engine.KindTerminated && current.ExitCode == 0:
			n.succeeded++
		}
	}
	return n
}

// stopping is the phase of a group that is being stopped.
func (n counts) stopping() engine.Status {
	switch {
	case n.running > 0:
		return engine.Running
	case n.succeeded == n.all:
		return engine.Succeeded
	default:
		return engine.Failed
	}
}

// podName is how a kubelet names a pod in its messages. The clouds put groups
// of their API into namespace default, with the group's id as UID (ECI's page
// on DescribeContainerGroupEvents).
func (g *group) podName() string { return g.spec.Name + "_default(" + g.id + ")" }

// find returns a container by name; the lock is held.
func (g *group) find(name string) (*container, error) {
	if name == "" && len(g.apps) == 1 {
		return g.apps[0], nil
	}
	for _, list := range [][]*container{g.apps, g.inits} {
		for _, c := range list {
			if c.spec.Name == name {
				return c, nil
			}
		}
	}
	return nil, engine.ErrNoContainer
}
