package prober

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/translate"
)

// Options are what a Prober needs. All fields are required; none of the
// functions may block.
type Options struct {
	Checker Checker
	Clock   clock.WithTicker
	// Changed is told of a pod whose results have changed.
	Changed func(types.UID)
	// Failed is told of a container whose liveness or startup probe has failed
	// for good in this run: it must be restarted.
	Failed func(types.UID, Failed)
	// Tell is told what a kubelet would say on the pod.
	Tell func(types.UID, Event)
}

// Failed is a container that must be restarted.
type Failed struct {
	Container string
	Kind      translate.ProbeKind
	Run       Run
}

// Event is a warning about a container.
type Event struct {
	Container, Reason, Message string
}

// The reasons of Event, in the kubelet's spelling.
const (
	ReasonUnhealthy    = "Unhealthy"
	ReasonProbeWarning = "ProbeWarning"
)

// Run tells one run of a container from its others.
type Run struct {
	// Restarts is the container's restart count as the cloud tells it.
	Restarts int32
	// StartedAt is when the run began; zero where the cloud does not tell.
	StartedAt time.Time
}

// Container is what is known of a container now.
type Container struct {
	Name string
	// Running is whether it runs.
	Running bool
	Run     Run
	// Before holds the results of this run that an earlier process has left in
	// the pod's status; nil if there are none.
	Before *Before
}

// Before are results from before this process began.
type Before struct {
	Started, Ready bool
}

// Pod is what is known of a pod now.
type Pod struct {
	UID types.UID
	// Group and Address are its container group's id and IP address.
	Group, Address string
	// Ending: it is being deleted. Nothing of it is to be restarted any more.
	Ending     bool
	Probes     []translate.NodeProbe
	Containers []Container
}

// Prober probes pods. Make it with New. It is safe for concurrent use.
type Prober struct {
	Options
	began time.Time

	mu   sync.Mutex
	ctx  context.Context //nolint:containedctx // the workers' life, which Run bounds
	pods map[types.UID]*pod
	work sync.WaitGroup
}

// pod is a pod that is probed.
type pod struct {
	stop    context.CancelFunc
	workers []*worker
}

// New returns a prober; it probes nothing until Run.
func New(o Options) *Prober {
	return &Prober{Options: o, began: o.Clock.Now(), pods: map[types.UID]*pod{}}
}

// Run lets the workers work until ctx ends, and returns when they have ended.
func (p *Prober) Run(ctx context.Context) {
	p.mu.Lock()
	p.ctx = ctx
	for _, pod := range p.pods {
		p.start(pod)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.pods = map[types.UID]*pod{}
	p.mu.Unlock()
	p.work.Wait()
}

// Sync takes notice of a pod as it is now. It never blocks.
func (p *Prober) Sync(now Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx != nil && p.ctx.Err() != nil {
		return
	}
	known, ok := p.pods[now.UID]
	if !ok {
		known = &pod{}
		for _, probe := range now.Probes {
			known.workers = append(known.workers, p.newWorker(now.UID, probe))
		}
		p.pods[now.UID] = known
	}
	for _, w := range known.workers {
		w.observe(&now, p.Clock.Now())
	}
	known.gate()
	if !ok && p.ctx != nil {
		p.start(known)
	}
}

// Forget ends the probing of a pod, if there is any.
func (p *Prober) Forget(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.pods[uid]; ok {
		if known.stop != nil {
			known.stop()
		}
		delete(p.pods, uid)
	}
}

// Pods is how many pods are probed.
func (p *Prober) Pods() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pods)
}

// Results tells of the pod's containers, in the runs given, which are started
// and which are ready as far as the node's own probes go: a container without a
// probe of a kind is not in the answer of this kind. It may be asked of a run
// that Sync has not told of yet.
func (p *Prober) Results(of Pod) (started, ready map[string]bool) {
	started, ready = map[string]bool{}, map[string]bool{}
	for _, probe := range of.Probes {
		i := slices.IndexFunc(of.Containers, func(c Container) bool { return c.Name == probe.Container })
		if i < 0 {
			continue
		}
		switch probe.Kind {
		case translate.ProbeStartup:
			started[probe.Container] = p.result(of.UID, probe, &of.Containers[i]) == Success
		case translate.ProbeReadiness:
			ready[probe.Container] = p.result(of.UID, probe, &of.Containers[i]) == Success
		case translate.ProbeLiveness:
		}
	}
	return started, ready
}

// result is a probe's result in a container's current run.
func (p *Prober) result(uid types.UID, probe translate.NodeProbe, c *Container) Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.pods[uid]; ok {
		for _, w := range known.workers {
			if w.Container == probe.Container && w.Kind == probe.Kind {
				if result, ok := w.resultIn(c.Run); ok {
					return result
				}
			}
		}
	}
	return inherited(probe.Kind, c.Before)
}

// start lets a pod's workers work. The caller holds the lock.
func (p *Prober) start(known *pod) {
	ctx, cancel := context.WithCancel(p.ctx)
	known.stop = cancel
	for _, w := range known.workers {
		p.work.Go(func() { w.work(ctx) })
	}
}

// settled hands a result on: to the other probes of the container, which may
// have waited for it, and to whoever shows it.
func (p *Prober) settled(uid types.UID) {
	p.mu.Lock()
	if known, ok := p.pods[uid]; ok {
		known.gate()
	}
	p.mu.Unlock()
	p.Changed(uid)
}

// gate lets the other probes of a container begin when its startup probe has
// succeeded.
func (known *pod) gate() {
	for _, w := range known.workers {
		if w.Kind == translate.ProbeStartup {
			continue
		}
		open := true
		for _, other := range known.workers {
			if other.Kind == translate.ProbeStartup && other.Container == w.Container {
				open = other.succeeded()
			}
		}
		w.admit(open)
	}
}

// stagger is how long a worker waits before its first probe: when a process
// starts, the probes of all its pods would otherwise fall into one moment.
func (p *Prober) stagger(period time.Duration) time.Duration {
	if period <= p.Clock.Since(p.began) {
		return 0
	}
	return time.Duration(rand.Float64() * float64(period)) //nolint:gosec // no secret
}
