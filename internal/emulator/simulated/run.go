package simulated

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// start begins a run; the lock is held, as in all of this file.
func (c *container) start() {
	g := c.group
	now := g.runtime.clock.Now()
	g.event(c, normal, "Started", "Started container "+c.spec.Name)
	c.keepPrevious()
	if c.runs > 0 {
		c.state.RestartCount++
	}
	c.runs++
	c.due = false
	c.unreadiness = nil
	c.state.Current = engine.RunState{Kind: engine.KindRunning, StartedAt: now}
	c.state.Started, c.state.Ready = true, false
	c.lastOutput, c.output = c.output, &log{clock: g.runtime.clock}
	r := &run{started: now}
	r.context, r.end = context.WithCancel(g.runtime.closing)
	c.current = r
	c.behave(r)
	if c.current == r {
		c.afterStart(r)
	}
}

// afterStart runs the hook, and then the probes.
func (c *container) afterStart(r *run) {
	hook := c.spec.PostStart
	if hook == nil || !shell.Recognises(hook.Exec) {
		c.probe(r)
		return
	}
	c.hook(r.context, r, hook.Exec, func(ok bool) {
		if ok || !r.interpreted {
			c.probe(r)
			return
		}
		c.group.event(c, warning, "FailedPostStartHook", "PostStartHook failed")
		c.terminate("FailedPostStartHook")
	})
}

// later does f after d if the run still goes on then.
func (c *container) later(r *run, d time.Duration, f func()) {
	if c.current != r {
		return
	}
	timer := c.group.after(d, func() {
		if c.current == r {
			f()
		}
	})
	if timer != nil {
		r.timers = append(r.timers, timer)
	}
}

// behave does what the script says, else what the command says.
func (c *container) behave(r *run) {
	s := &c.script
	c.speak(r)
	if s.oomAfter > 0 {
		c.later(r, s.oomAfter, func() { c.exit(exitKilled, "OOMKilled") })
	}
	argv := c.argv()
	switch {
	case s.ends:
		code := s.exitCode(c.runs - 1)
		c.later(r, s.run, func() { c.exit(code, "") })
	case shell.Recognises(argv) && !c.waitsForInput(argv):
		r.interpreted = true
		c.interpret(r, argv)
	case c.init:
		c.exit(0, "")
	}
}

// argv is the command, as far as it is known without the image.
func (c *container) argv() []string {
	if len(c.spec.Command) == 0 {
		return c.spec.Args
	}
	return append(append([]string(nil), c.spec.Command...), c.spec.Args...)
}

// waitsForInput tells whether a command reads a stdin that is kept open and
// that nobody can write to, as neither cloud has an attach.
func (c *container) waitsForInput(argv []string) bool {
	return c.spec.Stdin && (shell.IsInteractive(argv) || (len(argv) == 1 && path.Base(argv[0]) == "cat"))
}

// interpret runs a command in the background and ends the run with it.
func (c *container) interpret(r *run, argv []string) {
	machine, output := c.machine(r), c.output
	c.group.runtime.goroutine(func() {
		code, err := machine.Run(r.context, argv, shell.Streams{Stdout: output, Stderr: output})
		if err != nil {
			return // the run is over already
		}
		c.group.do(func() {
			if c.current == r {
				c.exit(code, "")
			}
		})
	})
}

// speak writes what the script says.
func (c *container) speak(r *run) {
	s := &c.script
	if s.logEvery == 0 {
		for _, line := range s.log {
			c.output.line(line)
		}
		return
	}
	lines := s.log
	if len(lines) == 0 {
		lines = []string{"line"}
	}
	var say func(n int)
	say = func(n int) {
		c.output.line(fmt.Sprintf("%s %d", lines[(n-1)%len(lines)], n))
		if s.logCount == 0 || n < s.logCount {
			c.later(r, s.logEvery, func() { say(n + 1) })
		}
	}
	c.later(r, s.logEvery, func() { say(1) })
}

// exit ends the current run. An empty reason is filled in.
func (c *container) exit(code int, reason string) {
	g, r := c.group, c.current
	r.end()
	for _, t := range r.timers {
		t.Stop()
	}
	c.output.close()
	if reason == "" && code == 0 {
		reason = "Completed"
	} else if reason == "" {
		reason = "Error"
	}
	c.state.Current = engine.RunState{
		Kind: engine.KindTerminated, ExitCode: code, Reason: reason, Message: c.lastMessage(r, code),
		StartedAt: r.started, FinishedAt: g.runtime.clock.Now(),
	}
	c.state.Ready, c.state.Started = false, false
	c.current = nil
	g.dirty = true
	c.follow()
}

// lastMessage is the termination message: from its file, or from the log's end.
func (c *container) lastMessage(r *run, code int) string {
	if r.machine != nil {
		name := c.spec.MessagePath
		if name == "" {
			name = "/dev/termination-log"
		}
		if content, err := r.machine.Files.Read(name); err == nil && len(content) > 0 {
			return string(content[:min(len(content), messageLimit)])
		}
	}
	if c.spec.MessagePolicy != "FallbackToLogsOnError" || code == 0 {
		return ""
	}
	var tail []string
	lines := c.output.all()
	for _, l := range lines[max(0, len(lines)-messageLines):] {
		tail = append(tail, l.Text)
	}
	text := strings.Join(tail, "\n")
	return text[max(0, len(text)-messageLogLimit):]
}

// The kubelet's bounds of a termination message: bytes of the file, and lines
// and bytes of the log (pkg/kubelet/container, MaxContainerTerminationMessage…).
const (
	messageLimit    = 4096
	messageLines    = 80
	messageLogLimit = 2048
)

// follow decides what comes after a run.
func (c *container) follow() {
	g := c.group
	code := c.state.Current.ExitCode
	switch {
	case g.stopping:
		g.checkStopped()
	case g.restarting:
		g.checkRestarted()
	case c.removed:
		g.drop(c)
	case c.next != nil:
		c.replace()
	case c.init && code == 0:
		g.done++
		c.state.Ready = true // a kubelet calls an init container that succeeded ready
		g.advance()
	case c.restartable(code):
		c.restart()
	case c.init:
		g.failed = true
	default:
		g.endSidecars()
	}
}

// restartable is the restart policy; an init container that failed is restarted
// unless the policy is Never.
func (c *container) restartable(code int) bool {
	if c.spec.Sidecar && c.group.mainOver() {
		return false
	}
	switch c.group.spec.RestartPolicy {
	case "Never":
		return false
	case "OnFailure":
		return code != 0
	default:
		return true
	}
}

// restart starts the container again, after the back-off.
func (c *container) restart() {
	g := c.group
	now := g.runtime.clock.Now()
	finished := now
	if c.state.Current.Kind == engine.KindTerminated {
		finished = c.state.Current.FinishedAt
	} else if c.state.Previous != nil {
		finished = c.state.Previous.FinishedAt
	}
	wait := c.restarts.remaining(finished, now)
	if wait <= 0 {
		c.restarts.next(finished, now)
		c.prepare()
		return
	}
	c.due = true
	c.waitFor("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s pod=%s",
		backoffText(c.restarts.delay), c.spec.Name, g.podName()))
	g.event(c, warning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", c.spec.Name, g.podName()))
	c.step(wait, c.restart)
}

// backoffText is a duration in Go's words: 10s, 1m20s, 5m0s.
func backoffText(d time.Duration) string { return d.String() }
