package process

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell starts a shell script. It has no PATH: scripts use what the shell
// has built in.
func shell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Command{
		Name: "script",
		Path: "/bin/sh",
		Args: []string{"-c", script},
		Env:  []string{"GREETING=hello"},
		Log:  filepath.Join(t.TempDir(), "script.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(0); err != nil {
			t.Error(err)
		}
	})
	return p
}

func awaitEnd(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the process did not end")
	}
}

// awaitLog waits until the log ends in a line.
func awaitLog(t *testing.T, p *Process, line string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for p.LogTail(1) != line {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("log is %q, want its last line to be %q", p.LogTail(5), line)
		}
	}
}

func TestEndError(t *testing.T) {
	p := shell(t, `echo one; echo two >&2; echo "$GREETING"; exit 3`)
	awaitEnd(t, p)
	err := p.EndError()
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.HasSuffix(err.Error(), "one\ntwo\nhello") {
		t.Errorf("error = %v, want the status and both streams", err)
	}
	if got := p.LogTail(1); got != "hello" {
		t.Errorf("last line = %q, want hello", got)
	}
}

func TestStop(t *testing.T) {
	tests := []struct {
		name   string
		script string
		grace  time.Duration
		end    string
	}{
		{name: "asked", script: `trap 'exit 7' TERM; echo ready; while :; do read x <&3; done`, grace: 10 * time.Second, end: "exit status 7"},
		{name: "killed", script: `trap '' TERM; echo ready; while :; do read x <&3; done`, grace: 50 * time.Millisecond, end: "signal: killed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := shell(t, tt.script)
			awaitLog(t, p, "ready")
			if !p.Running() || p.EndError() != nil {
				t.Fatalf("ended before it was stopped: %v", p.EndError())
			}
			if err := p.Stop(tt.grace); err != nil {
				t.Fatal(err)
			}
			if err := p.EndError(); err == nil || !strings.Contains(err.Error(), tt.end) {
				t.Errorf("ended with %v, want %q", err, tt.end)
			}
			if err := p.Stop(tt.grace); err != nil {
				t.Errorf("stopping twice: %v", err)
			}
		})
	}
}

func TestOwnGroup(t *testing.T) {
	p := shell(t, `read x <&3`)
	group, err := syscall.Getpgid(p.PID())
	if err != nil {
		t.Fatal(err)
	}
	if group != p.PID() {
		t.Errorf("process group = %d, want its own, %d", group, p.PID())
	}
}

func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	for name, command := range map[string]Command{
		"no program": {Name: "x", Path: filepath.Join(dir, "missing"), Log: filepath.Join(dir, "x.log")},
		"no log":     {Name: "x", Path: "/bin/sh", Log: filepath.Join(dir, "missing", "x.log")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Start(command); err == nil || !strings.HasPrefix(err.Error(), "starting x: ") {
				t.Errorf("error = %v, want one that names the process", err)
			}
		})
	}
}

func TestLogTailOfThisRun(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for _, text := range []string{"first", "second"} {
		p, err := Start(Command{Name: "echo", Path: "/bin/sh", Args: []string{"-c", "echo " + text}, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		awaitEnd(t, p)
		if got := p.LogTail(10); got != text {
			t.Errorf("tail = %q, want %q: what this run wrote", got, text)
		}
	}
}
