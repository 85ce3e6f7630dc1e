package provider

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

const (
	// sidecarMargin is how long past the pod's grace period a cloud may take that
	// ends sidecars by itself.
	sidecarMargin = 30 * time.Second

	// reasonSidecarKept is the reason of the event of a sidecar that would not
	// end, reasonSidecarLost of one that ended and is not started again.
	reasonSidecarKept = "SidecarNotEnded"
	reasonSidecarLost = "SidecarNotRestarted"
)

// terminateCommands send TERM to a container's first process, in the order in
// which they are tried: not every image has a shell, nor kill as a program.
var terminateCommands = [][]string{
	{"/bin/sh", "-c", "kill -TERM 1"},
	{"kill", "-TERM", "1"},
}

// leftover lists the pod's sidecars that have nobody left to serve.
func (r *record) leftover() []string {
	if r.ending() || r.finished() || r.vanished || !r.deleteAskedAt.IsZero() {
		return nil
	}
	return translate.Leftover(r.pod, r.group)
}

// endSidecars ends what still runs in a group whose other containers have ended
// for good, so that the pod is over: a job must not wait for its log shipper. Where
// the cloud does so itself it is given its time; elsewhere the sidecars' processes
// are asked to end, after which the group ends by itself and keeps its logs. A
// group that then still runs is deleted.
func (p *Provider) endSidecars(_ context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok {
		return 0, nil
	}
	names := r.leftover()
	if len(names) == 0 {
		return 0, nil
	}
	grace := p.grace(&r)
	if p.limits.Can.Sidecars {
		grace += sidecarMargin
	}
	if r.sidecarsSince.IsZero() {
		p.beginSidecars(&r, names, grace)
		return max(grace, time.Millisecond), nil
	}
	if left := grace - p.Clock.Since(r.sidecarsSince); left > 0 && r.sidecarRuns == sidecarRuns(&r) {
		return left, nil
	}
	p.abandon(&r, names)
	return 0, nil
}

// beginSidecars notes that the sidecars are to end, and tells them.
func (p *Provider) beginSidecars(r *record, names []string, grace time.Duration) {
	now := p.Clock.Now()
	p.store.update(r.uid, func(fresh *record) { fresh.sidecarsSince, fresh.sidecarRuns = now, sidecarRuns(r) })
	if p.limits.Can.Sidecars {
		return
	}
	for _, name := range names {
		p.tellKill(r, name, "Stopping container "+name)
	}
	if !p.background.begin(func(ctx context.Context) { p.askSidecars(ctx, r, names, grace) }) {
		p.Log.V(1).Info("the process ends before sidecars could be told to end", "uid", r.uid)
	}
}

// sidecarRuns counts the restarts of the pod's sidecars, those that have ended
// among them: one that comes back after it was ended will do so for ever.
func sidecarRuns(r *record) int32 {
	var n int32
	for _, name := range translate.Sidecars(r.pod) {
		if c := containerState(r.group, name); c != nil {
			n += c.RestartCount
		}
	}
	return n
}

// askSidecars runs the sidecars' preStop hooks and sends their processes TERM.
func (p *Provider) askSidecars(ctx context.Context, r *record, names []string, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, max(grace, time.Second))
	defer cancel()
	hooks := p.hooksOf(r.pod, translate.HookPreStop)
	var group sync.WaitGroup
	for _, name := range names {
		group.Go(func() {
			target := targetOf(r, name)
			if i := slices.IndexFunc(hooks, func(h translate.NodeHook) bool { return h.Container == name }); i >= 0 {
				if err := p.runHook(ctx, target, &hooks[i].Handler); err != nil {
					p.Log.Error(err, "preStop hook failed", "pod", nameOf(r.pod), "uid", r.uid, "container", name)
					p.tellOfContainer(r.pod, name, corev1.EventTypeWarning, reasonPreStop, "PreStopHook failed")
				}
			}
			p.terminate(ctx, target)
		})
	}
	group.Wait()
	p.kick()
}

// terminate sends TERM to a container's first process, as far as its image lets it.
// What comes of it shows in the group's state.
func (p *Provider) terminate(ctx context.Context, target prober.Target) {
	if !p.limits.Can.Exec {
		return
	}
	for _, command := range terminateCommands {
		code, err := p.Cloud.Exec(ctx, target.Group, target.Container, cloudapi.ExecOptions{
			Command: command, Stdout: io.Discard, Stderr: io.Discard,
		})
		// A cloud that tells no exit code has run the command.
		if err == nil && code == 0 || cloudapi.Is(err, cloudapi.CodeUnsupported) || ctx.Err() != nil {
			return
		}
		p.Log.V(1).Info("a sidecar could not be told to end", "group", target.Group, "container", target.Container,
			"command", command[0], "exitCode", code, "error", err)
	}
}

// abandon gives a group up whose sidecars do not end.
func (p *Provider) abandon(r *record, names []string) {
	claimed := false
	p.store.update(r.uid, func(r *record) {
		claimed = !r.abandoned
		r.abandoned, r.preStopped, r.killingTold = true, true, true
	})
	if !claimed {
		return
	}
	p.Recorder.Event(r.pod, corev1.EventTypeWarning, reasonSidecarKept, fmt.Sprintf(
		"The pod's containers have ended, but %s did not end within the grace period; the container group is deleted, and its logs with it",
		strings.Join(names, ", ")))
	p.ends.add(r.uid)
}

// pathOf is where a container stands in the pod's spec.
func pathOf(pod *corev1.Pod, container string) string {
	named := func(c corev1.Container) bool { return c.Name == container }
	if i := slices.IndexFunc(pod.Spec.Containers, named); i >= 0 {
		return fmt.Sprintf("spec.containers[%d]", i)
	}
	return fmt.Sprintf("spec.initContainers[%d]", slices.IndexFunc(pod.Spec.InitContainers, named))
}
