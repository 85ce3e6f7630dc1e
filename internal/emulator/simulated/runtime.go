package simulated

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Options configure a Runtime.
type Options struct {
	// Clock is where all times and waits come from.
	Clock   clock.WithDelayedExecution
	Latency Latency
}

// Latency is how long the steps of an agent take. A zero step is over at once.
type Latency struct {
	// Pull is for an image that the group has not pulled yet.
	Pull time.Duration
	// Create and Start are for each run of a container.
	Create, Start time.Duration
	// Stop is from the last container's end until the group is torn down.
	Stop time.Duration
}

// Runtime implements engine.Runtime. Use New.
type Runtime struct {
	clock   clock.WithDelayedExecution
	latency Latency

	// closing ends with Close; all that runs hangs on it.
	closing context.Context
	cancel  context.CancelFunc

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
	groups map[string]*group
}

var _ engine.Runtime = (*Runtime)(nil)

// New returns a runtime. It panics without a clock, which is a mistake in the
// program. Call Close when done.
func New(o Options) *Runtime {
	if o.Clock == nil {
		panic(errors.New("simulated.New: Options needs Clock"))
	}
	closing, cancel := context.WithCancel(context.Background())
	return &Runtime{
		clock: o.Clock, latency: o.Latency,
		closing: closing, cancel: cancel, groups: map[string]*group{},
	}
}

// Close ends everything at once and waits for it. Nothing is reported any more.
func (r *Runtime) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.work.Wait()
}

// Start implements engine.Runtime.
func (r *Runtime) Start(id string, spec *engine.Spec, report func(engine.Observation)) engine.Instance {
	g := newGroup(r, id, spec, report)
	r.mu.Lock()
	r.groups[id] = g
	r.mu.Unlock()
	r.goroutine(func() { g.do(g.begin) })
	return g
}

// SetFate makes something happen to a container that runs. An empty container
// name means the only one. The errors are engine.ErrNotFound, ErrNoContainer and
// ErrNotRunning.
func (r *Runtime) SetFate(id, container string, fate Fate) error {
	r.mu.Lock()
	g, ok := r.groups[id]
	r.mu.Unlock()
	if !ok {
		return engine.ErrNotFound
	}
	return g.setFate(container, fate)
}

// forget drops a group that is torn down.
func (r *Runtime) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.groups, id)
}

// goroutine runs f in a goroutine that Close waits for; after Close not at all.
func (r *Runtime) goroutine(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.work.Go(f)
	}
}

// after calls f in a goroutine of its own once d has passed.
func (r *Runtime) after(d time.Duration, f func()) clock.Timer {
	return r.clock.AfterFunc(d, func() { go r.goroutine(f) })
}
