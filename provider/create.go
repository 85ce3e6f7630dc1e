package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

const (
	// createTimeout bounds one create call with the adapter's own retries
	// and its wait for a free slot in the cloud's quota.
	createTimeout = 2 * time.Minute
	// referencePause is how long a pod waits for a ConfigMap or Secret that
	// does not exist yet before it says so again; the kubelet looks about as
	// often. When the object appears the pod goes on at once.
	referencePause = 5 * time.Second
	// forbiddenPatience is how long after a pod was first seen the API
	// server's authorizer may not know of it yet, and forbiddenPause how
	// long to wait for it at a time.
	forbiddenPatience = 5 * time.Second
	forbiddenPause    = 100 * time.Millisecond
)

// create asks the cloud for a pod's group, once, however often it is called.
func (p *Provider) create(ctx context.Context, uid types.UID) (time.Duration, error) {
	defer p.dropReferences(uid)
	r, ok := p.store.get(uid)
	if !ok || !r.wantsGroup() || p.sweeps.Load().count == 0 {
		return 0, nil
	}
	if p.claimOrphan(uid) {
		return 0, nil
	}
	if ranBefore(r.pod) {
		return p.missed(ctx, &r)
	}
	// A translation costs nothing: what it refused may have been mended meanwhile.
	if left := r.failAt.Sub(p.Clock.Now()); left > 0 && r.rejected {
		return left, nil
	}
	if !r.mayExist && p.mayAppear(&r) {
		return endPause, nil
	}
	spec, err := p.specOf(ctx, &r)
	if err != nil {
		return p.noSpec(ctx, &r, err)
	}
	return p.ask(ctx, &r, spec)
}

// dropReferences ends the interest in what a pod refers to once no request has
// to be made of it any more, but for what its files are made of.
func (p *Provider) dropReferences(uid types.UID) {
	r, ok := p.store.get(uid)
	switch {
	case ok && r.wantsGroup():
	case ok && r.keepsFiles():
		p.refs.retain(uid, r.pod.Namespace, translate.FileNeeds(r.pod))
	default:
		p.refs.drop(uid)
	}
}

// mayAppear tells whether the pod may have a group that no sweep has shown
// yet: one whose create had an open outcome, or one that an earlier run of
// this process made. Only a sweep that began after the cloud has had time to
// show the group can deny it.
func (p *Provider) mayAppear(r *record) bool {
	done := p.sweeps.Load()
	if done.count == 0 {
		return true
	}
	if !r.unseenSince.IsZero() && done.begun.Before(r.unseenSince.Add(p.Consistency)) {
		return true
	}
	return p.askedBefore(r) && done.begun.Before(p.started.Add(p.Consistency))
}

// askedBefore tells whether an earlier run of this process may have asked for
// the pod's group. It wrote a status as soon as it did; without one, a cloud
// with tokens recognises the first request itself.
func (p *Provider) askedBefore(r *record) bool {
	return r.inherited && (!p.limits.Tags || r.pod.Status.StartTime != nil)
}

// specOf translates the pod, or returns what an unsettled create asked for.
func (p *Provider) specOf(ctx context.Context, r *record) (cloudapi.GroupSpec, error) {
	if r.mayExist && r.spec != nil {
		return *r.spec, nil
	}
	references, err := p.resolve(ctx, r)
	if err != nil {
		return cloudapi.GroupSpec{}, err
	}
	spec, report, err := translate.Group(r.pod, references, p.translateOptions())
	if err := WithUnrestartable(r.pod, p.limits, CanRestart(p.Cloud), err); err != nil {
		return cloudapi.GroupSpec{}, err
	}
	if missing := p.heldDisk(r, &spec, references); missing != nil {
		return cloudapi.GroupSpec{}, missing
	}
	if r.lastCreate.IsZero() {
		p.tellReport(r.pod, report)
	}
	return spec, nil
}

// noSpec handles a pod that cannot be translated: for ever, or not yet.
func (p *Provider) noSpec(ctx context.Context, r *record, err error) (time.Duration, error) {
	var refused *translate.Refused
	var missing *translate.MissingReference
	switch {
	case errors.As(err, &refused):
		return p.refuse(r, translate.ReasonUnsupported, refused.Error(), func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
			return translate.Rejected(pod, refused, now)
		}), nil
	case errors.As(err, &missing):
		p.await(r, missing)
		return referencePause, nil
	case apierrors.IsForbidden(err) && p.Clock.Since(r.firstSeen) < forbiddenPatience:
		p.Log.V(1).Info("not allowed to read for the pod yet", "uid", r.uid, "reason", err.Error())
		return forbiddenPause, nil
	default:
		if after, known := p.store.get(r.uid); known && after.wantsGroup() && ctx.Err() == nil {
			p.tellUnprepared(&after, err)
		}
		return 0, fmt.Errorf("preparing pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
	}
}

// reasonRejected is the reason of a pod that the cloud itself refused.
const reasonRejected = "ContainerGroupRejected"

