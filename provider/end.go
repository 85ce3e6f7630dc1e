package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

const (
	// endPause is how often an ending pod looks after its group when nobody
	// wakes it.
	endPause = time.Second
	// graceMargin is how long past its grace period a group may take before
	// it is ended by force.
	graceMargin   = 10 * time.Second
	deleteTimeout = time.Minute
	// deleteAgain is how long a group may be shown after a delete by force before
	// it is deleted once more: as long as it is there it is paid for.
	deleteAgain = 2 * time.Minute
)

// end deletes a pod's group and then, when the group is gone, the pod itself:
// as on any node, the object outlives what it stands for.
func (p *Provider) end(ctx context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok || (!r.ending() && !r.lingers()) {
		return 0, nil
	}
	switch {
	case r.creating:
		return endPause / 2, nil
	case r.groupID == "" && p.claimOrphan(uid):
		return time.Millisecond, nil
	case r.groupID == "" && !r.buried && p.mayAppear(&r):
		p.kick()
		return endPause, nil
	case r.groupID == "" || r.vanished:
		return p.bury(ctx, &r)
	case p.stopping(&r):
		return endPause, nil
	case p.mustDelete(&r):
		return p.deleteGroup(ctx, &r)
	default:
		return p.follow(ctx, &r)
	}
}

// mustDelete tells whether the cloud has to be asked (again): by force once
// the grace period is over, or at once when it was taken away, and then again and
// again as long as the cloud shows the group.
func (p *Provider) mustDelete(r *record) bool {
	switch {
	case r.deleteAskedAt.IsZero():
		return true
	case r.forced:
		return p.forgotten(r)
	}
	began, grace := r.deleteAskedAt, p.grace(r)
	if !r.preStopAt.IsZero() {
		began = r.preStopAt
	}
	return grace == 0 || p.Clock.Since(began) > grace+graceMargin
}

// forgotten tells whether a delete by force seems to have been lost.
func (p *Provider) forgotten(r *record) bool {
	return r.forced && p.cloudAnswers() && p.Clock.Since(r.deleteAskedAt) > deleteAgain
}

// grace is how long the pod's containers may take to end.
func (p *Provider) grace(r *record) time.Duration {
	seconds := r.pod.DeletionGracePeriodSeconds
	if seconds == nil {
		seconds = r.pod.Spec.TerminationGracePeriodSeconds
	}
	if r.gone || seconds == nil {
		return 0
	}
	return time.Duration(*seconds) * time.Second
}

func (p *Provider) deleteGroup(ctx context.Context, r *record) (time.Duration, error) {
	again := !r.deleteAskedAt.IsZero()
	if p.forgotten(r) {
		p.tellNotDeleted(ctx, r, errForgotten)
	}
	force := again || r.abandoned || p.grace(r) == 0 // sidecars have had their grace
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	begun := p.Clock.Now()
	err := p.Cloud.Delete(ctx, r.groupID, cloudapi.DeleteOptions{Force: force})
	p.Metrics.deleted(p.Clock.Since(begun), err)
	if err != nil {
		p.tellNotDeleted(ctx, r, err)
		return 0, fmt.Errorf("deleting group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	if !again && r.group != nil && r.group.Status == cloudapi.StatusRunning {
		p.tellKilling(r)
	}
	p.store.update(r.uid, func(r *record) { r.deleteAskedAt, r.forced = p.Clock.Now(), force })
	p.Log.Info("deleted group", "pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", r.groupID, "force", force)
	p.kick()
	return endPause, nil
}

// reasonNotKilled is the kubelet's word for a pod that it could not end.
const reasonNotKilled = "FailedKillPod"

// errForgotten is why a group is deleted once more.
var errForgotten = fmt.Errorf("the container group is still there %v after the cloud accepted to delete it by force", deleteAgain)

// tellNotDeleted says that the pod's group is still there, and paid for.
func (p *Provider) tellNotDeleted(ctx context.Context, r *record, err error) {
	if !r.gone && !errors.Is(ctx.Err(), context.Canceled) {
		p.Recorder.Eventf(r.pod, corev1.EventTypeWarning, reasonNotKilled, "error killing pod: %s", stableText(err))
	}
}

// tellKilling says what a kubelet says when it stops containers.
func (p *Provider) tellKilling(r *record) {
	told := false
	p.store.update(r.uid, func(r *record) { told, r.killingTold = r.killingTold, true })
	if told {
		return
	}
	for _, c := range translate.LongRunning(r.pod) {
		p.tellKill(r, c.Name, "Stopping container "+c.Name)
	}
}

// follow waits for a deleted group to disappear. The sweeps see it; only while
// they do not come through is the group asked for by itself.
func (p *Provider) follow(ctx context.Context, r *record) (time.Duration, error) {
	if p.cloudAnswers() {
		return endPause, nil
	}
	now := p.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	groups, err := p.Cloud.Get(ctx, []string{r.groupID})
	if err != nil {
		return 0, fmt.Errorf("reading group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	if len(groups) > 0 {
		p.observeGroup(&groups[0], r.revision, now)
		return endPause, nil
	}
	if err := p.proveGone(ctx, r.groupID, r.pod); err != nil {
		return 0, fmt.Errorf("looking whether group %s of pod %s/%s is gone: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	p.vanish(r)
	return 0, nil
}

// bury removes the pod from the API server, now that nothing of it runs any
// more, and from memory when the API server has let it go.
func (p *Provider) bury(ctx context.Context, r *record) (time.Duration, error) {
	p.refs.drop(r.uid)
	p.prober.Forget(r.uid)
	switch {
	case r.gone:
		p.store.remove(r.uid)
		return 0, nil
	case !r.ending() || r.buried:
		return 0, nil
	}
	busy := false
	p.store.update(r.uid, func(r *record) { r.closing, busy = true, r.writing })
	if busy {
		return endPause / 10, nil
	}
	return p.removePod(ctx, r)
}

// removePod writes the last status and deletes the object without further
// grace, if it is still the same pod.
func (p *Provider) removePod(ctx context.Context, r *record) (time.Duration, error) {
	err := p.writeStatus(ctx, r.pod, r.lastStatus()(r.pod, r.group, p.Clock.Now()))
	if apierrors.IsInvalid(err) {
		// No repetition helps, and the next pod of this name waits for the end of this one.
		p.Log.Error(err, "the pod is removed without its last status", "pod", nameOf(r.pod), "uid", r.uid)
		err = nil
	}
	if err == nil {
		err = p.deleteObject(ctx, r)
	}
	switch {
	case errors.Is(err, errStale):
		return stalePause, nil
	case err != nil:
		return 0, err
	}
	p.store.update(r.uid, func(r *record) { r.buried = true })
	return 0, nil
}

// deleteObject deletes the pod from the API server; one that is gone, or has
// been followed by another of its name, is success.
func (p *Provider) deleteObject(ctx context.Context, r *record) error {
	ctx, cancel := context.WithTimeout(ctx, kubeTimeout)
	defer cancel()
	err := p.Kube.CoreV1().Pods(r.pod.Namespace).Delete(ctx, r.pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0),
		Preconditions:      &metav1.Preconditions{UID: &r.uid},
	})
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return p.refetch(ctx, r.pod)
	default:
		return fmt.Errorf("deleting pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
	}
}
