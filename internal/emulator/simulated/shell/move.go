package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// errOtherVolume: a file is moved by its name alone, within one volume.
var errOtherVolume = errors.New("moving between volumes is not simulated")

// mv renames files, the last name being a file's or a directory's.
func mv(_ context.Context, p *process) error {
	_, names, err := p.flags("f", "")
	if err != nil {
		return err
	}
	if len(names) < 2 {
		return fmt.Errorf("missing operand")
	}
	target := absolute(p.dir, names[len(names)-1])
	info, err := p.machine.Files.Stat(target)
	into := err == nil && info.IsDir()
	if len(names) > 2 && !into {
		return fmt.Errorf("target '%s' is not a directory", target)
	}
	return p.each(names[:len(names)-1], func(name string) error {
		if into {
			return p.machine.Files.Rename(name, path.Join(target, path.Base(name)))
		}
		return p.machine.Files.Rename(name, target)
	})
}

// chmod takes modes as octal numbers.
func chmod(_ context.Context, p *process) error {
	_, names, err := p.flags("f", "")
	if err != nil {
		return err
	}
	if len(names) < 2 {
		return fmt.Errorf("missing operand")
	}
	mode, err := strconv.ParseUint(names[0], 8, 32)
	if err != nil || mode > uint64(fs.ModePerm) {
		return fmt.Errorf("mode '%s' is not simulated; use an octal number", names[0])
	}
	return p.each(names[1:], func(name string) error { return p.machine.Files.Chmod(name, fs.FileMode(mode&uint64(fs.ModePerm))) })
}

// rmdir removes empty directories.
func rmdir(_ context.Context, p *process) error {
	_, names, err := p.flags("", "")
	if err != nil {
		return err
	}
	return p.each(names, func(name string) error {
		entries, err := p.machine.Files.ReadDir(name)
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			return wrap("rmdir", name, syscall.ENOTEMPTY)
		}
		return p.machine.Files.Remove(name, true)
	})
}

// compare is cmp: 0 if two files are the same.
func compare(_ context.Context, p *process) error {
	set, names, err := p.flags("s", "")
	if err != nil {
		return err
	}
	if len(names) != 2 {
		return fmt.Errorf("two files are compared, not %d", len(names))
	}
	var content [2][]byte
	for i, name := range names {
		if content[i], err = p.machine.Files.Read(absolute(p.dir, name)); err != nil {
			complain(p.stderr, p.name, brief(err))
			return interp.ExitStatus(2)
		}
	}
	if bytes.Equal(content[0], content[1]) {
		return nil
	}
	if _, silent := set['s']; !silent {
		if err := p.line(fmt.Sprintf("%s %s differ", names[0], names[1])); err != nil {
			return err
		}
	}
	return interp.ExitStatus(1)
}

// Rename gives a file, or a directory with its content, another name in its
// volume. A file that has the name is replaced.
func (f *Files) Rename(name, other string) error {
	from, inner := f.resolve(name)
	to, target := f.resolve(other)
	switch {
	case from.ReadOnly || to.ReadOnly:
		return wrap("rename", name, syscall.EROFS)
	case from.Volume != to.Volume:
		return wrap("rename", name, errOtherVolume)
	}
	return wrap("rename", name, from.Volume.rename(inner, target, f.clock.Now()))
}

// Chmod changes a file's permissions.
func (f *Files) Chmod(name string, mode fs.FileMode) error {
	return f.change("chmod", name, func(v *Volume, inner string) error { return v.chmod(inner, mode) })
}

// rename moves a node and what is below it.
func (v *Volume) rename(name, other string, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.renamable(name, other); err != nil || name == other {
		return err
	}
	if old, taken := v.nodes[other]; taken {
		v.size -= len(old.content)
	}
	renewed := *v.nodes[name]
	renewed.modified = now
	moved := map[string]*node{}
	for path, o := range v.nodes {
		if path == name || strings.HasPrefix(path, name+"/") {
			moved[other+strings.TrimPrefix(path, name)] = o
			delete(v.nodes, path)
		}
	}
	maps.Copy(v.nodes, moved)
	v.nodes[other] = &renewed
	return nil
}

// renamable tells why a node cannot get a name; the lock is held.
func (v *Volume) renamable(name, other string) error {
	n, ok := v.nodes[name]
	old, taken := v.nodes[other]
	switch {
	case !ok:
		return syscall.ENOENT
	case name == other:
		return nil
	case name == "/" || other == "/" || strings.HasPrefix(other, name+"/"):
		return syscall.EINVAL
	case taken && old.dir:
		return syscall.EISDIR
	case taken && n.dir:
		return syscall.ENOTDIR
	}
	return v.parent(other)
}

// chmod changes a node's permissions.
func (v *Volume) chmod(name string, mode fs.FileMode) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.nodes[name]
	if !ok {
		return syscall.ENOENT
	}
	changed := *n
	changed.mode = n.mode&fs.ModeType | mode.Perm()
	v.nodes[name] = &changed
	return nil
}
