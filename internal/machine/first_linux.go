package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The first process of a machine is this program again, under another name.
const (
	firstName = "cumulet-machine"
	trialName = "cumulet-machine-trial"
)

// Descriptors of the first process, beside its standard ones.
const (
	reportsFD = 3 + iota
	containerdLogFD
	kubeletLogFD
	// firstBesideLogFD is followed by those of the other programs of plan.Beside.
	firstBesideLogFD
)

// armed tells whether Main was called.
var armed bool

// Main is to be called first of all by a program that starts machines. The
// first process of a machine is this same program: in that process Main runs
// the machine and does not return.
func Main() {
	armed = true
	switch os.Args[0] {
	case firstName:
		quit(runFirst())
	case trialName:
		quit(runTrial())
	}
}

// quit ends a process of ours that has just this to do. Its standard error is a
// log, or is read by the one who started it.
func quit(err error) {
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:revive // what called us was this process's main function
	}
	os.Exit(0) //nolint:revive // likewise
}

// first is the machine's first process: pid 1 of its namespaces. When it ends
// the kernel ends all others there.
type first struct {
	plan    plan
	reports *json.Encoder
	log     *slog.Logger
	reaper  *reaper
}

// runFirst runs the machine as long as standard input is open, and returns why
// it cannot any longer.
func runFirst() error {
	f := &first{
		reports: json.NewEncoder(os.NewFile(reportsFD, "reports")),
		log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	decoder := json.NewDecoder(os.Stdin)
	if err := decoder.Decode(&f.plan); err != nil {
		return fmt.Errorf("reading the machine's plan: %w", err)
	}
	for fd := reportsFD; fd < firstBesideLogFD+len(f.plan.Beside); fd++ {
		unix.CloseOnExec(fd)
	}
	go func() {
		// Nothing more is ever written: this returns when our parent is gone,
		// or wants us to be.
		_, _ = io.Copy(io.Discard, os.Stdin)
		f.unlink()
		// Not os.Exit, which may have more to do first.
		syscall.Exit(0) //nolint:revive // the end of this process is the machine's, whatever it is doing
	}()
	err := f.run(context.Background())
	last := report{Error: err.Error()}
	if ended, ok := errors.AsType[endError](err); ok {
		last.Ended = ended.program
	}
	return errors.Join(err, f.reports.Encode(last))
}

// unlinkTimeout bounds what takes some milliseconds.
const unlinkTimeout = 500 * time.Millisecond

// unlink removes the machine's end of the link to the host, and so the other.
// The kernel would do it, too, but only a second or two after our end.
func (f *first) unlink() {
	done := make(chan error, 1)
	go func() { done <- removeLink("eth0") }()
	select {
	case err := <-done:
		if err != nil {
			f.log.Warn("leaving the link to the kernel", "error", err)
		}
	case <-time.After(unlinkTimeout):
	}
}

// run brings the machine up and returns when it can run no longer.
func (f *first) run(ctx context.Context) error {
	if err := f.step("mounting the machine's file systems"); err != nil {
		return err
	}
	if err := f.mountAll(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(f.plan.Node)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	for name, value := range networkSettings {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0o600); err != nil {
			return fmt.Errorf("configuring the machine's network: %w", err)
		}
	}
	f.reaper = newReaper()
	if err := f.startContainerd(ctx); err != nil {
		return err
	}
	if err := f.startKubelet(ctx); err != nil {
		return err
	}
	if err := f.startBeside(); err != nil {
		return err
	}
	if err := f.reports.Encode(report{Ready: true}); err != nil {
		return fmt.Errorf("reporting: %w", err)
	}
	return f.reaper.wait(ctx)
}

// networkSettings are files below /proc/sys/net/ipv4, which is the machine's own.
var networkSettings = map[string]string{
	// Between the pods and the host.
	"ip_forward": "1",
	// Above those that a host takes by default, so that a port which is
	// forwarded later is not taken inside.
	"ip_local_port_range": "61000 65535",
}

func (f *first) step(what string) error {
	f.log.Info(what)
	if err := f.reports.Encode(report{Step: what}); err != nil {
		return fmt.Errorf("reporting: %w", err)
	}
	return nil
}

// checkInterval is the pause between two looks at something that is starting.
const checkInterval = 20 * time.Millisecond

// await repeats check until it succeeds, a program ends, or ctx does.
func (f *first) await(ctx context.Context, what string, check func(context.Context) error) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case exit := <-f.reaper.exits:
			if err := f.reaper.judge(exit); err != nil {
				return fmt.Errorf("waiting for %s: %w", what, err)
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; at last: %w", what, context.Cause(ctx), err)
		}
	}
}
