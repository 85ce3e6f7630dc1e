package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/cumulet/cumulet/translate"
)

// errStale tells that a status was computed from a pod that is out of date; a
// fresh copy has been fetched.
var errStale = errors.New("the pod has changed meanwhile")

// stalePause is how long to wait before a status is computed anew.
const stalePause = 100 * time.Millisecond

// publish brings a pod's status in the API server in line with what is known.
// It writes only when something changed, from the newest copy there is.
func (p *Provider) publish(ctx context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok {
		return 0, nil
	}
	claimed := p.beginWriting(uid, &r)
	if claimed {
		defer p.store.update(uid, func(r *record) { r.writing = false })
	}
	if p.keepDeadline(&r) || !claimed { // it judges what would be written
		return 0, nil
	}
	status, again := p.statusOf(&r, p.Clock.Now())
	showFiles(r.files, &status, p.Clock.Now())
	err := p.writeStatus(ctx, r.pod, status)
	switch {
	case errors.Is(err, errStale):
		return stalePause, nil
	case err == nil:
		p.tellChanges(r.pod, &status)
	}
	return again, err
}

// beginWriting claims the pod's status for one write and reads the record
// anew, unless there is nothing to be written.
func (p *Provider) beginWriting(uid types.UID, fresh *record) (claimed bool) {
	p.store.update(uid, func(r *record) {
		if claimed = !r.gone && !r.closing && !r.undecided(); claimed {
			r.writing = true
			*fresh = *r
		}
	})
	return claimed
}

// undecided tells whether nothing can be said of the pod yet: not even that it
// will be run, or how it does in the group that an earlier process made.
func (r *record) undecided() bool {
	return r.group == nil && r.lastCreate.IsZero() && r.verdict == nil
}

// statusOf decides what a pod's status is now, and after which time it may be
// another although nothing happened (0: not at all).
func (p *Provider) statusOf(r *record, now time.Time) (corev1.PodStatus, time.Duration) {
	group := p.shown(r)
	if r.verdict != nil {
		status := r.untilStopped(r.verdict.status(r.pod, group, now))
		if !r.condemned() && status.HostIP == "" && p.HostIP != "" {
			status.HostIP, status.HostIPs = p.HostIP, []corev1.HostIP{{IP: p.HostIP}}
		}
		return status, 0
	}
	started, ready, again := p.readiness(r, group, now)
	status := translate.Status(r.pod, group, now, translate.StatusOptions{
		HostIP: p.HostIP, Provider: p.limits.Provider, Started: started, Ready: ready,
	})
	return translate.WithCondition(status, r.translated), again
}

// untilStopped takes the end of a pod back from a status as long as containers of
// the pod run, as a kubelet does: who makes another pod in the place of one that
// has ended must not have two at work. What the conditions say stays.
func (r *record) untilStopped(status corev1.PodStatus) corev1.PodStatus {
	works := r.groupID != "" && !r.vanished && (r.group == nil || !r.group.Status.Final() && atWork(r.group))
	if before := &r.pod.Status; works && isTerminal(status.Phase) && !isTerminal(before.Phase) {
		status.Phase, status.Reason, status.Message = before.Phase, before.Reason, before.Message
	}
	return status
}

func isTerminal(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// writeStatus patches the difference between the pod's status and this one.
// The patch carries the UID: it can never hit another pod of the same name.
func (p *Provider) writeStatus(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	if equality.Semantic.DeepEqual(pod.Status, status) {
		return nil
	}
	patch, err := statusPatch(pod, status)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kubeTimeout)
	defer cancel()
	pods := p.Kube.CoreV1().Pods(pod.Namespace)
	written, err := pods.Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	switch {
	case apierrors.IsNotFound(err):
		return nil // gone, as the informer will tell
	case apierrors.IsConflict(err):
		return p.refetch(ctx, pod)
	case err != nil:
		return fmt.Errorf("patching status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	p.Metrics.statusWrites.Inc()
	p.refresh(written)
	return nil
}

// refetch finds out what a conflict was: either another pod has this name now,
// and there is nothing to be written any more, or the write met another one,
// and the result is errStale.
func (p *Provider) refetch(ctx context.Context, pod *corev1.Pod) error {
	now, err := p.Kube.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading pod %s/%s again: %w", pod.Namespace, pod.Name, err)
	case now.UID != pod.UID:
		return nil
	}
	p.refresh(now)
	return errStale
}

// refresh takes in the API server's answer, without what nothing here reads.
func (p *Provider) refresh(pod *corev1.Pod) {
	pod.ManagedFields = nil
	p.store.refresh(pod)
}

// kubeTimeout bounds one call to the API server.
const kubeTimeout = 30 * time.Second

func statusPatch(pod *corev1.Pod, status corev1.PodStatus) ([]byte, error) {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, fmt.Errorf("encoding old status: %w", err)
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: status})
	if err != nil {
		return nil, fmt.Errorf("encoding new status: %w", err)
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return nil, fmt.Errorf("comparing statuses: %w", err)
	}
	return patch, nil
}

// decide sets a final verdict and publishes it.
func (p *Provider) decide(uid types.UID, status statusFunc) {
	p.store.update(uid, func(r *record) { r.verdict = &verdict{status: status, final: true} })
	p.publishes.add(uid)
}
