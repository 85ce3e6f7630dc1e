package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Check says in plain words why a machine cannot run here and what to do about
// it. It tries what a machine does first, in namespaces that end with it.
func Check(binDir string) error {
	if !armed {
		return errors.New("this program does not call machine.Main first, without which it cannot become a machine")
	}
	return errors.Join(
		checkSystem(runtime.GOOS),
		checkPrograms(binDir, programs, programsIn(binDir)),
		firstError(func() error { return checkUser(os.Geteuid()) }, checkCgroups, checkInotify, checkNamespaces),
	)
}

// programsIn tells of a file below binDir whether it is there and can be run.
func programsIn(binDir string) func(file string) bool {
	return func(file string) bool {
		info, err := os.Stat(filepath.Join(binDir, file))
		return err == nil && info.Mode()&0o111 != 0
	}
}

// firstError returns the first error of checks of which each needs the one before.
func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func checkCgroups() error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	var available []string
	for _, h := range all {
		controllers, err := h.controllers()
		if err != nil {
			return err
		}
		available = append(available, controllers...)
		if err := unix.Access(h.path, unix.W_OK); err != nil {
			return fmt.Errorf("cgroups cannot be made in %s (%w): %s", h.path, err, inContainer)
		}
	}
	return checkControllers(available)
}

// checkInotify counts the inotify instances that our user may have, up to those
// needed.
func checkInotify() error {
	available := 0
	for range neededWatchers {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if errors.Is(err, unix.EMFILE) {
			break
		}
		if err != nil {
			return fmt.Errorf("watching files: %w", err)
		}
		available++
		defer func() { _ = unix.Close(fd) }() // all at once, at the end
	}
	return checkWatchers(available)
}

// trialTimeout bounds what takes some 20 ms.
const trialTimeout = 10 * time.Second

// checkNamespaces lets this program try what the first process of a machine
// does.
func checkNamespaces() error {
	ctx, cancel := context.WithTimeout(context.Background(), trialTimeout)
	defer cancel()
	var output bytes.Buffer
	trial := exec.CommandContext(ctx, "/proc/self/exe")
	trial.Args = []string{trialName}
	trial.Env = []string{"PATH=" + programPath}
	trial.Stderr = &output
	trial.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: namespaces}
	if err := trial.Run(); err != nil {
		return fmt.Errorf("namespaces, mounts or links of the network cannot be made here (%w%s): %s",
			err, strings.TrimRight(": "+output.String(), ": \n"), inContainer)
	}
	return nil
}

// runTrial is the program of checkNamespaces.
func runTrial() error {
	return firstError(
		func() error { return mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "") },
		func() error { return mount("proc", "/proc", "proc", 0, "") },
		func() error { return mount("tmpfs", "/run", "tmpfs", 0, "") },
		tryLinks,
	)
}

// tryLinks makes a link such as a machine has.
func tryLinks() error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("talking to the kernel's network: %w", err)
	}
	defer handle.Close()
	veth := netlink.NewLinkAttrs()
	veth.Name = "trial0"
	if err := handle.LinkAdd(&netlink.Veth{LinkAttrs: veth, PeerName: "trial1"}); err != nil {
		return fmt.Errorf("making a veth link (kernel module veth): %w", err)
	}
	return nil
}
