package machine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMachineAbandoned checks whose cgroups a start removes besides its own: no
// others than those of machines that have ended.
func TestMachineAbandoned(t *testing.T) {
	all, err := hierarchies()
	if err != nil || len(all) == 0 {
		t.Fatalf("cgroups: %v, %v", all, err)
	}
	// No machine gets these: chooseNetwork's candidates are others.
	const abandoned, owned, reserved, busy, others = "cumuletfe01", "cumuletfe02", "cumuletfe03", "cumuletfe04", "cumulet-test-other"
	names := []string{abandoned, owned, reserved, busy, others}
	for _, name := range []string{owned, reservation(reserved)} {
		owner, err := takeName(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = owner.Close() })
	}
	process := exec.CommandContext(t.Context(), "sleep", "60")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		for _, h := range all {
			for _, name := range names {
				if err := h.remove(context.Background(), name); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for _, h := range all {
		for _, name := range names {
			if err := h.create(name); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(h.path, name, "below", "that"), 0o750); err != nil {
				t.Fatal(err)
			}
		}
		pid := []byte(strconv.Itoa(process.Process.Pid))
		if err := os.WriteFile(filepath.Join(h.path, busy, "cgroup.procs"), pid, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweepAbandoned(t.Context()); err != nil {
		t.Error(err)
	}
	for _, h := range all {
		var left []string
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(h.path, name, "below", "that")); err == nil {
				left = append(left, name)
			}
		}
		if diff := cmp.Diff(names[1:], left); diff != "" {
			t.Errorf("left in %s (-want +got):\n%s", h.path, diff)
		}
	}
}
