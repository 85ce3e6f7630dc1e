package simulated

import (
	"context"
	"fmt"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// prober is one probe of one run; the group's lock guards it.
type prober struct {
	container *container
	run       *run
	spec      *engine.Probe
	readiness bool
	// successes and failures are the last ones in a row.
	successes, failures int
	// asleep is true while nothing can change by itself.
	asleep bool
}

// probe begins to probe a run. A container without a readiness probe is ready
// as soon as its script lets it.
func (c *container) probe(r *run) {
	if c.init {
		return
	}
	if c.spec.Readiness == nil {
		c.later(r, c.script.readyAfter, func() { c.setReady(true) })
	}
	for _, p := range []*prober{
		{container: c, run: r, spec: c.spec.Readiness, readiness: true},
		{container: c, run: r, spec: c.spec.Liveness},
	} {
		if p.spec == nil {
			continue
		}
		r.probers = append(r.probers, p)
		first := roundUp(p.spec.InitialDelay, p.period())
		c.later(r, first, p.tick)
	}
}

// roundUp is the first of a probe's rounds at or after d.
func roundUp(d, period time.Duration) time.Duration {
	return (d + period - 1).Truncate(period)
}

// period is never so short that probing would take the emulator's time.
func (p *prober) period() time.Duration { return max(p.spec.Period, 100*time.Millisecond) }

// setReady changes a container's readiness.
func (c *container) setReady(ready bool) {
	if c.state.Ready != ready {
		c.state.Ready = ready
		c.group.dirty = true
		c.group.launch()
	}
}

// tick probes once.
func (p *prober) tick() {
	c := p.container
	p.asleep = false
	if p.run.terminating && !p.readiness {
		return // a kubelet does not probe for liveness what it stops
	}
	if p.run.interpreted && shell.Recognises(p.spec.Exec) {
		p.execute()
		return
	}
	if p.scripted() {
		p.succeed()
	} else {
		p.fail(p.complaint())
	}
	if c.current == p.run {
		p.next()
	}
}

// scripted is the outcome that the script or a fate has set.
func (p *prober) scripted() bool {
	c := p.container
	up := c.group.runtime.clock.Since(p.run.started)
	if p.readiness && c.unreadiness != nil {
		return *c.unreadiness
	}
	if c.script.unhealthyAfter > 0 && up >= c.script.unhealthyAfter {
		return false
	}
	return !p.readiness || up >= c.script.readyAfter
}

// execute interprets an exec probe.
func (p *prober) execute() {
	c := p.container
	over := false
	ctx, cancel := context.WithCancel(p.run.context)
	conclude := func(ok bool, complaint string) {
		if over {
			return
		}
		over = true
		cancel()
		if ok {
			p.succeed()
		} else {
			p.fail(complaint)
		}
		if c.current == p.run {
			c.later(p.run, p.period(), p.tick)
		}
	}
	if p.spec.Timeout > 0 {
		c.later(p.run, p.spec.Timeout, func() {
			conclude(false, fmt.Sprintf("command timed out after %v", p.spec.Timeout))
		})
	}
	c.hook(ctx, p.run, p.spec.Exec, func(ok bool) { conclude(ok, p.complaint()) })
}

// next waits for the next round, or until a fate wakes it if all rounds from now
// on will end as this one.
func (p *prober) next() {
	c := p.container
	settled := p.successes >= max(p.spec.Success, 1)
	if !settled {
		c.later(p.run, p.period(), p.tick)
		return
	}
	up := c.group.runtime.clock.Since(p.run.started)
	if c.script.unhealthyAfter > up {
		c.later(p.run, roundUp(c.script.unhealthyAfter, p.period())-up, p.tick)
		return
	}
	p.asleep = true
}

func (p *prober) succeed() {
	p.successes, p.failures = p.successes+1, 0
	if p.readiness && p.successes >= max(p.spec.Success, 1) {
		p.container.setReady(true)
	}
}

func (p *prober) fail(complaint string) {
	c, g := p.container, p.container.group
	p.successes, p.failures = 0, p.failures+1
	kind := "Liveness"
	if p.readiness {
		kind = "Readiness"
	}
	g.event(c, warning, "Unhealthy", kind+" probe failed: "+complaint)
	if p.failures < max(p.spec.Failure, 1) {
		return
	}
	if p.readiness {
		c.setReady(false)
		return
	}
	message := fmt.Sprintf("Container %s failed liveness probe", c.spec.Name)
	if c.restartable(exitTerminated) {
		message += ", will be restarted"
	}
	c.terminate(message)
}

// complaint is what a kubelet says of a probe that fails.
func (p *prober) complaint() string {
	switch {
	case p.spec.HTTP != nil:
		return "HTTP probe failed with statuscode: 503"
	case p.spec.TCP != nil:
		return fmt.Sprintf("dial tcp %s:%d: connect: connection refused", p.container.group.spec.Address, p.spec.TCP.Port)
	default:
		return "command exited with a non-zero code"
	}
}

// wake probes again at once what waits for a fate.
func (p *prober) wake() {
	if p.asleep {
		p.tick()
	}
}
