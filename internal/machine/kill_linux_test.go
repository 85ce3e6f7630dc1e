package machine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMachineKill has a process in a cgroup of each of two pods.
func TestMachineKill(t *testing.T) {
	const machine = "cumulet-test-kill"
	all, err := hierarchies()
	if err != nil || len(all) == 0 {
		t.Fatalf("hierarchies %v: %v", all, err)
	}
	h := all[0]
	if err := h.create(machine); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.remove(ctx, machine); err != nil { // which kills what runs there
			t.Error(err)
		}
	})
	root := filepath.Join(h.path, machine)
	one := runInCgroup(t, filepath.Join(root, "kubepods", "besteffort", "podaaa", "container"))
	other := runInCgroup(t, filepath.Join(root, "kubepods", "podbbb", "container"))

	if err := killPod(root, "aaa"); err != nil {
		t.Fatal(err)
	}
	state, err := one.Process.Wait()
	if status, ok := state.Sys().(syscall.WaitStatus); err != nil || !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the process ended with %v (error %v), want killed", state, err)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other pod's process: %v", err)
	}
	if err := killPod(root, "ccc"); err != nil {
		t.Errorf("a pod that runs nothing: %v", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // killed
}

func TestKillRefuses(t *testing.T) {
	for _, uid := range []string{"", "../x", "a*"} {
		if err := (&Machine{}).Kill(t.Context(), uid); err == nil || !strings.Contains(err.Error(), "is no uid") {
			t.Errorf("uid %q: error %v, want a refusal", uid, err)
		}
	}
}

// runInCgroup runs a process in a new cgroup.
func runInCgroup(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	for _, folder := range []string{filepath.Dir(filepath.Dir(filepath.Dir(path))), filepath.Dir(filepath.Dir(path)), filepath.Dir(path), path} {
		if err := os.MkdirAll(folder, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := inheritCPUSet(folder); err != nil {
			t.Fatal(err)
		}
	}
	process := exec.CommandContext(context.Background(), "sleep", "60")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "cgroup.procs"), []byte(strconv.Itoa(process.Process.Pid)), 0o600); err != nil {
		t.Fatal(err)
	}
	return process
}