// rejectedByCloud refuses a pod whose request the cloud calls invalid.
func (p *Provider) rejectedByCloud(r *record, message string) time.Duration {
	p.store.update(r.uid, func(r *record) { r.rejected = true })
	return p.refuse(r, reasonRejected, message, func(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
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
	p.show(r.uid, func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Waiting(pod, reason, message, now)
	})
}

// reasonFailedSync is the kubelet's word for a pod that it could not look after.
const reasonFailedSync = "FailedSync"

// tellUnprepared shows that what the pod refers to could not be read.
func (p *Provider) tellUnprepared(r *record, err error) {
	p.tellFailedSync(r.pod, err)
	message := err.Error()
	p.show(r.uid, func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Waiting(pod, "ContainerCreating", message, now)
	})
}

func (p *Provider) tellFailedSync(pod *corev1.Pod, err error) {
	p.Recorder.Eventf(pod, corev1.EventTypeWarning, reasonFailedSync, "error syncing pod: %v", err)
}

// errNoID is an answer to a create that cannot be used.
var errNoID = &cloudapi.Error{Op: "Create", Code: cloudapi.CodeUnknown, Message: "the cloud named no id", Uncertain: true}

// ask makes one create call and settles what came of it.
func (p *Provider) ask(ctx context.Context, r *record, spec cloudapi.GroupSpec) (time.Duration, error) {
	mayExist := r.mayExist || r.inherited
	claimed := false
	p.store.update(r.uid, func(r *record) {
		if claimed = r.wantsGroup() && !r.creating; claimed {
			r.creating, r.spec, r.lastCreate, r.verdict = true, &spec, p.Clock.Now(), nil
		}
	})
	if !claimed {
		return 0, nil
	}
	defer p.store.update(r.uid, func(r *record) {
		if r.creating { // it has panicked
			r.creating, r.mayExist, r.unseenSince = false, true, p.Clock.Now()
		}
	})
	p.publishes.add(r.uid)
	begun := p.Clock.Now()
	id, err := p.callCreate(ctx, spec, cloudapi.CreateOptions{Token: token(r), MayExist: mayExist})
	p.Metrics.created(p.Clock.Since(begun), err)
	if err == nil {
		p.created(r, id)
		return 0, nil
	}
	return p.notCreated(ctx, r, &spec, err)
}

func (p *Provider) callCreate(ctx context.Context, spec cloudapi.GroupSpec, o cloudapi.CreateOptions) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	id, err := p.Cloud.Create(ctx, spec, o)
	if err == nil && id == "" {
		err = errNoID
	}
	return id, err
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
	log := p.Log.WithValues("pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", id)
	bound := p.store.bind(r.uid, id)
	p.store.update(r.uid, func(r *record) { r.creating, r.lastCreate = false, p.Clock.Now() })
	if bound {
		log.Info("created group")
	} else {
		log.Info("created group, but the pod has another: this one will be deleted as nobody's")
	}
	p.route(r.uid)
	p.kick()
}

// notCreated decides what a failed create means for the next one.
func (p *Provider) notCreated(ctx context.Context, r *record, spec *cloudapi.GroupSpec, err error) (time.Duration, error) {
	var e *cloudapi.Error
	if !errors.As(err, &e) {
		e = &cloudapi.Error{Op: "Create", Code: cloudapi.CodeUnknown, Uncertain: true, Err: err}
	}
	uncertain := e.Uncertain || e.Code == cloudapi.CodeCanceled
	p.store.update(r.uid, func(r *record) { p.noteFailure(r, e, uncertain) })
	after, known := p.store.get(r.uid)
	switch {
	case !known || !after.wantsGroup():
		// It ends, or its group has been seen although the answer was lost.
		p.route(r.uid)
		return 0, nil
	case e.Code == cloudapi.CodeMismatch && !uncertain:
		// The token is taken: this pod's group was asked for by an earlier
		// run of this process. If it exists a sweep adopts it.
		return endPause, nil
	case !uncertain && cloudapi.Terminal(err) && after.mayExist:
		// What the first attempt may have made can be the reason: its group has
		// the disk, or the address. A sweep will tell.
		return p.Consistency / 2, nil
	case ctx.Err() != nil:
	case attachedElsewhere(spec, e) != "":
		p.awaitDisk(r, attachedElsewhere(spec, e), e)
	case !uncertain && cloudapi.Terminal(err):
		return p.rejectedByCloud(r, e.Stable()), nil
	default:
		p.tellFailure(r, e)
	}
	return pause(e), fmt.Errorf("creating group of pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
}

// noteFailure settles a failed create, or leaves it open. While a create's
// outcome is open, even a repetition that surely failed tells nothing of the
// first attempt: only the same request may follow until a sweep could have
// shown the group.
func (p *Provider) noteFailure(r *record, e *cloudapi.Error, uncertain bool) {
	now := p.Clock.Now()
	r.creating, r.lastCreate = false, now
	switch {
	case r.groupID != "":
	case uncertain:
		r.mayExist, r.unseenSince = true, now
	case e.Code == cloudapi.CodeMismatch:
		r.mayExist, r.unseenSince = false, now
		r.spec, r.attempt = nil, r.attempt+1
	case r.mayExist && p.mayAppear(r):
	default:
		r.mayExist, r.spec, r.attempt = false, nil, r.attempt+1
	}
}

// pause is how long a class of failure should rest at least; 0 leaves it to
// the queue's back-off.
func pause(e *cloudapi.Error) time.Duration {
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
