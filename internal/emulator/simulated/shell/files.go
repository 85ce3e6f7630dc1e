package shell

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"k8s.io/utils/clock"
)

// Mount shows a volume, or the part below SubPath, at Path.
type Mount struct {
	Volume   *Volume
	Path     string
	SubPath  string
	ReadOnly bool
}

// Files is the file system of one container: its own root and its mounts.
type Files struct {
	clock  clock.PassiveClock
	mounts []Mount // deepest path first; the last is the root
}

// NewFiles returns the file system of a container. root is what is not mounted.
func NewFiles(clock clock.PassiveClock, root *Volume, mounts []Mount) *Files {
	f := &Files{clock: clock, mounts: append(slices.Clone(mounts), Mount{Volume: root, Path: "/"})}
	for i := range f.mounts {
		f.mounts[i].Path = path.Clean("/" + f.mounts[i].Path)
		f.mounts[i].SubPath = path.Clean("/" + f.mounts[i].SubPath)
	}
	slices.SortStableFunc(f.mounts, func(a, b Mount) int { return len(b.Path) - len(a.Path) })
	for _, m := range f.mounts { // the mount points must show in their directories
		if parent, inner := f.resolve(path.Dir(m.Path)); m.Path != "/" {
			parent.Volume.mu.Lock()
			parent.Volume.mkdirAll(path.Join(inner, path.Base(m.Path)))
			parent.Volume.mu.Unlock()
		}
	}
	return f
}

// resolve finds the volume of an absolute path and the path in it.
func (f *Files) resolve(name string) (Mount, string) {
	for _, m := range f.mounts {
		if m.Path == "/" {
			return m, name
		}
		if rest, ok := strings.CutPrefix(name, m.Path); ok && (rest == "" || rest[0] == '/') {
			return m, path.Join(m.SubPath, rest)
		}
	}
	return f.mounts[len(f.mounts)-1], name
}

// absolute returns a clean absolute path.
func absolute(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", dir, name)
}

// wrap makes an error that the interpreter prints as a shell does.
func wrap(operation, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: operation, Path: name, Err: err}
}

// Read returns a file's content, which must not be changed.
func (f *Files) Read(name string) ([]byte, error) {
	m, inner := f.resolve(name)
	n, err := m.Volume.stat(inner)
	if err == nil && n.dir {
		err = syscall.EISDIR
	}
	return n.content, wrap("read", name, err)
}

// Stat describes a file.
func (f *Files) Stat(name string) (fs.FileInfo, error) {
	m, inner := f.resolve(name)
	n, err := m.Volume.stat(inner)
	if err != nil {
		return nil, wrap("stat", name, err)
	}
	return fileInfo{path.Base(name), n}, nil
}

// ReadDir lists a directory by name.
func (f *Files) ReadDir(name string) ([]fs.DirEntry, error) {
	m, inner := f.resolve(name)
	names, err := m.Volume.entries(inner)
	if err != nil {
		return nil, wrap("open", name, err)
	}
	entries := make([]fs.DirEntry, 0, len(names))
	for _, n := range names {
		info, err := f.Stat(path.Join(name, n))
		if err != nil {
			continue // removed meanwhile
		}
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	return entries, nil
}

// Open opens a file for reading from its start or for appending to it.
func (f *Files) Open(name string, flag int) (io.ReadWriteCloser, error) {
	m, inner := f.resolve(name)
	if flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		content, err := f.Read(name)
		if err != nil {
			return nil, wrap("open", name, underlying(err))
		}
		return &openFile{reader: strings.NewReader(string(content))}, nil
	}
	if m.ReadOnly {
		return nil, wrap("open", name, syscall.EROFS)
	}
	if err := m.Volume.create(inner, flag&os.O_TRUNC != 0, f.clock.Now()); err != nil {
		return nil, wrap("open", name, err)
	}
	return &openFile{append: func(p []byte) error {
		return wrap("write", name, m.Volume.extend(inner, p, f.clock.Now()))
	}}, nil
}

// underlying takes a PathError off.
func underlying(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Touch makes an empty file or renews its time.
func (f *Files) Touch(name string) error {
	return f.change("touch", name, func(v *Volume, inner string) error { return v.touch(inner, f.clock.Now()) })
}

// Mkdir makes a directory.
func (f *Files) Mkdir(name string) error {
	return f.change("mkdir", name, func(v *Volume, inner string) error { return v.mkdir(inner, f.clock.Now()) })
}

// Remove removes a file, or a directory with its content if recursive.
func (f *Files) Remove(name string, recursive bool) error {
	for _, m := range f.mounts {
		if m.Path == name {
			return wrap("remove", name, syscall.EBUSY)
		}
	}
	return f.change("remove", name, func(v *Volume, inner string) error { return v.remove(inner, recursive) })
}

func (f *Files) change(operation, name string, do func(v *Volume, inner string) error) error {
	m, inner := f.resolve(name)
	if m.ReadOnly {
		return wrap(operation, name, syscall.EROFS)
	}
	return wrap(operation, name, do(m.Volume, inner))
}

// openFile reads what the file held when it was opened, or appends.
type openFile struct {
	reader *strings.Reader
	append func([]byte) error
}

// Read implements io.Reader.
func (o *openFile) Read(p []byte) (int, error) {
	if o.reader == nil {
		return 0, syscall.EBADF
	}
	return o.reader.Read(p)
}

// Write implements io.Writer.
func (o *openFile) Write(p []byte) (int, error) {
	if o.append == nil {
		return 0, syscall.EBADF
	}
	if err := o.append(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements io.Closer.
func (o *openFile) Close() error { return nil }

// fileInfo implements fs.FileInfo.
type fileInfo struct {
	name string
	node node
}

// Name implements fs.FileInfo.
func (i fileInfo) Name() string { return i.name }

// Size implements fs.FileInfo.
func (i fileInfo) Size() int64 { return int64(len(i.node.content)) }

// Mode implements fs.FileInfo.
func (i fileInfo) Mode() fs.FileMode { return i.node.mode }

// ModTime implements fs.FileInfo.
func (i fileInfo) ModTime() time.Time { return i.node.modified }

// IsDir implements fs.FileInfo.
func (i fileInfo) IsDir() bool { return i.node.dir }

// Sys implements fs.FileInfo.
func (i fileInfo) Sys() any { return nil }
