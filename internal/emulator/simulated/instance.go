package simulated

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// fileMode is the permission bits of a request's number.
func fileMode(mode int32) fs.FileMode { return fs.FileMode(mode & int32(fs.ModePerm)) }

// Logs implements engine.Instance. The current log is that of the newest run,
// even if it is over, as a kubelet has it.
func (g *group) Logs(name string, previous bool) ([]engine.LogLine, error) {
	g.mu.Lock()
	c, err := g.find(name)
	if err != nil {
		g.mu.Unlock()
		return nil, err
	}
	output := c.output
	if previous {
		output = c.lastOutput
	}
	g.mu.Unlock()
	if output == nil {
		return nil, engine.ErrNotRunning
	}
	return output.all(), nil
}

// Exec implements engine.Instance. A program that is not known is an error in
// the words of runc, since there is no shell that could say "not found".
func (g *group) Exec(ctx context.Context, name string, req engine.ExecRequest) (int, error) {
	g.mu.Lock()
	c, err := g.find(name)
	if err == nil && c.current == nil {
		err = engine.ErrNotRunning
	}
	if err != nil {
		g.mu.Unlock()
		return 0, err
	}
	r, machine := c.current, c.machine(c.current)
	g.mu.Unlock()
	if !shell.Recognises(req.Command) {
		return 0, fmt.Errorf("OCI runtime exec failed: exec failed: unable to start container process: "+
			"exec: %q: executable file not found in $PATH", first(req.Command))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keep := context.AfterFunc(r.context, cancel) // the container's end ends the command, too
	defer keep()
	code, err := execute(ctx, machine, req)
	if r.context.Err() != nil {
		return exitKilled, nil // it went with its container
	}
	return code, err
}

func first(argv []string) string {
	if len(argv) == 0 {
		return ""
	}
	return argv[0]
}

func execute(ctx context.Context, machine *shell.Machine, req engine.ExecRequest) (int, error) {
	streams := shell.Streams{Stdin: req.Stdin, Stdout: req.Stdout, Stderr: req.Stderr}
	if !req.TTY {
		return machine.Run(ctx, req.Command, streams)
	}
	if shell.IsInteractive(req.Command) && req.Stdin != nil {
		return machine.Interact(ctx, streams, req.Resize)
	}
	streams.Stdout = shell.TerminalWriter(req.Stdout)
	streams.Stderr = streams.Stdout
	return machine.Run(ctx, req.Command, streams)
}

// Usage implements engine.Instance. Each container uses what its script says
// from its start on; the network carries a kibibyte per second.
func (g *group) Usage() engine.Usage {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.runtime.clock.Now()
	usage := engine.Usage{Time: now}
	for _, c := range g.all() {
		if c.current == nil {
			continue
		}
		up := now.Sub(c.current.started)
		usage.Containers = append(usage.Containers, engine.ContainerUsage{
			Name:            c.spec.Name,
			NanoCores:       uint64(c.script.cores * 1e9),
			CoreNanoSeconds: uint64(c.script.cores * float64(up.Nanoseconds())),
			UsageBytes:      c.script.memory, WorkingSetBytes: c.script.memory, RSSBytes: c.script.memory,
		})
		usage.RxBytes += uint64(up.Seconds() * 1024)
		usage.TxBytes += uint64(up.Seconds() * 1024)
	}
	return usage
}

// Fate is something that happens to a container from outside. Log and Ready may
// be given together with an end, and happen before it.
type Fate struct {
	// Log is written as one line.
	Log string `json:"log,omitempty"`
	// Ready overrides readiness until the container's next run.
	Ready *bool `json:"ready,omitempty"`
	// Exit ends the container with this code, OOM for its memory.
	Exit *int `json:"exit,omitempty"`
	OOM  bool `json:"oom,omitempty"`
}

// setFate does to a container what the fate says.
func (g *group) setFate(name string, fate Fate) error {
	if fate.Exit != nil && (*fate.Exit < 0 || *fate.Exit > 255) {
		return fmt.Errorf("fate: exit %d: want an exit code between 0 and 255", *fate.Exit)
	}
	var failed error
	g.do(func() {
		c, err := g.find(name)
		if err == nil && c.current == nil {
			err = engine.ErrNotRunning
		}
		if err != nil {
			failed = err
			return
		}
		c.suffer(fate)
	})
	return failed
}

func (c *container) suffer(fate Fate) {
	if fate.Log != "" {
		c.output.line(fate.Log)
	}
	if fate.Ready != nil {
		c.unreadiness = fate.Ready
		if c.spec.Readiness == nil {
			c.setReady(*fate.Ready)
		}
		for _, p := range c.current.probers {
			p.wake()
		}
	}
	switch {
	case c.current == nil:
	case fate.OOM:
		c.exit(exitKilled, "OOMKilled")
	case fate.Exit != nil:
		c.exit(*fate.Exit, "")
	}
}
