package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/internal/machine"
)

// hostProcess is a process of this host. Process ids are used again soon on a busy
// one; together with the time of its start one is unique.
type hostProcess struct {
	pid, parent int
	name        string
	started     string // in clock ticks since the boot
	zombie      bool
}

// readProcess returns false if there is no such process.
func readProcess(pid int) (hostProcess, bool) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return hostProcess{}, false
	}
	// proc(5): the name is in parentheses, and may have some itself.
	stat := string(content)
	from, to := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[to+1:])
	parent, err := strconv.Atoi(fields[1])
	return hostProcess{pid: pid, parent: parent, name: stat[from+1 : to], started: fields[19], zombie: fields[0] == "Z"}, err == nil
}

func allProcesses(t *testing.T) []hostProcess {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var all []hostProcess
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if p, ok := readProcess(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// command is a process's command line, its words separated by blanks.
func (p hostProcess) command() string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	if err != nil {
		return "" // it has ended
	}
	return strings.TrimSpace(strings.ReplaceAll(string(content), "\x00", " "))
}

// living are those of the processes that still run.
func living(all []hostProcess) []string {
	var names []string
	for _, p := range all {
		if now, ok := readProcess(p.pid); ok && now.started == p.started && !now.zombie {
			names = append(names, fmt.Sprintf("%s (%d)", p.name, p.pid))
		}
	}
	return names
}

// emulated is the clouds' machine of a system, as the host sees it.
type emulated struct {
	dir string
	// owner is cloud-emulator, first the first process of the machine itself.
	owner, first hostProcess
	// id is what the machine's link and cgroups are called on the host.
	id string
}

// machineOf finds the machine of the system that lives in a folder.
func machineOf(t *testing.T, dir string) emulated {
	t.Helper()
	m := emulated{dir: dir, id: machineID(t, dir)}
	all := allProcesses(t)
	owner := slices.IndexFunc(all, func(p hostProcess) bool {
		return p.name == "cloud-emulator" && strings.Contains(p.command(), filepath.Join(dir, "clouds.json"))
	})
	if owner < 0 {
		t.Fatalf("no cloud-emulator runs for %s", dir)
	}
	m.owner = all[owner]
	first := slices.IndexFunc(all, func(p hostProcess) bool {
		return p.parent == m.owner.pid && p.command() == "cumulet-machine"
	})
	if first < 0 {
		t.Fatalf("cloud-emulator %d has no machine", m.owner.pid)
	}
	m.first = all[first]
	return m
}

// machineID is what a machine with these settings has on the host: cumulet and
// the first two bytes of its network's address.
func machineID(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "machine.json"))
	if err != nil {
		t.Fatal(err)
	}
	var options machine.Options
	if err := json.Unmarshal(content, &options); err != nil {
		t.Fatal(err)
	}
	network := options.Network.Prefix.Addr().As4()
	return fmt.Sprintf("cumulet%02x%02x", network[0], network[1])
}

// processes are all that run in the machine; the kernel makes its orphans
// children of its first one.
func (m emulated) processes(t *testing.T) []hostProcess {
	t.Helper()
	children := map[int][]hostProcess{}
	for _, p := range allProcesses(t) {
		children[p.parent] = append(children[p.parent], p)
	}
	inside := []hostProcess{m.first}
	for i := 0; i < len(inside); i++ {
		inside = append(inside, children[inside[i].pid]...)
	}
	return inside
}

// left tells what of a machine that is to have ended is still there. Folders of
// cgroups outlive a machine that was killed; its next start removes them.
func (m emulated) left(before []hostProcess) error {
	var errs []error
	if names := living(before); len(names) > 0 {
		errs = append(errs, fmt.Errorf("processes run: %v", names))
	}
	if _, err := os.Stat("/sys/class/net/" + m.id); err == nil {
		errs = append(errs, fmt.Errorf("link %s is there", m.id))
	} else if !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	mounts, err := mountPoints("self")
	errs = append(errs, err)
	for _, point := range mounts {
		if strings.HasPrefix(point, m.dir) {
			errs = append(errs, fmt.Errorf("%s is mounted", point))
		}
	}
	return errors.Join(errs...)
}

// mountPoints are those that a process sees.
func mountPoints(pid string) ([]string, error) {
	content, err := os.ReadFile("/proc/" + pid + "/mounts")
	var points []string
	for line := range strings.Lines(string(content)) {
		points = append(points, strings.Fields(line)[1])
	}
	slices.Sort(points)
	return points, err
}

// cgroups are the folders of the machine's cgroups, in all hierarchies.
func (m emulated) cgroups(t *testing.T) []string {
	t.Helper()
	roots, err := filepath.Glob("/sys/fs/cgroup/*/" + m.id)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, root := range append(roots, "/sys/fs/cgroup/"+m.id) {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it is another version's place, or was just removed
			}
			if err == nil && entry.IsDir() {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// links are the network links inside the machine.
func (m emulated) links(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", m.first.pid))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(content)) {
		// Two lines are a heading.
		if name, _, ok := strings.Cut(line, ":"); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	slices.Sort(names)
	return names
}

// traces is all that containers could leave behind.
type traces struct {
	Processes, HostMounts, Mounts, Cgroups, Links []string
}

func (m emulated) traces(t *testing.T) traces {
	t.Helper()
	var found traces
	for _, p := range m.processes(t) {
		found.Processes = append(found.Processes, p.name)
	}
	slices.Sort(found.Processes)
	var errs [2]error
	found.HostMounts, errs[0] = mountPoints("self")
	found.Mounts, errs[1] = mountPoints(strconv.Itoa(m.first.pid))
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	found.Cgroups, found.Links = m.cgroups(t), m.links(t)
	return found
}
