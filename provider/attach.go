package provider

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// reasonAttached is the reason of the event that tells what attach really did.
const reasonAttached = "AttachedByExec"

// Attach does what comes nearest to joining a container's process, which no
// cloud can. Whoever only watches is shown the log from now on. Whoever types,
// into a container that was made for it (stdin), gets its command started anew
// beside the first one, which waits for input that never comes. Where that
// session is all the pod is for (stdinOnce, one container, not to be started
// again), the pod ends with it and with its exit code, as it would on a kubelet.
func (p *Provider) Attach(ctx context.Context, of ContainerName, o cloudapi.ExecOptions) error {
	r, err := p.containerRecord(of)
	if err != nil {
		return err
	}
	all := translate.LongRunning(r.pod)
	i := slices.IndexFunc(all, func(c *corev1.Container) bool { return c.Name == of.Container })
	if i < 0 || o.Stdin == nil || !all[i].Stdin {
		return p.watchLog(ctx, of, o.Stdout)
	}
	container := all[i]
	o.Command, o.TTY = sessionCommand(container), container.TTY
	p.Recorder.Eventf(r.pod, corev1.EventTypeNormal, reasonAttached,
		"%s cannot join a running process: %q was started anew in container %s", p.limits.Cloud, o.Command[0], of.Container)
	code, err := p.Exec(ctx, of, o)
	if err != nil {
		return err
	}
	if container.StdinOnce && endsWithSession(r.pod, code) {
		p.endWithSession(r.uid, of.Container, code)
	}
	return nil
}

// watchLog shows a container's log from now on.
func (p *Provider) watchLog(ctx context.Context, of ContainerName, w io.Writer) error {
	if w == nil {
		w = io.Discard
	}
	err := p.Logs(ctx, of, LogOptions{Follow: true, Tail: new(int64)}, w)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // the watcher has left
	}
	return err
}

// sessionCommand is what the container runs, as far as the pod tells. A command
// that only its image knows is replaced by a shell.
func sessionCommand(c *corev1.Container) []string {
	command := slices.Concat(c.Command, c.Args)
	if len(command) == 0 {
		return []string{"sh"}
	}
	return command
}

// endsWithSession tells whether a pod is over once its only container has ended
// with this code.
func endsWithSession(pod *corev1.Pod, code int) bool {
	switch pod.Spec.RestartPolicy {
	case corev1.RestartPolicyNever:
		return single(pod)
	case corev1.RestartPolicyOnFailure:
		return single(pod) && code == 0
	default:
		return false
	}
}

// endWithSession ends a pod's group and tells the session's end as the
// container's, unless that had ended before.
func (p *Provider) endWithSession(uid types.UID, container string, code int) {
	r, known := p.store.get(uid)
	if c := containerState(r.group, container); !known || c != nil && c.Current.Kind == cloudapi.RunTerminated {
		return
	}
	ended := p.Clock.Now()
	p.decide(uid, func(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Terminated(pod, endedWith(group, container, code, ended), now)
	})
	p.ends.add(uid)
}

// endedWith is a group as it would be told had the container ended with this
// code, and not by being killed afterwards.
func endedWith(group *cloudapi.Group, container string, code int, ended time.Time) *cloudapi.Group {
	if group == nil {
		return nil
	}
	copied := *group
	copied.Containers = slices.Clone(group.Containers)
	for i := range copied.Containers {
		c := &copied.Containers[i]
		if c.Name != container {
			continue
		}
		reason := "Completed"
		if code != 0 {
			reason = "Error"
		}
		c.Ready, c.Current = new(false), cloudapi.RunState{
			Kind: cloudapi.RunTerminated, Reason: reason, ExitCode: int32(code), //nolint:gosec // exit codes are small
			StartedAt: c.Current.StartedAt, FinishedAt: ended,
		}
	}
	return &copied
}
