package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

// reasonUnhealthy is the kubelet's word for a container whose probe failed.
const reasonUnhealthy = prober.ReasonUnhealthy

// newProber makes the prober of this provider's pods.
func (p *Provider) newProber() *prober.Prober {
	return prober.New(prober.Options{
		Checker: p.runner,
		Clock:   p.Clock,
		Changed: p.publishes.add,
		Failed:  p.unhealthy,
		Tell: func(uid types.UID, e prober.Event) {
			if r, ok := p.store.get(uid); ok {
				p.tellOfContainer(r.pod, e.Container, corev1.EventTypeWarning, e.Reason, e.Message)
			}
		},
	})
}

// execIn runs a command for a probe or a hook. That its time ran out before it
// surely began, or while the cloud does not answer otherwise either, is the
// cloud's doing: an outage must not restart containers.
func (p *Provider) execIn(ctx context.Context, t prober.Target, command []string, output io.Writer) (int, error) {
	code, err := p.Cloud.Exec(ctx, t.Group, t.Container, cloudapi.ExecOptions{Command: command, Stdout: output, Stderr: output})
	var e *cloudapi.Error
	if errors.As(err, &e) && e.Code == cloudapi.CodeCanceled && (!e.Uncertain || !p.cloudAnswers()) {
		return code, fmt.Errorf("%w: %w", prober.ErrNotRun, err)
	}
	return code, err
}

// tellOfContainer records an event about one container.
func (p *Provider) tellOfContainer(pod *corev1.Pod, container, kind, reason, message string) {
	if ref, err := containerReference(pod, container); err == nil {
		p.Recorder.Event(ref, kind, reason, message)
		return
	}
	p.Recorder.Event(pod, kind, reason, message)
}

// syncProbes tells the prober how a pod does that has probes which the node
// runs, or that there is nothing to be probed any more.
func (p *Provider) syncProbes(r *record) {
	if r.group == nil || r.vanished || r.group.Status.Final() || r.finished() {
		p.prober.Forget(r.uid)
		return
	}
	if now := p.probed(r); len(now.Probes) > 0 {
		p.prober.Sync(now)
	}
}

// probed is what the prober needs to know of a pod that has a group. A container
// whose postStart hook has not ended does not run yet.
func (p *Provider) probed(r *record) prober.Pod {
	now := prober.Pod{UID: r.uid, Group: r.groupID, Ending: r.ending(), Probes: translate.NodeProbes(r.pod, p.limits)}
	if len(now.Probes) == 0 {
		return now
	}
	if len(r.group.IPs) > 0 {
		now.Address = r.group.IPs[0]
	}
	for i := range r.group.Containers {
		c := &r.group.Containers[i]
		now.Containers = append(now.Containers, prober.Container{
			Name:    c.Name,
			Running: c.Current.Kind == cloudapi.RunRunning && !p.hooking(r, c),
			Run:     runOf(c),
			Before:  resultsBefore(r.pod, c),
		})
	}
	return now
}

// runOf tells this run of a container from its others.
func runOf(c *cloudapi.ContainerState) prober.Run {
	return prober.Run{Restarts: c.RestartCount, StartedAt: c.Current.StartedAt}
}

// resultsBefore are the results that the pod's status has of this run.
func resultsBefore(pod *corev1.Pod, c *cloudapi.ContainerState) *prober.Before {
	status, ok := containerStatus(pod, c.Name)
	if !ok || !showsRun(&status, c) {
		return nil
	}
	return &prober.Before{Started: status.Started != nil && *status.Started, Ready: status.Ready}
}

// showsRun tells whether a container's status is that of its current run.
func showsRun(status *corev1.ContainerStatus, c *cloudapi.ContainerState) bool {
	running := status.State.Running
	if running == nil || c.Current.Kind != cloudapi.RunRunning || status.RestartCount != c.RestartCount {
		return false
	}
	started := c.Current.StartedAt
	return started.IsZero() || running.StartedAt.Unix() == started.Unix()
}

// readiness tells which containers are started and ready as far as others than
// the cloud know, and after which time the answer may change by itself.
func (p *Provider) readiness(r *record, group *cloudapi.Group, now time.Time) (started, ready map[string]bool, again time.Duration) {
	ready = map[string]bool{}
	if group == nil {
		return nil, ready, 0
	}
	if p.limits.Can.ReadinessProbe {
		ready, again = translate.InferReady(r.pod, group, now)
	}
	started, found := p.prober.Results(p.probed(r))
	maps.Copy(ready, found)
	return started, ready, again
}

// unhealthy has a container restarted whose probe has failed for good.
func (p *Provider) unhealthy(uid types.UID, f prober.Failed) {
	p.kill(uid, kill{
		container: f.Container, run: f.Run, reason: reasonUnhealthy,
		message: fmt.Sprintf("Container %s failed %s probe", f.Container, strings.ToLower(string(f.Kind))),
	})
}
