package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const (
	// untilWoken is a pause that only news end.
	untilWoken time.Duration = -1
	// checkPeriod is how often a group sees for itself that its pod is there,
	// in case the news of its end got lost.
	checkPeriod = 30 * time.Second
	// patience is how much longer than its grace a pod may take to end before
	// its node is taken for lost.
	patience = 2 * time.Minute
	// leastGrace is what a pod gets in seconds at least: with less, the API
	// server forgets it before its containers have ended.
	leastGrace = 1
)

// step does the next thing that is to be done, if any, and tells how long the
// group can wait before the next step, and whether the group is over.
func (g *group) step(ctx context.Context, in *inbox) (pause time.Duration, over bool) {
	switch {
	case g.pod == nil:
		return g.begin(ctx, in)
	case in.gone:
		return g.end(ctx, in)
	}
	if left := g.pausedUntil.Sub(g.runtime.clock.Now()); left > 0 && in.stop <= g.pausedAt {
		return left, false
	}
	wanted := in.stop
	if g.replacing {
		wanted = max(wanted, graceful)
	}
	switch {
	case in.doubted:
		return g.verify(ctx, in), false
	case wanted > g.pod.asked:
		return g.remove(ctx, in, wanted), false
	case g.pod.asked > stays:
		return g.awaitEnd(ctx, in), false
	case in.update:
		return g.adapt(ctx, in), false
	case in.restart:
		return g.restart(ctx, in), false
	case g.pod.stuck(in.seen):
		g.replace(in)
		return 0, false
	default:
		return g.idle(in), false
	}
}

// settle marks the wishes that the inbox shows as granted, unless they are newer
// than that.
func (g *group) settle(in *inbox) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inbox.restart = false
	if g.inbox.spec == in.spec {
		g.inbox.update = false
	}
}

// begin makes a pod.
func (g *group) begin(ctx context.Context, in *inbox) (time.Duration, bool) {
	if in.stop > stays {
		if pause := g.adopt(ctx, in); pause > 0 || g.pod != nil {
			return pause, false
		}
		g.finish(in)
		g.clean(ctx)
		return 0, true
	}
	if !g.runtime.isReady() {
		return untilWoken, false
	}
	if g.advise(in) {
		return untilWoken, false
	}
	if left := g.pausedUntil.Sub(g.runtime.clock.Now()); left > 0 {
		return left, false
	}
	p, err := g.plan(in.spec, g.made+1)
	if err != nil {
		return g.refuse(in, err), false
	}
	if err := g.create(ctx, in, p); err != nil {
		g.complain(in, "Error creating: ", err)
		return g.fail(in, err), false
	}
	g.settle(in)
	g.succeed()
	return 0, false
}

// refuse tells, once for each spec, why no pod can be made of it.
func (g *group) refuse(in *inbox, err error) time.Duration {
	if g.refused != in.spec {
		g.refused = in.spec
		g.note(engine.Event{Type: warning, Reason: failedCreate, Message: "Error creating: " + err.Error()})
		g.say(g.observe(in), false)
	}
	return untilWoken
}

// plan is what the group's n-th pod consists of.
func (g *group) plan(spec *engine.Spec, n int) (*plan, error) {
	p, err := g.runtime.builder.plan(g.id, podName(g.id, n), spec)
	if err == nil && g.plain {
		p.pod.Spec.Resources = nil
	}
	return p, err
}

// create makes the secrets of a plan, and then its pod.
func (g *group) create(ctx context.Context, in *inbox, p *plan) error {
	g.expect(p.pod.Name)
	for _, secret := range p.secrets {
		g.secrets = true
		if err := g.runtime.putSecret(ctx, secret); err != nil {
			return err
		}
	}
	g.files = g.files || len(p.files) > 0
	if err := g.runtime.writeFiles(p.files); err != nil {
		return err
	}
	g.unsure = true
	made, err := g.runtime.createPod(ctx, p.pod)
	if refusesSize(err) && p.pod.Spec.Resources != nil {
		g.log.Info("The backing cluster takes no size of a whole pod; it stays without", "error", err.Error())
		g.plain = true
		p.pod.Spec.Resources = nil
		made, err = g.runtime.createPod(ctx, p.pod)
	}
	if err != nil {
		g.unsure = uncertain(err)
		return err
	}
	g.take(in.spec, p, made.UID)
	return nil
}

// expect makes the group listen for news of a pod that it is about to make.
func (g *group) expect(name string) {
	g.runtime.route(name, g)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inbox.podName != name {
		g.inbox.podName, g.inbox.podUID = name, ""
		g.inbox.seen, g.inbox.gone, g.inbox.doubted = nil, false, false
	}
}

// take makes a pod that exists the group's own.
func (g *group) take(spec *engine.Spec, p *plan, uid types.UID) {
	g.pod = &incarnation{plan: p, spec: spec}
	g.made++
	g.unsure = false
	g.checkAt = g.runtime.clock.Now().Add(checkPeriod)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inbox.podUID = uid
}

// adopt looks for a pod that was perhaps made without an answer. The pause is how
// long to wait before looking again.
func (g *group) adopt(ctx context.Context, in *inbox) time.Duration {
	if !g.unsure || in.podName == "" {
		return 0
	}
	pod, err := g.runtime.getPod(ctx, in.podName)
	switch {
	case apierrors.IsNotFound(err):
		g.unsure = false
		return 0
	case err != nil:
		return g.fail(in, fmt.Errorf("looking for a pod: %w", err))
	}
	g.take(in.spec, &plan{pod: pod}, pod.UID)
	return 0
}

