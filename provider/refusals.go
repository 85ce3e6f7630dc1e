package provider

import (
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// A ReplicaSet or StatefulSet makes the next pod as soon as one has failed, so
// that a template which is refused would fill the API server with failed pods at
// the speed of its controller. Of one controller refusalsAtOnce pods fail at once;
// then each waits longer than the one before, Pending and with the reason shown.
const (
	refusalsAtOnce = 10
	firstRefusal   = 10 * time.Second
	lastRefusal    = 5 * time.Minute
	// refusalMemory is how long a controller's refusals count after the last.
	refusalMemory = 2 * lastRefusal
)

// refusals remembers how many pods of each controller were refused lately.
type refusals struct {
	mu    sync.Mutex
	count map[types.UID]int
	last  map[types.UID]time.Time
}

// turn counts a refused pod and tells when it may fail.
func (f *refusals) turn(pod *corev1.Pod, now time.Time) time.Time {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return now
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count, f.last = map[types.UID]int{}, map[types.UID]time.Time{}
	}
	maps.DeleteFunc(f.last, func(_ types.UID, last time.Time) bool { return now.Sub(last) > refusalMemory })
	maps.DeleteFunc(f.count, func(uid types.UID, _ int) bool { _, there := f.last[uid]; return !there })
	f.count[owner.UID]++
	at := now
	if over := f.count[owner.UID] - refusalsAtOnce; over > 0 {
		at = now.Add(min(lastRefusal, firstRefusal<<min(over-1, 10)))
	}
	f.last[owner.UID] = at
	return at
}

// refuse fails a pod that this cloud can never run, with every reason at once, or
// returns how long it has to wait for that.
func (p *Provider) refuse(r *record, reason, message string, status statusFunc) time.Duration {
	failAt := r.failAt
	if failAt.IsZero() {
		failAt = p.refusals.turn(r.pod, p.Clock.Now())
		p.Recorder.Event(r.pod, corev1.EventTypeWarning, reason, message)
		p.Metrics.refused.Inc()
		p.store.update(r.uid, func(r *record) { r.failAt = failAt })
	}
	left := failAt.Sub(p.Clock.Now())
	if left <= 0 {
		p.settle(r.uid, &verdict{status: status, final: true})
		return 0
	}
	p.show(r.uid, func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Waiting(pod, reason, message, now)
	})
	return left
}

// show shows a status until something else is known of the pod.
func (p *Provider) show(uid types.UID, status statusFunc) { p.settle(uid, &verdict{status: status}) }

// settle sets a verdict on a pod that has no group. One may have shown up while it
// was found out that none can be asked for: then that is what counts.
func (p *Provider) settle(uid types.UID, v *verdict) {
	p.store.update(uid, func(r *record) {
		if r.groupID == "" && !r.condemned() {
			r.verdict = v
		}
	})
	p.publishes.add(uid)
}
