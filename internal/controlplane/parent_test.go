package controlplane

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// parentDir makes this binary the parent of a control plane in that directory,
// to be killed by TestKilledParent.
const parentDir = "CONTROLPLANE_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		runParent(dir)
	}
	os.Exit(m.Run())
}

// runParent starts a control plane, prints the process ids and waits for its
// death.
func runParent(dir string) {
	c, err := Start(context.Background(), Options{Dir: dir, BinDir: binDir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, p := range c.Processes() {
		fmt.Println(p.PID())
	}
	fmt.Println("ready")
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR1)
	<-never
}

func TestKilledParent(t *testing.T) {
	needPrograms(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), self)
	parent.Env = append(os.Environ(), parentDir+"="+t.TempDir())
	parent.Stderr = os.Stderr
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pids := readPIDs(t, output)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "signal: killed"
	eventually(t, 5*time.Second, func() error {
		for _, pid := range pids {
			if alive(pid) {
				return fmt.Errorf("process %d outlives its parent", pid)
			}
		}
		return nil
	})
}

func readPIDs(t *testing.T, output io.Reader) []int {
	t.Helper()
	var pids []int
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if lines.Text() == "ready" {
			break
		}
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 4 {
		t.Fatalf("the parent started processes %v, want 4", pids)
	}
	return pids
}
