// Package parent ends a process whose parent is gone, even if that was killed.
// The parent holds the write end of a pipe and names the read end's descriptor
// in an environment variable; when the pipe ends, so do we. It works wherever
// there are pipes, unlike a death signal, which only Linux has.
package parent

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// FD is the environment variable that names the descriptor. A program that does
// not watch it outlives a parent that was killed.
const FD = "CUMULET_PARENT_FD"

// patience is how long an orderly end may take once the parent is gone.
const patience = 2 * time.Second

// Context returns a context that also ends when the parent does; some time
// after that the process exits whatever it is doing. Without the variable the
// context is ctx. stop ends the watch.
func Context(ctx context.Context) (watched context.Context, stop func()) {
	value, ok := os.LookupEnv(FD)
	if !ok {
		return ctx, func() {}
	}
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 3 {
		_, _ = fmt.Fprintf(os.Stderr, "ignoring %s=%q: it must be the number of a file descriptor\n", FD, value)
		return ctx, func() {}
	}
	syscall.CloseOnExec(fd)
	// Without this the watch could not be ended: a read would go on although
	// the file is closed.
	if err := syscall.SetNonblock(fd, true); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "ignoring %s=%q: %v\n", FD, value, err)
		return ctx, func() {}
	}
	pipe := os.NewFile(uintptr(fd), "parent")
	watched, cancel := context.WithCancel(ctx)
	go func() {
		// Nothing is ever written: a read returns when the other end closes.
		_, _ = pipe.Read(make([]byte, 1))
		if watched.Err() == nil {
			time.AfterFunc(patience, func() { os.Exit(1) }) //nolint:revive // it is what this package is for
		}
		cancel()
	}()
	return watched, func() {
		cancel()
		_ = pipe.Close()
	}
}
