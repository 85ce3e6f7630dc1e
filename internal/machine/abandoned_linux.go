package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// machineIDs are names that Network.id gives.
var machineIDs = regexp.MustCompile(`^cumulet[0-9a-f]{4}$`)

// sweepAbandoned removes the cgroups of machines that were killed and whose
// networks nobody has had since: their owners' next start may choose another.
func sweepAbandoned(ctx context.Context) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	var errs []error
	for _, h := range all {
		entries, err := os.ReadDir(h.path)
		if err != nil {
			errs = append(errs, fmt.Errorf("looking for abandoned cgroups: %w", err))
		}
		for _, entry := range entries {
			if machineIDs.MatchString(entry.Name()) {
				errs = append(errs, h.removeAbandoned(ctx, entry.Name()))
			}
		}
	}
	return errors.Join(errs...)
}

// removeAbandoned removes a machine's cgroup unless somebody owns the machine, or
// something runs in it: an owner elsewhere may have its name in another network.
func (h hierarchy) removeAbandoned(ctx context.Context, id string) error {
	// Who is about to start a machine has reserved its network, and who wants to
	// chooses another meanwhile.
	for _, name := range []string{reservation(id), id} {
		held, err := takeName(ctx, name)
		if errors.Is(err, unix.EADDRINUSE) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for the owner of %s: %w", id, err)
		}
		defer func() { _ = held.Close() }() // it was only to keep others out
	}
	if busy, err := anyProcess(filepath.Join(h.path, id)); err != nil || busy {
		return err
	}
	return h.remove(ctx, id)
}

// takeName takes a name until it is closed. It is a socket without a file, known
// where the machines' links are, in the host's network namespace, and free again
// when its owner is gone.
func takeName(ctx context.Context, name string) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "unix", "@"+name)
}

// reservation is the name that keeps the network of a machine to be from others.
func reservation(id string) string { return id + "-reserved" }

// anyProcess tells whether processes are in a cgroup or in one below it.
func anyProcess(cgroup string) (bool, error) {
	busy := false
	err := filepath.WalkDir(cgroup, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it has just gone
		}
		if err != nil || !entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if strings.TrimSpace(string(content)) != "" {
			busy = true
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("looking for processes in cgroup %s: %w", cgroup, err)
	}
	return busy, nil
}
