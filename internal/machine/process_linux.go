package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is the machine's first process, seen from the host.
type process struct {
	command *exec.Cmd
	// network is the machine's network namespace, open as long as it is of use:
	// the number of a process may become another's.
	network *os.File
	// control is the pipe whose end is the machine's, however this process ends.
	control *os.File
	// reports has what the process tells. It is closed when the process ends.
	reports chan report
	// ended is closed when the process and all others of the machine are gone.
	ended  chan struct{}
	logs   map[string]logFile
	logger *slog.Logger
	// machineLog is where logger writes.
	machineLog *os.File
}

// logFile is the log of a program, of which this run's part begins at start.
type logFile struct {
	path  string
	start int64
}

// startProcess starts the first process in namespaces of its own, where it
// waits for its plan. programs are those of programNames.
func startProcess(logDir string, programs []string) (*process, error) {
	p := &process{reports: make(chan report), ended: make(chan struct{}), logs: map[string]logFile{}}
	var files []*os.File // the child's, to be closed here
	defer func() {
		for _, file := range files {
			_ = file.Close() // nothing was written to it here
		}
	}()
	for _, name := range programs {
		file, err := p.openLog(logDir, name)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	controlRead, controlWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting the machine's first process: %w", err)
	}
	reportRead, reportWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the machine's first process: %w", err), controlRead.Close(), controlWrite.Close())
	}
	p.control, p.machineLog = controlWrite, files[0]
	p.logger = slog.New(slog.NewTextHandler(files[0], nil))
	p.command = firstCommand(controlRead, reportWrite, files)
	files = append(files[1:], controlRead, reportWrite)
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the machine's first process: %w", err), controlWrite.Close(), reportRead.Close(), p.machineLog.Close())
	}
	go p.follow(reportRead)
	p.network, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", p.command.Process.Pid))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("finding the machine's network: %w", err), controlWrite.Close())
	}
	return p, nil
}

// firstCommand is this program again, as pid 1 of new namespaces.
func firstCommand(control, reports *os.File, logs []*os.File) *exec.Cmd {
	return &exec.Cmd{
		Path:       "/proc/self/exe",
		Args:       []string{firstName},
		Env:        []string{"PATH=" + programPath},
		Stdin:      control,
		Stdout:     logs[0],
		Stderr:     logs[0],
		ExtraFiles: append([]*os.File{reports}, logs[1:]...),
		SysProcAttr: &syscall.SysProcAttr{
			// A terminal's ^C is for the one who owns the machine.
			Setsid:     true,
			Cloneflags: namespaces,
		},
	}
}

// namespaces are those that a machine has of its own.
const namespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// follow reads what the process tells until it has ended.
func (p *process) follow(reports *os.File) {
	decoder := json.NewDecoder(reports)
	for {
		var r report
		if err := decoder.Decode(&r); err != nil {
			break // the other end is closed
		}
		p.reports <- r
	}
	close(p.reports)
	_ = reports.Close()      // it has been read
	_ = p.command.Wait()     // how it ended, it has told
	_ = p.control.Close()    // nobody reads it
	_ = p.machineLog.Close() // what is lost is a log's last line
	close(p.ended)
}

// awaitReady returns when the kubelet runs, and with an error if the process
// ends before.
func (p *process) awaitReady(ctx context.Context, progress func(string)) error {
	for {
		select {
		case r, more := <-p.reports:
			switch {
			case !more:
				return p.lost()
			case r.Error != "":
				return p.explain(r)
			case r.Ready:
				return nil
			}
			progress(r.Step)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the kubelet: %w; the end of its log:\n%s", context.Cause(ctx), p.logs[kubeletProgram].tail())
		}
	}
}

// explain makes an error of a report, with the log of the program that has
// ended if one has.
func (p *process) explain(r report) error {
	if log, ok := p.logs[r.Ended]; ok {
		return fmt.Errorf("%s; the end of %s:\n%s", r.Error, log.path, log.tail())
	}
	return errors.New(r.Error)
}

// lost is the error of a process that has ended without a word.
func (p *process) lost() error {
	log := p.logs[machineProgram]
	return fmt.Errorf("the machine's first process was killed; the end of %s:\n%s", log.path, log.tail())
}

// wait returns why the process has ended, once everything of the machine is
// gone.
func (p *process) wait() error {
	err := p.lost()
	for r := range p.reports {
		if r.Error != "" {
			err = p.explain(r)
		}
	}
	<-p.ended
	return err
}

// stop ends the process and with it everything that runs in the machine.
func (p *process) stop(ctx context.Context) error {
	if err := p.control.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("ending the machine's first process: %w", err)
	}
	go func() { _ = p.wait() }() // ends with the process; its last words are not wanted
	select {
	case <-p.ended:
		return p.network.Close()
	case <-ctx.Done():
	}
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing the machine's first process: %w", err)
	}
	return fmt.Errorf("the machine's first process did not end: %w", context.Cause(ctx))
}

// openLog opens the log of a program for appending.
func (p *process) openLog(folder, name string) (*os.File, error) {
	path := filepath.Join(folder, name+".log")
	file, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, errors.Join(err, file.Close()))
	}
	p.logs[name] = logFile{path: path, start: info.Size()}
	return file, nil
}

const (
	// tailLines is how much of a log an error carries, tailBytes where it is
	// looked for.
	tailLines = 20
	tailBytes = 32 << 10
)

// tail returns the last lines of this run, or what keeps them from being read.
func (l logFile) tail() string {
	file, err := os.Open(l.path)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return "(" + err.Error() + ")"
	}
	from := max(l.start, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(file, from, tailBytes))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
