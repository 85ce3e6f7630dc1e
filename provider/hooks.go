package provider

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

const (
	// hookTimeout bounds a postStart hook. A kubelet waits without end; a hook
	// that has not ended after this time has failed.
	hookTimeout = 10 * time.Minute

	reasonPostStart = "FailedPostStartHook"
	reasonPreStop   = "FailedPreStopHook"
	// reasonCreating is why a container waits whose postStart hook runs.
	reasonCreating = "ContainerCreating"
	// reasonHookError is why a container waits whose postStart hook has failed.
	reasonHookError = "PostStartHookError"
)

// hookRun is the postStart hook of one run of a container.
type hookRun struct {
	run          prober.Run
	done, failed bool
}

// hooksOf lists the pod's hooks of a kind that the node runs.
func (p *Provider) hooksOf(pod *corev1.Pod, kind translate.HookKind) []translate.NodeHook {
	var hooks []translate.NodeHook
	for _, h := range translate.NodeHooks(pod, p.limits) {
		if h.Kind == kind {
			hooks = append(hooks, h)
		}
	}
	return hooks
}

func targetOf(r *record, container string) prober.Target {
	t := prober.Target{Group: r.groupID, Container: container}
	if len(r.group.IPs) > 0 {
		t.Address = r.group.IPs[0]
	}
	return t
}

// postStart runs the postStart hooks of the pod's containers, one for each run.
// A container is told to run only once its hook has ended: so the pod's status
// remembers, across processes, which runs have had theirs.
func (p *Provider) postStart(r *record) {
	if r.group == nil || r.vanished || r.ending() || r.finished() {
		return
	}
	for _, hook := range p.hooksOf(r.pod, translate.HookPostStart) {
		c := containerState(r.group, hook.Container)
		if c == nil || c.Current.Kind != cloudapi.RunRunning {
			continue
		}
		if h, seen := r.postStarts[c.Name]; seen && h.run == runOf(c) {
			continue
		}
		p.beginPostStart(r, hook, hookRun{run: runOf(c), done: !p.hooking(r, c)})
	}
}

// beginPostStart runs one hook, unless it is done or somebody else has begun.
func (p *Provider) beginPostStart(r *record, hook translate.NodeHook, h hookRun) {
	begun := false
	p.store.update(r.uid, func(r *record) {
		if now, seen := r.postStarts[hook.Container]; !seen || now.run != h.run {
			begun = true
			r.setPostStart(hook.Container, h)
		}
	})
	if !begun || h.done {
		return
	}
	target := targetOf(r, hook.Container)
	if !p.background.begin(func(ctx context.Context) { p.runPostStart(ctx, r.uid, hook, h, target) }) {
		p.Log.V(1).Info("the process ends before a postStart hook could run", "uid", r.uid, "container", hook.Container)
	}
}

// setPostStart replaces the map: copies of the record may be read meanwhile.
func (r *record) setPostStart(container string, h hookRun) {
	hooks := maps.Clone(r.postStarts)
	if hooks == nil {
		hooks = map[string]hookRun{}
	}
	hooks[container] = h
	r.postStarts = hooks
}

func (p *Provider) runPostStart(ctx context.Context, uid types.UID, hook translate.NodeHook, h hookRun, target prober.Target) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	err := p.runHook(ctx, target, &hook.Handler)
	if parent.Err() != nil {
		return // the next process runs it again
	}
	h.done, h.failed = err == nil, err != nil
	p.store.update(uid, func(r *record) {
		if r.postStarts[hook.Container].run == h.run {
			r.setPostStart(hook.Container, h)
		}
	})
	if r, ok := p.store.get(uid); ok && h.failed && !r.ending() {
		p.Log.Error(err, "postStart hook failed", "pod", nameOf(r.pod), "uid", uid, "container", hook.Container)
		p.tellOfContainer(r.pod, hook.Container, corev1.EventTypeWarning, reasonPostStart, "PostStartHook failed")
		p.kill(uid, kill{
			container: hook.Container, run: h.run, reason: reasonPostStart,
			message: fmt.Sprintf("Container %s failed its postStart hook", hook.Container),
		})
	}
	p.route(uid)
}

