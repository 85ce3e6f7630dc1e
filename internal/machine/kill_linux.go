package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Kill kills all processes of the pod with this uid at once, whatever grace the
// kubelet has given them. A pod that runs nothing is no error. Whether the
// kubelet starts its containers again is a matter of the pod: kill those that
// are being deleted.
func (m *Machine) Kill(ctx context.Context, uid string) error {
	if uid == "" || strings.ContainsAny(uid, "/*?[\\") {
		return fmt.Errorf("killing the processes of a pod: %q is no uid", uid)
	}
	all, err := hierarchies()
	if err != nil {
		return fmt.Errorf("killing the processes of pod %s: %w", uid, err)
	}
	var errs []error
	for _, h := range all {
		if err := ctx.Err(); err != nil {
			errs = append(errs, context.Cause(ctx))
			break
		}
		errs = append(errs, killPod(filepath.Join(h.path, m.options.Network.id()), uid))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("killing the processes of pod %s: %w", uid, err)
	}
	return nil
}

// killPod kills what runs in the cgroups that a kubelet has given a pod, which
// stand in folders of its class below the machine's.
func killPod(machine, uid string) error {
	var errs []error
	err := filepath.WalkDir(machine, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has just gone, or there are no cgroups of pods here
			return nil
		case err != nil:
			return err
		case !entry.IsDir() || entry.Name() != "pod"+uid:
			return nil
		}
		errs = append(errs, killBelow(path))
		return fs.SkipDir
	})
	return errors.Join(append(errs, err)...)
}

// killBelow kills the processes of a cgroup and of those below it.
func killBelow(cgroup string) error {
	var errs []error
	err := filepath.WalkDir(cgroup, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		}
		if err := killAll(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}
