package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mountAll gives the machine its file systems. What the host mounts later
// still shows, nothing of what is mounted here does on the host, and the host's
// files can only be read.
func (f *first) mountAll() error {
	state, err := openFolder(f.plan.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = state.Close() }() // it was only looked at
	bin, err := openFolder(f.plan.BinDir)
	if err != nil {
		return err
	}
	defer func() { _ = bin.Close() }() // likewise
	steps := []func() error{
		func() error { return mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "") },
		// Shared again, but among the machine and its containers alone.
		func() error { return mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "") },
		func() error { return mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") },
		protectHost,
		mountMemory,
		func() error { return bind(bin, binFolder, true) },
		func() error { return f.mountState(state) },
		f.writeFiles,
		replaceHostFiles,
		replaceKernelSettings,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("mounting the machine's file systems: %w", err)
		}
	}
	return nil
}

// openFolder opens a folder of the host while its path still leads there.
func openFolder(path string) (*os.File, error) {
	file, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a folder of the machine's: %w", err)
	}
	return file, nil
}

// mount is mount(2) with an error that says where.
func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", kind, target, err)
	}
	return nil
}

// bind makes an open folder appear at a path, which it makes.
func bind(source *os.File, target string, readOnly bool) error {
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", source.Fd()), target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", source.Name(), target, err)
	}
	return setReadOnly(target, readOnly)
}

// protectHost makes every file system of the host read-only for the machine,
// except those that are the kernel itself.
func protectHost() error {
	if err := setReadOnly("/", true); err != nil {
		return err
	}
	for _, kernel := range []string{"/proc", "/sys", "/dev"} {
		if err := setReadOnly(kernel, false); err != nil {
			return err
		}
	}
	return nil
}

// setReadOnly changes whether a mount and all below it can be written to, for
// this mount namespace. Kernels before 5.12 cannot: then nothing is protected.
func setReadOnly(path string, readOnly bool) error {
	var attributes unix.MountAttr
	if readOnly {
		attributes.Attr_set = unix.MOUNT_ATTR_RDONLY
	} else {
		attributes.Attr_clr = unix.MOUNT_ATTR_RDONLY
	}
	err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, &attributes)
	if err != nil && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("changing whether %s can be written to: %w", path, err)
	}
	return nil
}

// mountMemory mounts file systems in memory over the folders in which the
// programs keep what is gone with the machine.
func mountMemory() error {
	for _, folder := range []string{"/run", "/var/lib", "/var/log", "/tmp"} {
		if err := mount("tmpfs", folder, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
			return err
		}
	}
	if err := os.Chmod("/tmp", 0o777|os.ModeSticky); err != nil {
		return err
	}
	// On most systems a link to /run.
	if info, err := os.Lstat("/var/run"); err == nil && info.IsDir() {
		return mount("/run", "/var/run", "", unix.MS_BIND|unix.MS_REC, "")
	}
	return nil
}

// mountState puts the folders of the state directory where the programs look
// for them.
func (f *first) mountState(state *os.File) error {
	if err := bind(state, ownFolder+"/state", false); err != nil {
		return err
	}
	for _, s := range stateFolders {
		inside := filepath.Join(ownFolder, "state", s.name)
		if err := errors.Join(os.MkdirAll(inside, 0o700), os.MkdirAll(s.inside, 0o750)); err != nil {
			return err
		}
		if err := mount(inside, s.inside, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// stateFolders are the folders of the state directory. Those that are not kept
// are removed with the machine.
var stateFolders = []struct {
	name, inside string
	kept         bool
}{
	{name: "containerd", inside: containerdRoot, kept: true},
	{name: "kubelet", inside: kubeletRoot},
	{name: "pods", inside: podLogs},
}

// writeFiles writes the files of the plan.
func (f *first) writeFiles() error {
	for path, content := range f.plan.Files {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// replaceHostFiles mounts the machine's own files over the host's where
// programs look for them at a fixed path.
func replaceHostFiles() error {
	for path, own := range map[string]string{"/etc/resolv.conf": resolverFile, "/etc/hosts": hostsFile} {
		if err := replaceFile(path, own); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile mounts own over the file at path. If that is a link into one of
// the machine's own file systems, as systemd-resolved makes it, own becomes
// what the link leads to.
func replaceFile(path, own string) error {
	target := path
	if link, err := os.Readlink(path); err == nil {
		if target = link; !filepath.IsAbs(link) {
			target = filepath.Join(filepath.Dir(path), link)
		}
		target = strings.Replace(target, "/var/run/", "/run/", 1)
	}
	if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) {
		if !strings.HasPrefix(target, "/run/") {
			return nil // the host has none, and there is no place for one
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		return os.Symlink(own, target)
	}
	return mount(own, target, "", unix.MS_BIND, "")
}

// replaceKernelSettings puts a file of the machine's own in the place of each
// of kernelSettings.
func replaceKernelSettings() error {
	folder := ownFolder + "/sysctl"
	for name, value := range kernelSettings {
		own := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(own), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(own, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		target := filepath.Join("/proc/sys", name)
		if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) {
			continue // this kernel does not have it
		}
		if err := mount(own, target, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// overlayWorks tells whether folder can hold an overlay.
func overlayWorks(folder string) error {
	trial, err := os.MkdirTemp(folder, ".trial-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(trial) }() // it is empty
	path := func(name string) string { return filepath.Join(trial, name) }
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(path(name), 0o750); err != nil {
			return err
		}
	}
	options := "lowerdir=" + path("lower") + ",upperdir=" + path("upper") + ",workdir=" + path("work")
	if err := mount("overlay", path("merged"), "overlay", 0, options); err != nil {
		return err
	}
	return unix.Unmount(path("merged"), 0)
}