// runHook carries out a hook. That nobody tells the exit code of its command is
// no failure of the hook.
func (p *Provider) runHook(ctx context.Context, t prober.Target, handler *corev1.LifecycleHandler) error {
	if handler.Sleep != nil {
		return p.sleep(ctx, time.Duration(handler.Sleep.Seconds)*time.Second)
	}
	err := p.runner.RunHook(ctx, t, handler)
	if cloudapi.Is(err, cloudapi.CodeUnsupported) {
		p.Log.Info("the exit code of a hook's command is not known", "group", t.Group, "container", t.Container, "reason", err.Error())
		return nil
	}
	return err
}

// sleep is a hook that only waits.
func (p *Provider) sleep(ctx context.Context, d time.Duration) error {
	timer := p.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sleeping for a hook: %w", ctx.Err())
	}
}

// hooking tells whether a running container's postStart hook has not ended. One
// that the pod's status shows as running has had it.
func (p *Provider) hooking(r *record, c *cloudapi.ContainerState) bool {
	if c.Current.Kind != cloudapi.RunRunning {
		return false
	}
	if h, begun := r.postStarts[c.Name]; begun && h.run == runOf(c) {
		return !h.done
	}
	for _, hook := range p.hooksOf(r.pod, translate.HookPostStart) {
		if hook.Container == c.Name {
			status, known := containerStatus(r.pod, c.Name)
			return !known || !showsRun(&status, c)
		}
	}
	return false
}

// shown is the group as the pod's status shows it: a container whose postStart
// hook has not ended, or has failed, waits.
func (p *Provider) shown(r *record) *cloudapi.Group {
	if r.group == nil || len(p.hooksOf(r.pod, translate.HookPostStart)) == 0 {
		return r.group
	}
	group := *r.group
	group.Containers = make([]cloudapi.ContainerState, len(r.group.Containers))
	for i, c := range r.group.Containers {
		if p.hooking(r, &c) {
			c.Current = cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: reasonCreating}
			if r.postStarts[c.Name].failed {
				c.Current.Reason = reasonHookError
			}
		}
		group.Containers[i] = c
	}
	return &group
}

// stopping runs the preStop hooks of a pod before its group is deleted, and
// tells whether they still run. Their time counts against the pod's grace.
func (p *Provider) stopping(r *record) bool {
	grace := p.grace(r)
	if r.preStopped || !r.deleteAskedAt.IsZero() || grace <= 0 || r.group == nil || r.group.Status.Final() {
		return false
	}
	if !r.preStopAt.IsZero() {
		return p.Clock.Since(r.preStopAt) < grace
	}
	var hooks []translate.NodeHook
	for _, h := range p.hooksOf(r.pod, translate.HookPreStop) {
		if c := containerState(r.group, h.Container); c != nil && c.Current.Kind == cloudapi.RunRunning {
			hooks = append(hooks, h)
		}
	}
	if len(hooks) == 0 {
		return false
	}
	now := p.Clock.Now()
	p.tellKilling(r)
	p.store.update(r.uid, func(r *record) { r.preStopAt = now })
	return p.background.begin(func(ctx context.Context) { p.preStop(ctx, r, hooks, grace) })
}

// preStop runs the hooks of all containers at once and then has the group
// deleted.
func (p *Provider) preStop(ctx context.Context, r *record, hooks []translate.NodeHook, grace time.Duration) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	var group sync.WaitGroup
	for _, hook := range hooks {
		group.Go(func() {
			err := p.runHook(ctx, targetOf(r, hook.Container), &hook.Handler)
			now, known := p.store.get(r.uid)
			if err == nil || ctx.Err() != nil || !known || now.vanished || !now.deleteAskedAt.IsZero() {
				return // being cut short by the end of the container is no failure
			}
			p.Log.Error(err, "preStop hook failed", "pod", nameOf(r.pod), "uid", r.uid, "container", hook.Container)
			p.tellOfContainer(r.pod, hook.Container, corev1.EventTypeWarning, reasonPreStop, "PreStopHook failed")
		})
	}
	group.Wait()
	if parent.Err() != nil {
		return
	}
	p.store.update(r.uid, func(r *record) { r.preStopped = true })
	p.ends.add(r.uid)
}
