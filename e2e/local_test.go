package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// TestLocal starts a second system beside the first, as a person does, and
// ends it: politely, and by kill -9. Nothing of it is left either way.
func TestLocal(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"Terminated": syscall.SIGTERM, "Killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			up := exec.CommandContext(ctx, filepath.Join(binDir(), "cumulet-local"), "up", "--dir", dir)
			var out strings.Builder
			up.Stdout, up.Stderr = &out, &out
			if err := up.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if t.Failed() {
					cancel()
					_ = up.Wait() // what it said until now is all that matters
					t.Logf("it said:\n%s", out.String())
				}
			}()
			for _, file := range []string{"kubeconfig", "clouds.json", "cumulet.yaml"} {
				awaitFile(t, filepath.Join(dir, file))
			}
			if got := processesOf(t, dir); len(got) < 6 {
				t.Errorf("%d processes run, want etcd, three of Kubernetes, the clouds and cumulet: %v", len(got), got)
			}
			if err := up.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = up.Wait() // a killed program's end is an error
			gone := func(context.Context) (bool, error) { return len(processesOf(t, dir)) == 0, nil }
			if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 15*time.Second, true, gone); err != nil {
				t.Errorf("still running: %v", processesOf(t, dir))
			}
		})
	}
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	there := func(context.Context) (bool, error) {
		_, err := os.Stat(path)
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 2*time.Minute, true, there); err != nil {
		t.Fatalf("waiting for %s: %v", path, err)
	}
}

// processesOf lists the processes whose command line names the folder.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-e", "-o", "pid=", "-o", "args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) && !strings.Contains(line, "cumulet-local") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
