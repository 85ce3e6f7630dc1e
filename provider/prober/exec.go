package prober

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// execOverhead is how much longer than its timeout a command may take: the
	// way to the cloud and back counts for the cloud, not for the command.
	execOverhead = 2 * time.Second
	// maxOutput is how much of a command's output is kept, in bytes (kubelet:
	// 10 KiB).
	maxOutput = 10 << 10
)

// Exec runs a command in a container and writes what it says, both streams in
// one, to output. It returns the command's exit code. A cloud that does not
// tell it must return an error instead.
type Exec func(ctx context.Context, t Target, command []string, output io.Writer) (exitCode int, err error)

// ErrNotRun marks an error of Exec that tells nothing of the container: the
// command did not run, or nobody knows whether it did, because the cloud could
// not be reached in time.
var ErrNotRun = errors.New("the command was not run")

// checkExec is content with exit code 0.
func (r *Runner) checkExec(ctx context.Context, t Target, command []string, timeout time.Duration) (Outcome, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout+execOverhead)
	defer cancel()
	output := &head{}
	code, err := r.exec(ctx, t, command, output)
	switch {
	case errors.Is(err, ErrNotRun):
		return Unknown, "", err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Failure, fmt.Sprintf("command timed out: %q timed out after %s", strings.Join(command, " "), timeout), nil
	case err != nil:
		return Unknown, "", err
	case code != 0:
		return Failure, output.String(), nil
	default:
		return Success, "", nil
	}
}

// head keeps the first bytes of what is written to it.
type head struct{ kept bytes.Buffer }

// Write implements io.Writer. It never fails.
func (h *head) Write(b []byte) (int, error) {
	h.kept.Write(b[:min(len(b), maxOutput-h.kept.Len())])
	return len(b), nil
}

// String is what was kept.
func (h *head) String() string { return h.kept.String() }
