package kubernetes

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// urgency is how much a group is in a hurry to end.
type urgency int

const (
	stays urgency = iota
	graceful
	forced
)

// group is one group that runs; it implements engine.Instance. One goroutine,
// live, does everything for it that takes time, and is the only one to report.
type group struct {
	runtime *Runtime
	id      string
	report  func(engine.Observation)
	log     logr.Logger
	wake    chan struct{}

	// mu guards the inbox: what others want of the group and what they know.
	mu    sync.Mutex
	inbox inbox

	// All that follows belongs to live.

	// pod is the group's pod; nil while there is none.
	pod *incarnation
	// made counts the pods so far.
	made int
	// restarts counts those in place.
	restarts int
	// carried is what containers bring from earlier pods.
	carried map[string]carry
	// replacing tells that the pod ends to make place for another.
	replacing bool
	// unsure tells that a pod may have been made without an answer.
	unsure bool
	// secrets and files tell that there may be secrets and files of the group.
	secrets, files bool
	// plain tells that the backing cluster takes no size of a whole pod.
	plain bool
	// told is the last observation.
	told *engine.Observation
	// advised and refused are the specs for which hindrances were told.
	advised, refused *engine.Spec
	// retry paces calls that fail: none before pausedUntil, unless the group
	// has become more urgent than pausedAt.
	retry       wait.Backoff
	pausedUntil time.Time
	pausedAt    urgency
	checkAt     time.Time
}

// inbox is what others tell a group.
type inbox struct {
	spec    *engine.Spec
	stop    urgency
	restart bool
	update  bool
	// over tells that the group's goroutine has ended.
	over bool

	// podName is the pod that seen and the rest are about.
	podName string
	podUID  types.UID
	// seen is the pod as last seen, gone whether it is deleted, doubted whether
	// somebody should look.
	seen    *corev1.Pod
	gone    bool
	doubted bool

	// news are the events since the last observation, counted how often each
	// event of the backing cluster was told.
	news    []engine.Event
	counted map[types.UID]int

	// disguises are texts of the kubelet, each followed by what to tell instead.
	disguises []string

	// kept are the logs of the pod before this one, or of this one once it ends.
	kept *keptLogs
}

// incarnation is one pod of a group.
type incarnation struct {
	plan *plan
	spec *engine.Spec
	// asked is how urgently the pod was told to end, and lostAt when to give up
	// waiting for it.
	asked  urgency
	lostAt time.Time
	// held are the containers whose image changes, with the container id of the
	// old run: until another one runs, the group is not up to date.
	held map[string]string
	// disguised tells that images are spelled in another way to restart them.
	disguised bool
}

var _ engine.Instance = (*group)(nil)

func newGroup(r *Runtime, id string, spec *engine.Spec, report func(engine.Observation)) *group {
	return &group{
		runtime: r, id: id, report: report, log: r.log.WithValues("group", id),
		wake:  make(chan struct{}, 1),
		inbox: inbox{spec: spec, counted: map[types.UID]int{}},
		retry: newBackoff(),
	}
}

// newBackoff paces the calls of one group that fail one after the other.
func newBackoff() wait.Backoff {
	return wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 20, Cap: 30 * time.Second}
}

