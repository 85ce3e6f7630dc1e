package simulated

import (
	"context"
	"reflect"
	"slices"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// all are the init containers and the containers; the lock is held.
func (g *group) all() []*container { return slices.Concat(g.inits, g.apps) }

// Stop implements engine.Instance.
func (g *group) Stop(force bool) {
	g.runtime.goroutine(func() {
		g.do(func() { g.stop(force) })
	})
}

func (g *group) stop(force bool) {
	first := !g.stopping
	if g.stopped || (!first && !force) {
		return
	}
	g.stopping, g.force = true, g.force || force
	for _, c := range g.all() {
		c.stopTimer()
		switch {
		case c.current == nil:
		case first:
			c.terminate("Stopping container " + c.spec.Name)
		case force:
			c.exit(exitKilled, "")
		}
	}
	g.checkStopped()
}

// checkStopped tears the group down once nothing runs.
func (g *group) checkStopped() {
	if g.busy() || g.stopped {
		return
	}
	g.dirty = true
	g.after(g.runtime.latency.Stop, func() {
		if !g.stopped {
			g.stopped, g.dirty = true, true
			g.runtime.forget(g.id)
		}
	})
}

// busy tells whether a container runs.
func (g *group) busy() bool {
	return slices.ContainsFunc(g.all(), func(c *container) bool { return c.current != nil })
}

// terminate ends a run as a kubelet does: hook, TERM, and KILL after the grace.
func (c *container) terminate(message string) {
	g, r := c.group, c.current
	if r.terminating {
		return
	}
	r.terminating = true
	g.event(c, normal, "Killing", message)
	if g.force || g.spec.Grace <= 0 {
		c.exit(exitKilled, "")
		return
	}
	c.later(r, g.spec.Grace, func() { c.exit(exitKilled, "") })
	hook := c.spec.PreStop
	if hook == nil || !shell.Recognises(hook.Exec) {
		c.signal(r)
		return
	}
	c.hook(r.context, r, hook.Exec, func(ok bool) {
		if !ok && r.interpreted {
			g.event(c, warning, "FailedPreStopHook", "PreStopHook failed")
		}
		c.signal(r)
	})
}

// signal sends TERM.
func (c *container) signal(r *run) {
	c.later(r, c.script.termAfter, func() { c.exit(c.script.termExit, "") })
}

// hook interprets a command in the container and then calls after with whether
// it succeeded, if the run still goes on. The hook of a container that is not
// interpreted itself may call programs that are not known: its failure tells
// nothing.
func (c *container) hook(ctx context.Context, r *run, argv []string, after func(ok bool)) {
	machine := c.machine(r)
	c.group.runtime.goroutine(func() {
		nothing := &log{clock: c.group.runtime.clock}
		code, err := machine.Run(ctx, argv, shell.Streams{Stdout: nothing, Stderr: nothing})
		c.group.do(func() {
			if c.current == r {
				after(err == nil && code == 0)
			}
		})
	})
}

// Restart implements engine.Instance.
func (g *group) Restart() {
	g.mu.Lock()
	if g.stopping {
		g.mu.Unlock()
		return
	}
	g.restarting, g.dirty = true, true
	containers := g.all()
	runs := make([]*run, len(containers))
	for i, c := range containers {
		c.stopTimer()
		runs[i] = c.current
	}
	for i, c := range containers { // the last of them to end starts all anew
		if runs[i] != nil && c.current == runs[i] {
			c.terminate("Stopping container " + c.spec.Name)
		}
	}
	g.checkRestarted()
	g.mu.Unlock()
	g.runtime.goroutine(g.flush)
}

// checkRestarted begins anew once nothing runs.
func (g *group) checkRestarted() {
	if g.busy() || !g.restarting {
		return
	}
	g.restarting, g.failed, g.done = false, false, 0
	for _, c := range g.all() {
		c.restarts, c.pulls, c.due = backoff{}, backoff{}, false
		reason := "ContainerCreating"
		if len(g.inits) > 0 {
			reason = "PodInitializing"
		}
		c.waitFor(reason, "")
	}
	g.advance()
}

// Update implements engine.Instance.
func (g *group) Update(spec *engine.Spec) {
	g.mu.Lock()
	if !g.stopping {
		g.spec, g.dirty = spec, true
		g.updateVolumes()
		initialized := g.initialized()
		g.inits = g.merge(g.inits, spec.InitContainers, true)
		if g.done = min(g.done, len(g.inits)); initialized {
			g.done = len(g.inits)
		}
		g.apps = g.merge(g.apps, spec.Containers, false)
	}
	g.mu.Unlock()
	g.runtime.goroutine(g.flush)
}

// merge brings a list of containers to its new specs. Those that go run on at
// its end until they are stopped.
func (g *group) merge(old []*container, specs []engine.Container, init bool) []*container {
	var merged, fresh []*container
	for i := range specs {
		at := slices.IndexFunc(old, func(c *container) bool { return c.spec.Name == specs[i].Name })
		if at < 0 {
			c := newContainer(g, &specs[i], init)
			merged, fresh = append(merged, c), append(fresh, c)
			continue
		}
		c := old[at]
		merged = append(merged, c)
		if reflect.DeepEqual(c.spec, &specs[i]) {
			c.spec = &specs[i]
			continue
		}
		c.next = &specs[i]
	}
	for _, c := range old {
		if !slices.Contains(merged, c) {
			c.removed = true
			c.stopTimer()
			if c.current != nil {
				merged = append(merged, c)
			}
		}
	}
	g.settle(merged, fresh, init)
	return merged
}

// settle starts what merge found new, changed or gone, in the background since
// the group's lists are not complete yet.
func (g *group) settle(merged, fresh []*container, init bool) {
	g.runtime.goroutine(func() {
		g.do(func() {
			if g.stopping {
				return
			}
			for _, c := range merged {
				switch {
				case c.current != nil && (c.removed || c.next != nil):
					c.terminate("Container " + c.spec.Name + " definition changed, will be restarted")
				case c.next != nil:
					c.replace()
				}
			}
			if init || !g.initialized() {
				return
			}
			for _, c := range fresh {
				c.launched = true
				c.prepare()
			}
		})
	})
}

// replace gives a container that does not run its new spec, and starts it if
// its time has come.
func (c *container) replace() {
	g := c.group
	c.stopTimer()
	c.spec, c.next = c.next, nil
	c.script, c.scriptError = parseScript(c.spec.Env)
	c.state.Image = c.spec.Image
	c.restarts, c.pulls = backoff{}, backoff{}
	g.dirty = true
	mine := slices.Index(g.inits, c)
	if (c.init && mine == g.done) || (!c.init && g.initialized()) {
		c.prepare()
	}
}

// drop forgets a removed container.
func (g *group) drop(c *container) {
	same := func(other *container) bool { return other == c }
	g.inits = slices.DeleteFunc(slices.Clone(g.inits), same)
	g.apps = slices.DeleteFunc(slices.Clone(g.apps), same)
	g.done = min(g.done, len(g.inits))
	g.dirty = true
}
