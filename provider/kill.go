package provider

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

const (
	// backOffBase, backOffMost and backOffReset are the kubelet's back-off
	// between two restarts of a container. Here the container runs on while it
	// waits for its restart: the cloud cannot stop it alone.
	backOffBase  = 10 * time.Second
	backOffMost  = 5 * time.Minute
	backOffReset = 10 * time.Minute
	// restartPatience is how long a restart that the cloud accepted may take to
	// show before it is asked for again.
	restartPatience = 2 * time.Minute
	// changeTimeout bounds one call that changes a running group.
	changeTimeout = time.Minute
)

// kill is a container that has to be killed, and by its restart policy started
// again.
type kill struct {
	container string
	run       prober.Run
	// reason is what a pod fails with that cannot go on without the container,
	// message what a kubelet tells of the kill.
	reason, message string
	// told: the event has been written. asked counts the restarts that the
	// cloud accepted, askedAt is the last of them.
	told    bool
	asked   int
	askedAt time.Time
}

// restarter is a cloud that can restart a group: all its containers, in place,
// under the same id. The token makes the request idempotent.
type restarter interface {
	Restart(ctx context.Context, id, token string) error
}

// kill has a container killed. It does not wait.
func (p *Provider) kill(uid types.UID, k kill) {
	p.store.update(uid, func(r *record) {
		if r.kill == nil || r.kill.run != k.run || r.kill.container != k.container {
			r.kill = &k
		}
	})
	p.kills.add(uid)
}

// carryOutKill does what kill asked for. No cloud can kill one container of a group. What
// comes to the same is done; where nothing does, the whole pod fails: it must
// not run on as if nothing were wrong.
func (p *Provider) carryOutKill(ctx context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok || r.kill == nil {
		return 0, nil
	}
	if r.ending() || r.finished() || r.vanished || r.group == nil || r.group.Status.Final() || !r.still(r.kill) {
		p.store.update(uid, func(r *record) { r.kill = nil })
		return 0, nil
	}
	cloud, can := p.Cloud.(restarter)
	switch {
	case !single(r.pod):
		p.failByKill(&r, fmt.Sprintf("%s, and %s cannot restart one of several containers", r.kill.message, p.limits.Cloud))
		return 0, nil
	case r.pod.Spec.RestartPolicy == corev1.RestartPolicyNever:
		p.failByKill(&r, r.kill.message)
		return 0, nil
	case !can:
		p.failByKill(&r, fmt.Sprintf("%s, and %s cannot restart a container", r.kill.message, p.limits.Cloud))
		return 0, nil
	default:
		return p.restart(ctx, &r, cloud)
	}
}

// single tells whether the pod's group is nothing but one container, so that
// to restart or end the one is to restart or end the other.
func single(pod *corev1.Pod) bool {
	return len(pod.Spec.Containers) == 1 && len(pod.Spec.InitContainers) == 0
}

// still tells whether the run that is to be killed goes on.
func (r *record) still(k *kill) bool {
	c := containerState(r.group, k.container)
	return c != nil && c.Current.Kind == cloudapi.RunRunning && runOf(c) == k.run
}

// failByKill fails a pod and ends its group.
func (p *Provider) failByKill(r *record, message string) {
	reason := r.kill.reason
	p.tellKill(r, r.kill.container, message)
	p.store.update(r.uid, func(r *record) { r.kill, r.killingTold = nil, true })
	p.decide(r.uid, func(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Failed(pod, group, reason, message, now)
	})
	p.ends.add(r.uid)
}

// restart restarts the group of a single container.
func (p *Provider) restart(ctx context.Context, r *record, cloud restarter) (time.Duration, error) {
	now := p.Clock.Now()
	if !r.kill.askedAt.IsZero() && now.Sub(r.kill.askedAt) < restartPatience {
		return restartPatience - now.Sub(r.kill.askedAt), nil
	}
	if !r.kill.told {
		p.tellKill(r, r.kill.container, r.kill.message+", will be restarted")
		p.changeKill(r, func(k *kill) { k.told = true })
	}
	if wait := r.backOff(now); wait > 0 {
		return wait, nil
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	if err := cloud.Restart(ctx, r.groupID, r.kill.token(r.uid)); err != nil {
		return 0, fmt.Errorf("restarting group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	p.Log.Info("restarted group", "pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", r.groupID, "reason", r.kill.message)
	p.changeKill(r, func(k *kill) { k.asked, k.askedAt = k.asked+1, now })
	p.store.update(r.uid, func(r *record) {
		if now.Sub(r.restartedAt) > backOffReset {
			r.restarts = 0
		}
		r.restartedAt, r.restarts = now, r.restarts+1
	})
	p.kick()
	return restartPatience, nil
}

// changeKill changes the pod's kill if it is still the one at hand.
func (p *Provider) changeKill(r *record, change func(*kill)) {
	p.store.update(r.uid, func(now *record) {
		if now.kill == nil || now.kill.run != r.kill.run {
			return
		}
		k := *now.kill
		change(&k)
		now.kill = &k
	})
}

// backOff is how long the next restart has to wait.
func (r *record) backOff(now time.Time) time.Duration {
	since := now.Sub(r.restartedAt)
	if r.restarts == 0 || since > backOffReset {
		return 0
	}
	wait := backOffBase
	for n := 1; n < r.restarts && wait < backOffMost; n++ {
		wait *= 2
	}
	return min(wait, backOffMost) - since
}

// token is the idempotency token of the restart: the same until one has been
// accepted, for an answer that was lost may have been a success.
func (k *kill) token(uid types.UID) string {
	return fmt.Sprintf("%s-%d-%x-%d", uid, k.run.Restarts, k.run.StartedAt.Unix(), k.asked)
}
