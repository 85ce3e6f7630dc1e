package machine

import (
	"errors"
	"fmt"
	"strings"
)

// programs are the files below BinDir that a machine needs.
var programs = []programFile{
	{"kubelet", "controlplane"},
	{"machine/containerd", "machine"},
	{"machine/containerd-shim-runc-v2", "machine"},
	{"machine/runc", "machine"},
	{"machine/ptp", "machine"},
	{"machine/host-local", "machine"},
}

// programFile is a file below BinDir and the target of the Makefile that builds
// it.
type programFile struct{ file, target string }

// neededControllers are the controllers of cgroups without which a kubelet does
// not run.
var neededControllers = []string{"cpu", "memory", "pids"}

// inContainer is what to do where this system cannot run a machine.
const inContainer = "run it in a Linux virtual machine, or in a container with --privileged and a volume for its data"

// checkSystem says why a machine cannot run on a system at all.
func checkSystem(goos string) error {
	if goos == "linux" {
		return nil
	}
	return fmt.Errorf("a machine needs Linux, this is %s: %s", goos, inContainer)
}

// checkUser says why a machine cannot run for a user.
func checkUser(uid int) error {
	if uid == 0 {
		return nil
	}
	return fmt.Errorf("a machine needs root for its namespaces, mounts and cgroups, this is user %d: use sudo", uid)
}

// checkPrograms says which programs are missing. exists tells it of one file
// below binDir.
func checkPrograms(binDir string, needed []programFile, exists func(file string) bool) error {
	var missing, targets []string
	for _, p := range needed {
		if exists(p.file) {
			continue
		}
		missing = append(missing, p.file)
		if target := "make " + p.target; len(targets) == 0 || targets[len(targets)-1] != target {
			targets = append(targets, target)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("programs are missing in %s (%s): build them with %s",
		binDir, strings.Join(missing, ", "), strings.Join(targets, " and "))
}

// neededWatchers is how many inotify instances a machine takes, with one to
// spare: 7 of the kubelet and 1 of containerd.
const neededWatchers = 9

// checkWatchers says why so many inotify instances are too few. Where it is
// not said, kubelet ends with "too many open files".
func checkWatchers(available int) error {
	if available >= neededWatchers {
		return nil
	}
	return fmt.Errorf("a machine needs %d inotify instances and %d are left: end other programs that watch files, or allow "+
		"more (sysctl fs.inotify.max_user_instances=1024)", neededWatchers, available)
}

// checkControllers says which cgroup controllers are missing.
func checkControllers(available []string) error {
	if len(available) == 0 {
		return errors.New("there are no cgroups below /sys/fs/cgroup: mount them, or " + inContainer)
	}
	has := map[string]bool{}
	for _, name := range available {
		has[name] = true
	}
	var missing []string
	for _, name := range neededControllers {
		if !has[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("cgroup controllers are missing (%s): a kernel parameter may disable them (cgroup_disable), or "+
		"this is a container without its own cgroups: %s", strings.Join(missing, ", "), inContainer)
}