// remove asks the backing cluster to end the pod. Its logs are kept if the group
// may be asked for them afterwards.
func (g *group) remove(ctx context.Context, in *inbox, how urgency) time.Duration {
	if how == graceful && in.spec.Grace <= 0 {
		how = forced
	}
	if in.stop < forced {
		g.keepLogs(ctx, in)
	}
	grace := int64(leastGrace)
	if how == graceful {
		grace = max(grace, seconds(in.spec.Grace))
	}
	err := g.runtime.deletePod(ctx, in.podName, in.podUID, grace)
	switch {
	case apierrors.IsNotFound(err) || apierrors.IsConflict(err):
		g.change(func(in *inbox) { in.doubted = true })
	case err != nil:
		return g.fail(in, fmt.Errorf("deleting the pod: %w", err))
	}
	g.succeed()
	if how == forced {
		g.kill(ctx, in)
	}
	g.pod.asked = how
	g.pod.lostAt = g.runtime.clock.Now().Add(time.Duration(grace)*time.Second + patience)
	return 0
}

// kill ends the pod's processes without the kubelet, which cannot be hurried: it
// gives containers two seconds at least, and once it has given them their grace it
// does not take it back. The kubelet knows already that they are to end.
func (g *group) kill(ctx context.Context, in *inbox) {
	if g.runtime.kill == nil || !anyRuns(in.seen) {
		return
	}
	limited, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := g.runtime.kill(limited, string(in.podUID)); err != nil {
		g.log.Error(err, "Killing a pod's processes; its kubelet will do so in its time")
	}
}

// awaitEnd waits for the pod to end, but not for ever.
func (g *group) awaitEnd(ctx context.Context, in *inbox) time.Duration {
	if left := g.pod.lostAt.Sub(g.runtime.clock.Now()); left > 0 {
		return left
	}
	g.log.Error(errNoEnd, "Giving a pod up", "pod", in.podName)
	err := g.runtime.deletePod(ctx, in.podName, in.podUID, 0)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return g.fail(in, fmt.Errorf("deleting the pod by force: %w", err))
	}
	g.change(func(in *inbox) { in.gone = true })
	return 0
}

var errNoEnd = errors.New("its node has not ended it in time")

// end follows the end of the pod: the group is over, or gets another one.
func (g *group) end(ctx context.Context, in *inbox) (time.Duration, bool) {
	g.awaitLogs(ctx, in)
	if in.stop > stays || !g.replacing {
		g.finish(in)
		g.clean(ctx)
		return 0, true
	}
	g.clean(ctx)
	o := g.observe(in)
	at := g.runtime.clock.Now()
	g.carried = map[string]carry{}
	for _, states := range [][]engine.ContainerState{o.InitContainers, o.Containers} {
		ended(states, at)
		for i := range states {
			g.carried[states[i].Name] = carriedFrom(&states[i])
		}
	}
	g.pod, g.replacing = nil, false
	g.mu.Lock()
	g.inbox.seen, g.inbox.gone, g.inbox.podUID = nil, false, ""
	g.mu.Unlock()
	return 0, false
}

// clean deletes the group's secrets and files. What cannot be deleted now goes when the
// runtime closes.
func (g *group) clean(ctx context.Context) {
	if g.files {
		if err := g.runtime.removeFiles(g.id); err != nil {
			g.log.Error(err, "Removing the files of a group")
		} else {
			g.files = false
		}
	}
	if !g.secrets {
		return
	}
	if err := g.runtime.deleteSecrets(ctx, g.id); err != nil {
		g.log.Error(err, "Deleting the secrets of a group")
		return
	}
	g.secrets = false
}

// idle sees to it, now and then, that the pod is there.
func (g *group) idle(in *inbox) time.Duration {
	now := g.runtime.clock.Now()
	if left := g.checkAt.Sub(now); left > 0 {
		return left
	}
	g.checkAt = now.Add(checkPeriod)
	if g.runtime.knows(in.podName) {
		return checkPeriod
	}
	g.change(func(in *inbox) { in.doubted = true })
	return 0
}

// verify asks the API server whether the pod is really gone.
func (g *group) verify(ctx context.Context, in *inbox) time.Duration {
	pod, err := g.runtime.getPod(ctx, in.podName)
	if err != nil && !apierrors.IsNotFound(err) {
		return g.fail(in, fmt.Errorf("looking for the pod: %w", err))
	}
	g.succeed()
	g.change(func(now *inbox) {
		now.doubted = false
		if err != nil || pod.UID != in.podUID {
			now.gone = true
			return
		}
		now.seen = pod
	})
	return 0
}

// fail notes that a call failed and returns when to try again.
func (g *group) fail(in *inbox, err error) time.Duration {
	pause := g.retry.Step()
	g.pausedUntil, g.pausedAt = g.runtime.clock.Now().Add(pause), in.stop
	g.log.Error(err, "A call to the backing cluster failed", "retryIn", pause.String())
	return pause
}

// complain tells the cloud's client of a call that failed.
func (g *group) complain(in *inbox, prefix string, err error) {
	now := g.look()
	scrub := g.scrubberFor(in, now.podName, string(now.podUID)).scrub
	g.note(engine.Event{Type: warning, Reason: failedCreate, Message: prefix + scrub(publicMessage(err))})
	g.say(g.observe(in), in.update || in.restart)
}

// succeed notes that calls succeed again.
func (g *group) succeed() {
	g.retry = newBackoff()
	g.pausedUntil, g.pausedAt = time.Time{}, stays
}