// change changes the inbox and wakes the group.
func (g *group) change(f func(*inbox)) {
	g.mu.Lock()
	f(&g.inbox)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// look returns the inbox as it is.
func (g *group) look() inbox {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inbox
}

// Stop implements engine.Instance.
func (g *group) Stop(force bool) {
	g.change(func(in *inbox) {
		if force {
			in.stop = forced
		}
		in.stop = max(in.stop, graceful)
	})
}

// Restart implements engine.Instance.
func (g *group) Restart() {
	g.change(func(in *inbox) { in.restart = true })
}

// Update implements engine.Instance.
func (g *group) Update(spec *engine.Spec) {
	g.change(func(in *inbox) { in.spec, in.update = spec, true })
}

// sawPod takes news of a pod of the group.
func (g *group) sawPod(pod *corev1.Pod) {
	g.change(func(in *inbox) {
		switch {
		case pod.Name != in.podName || in.gone:
		case in.podUID != "" && pod.UID != in.podUID:
			in.doubted = true // somebody has replaced it
		default:
			in.seen = pod
		}
	})
}

// lostPod takes the news that a pod of the group is gone, and its last state.
// Without certainty somebody has to look.
func (g *group) lostPod(pod *corev1.Pod, certain bool) {
	g.change(func(in *inbox) {
		switch {
		case pod.Name != in.podName || (in.podUID != "" && pod.UID != in.podUID):
		case certain:
			in.seen, in.gone = pod, true
		default:
			in.doubted = true
		}
	})
}

// sawEvent takes an event of a pod of the group.
func (g *group) sawEvent(e *corev1.Event) {
	if e.Reason == scheduled {
		return
	}
	g.change(func(in *inbox) {
		count := occurrences(e)
		news := count - in.counted[e.UID]
		if news <= 0 {
			return
		}
		in.counted[e.UID] = count
		in.news = append(in.news, eventOf(e, news, g.scrubberFor(in, e.InvolvedObject.Name, string(e.InvolvedObject.UID))))
	})
}

// forgetEvent drops the count of an event that the backing cluster forgets.
func (g *group) forgetEvent(e *corev1.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.inbox.counted, e.UID)
}

// scrubberFor is for texts on one of the group's pods, as the inbox shows it.
func (g *group) scrubberFor(in *inbox, name, uid string) *scrubber {
	pod := identity{namespace: g.runtime.builder.namespace, name: name, uid: uid, node: g.runtime.builder.node}
	if in.seen != nil {
		pod.node = in.seen.Spec.NodeName
	}
	return newScrubber(g.runtime.builder.cloud, g.id, in.spec, pod, in.disguises...)
}

// note adds an event of the runtime's own.
func (g *group) note(e engine.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inbox.news = append(g.inbox.news, e)
}

// live runs the group until it is over or ctx ends.
func (g *group) live(ctx context.Context) {
	defer g.change(func(in *inbox) { in.over = true })
	for ctx.Err() == nil {
		in := g.look()
		g.tell(&in)
		pause, over := g.step(ctx, &in)
		if over || !g.sleep(ctx, pause) {
			return
		}
	}
}

// sleep waits until something is new, or for d unless it is negative. It is false
// when ctx has ended.
func (g *group) sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	var due <-chan time.Time
	if d > 0 {
		timer := g.runtime.clock.NewTimer(d)
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-g.wake:
	case <-due:
	case <-ctx.Done():
		return false
	}
	return true
}

// tell reports what the inbox shows, if it is new.
func (g *group) tell(in *inbox) {
	if in.gone && !g.replacing {
		return // finish has the last word
	}
	g.say(g.observe(in), in.update || in.restart)
}

// finish reports that nothing runs any more.
func (g *group) finish(in *inbox) {
	o := g.observe(in)
	at := g.runtime.clock.Now()
	ended(o.InitContainers, at)
	ended(o.Containers, at)
	o.Stopped = true
	if !o.Status.Final() {
		o.Status = engine.Failed
	}
	if in.stop == stays && in.gone {
		o.Status = engine.Failed
		o.Reason, o.Message = lostGroupReason, lostGroupMessage
	}
	g.say(o, false)
}

// The reason and message of a group whose pod was taken away from outside.
const (
	lostGroupReason  = "SystemFailure"
	lostGroupMessage = "The machine has lost the container group"
)

// say reports an observation with the events since the last one, unless nothing
// is new or something that makes it old is already on its way.
func (g *group) say(o engine.Observation, outdated bool) {
	g.mu.Lock()
	news := g.inbox.news
	g.inbox.news = nil
	g.mu.Unlock()
	if outdated && o.Status == engine.Running {
		// The engine waits for Running to learn that a restart or update is
		// done; this one has not begun.
		o.Status = engine.Pending
	}
	if len(news) == 0 && g.told != nil && reflect.DeepEqual(*g.told, o) {
		return
	}
	told := o
	g.told = &told
	o.NewEvents = news
	g.report(o)
}
