package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// deadline is for what takes milliseconds, on a busy machine.
const deadline = 20 * time.Second

// TestReap leaves an ended child to reap, which exec does not wait for.
func TestReap(t *testing.T) {
	child := exec.CommandContext(t.Context(), "true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(deadline); !errors.Is(syscall.Kill(child.Process.Pid, 0), syscall.ESRCH); {
		if time.Now().After(end) {
			t.Fatalf("process %d is still there", child.Process.Pid)
		}
		reap()
	}
}

// TestEnd runs the program as some process and ends it.
func TestEnd(t *testing.T) {
	program := filepath.Join(t.TempDir(), "pause")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if output, err := exec.CommandContext(t.Context(), program, "-v").Output(); err != nil || string(output) != "pause 3.10.1\n" {
		t.Errorf("-v says %q (error %v), want pause 3.10.1", output, err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program)
	command.Stderr = write
	if err := errors.Join(command.Start(), write.Close(), read.SetReadDeadline(time.Now().Add(deadline))); err != nil {
		t.Fatal(err)
	}
	// It has words for those who run it by hand, and they come when it listens
	// for signals.
	if _, err := read.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("SIGTERM gives %v, want a regular end", err)
	}
}
