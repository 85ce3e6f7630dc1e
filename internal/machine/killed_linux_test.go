package machine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ownerOptions makes this binary the owner of a machine with these options, to
// be killed by TestMachineKilledOwner.
const ownerOptions = "MACHINE_TEST_OWNER_OPTIONS"

// runOwner starts a machine, prints its process id and waits for its death.
func runOwner(encoded string) {
	var o Options
	err := json.Unmarshal([]byte(encoded), &o)
	if err == nil {
		var m *Machine
		if m, err = Start(context.Background(), o); err == nil {
			fmt.Println(m.PID())
			never := make(chan os.Signal, 1)
			signal.Notify(never, syscall.SIGUSR1)
			<-never
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestMachineKilledOwner kills the process that started a machine: two seconds
// later nothing of it may be there, and a new start must remove the cgroups.
func TestMachineKilledOwner(t *testing.T) {
	w := newWorld(t)
	options := w.options(t, "node-a")
	encoded, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	for _, pods := range []int{0, 10} {
		t.Run(strconv.Itoa(pods)+"Pods", func(t *testing.T) {
			owner, pid := startOwner(t, string(encoded))
			for i := range pods {
				w.create(t, appPod(fmt.Sprintf("p%d", i), "node-a"))
			}
			for i := range pods {
				w.awaitReady(t, fmt.Sprintf("p%d", i))
			}
			running := processesIn(t, pid)
			if len(running) < 3 {
				t.Fatalf("the machine has processes %v, want some more", running)
			}
			if err := owner.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_ = owner.Wait() // "signal: killed"
			eventually(t, 2*time.Second, func() error {
				for _, pid := range running {
					if stat := processStat(pid); stat != nil && stat[0] != "Z" {
						return fmt.Errorf("process %d outlives the machine's owner: %v", pid, stat)
					}
				}
				return errors.Join(linkGone(options), mountsGone(options))
			})
			t.Logf("%d processes and the link are gone after %v", len(running), time.Since(began).Round(time.Millisecond))
		})
	}
	m := w.start(t, options)
	for i := range 10 {
		w.awaitReady(t, fmt.Sprintf("p%d", i))
	}
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
	checkNothingLeft(t, options)
}

func startOwner(t *testing.T, encoded string) (*exec.Cmd, int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	owner := exec.CommandContext(t.Context(), self)
	owner.Env = append(os.Environ(), ownerOptions+"="+encoded)
	owner.Stderr = os.Stderr
	output, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return owner, pid
}

// processesOf lists the processes of a machine.
func processesOf(t *testing.T, m *Machine) []int {
	t.Helper()
	return processesIn(t, m.PID())
}

// processesIn lists the processes in the pid namespace of one of them, and in
// those below it.
func processesIn(t *testing.T, first int) []int {
	t.Helper()
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		stat := processStat(pid)
		if stat == nil {
			continue // it has ended meanwhile
		}
		parent, err := strconv.Atoi(stat[1])
		if err != nil {
			t.Fatal(err)
		}
		children[parent] = append(children[parent], pid)
	}
	all := []int{first}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// processStat returns what the kernel tells about a process, from its state on
// and with its parent next, and nil if it is not there. In state Z it has ended
// and its parent has not asked how: that of an orphan is the host's init.
func processStat(pid int) []string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The name before, in parentheses, may have spaces.
	return strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
}

// checkNothingLeft fails if anything of a machine is there beside what it is to
// keep.
func checkNothingLeft(t *testing.T, options Options) {
	t.Helper()
	if err := errors.Join(linkGone(options), mountsGone(options), cgroupsGone(options), stateGone(options)); err != nil {
		t.Errorf("after Stop: %v", err)
	}
}

func linkGone(options Options) error {
	_, err := os.Stat("/sys/class/net/" + options.Network.id())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(fmt.Errorf("link %s is there", options.Network.id()), err)
}

func mountsGone(options Options) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if strings.Contains(string(mounts), options.Dir) {
		return fmt.Errorf("something is mounted below %s:\n%s", options.Dir, mounts)
	}
	return nil
}

func cgroupsGone(options Options) error {
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		found, err := filepath.Glob(pattern + options.Network.id())
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf("cgroups are there: %v", found)
		}
	}
	return nil
}

func stateGone(options Options) error {
	entries, err := os.ReadDir(options.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "containerd" && name != "lock" {
			return fmt.Errorf("%s is there", filepath.Join(options.Dir, name))
		}
	}
	return nil
}

// goroutines counts those of this process.
func goroutines() int { return runtime.NumGoroutine() }
