// Package process starts programs that must not outlive this one: each runs in
// a process group of its own, writes its output to a file, and learns through a
// pipe when this process is gone, even if that was killed.
package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cumulet/cumulet/internal/parent"
)

// firstExtraFD is the descriptor at which a child finds the first of
// exec.Cmd.ExtraFiles: the one after stdin, stdout and stderr.
const firstExtraFD = 3

// Command says what to start.
type Command struct {
	// Name is how errors call the process, and the name of its log.
	Name string
	// Path is the program's file; Args are its arguments without its name.
	Path string
	Args []string
	// Env is the whole environment, as NAME=value. Nothing is inherited.
	Env []string
	// Log is the file to which standard output and standard error are
	// appended. Its folder must exist.
	Log string
}

// Process is a program that was started. Its methods may be called from
// several goroutines.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  string
	// logStart is where this run's output begins in the log, in bytes.
	logStart int64
	done     chan struct{}
	// err is what cmd.Wait returned; to be read after done is closed.
	err error
}

// Start starts a program. It lives until it ends by itself, Stop is called, or
// this process is gone.
func Start(command Command) (*Process, error) {
	log, logStart, err := openLog(command.Log)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", command.Name, err)
	}
	defer func() { _ = log.Close() }() // only the child writes to it
	// Go marks both ends close-on-exec, so that no other child holds the
	// write end; ExtraFiles hands the read end to this child alone.
	parentRead, parentWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", command.Name, err)
	}
	defer func() { _ = parentRead.Close() }()

	cmd := exec.Command(command.Path, command.Args...) //nolint:noctx // no context ends it: Stop does, which gives it time
	cmd.Env = append(slices.Clip(command.Env), parent.FD+"="+strconv.Itoa(firstExtraFD))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{parentRead}
	// A terminal's ^C goes to its foreground group: it is for the parent to
	// stop its children in the right order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = parentWrite.Close() // nobody reads it
		return nil, fmt.Errorf("starting %s: %w", command.Name, err)
	}
	p := &Process{name: command.Name, cmd: cmd, log: command.Log, logStart: logStart, done: make(chan struct{})}
	// Owned by the Process, ends with it.
	go func() {
		p.err = cmd.Wait()
		_ = parentWrite.Close() // nobody reads it any more
		close(p.done)
	}()
	return p, nil
}

// Name returns the name from the Command.
func (p *Process) Name() string { return p.name }

// PID returns the process id, also after the process has ended.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// EndError says how the process ended, with the last lines of its log. It is
// meant for a process that ended unasked, so it is an error for exit status 0
// too. It is nil while the process runs.
func (p *Process) EndError() error {
	if p.Running() {
		return nil
	}
	state := p.cmd.ProcessState.String()
	return fmt.Errorf("%s ended (%s); the end of %s:\n%s", p.name, state, p.log, p.LogTail(20))
}

// Stop asks the process to end (SIGTERM), and after grace ends it and its
// process group (SIGKILL). It returns when the process is gone, and has no
// effect on one that is gone already. The error means that a signal could not
// be sent.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.signal(p.PID(), syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	// A negative number names the group, which has the number of the process
	// that Setpgid made its leader.
	if err := p.signal(-p.PID(), syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

func (p *Process) signal(target int, sig syscall.Signal) error {
	if !p.Running() {
		return nil // its number may be another process's by now
	}
	if err := syscall.Kill(target, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %v to %s: %w", sig, p.name, err)
	}
	return nil
}

// tailBytes is how much of a log is looked at for its last lines: 20 lines of
// what a Kubernetes component writes are some 5 KiB.
const tailBytes = 32 << 10

// LogTail returns at most n last lines which this process wrote to its log, or
// what kept them from being read.
func (p *Process) LogTail(n int) string {
	text, err := readTail(p.log, p.logStart)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func readTail(path string, start int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	from := max(start, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(file, from, tailBytes))
	return string(text), err
}

// openLog opens a log for appending and returns the size it has.
func openLog(path string) (*os.File, int64, error) {
	file, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("opening its log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, 0, fmt.Errorf("opening its log: %w", err)
	}
	return file, info.Size(), nil
}
