package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// reaper takes the status of every process of the machine that ends: of its
// programs, and of the orphans that become children of the first process. One
// goroutine alone uses it.
type reaper struct {
	// exits has each process that ended.
	exits chan exit
	// programs are those without which there is no machine, by process id.
	programs map[int]string
}

// exit is the end of a process.
type exit struct {
	pid    int
	status unix.WaitStatus
}

func newReaper() *reaper {
	return &reaper{exits: make(chan exit), programs: map[int]string{}}
}

// start runs a program whose end is the machine's. Its standard output and
// error go to the descriptor log.
func (r *reaper) start(name string, argv, env []string, log uintptr) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	defer func() { _ = null.Close() }() // only the child has a use for it
	// Not os/exec, which would want to take the status itself.
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   env,
		Files: []uintptr{null.Fd(), log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", argv[0], err)
	}
	if len(r.programs) == 0 {
		go r.reap() // from the first child on there is always one
	}
	r.programs[pid] = name
	return nil
}

// reap waits for children as long as there are any. It ends with the process.
func (r *reaper) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return // no child is left
		default:
			r.exits <- exit{pid: pid, status: status}
		}
	}
}

// judge returns an error if the process that ended was one of the programs.
func (r *reaper) judge(e exit) error {
	name, ours := r.programs[e.pid]
	if !ours {
		return nil
	}
	if e.status.Signaled() {
		return endError{program: name, how: fmt.Sprintf("by signal %v", e.status.Signal())}
	}
	return endError{program: name, how: fmt.Sprintf("with exit status %d", e.status.ExitStatus())}
}

// endError is the end of a program that should not have ended.
type endError struct {
	program, how string
}

func (e endError) Error() string { return e.program + " ended " + e.how }

// wait returns when a program or ctx has ended.
func (r *reaper) wait(ctx context.Context) error {
	for {
		select {
		case e := <-r.exits:
			if err := r.judge(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
