package shell

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// volumeLimit bounds the bytes in one volume: it lives in the emulator's memory.
const volumeLimit = 16 << 20

// A Volume is a tree of files in memory that several containers may share.
// Its methods are safe for concurrent use.
type Volume struct {
	mu    sync.Mutex
	nodes map[string]*node // by absolute, clean path; the root is always there
	size  int
}

// node is a file or directory.
type node struct {
	dir      bool
	content  []byte // only ever appended to
	mode     fs.FileMode
	modified time.Time
}

// NewVolume returns an empty volume.
func NewVolume() *Volume {
	return &Volume{nodes: map[string]*node{"/": {dir: true, mode: fs.ModeDir | 0o755}}}
}

// Put stores a file with its parent directories, whatever the limit. The volume
// keeps content, which must not be changed afterwards.
func (v *Volume) Put(name string, content []byte, mode fs.FileMode) {
	v.mu.Lock()
	defer v.mu.Unlock()
	name = path.Clean("/" + name)
	v.mkdirAll(path.Dir(name))
	v.set(name, &node{content: slices.Clip(content), mode: mode})
}

// MkdirAll makes a directory with its parents.
func (v *Volume) MkdirAll(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mkdirAll(path.Clean("/" + name))
}

// Clear removes all files.
func (v *Volume) Clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	root := v.nodes["/"]
	clear(v.nodes)
	v.nodes["/"], v.size = root, 0
}

// set stores a node; the lock is held.
func (v *Volume) set(name string, n *node) {
	if old, ok := v.nodes[name]; ok {
		v.size -= len(old.content)
	}
	v.size += len(n.content)
	v.nodes[name] = n
}

// mkdirAll makes the directories that are missing; the lock is held. What is a
// file stays one.
func (v *Volume) mkdirAll(name string) {
	if _, ok := v.nodes[name]; ok {
		return
	}
	v.mkdirAll(path.Dir(name))
	v.nodes[name] = &node{dir: true, mode: fs.ModeDir | 0o755}
}

// stat returns a copy of a node.
func (v *Volume) stat(name string) (node, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.nodes[name]
	if !ok {
		return node{}, syscall.ENOENT
	}
	return *n, nil
}

// entries returns the names in a directory, sorted.
func (v *Volume) entries(name string) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.nodes[name]
	switch {
	case !ok:
		return nil, syscall.ENOENT
	case !n.dir:
		return nil, syscall.ENOTDIR
	}
	var names []string
	for other := range maps.Keys(v.nodes) {
		if other != "/" && path.Dir(other) == name {
			names = append(names, path.Base(other))
		}
	}
	slices.Sort(names)
	return names, nil
}

// create makes an empty file, or empties one if truncate is set.
func (v *Volume) create(name string, truncate bool, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.parent(name); err != nil {
		return err
	}
	n, ok := v.nodes[name]
	switch {
	case ok && n.dir:
		return syscall.EISDIR
	case ok && !truncate:
		return nil
	}
	v.set(name, &node{mode: 0o644, modified: now})
	return nil
}

// touch makes a file or renews its time.
func (v *Volume) touch(name string, now time.Time) error {
	if err := v.create(name, false, now); err != nil && !errors.Is(err, syscall.EISDIR) {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n, ok := v.nodes[name]; ok {
		renewed := *n
		renewed.modified = now
		v.nodes[name] = &renewed
	}
	return nil
}

// extend appends to a file.
func (v *Volume) extend(name string, p []byte, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.nodes[name]
	switch {
	case !ok:
		return syscall.ENOENT
	case v.size+len(p) > volumeLimit:
		return syscall.ENOSPC
	}
	// Readers hold shorter slices of the same array, which they never exceed.
	v.set(name, &node{content: append(n.content, p...), mode: n.mode, modified: now})
	return nil
}

// mkdir makes one directory.
func (v *Volume) mkdir(name string, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.parent(name); err != nil {
		return err
	}
	if _, ok := v.nodes[name]; ok {
		return syscall.EEXIST
	}
	v.nodes[name] = &node{dir: true, mode: fs.ModeDir | 0o755, modified: now}
	return nil
}

// remove deletes a file, or a directory with all that is in it if recursive.
func (v *Volume) remove(name string, recursive bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.nodes[name]
	switch {
	case !ok:
		return syscall.ENOENT
	case name == "/":
		return syscall.EBUSY
	case n.dir && !recursive:
		return syscall.EISDIR
	}
	for other, o := range v.nodes {
		if other == name || strings.HasPrefix(other, name+"/") {
			v.size -= len(o.content)
			delete(v.nodes, other)
		}
	}
	return nil
}

// parent checks that a new file has a directory; the lock is held.
func (v *Volume) parent(name string) error {
	n, ok := v.nodes[path.Dir(name)]
	switch {
	case !ok:
		return syscall.ENOENT
	case !n.dir:
		return syscall.ENOTDIR
	}
	return nil
}
