package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupRoot is where every system has its cgroups.
const cgroupRoot = "/sys/fs/cgroup"

// hierarchy is a tree of cgroups.
type hierarchy struct {
	// path is its root, which on version 2 is cgroupRoot.
	path string
	// unified tells whether it is of version 2.
	unified bool
}

// wantedControllers are those that a kubelet uses; see neededControllers.
var wantedControllers = []string{"cpu", "cpuset", "io", "memory", "hugetlb", "pids"}

// hierarchies lists the host's: one of version 2, or several of version 1 of
// which one may be of version 2 without the needed controllers (hybrid).
func hierarchies() ([]hierarchy, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("finding the cgroups: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	return parseHierarchies(file)
}

// parseHierarchies reads them from a mountinfo file; proc(5) tells its format.
func parseHierarchies(mountinfo io.Reader) ([]hierarchy, error) {
	var found []hierarchy
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		mount, kind := strings.Fields(before), strings.Fields(after)
		if len(mount) < 5 || len(kind) < 1 {
			continue
		}
		path := filepath.Clean(mount[4])
		if path != cgroupRoot && filepath.Dir(path) != cgroupRoot {
			continue // the same once more, for a container
		}
		if kind[0] == "cgroup" || kind[0] == "cgroup2" {
			found = append(found, hierarchy{path: path, unified: kind[0] == "cgroup2"})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("finding the cgroups: %w", err)
	}
	return found, nil
}

// controllers are those which cgroups of the hierarchy can have.
func (h hierarchy) controllers() ([]string, error) {
	if !h.unified {
		return strings.Split(filepath.Base(h.path), ","), nil
	}
	content, err := os.ReadFile(filepath.Join(h.path, "cgroup.controllers"))
	if err != nil {
		return nil, fmt.Errorf("reading the controllers of cgroups: %w", err)
	}
	return strings.Fields(string(content)), nil
}

// create makes the cgroup of a machine.
func (h hierarchy) create(name string) error {
	if h.unified {
		if err := h.delegate(); err != nil {
			return err
		}
	}
	path := filepath.Join(h.path, name)
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making cgroup: %w", err)
	}
	if h.unified {
		return nil // it has what its parent has
	}
	return inheritCPUSet(path)
}

// delegate enables the controllers for the children of the root. Those of our
// own cgroup are for runc to enable.
func (h hierarchy) delegate() error {
	available, err := h.controllers()
	if err != nil {
		return err
	}
	// All in one: were some enabled while there are processes, the cgroup would
	// become one of threads, which cannot have the others.
	var enable []string
	for _, controller := range wantedControllers {
		if slices.Contains(available, controller) {
			enable = append(enable, "+"+controller)
		}
	}
	control := filepath.Join(h.path, "cgroup.subtree_control")
	err = os.WriteFile(control, []byte(strings.Join(enable, " ")), 0o600)
	if errors.Is(err, unix.EBUSY) {
		// Only in a container: the kernel's own root may have processes beside
		// children, another cgroup may not.
		if err := h.evacuate(); err != nil {
			return err
		}
		err = os.WriteFile(control, []byte(strings.Join(enable, " ")), 0o600)
	}
	if err != nil {
		return fmt.Errorf("enabling controllers of cgroups: %w", err)
	}
	return nil
}

// evacuated is the cgroup for what runs beside the machine in its container.
const evacuated = "cumulet-host"

// evacuate moves the processes of the root into a cgroup below it.
func (h hierarchy) evacuate() error {
	path := filepath.Join(h.path, evacuated)
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making a cgroup for what runs beside the machine: %w", err)
	}
	content, err := os.ReadFile(filepath.Join(h.path, "cgroup.procs"))
	if err != nil {
		return fmt.Errorf("moving what runs beside the machine: %w", err)
	}
	for pid := range strings.FieldsSeq(string(content)) {
		err := os.WriteFile(filepath.Join(path, "cgroup.procs"), []byte(pid), 0o600)
		if err != nil && !errors.Is(err, unix.ESRCH) { // it may have ended
			return fmt.Errorf("moving process %s to cgroup %s: %w", pid, evacuated, err)
		}
	}
	return nil
}

// inheritCPUSet gives a cgroup its parent's processors and memory nodes: on
// version 1 it has none at first, and takes no process then.
func inheritCPUSet(path string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		own, err := os.ReadFile(filepath.Join(path, file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another controller's
		}
		if err != nil {
			return fmt.Errorf("reading a cgroup: %w", err)
		}
		if strings.TrimSpace(string(own)) != "" {
			continue
		}
		inherited, err := os.ReadFile(filepath.Join(filepath.Dir(path), file))
		if err != nil {
			return fmt.Errorf("reading a cgroup: %w", err)
		}
		if err := os.WriteFile(filepath.Join(path, file), inherited, 0o600); err != nil {
			return fmt.Errorf("writing a cgroup: %w", err)
		}
	}
	return nil
}

// remove removes the cgroup of a machine that has ended, with all below it.
// Its last processes may take a moment to go.
func (h hierarchy) remove(ctx context.Context, name string) error {
	path := filepath.Join(h.path, name)
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		err := removeCgroups(path)
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; at last: %w", context.Cause(ctx), err)
		}
	}
}

// removeCgroups removes a cgroup and those below it, after killing what may
// still run there.
func removeCgroups(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing cgroup: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue // the kernel's, and gone with the folder
		}
		if err := removeCgroups(filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	err = unix.Rmdir(path)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return fmt.Errorf("removing cgroup %s: %w", path, errors.Join(err, killAll(path)))
}

// killAll kills the processes of a cgroup.
func killAll(path string) error {
	content, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
	if err != nil {
		return err
	}
	var errs []error
	for field := range strings.FieldsSeq(string(content)) {
		var pid int
		if _, err := fmt.Sscan(field, &pid); err != nil || pid <= 1 {
			errs = append(errs, fmt.Errorf("process id %q: %w", field, err))
			continue
		}
		if err := unix.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
