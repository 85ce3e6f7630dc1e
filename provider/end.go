package provider

import (
	"context"
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
)

// end deletes a pod's group and then, when the group is gone, the pod itself:
// as on any node, the object outlives what it stands for.
func (p *Provider) end(ctx context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok || (!r.ending() && !r.finished()) {
		return 0, nil
	}
	switch {
	case r.creating:
		return endPause / 2, nil
	case r.groupID == "" && r.mayExist && !p.settled(&r):
		p.kick()
		return endPause, nil
	case r.groupID == "" || r.vanished:
		return p.bury(ctx, &r)
	case p.mustDelete(&r):
		return p.deleteGroup(ctx, &r)
	default:
		return p.follow(ctx, &r)
	}
}

// settled tells whether a create with an open outcome has surely made nothing:
// enough time has passed for a group to show, and a sweep ran since.
func (p *Provider) settled(r *record) bool {
	return p.Clock.Since(r.lastCreate) > p.Consistency+2*p.SweepInterval
}

// mustDelete tells whether the cloud has to be asked (again).
func (p *Provider) mustDelete(r *record) bool {
	if r.deleteAskedAt.IsZero() {
		return true
	}
	return !r.forced && p.Clock.Since(r.deleteAskedAt) > p.grace(r)+graceMargin
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
	force := !r.deleteAskedAt.IsZero() || p.grace(r) == 0
	if !force && r.group != nil && r.group.Status == cloudapi.StatusRunning {
		p.tellKilling(r)
	}
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	begun := p.Clock.Now()
	err := p.Cloud.Delete(ctx, r.groupID, cloudapi.DeleteOptions{Force: force})
	p.Metrics.deleted(p.Clock.Since(begun), err)
	if err != nil {
		return 0, fmt.Errorf("deleting group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	p.store.update(r.uid, func(r *record) { r.deleteAskedAt, r.forced = p.Clock.Now(), force })
	p.Log.Info("deleted group", "pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", r.groupID, "force", force)
	p.kick()
	return endPause, nil
}

// tellKilling says what a kubelet says when it stops containers.
func (p *Provider) tellKilling(r *record) {
	for _, c := range r.pod.Spec.Containers {
		ref, err := containerReference(r.pod, c.Name)
		if err != nil {
			continue
		}
		p.Recorder.Eventf(ref, corev1.EventTypeNormal, "Killing", "Stopping container %s", c.Name)
	}
}

// follow waits for a deleted group to disappear. The sweep sees it too; asking
// here as well keeps a single deletion quick.
func (p *Provider) follow(ctx context.Context, r *record) (time.Duration, error) {
	if p.Clock.Since(r.detailAt) < endPause/2 {
		return endPause, nil
	}
	groups, err := p.Cloud.Get(ctx, []string{r.groupID})
	if err != nil {
		return 0, fmt.Errorf("reading group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	now := p.Clock.Now()
	if len(groups) == 0 {
		p.store.update(r.uid, func(r *record) { r.vanished = true })
		return time.Millisecond, nil
	}
	p.store.update(r.uid, func(r *record) { r.group, r.detailAt = &groups[0], now })
	p.tellEvents(r.uid, &groups[0], false)
	p.publishes.add(r.uid)
	return endPause, nil
}

// bury removes the pod from the API server and from memory, now that nothing
// of it runs any more.
func (p *Provider) bury(ctx context.Context, r *record) (time.Duration, error) {
	if !r.ending() {
		// The pod stays: only its group had to go.
		return 0, nil
	}
	if !r.gone {
		if err := p.removePod(ctx, r); err != nil {
			return 0, err
		}
	}
	p.store.remove(r.uid)
	p.refs.release(r.uid)
	return 0, nil
}

// removePod writes the last status and deletes the object without further
// grace, if it is still the same pod.
func (p *Provider) removePod(ctx context.Context, r *record) error {
	status := translate.Terminated(r.pod, r.group, p.Clock.Now())
	if r.verdict != nil && r.verdict.final {
		status = r.verdict.status(r.pod, r.group, p.Clock.Now())
	}
	if err := p.writeStatus(ctx, r.pod, status); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kubeTimeout)
	defer cancel()
	err := p.Kube.CoreV1().Pods(r.pod.Namespace).Delete(ctx, r.pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0),
		Preconditions:      &metav1.Preconditions{UID: &r.uid},
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
	}
	return nil
}
