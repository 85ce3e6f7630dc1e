package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

const (
	// createTimeout bounds one create call with the adapter's own retries
	// and its wait for a free slot in the cloud's quota.
	createTimeout = 2 * time.Minute
	// referencePause is how long a pod waits for a ConfigMap or Secret that
	// does not exist yet; the kubelet looks about as often.
	referencePause = 5 * time.Second
	// unknownLoss is how long after start a pod that once ran, and whose
	// group's id is not known, must be missing before it is given up.
	unknownLoss = 10 * time.Minute
)

// create asks the cloud for a pod's group, once, however often it is called.
func (p *Provider) create(ctx context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok || !r.wantsGroup() || p.sweeps.Load() == 0 {
		return 0, nil
	}
	if ranBefore(r.pod) {
		return p.missed(ctx, &r)
	}
	if wait := p.settle(&r); wait > 0 {
		return wait, nil
	}
	spec, err := p.specOf(ctx, &r)
	if err != nil {
		return p.noSpec(&r, err)
	}
	return p.ask(ctx, &r, spec)
}

// settle is how long a create must still wait so that a group made by an
// earlier run of this process would be seen. Clouds with tokens need no wait:
// they recognise the repetition themselves.
func (p *Provider) settle(r *record) time.Duration {
	if p.Cloud.Limits().Tags || r.pod.CreationTimestamp.After(p.started) {
		return 0
	}
	return p.Consistency - p.Clock.Since(p.started)
}

// specOf translates the pod, or returns what an unsettled create asked for.
func (p *Provider) specOf(ctx context.Context, r *record) (cloudapi.GroupSpec, error) {
	if r.spec != nil {
		return *r.spec, nil
	}
	references, err := p.resolve(ctx, r.pod)
	if err != nil {
		return cloudapi.GroupSpec{}, err
	}
	spec, report, err := translate.Group(r.pod, references, p.translateOptions())
	if err != nil {
		return cloudapi.GroupSpec{}, err
	}
	p.tellReport(r.pod, report)
	return spec, nil
}

// noSpec handles a pod that cannot be translated: for ever, or not yet.
func (p *Provider) noSpec(r *record, err error) (time.Duration, error) {
	var refused *translate.Refused
	var missing *translate.MissingReference
	switch {
	case errors.As(err, &refused):
		p.reject(r, translate.ReasonUnsupported, refused.Error(), func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
			return translate.Rejected(pod, refused, now)
		})
		return 0, nil
	case errors.As(err, &missing):
		p.await(r, missing)
		return referencePause, nil
	default:
		return 0, fmt.Errorf("preparing pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
	}
}

// reject fails a pod that this cloud can never run, with every reason at once.
func (p *Provider) reject(r *record, reason, message string, status statusFunc) {
	p.Recorder.Event(r.pod, corev1.EventTypeWarning, reason, message)
	p.decide(r.uid, status)
	p.Metrics.refused.Inc()
}

// reasonRejected is the reason of a pod that the cloud itself refused.
const reasonRejected = "ContainerGroupRejected"

// rejectedByCloud fails a pod whose request the cloud calls invalid.
func (p *Provider) rejectedByCloud(r *record, message string) {
	p.reject(r, reasonRejected, message, func(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Failed(pod, group, reasonRejected, message, now)
	})
}

// await shows, in the kubelet's words, what a pod is waiting for.
func (p *Provider) await(r *record, missing *translate.MissingReference) {
	reason, event := missing.Reason(), "Failed"
	if missing.Volume != "" {
		reason, event = "ContainerCreating", missing.Reason()
	}
	message := missing.Error()
	p.Recorder.Event(r.pod, corev1.EventTypeWarning, event, message)
	p.store.update(r.uid, func(r *record) {
		r.verdict = &verdict{status: func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
			return translate.Waiting(pod, reason, message, now)
		}}
	})
	p.publishes.add(r.uid)
}

// ask makes one create call and settles what came of it.
func (p *Provider) ask(ctx context.Context, r *record, spec cloudapi.GroupSpec) (time.Duration, error) {
	mayExist := r.mayExist || !r.pod.CreationTimestamp.After(p.started)
	claimed := false
	p.store.update(r.uid, func(r *record) {
		if claimed = r.wantsGroup() && !r.creating; claimed {
			r.creating, r.spec, r.lastCreate, r.verdict = true, &spec, p.Clock.Now(), nil
		}
	})
	if !claimed {
		return 0, nil
	}
	p.publishes.add(r.uid)
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	begun := p.Clock.Now()
	id, err := p.Cloud.Create(ctx, spec, cloudapi.CreateOptions{Token: token(r), MayExist: mayExist})
	p.Metrics.created(p.Clock.Since(begun), err)
	if err == nil {
		p.created(r, id)
		return 0, nil
	}
	return p.notCreated(ctx, r, err)
}

// token is the idempotency token of this attempt: the same for every
// repetition of one request.
func token(r *record) string {
	if r.attempt == 0 {
		return string(r.uid)
	}
	return fmt.Sprintf("%s-%d", r.uid, r.attempt)
}

func (p *Provider) created(r *record, id string) {
	p.store.update(r.uid, func(r *record) { r.creating = false })
	if !p.store.bind(r.uid, id) {
		p.Log.Info("group is not the pod's: it has another, or is gone", "uid", r.uid, "group", id)
	}
	p.Log.Info("created group", "pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", id)
	p.route(r.uid)
	p.kick()
}

// notCreated decides what a failed create means for the next one.
func (p *Provider) notCreated(ctx context.Context, r *record, err error) (time.Duration, error) {
	var e *cloudapi.Error
	uncertain := !errors.As(err, &e) || e.Uncertain || e.Code == cloudapi.CodeCanceled
	p.store.update(r.uid, func(r *record) {
		r.creating = false
		if uncertain {
			r.mayExist = true
			return
		}
		r.spec, r.attempt = nil, r.attempt+1
	})
	if ctx.Err() == nil && !uncertain {
		p.tellFailure(r, e)
	}
	switch {
	case cloudapi.Is(err, cloudapi.CodeMismatch):
		// The token is taken: this pod's group was asked for by an earlier
		// run of this process. If it exists the next sweep adopts it.
		return p.Consistency, nil
	case !uncertain && cloudapi.Terminal(err):
		p.rejectedByCloud(r, e.Stable())
		return 0, nil
	case p.ending(r.uid):
		p.ends.add(r.uid)
		return 0, nil
	default:
		return pause(e), fmt.Errorf("creating group of pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
	}
}

func (p *Provider) ending(uid types.UID) bool {
	r, ok := p.store.get(uid)
	return ok && r.ending()
}

// pause is how long a class of failure should rest; 0 leaves it to the
// queue's back-off.
func pause(e *cloudapi.Error) time.Duration {
	if e == nil {
		return 0
	}
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	switch e.Code {
	case cloudapi.CodeOutOfStock:
		return 30 * time.Second
	case cloudapi.CodeQuota, cloudapi.CodeForbidden, cloudapi.CodePayment, cloudapi.CodeUnauthorized:
		return time.Minute
	default:
		return 0
	}
}

// tellFailure says on the pod why it does not run yet, in the kubelet's word
// for a pod that could not be set up.
func (p *Provider) tellFailure(r *record, e *cloudapi.Error) {
	p.Recorder.Eventf(r.pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create container group: %s", e.Stable())
}

// ranBefore tells whether a pod's status shows that it once had a group.
func ranBefore(pod *corev1.Pod) bool {
	return pod.Status.PodIP != "" || pod.Status.Phase == corev1.PodRunning
}

// missed handles a pod that ran under an earlier run of this process and whose
// group no sweep has shown. It is never started a second time: it is lost,
// once that is certain.
func (p *Provider) missed(ctx context.Context, r *record) (time.Duration, error) {
	id := p.groupIDIn(r.pod)
	age, least := p.Clock.Since(p.started), youngest
	if id == "" {
		least = unknownLoss
	}
	if age < least || p.sweeps.Load() < absences {
		return min(least, youngest), nil
	}
	if id != "" && !p.surelyGone(ctx, id) {
		return youngest, nil
	}
	p.lose(r)
	return 0, nil
}

// groupIDIn reads the group's id out of a container id that translate made.
func (p *Provider) groupIDIn(pod *corev1.Pod) string {
	prefix := p.Cloud.Limits().Provider + "://"
	for _, c := range append(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses...) {
		if rest, ok := strings.CutPrefix(c.ContainerID, prefix); ok {
			id, _, _ := strings.Cut(rest, "/")
			return id
		}
	}
	return ""
}

// lose fails a pod whose group vanished without our doing.
func (p *Provider) lose(r *record) {
	const message = "The container group no longer exists in the cloud and cumulet did not delete it"
	p.Recorder.Event(r.pod, corev1.EventTypeWarning, translate.ReasonGroupLost, message)
	p.decide(r.uid, func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Lost(pod, now)
	})
	p.Metrics.lost.Inc()
}
