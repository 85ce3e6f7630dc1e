package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Folder is a folder that this process and the node share. The runtime keeps the
// contents of volumes of files in it: there, containers that mount them writable
// can write to them, which a kubelet lets nobody do in a Secret.
type Folder struct {
	// Path is where this process sees it; it is made if need be, and what it
	// holds belongs to the runtime. Node is where the node's kubelet sees it.
	Path, Node string
}

// place is where a volume's files are, below Folder.
func place(id, pod, volume string) string { return path.Join(id, pod, volume) }

// source is a volume whose files are in the folder.
func (f *Folder) source(place string) corev1.VolumeSource {
	return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
		Path: path.Join(f.Node, place), Type: ptr.To(corev1.HostPathDirectory),
	}}
}

// open opens the folder. Containers may have put links into it: nothing is
// followed out of it.
func (f *Folder) open() (*os.Root, error) {
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of files: %w", err)
	}
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of files: %w", err)
	}
	return root, nil
}

// write makes a place have these files and no others. Each file is replaced as a
// whole; those that are right already are left alone.
func (f *Folder) write(place string, files *engine.Files) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was only a way in
	if err := makeFolders(root, place); err != nil {
		return fmt.Errorf("making the folder of a volume: %w", err)
	}
	wanted := map[string]bool{}
	for i := range files.Items {
		wanted[path.Join(place, files.Items[i].Path)] = true
	}
	if err := removeOthers(root, place, wanted); err != nil {
		return fmt.Errorf("removing old files of a volume: %w", err)
	}
	for i, item := range files.Items {
		item.Path, item.Mode = path.Clean(item.Path), modeOf(files, &item)
		if err := replaceFile(root, place, i, item); err != nil {
			return fmt.Errorf("writing files of a volume: %w", err)
		}
	}
	return nil
}

// makeFolders makes a folder and those above it, for all to enter, whatever this
// process's umask says.
func makeFolders(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	if err := makeFolders(root, path.Dir(name)); err != nil {
		return err
	}
	switch err := root.Mkdir(name, 0o755); {
	case err == nil:
		return root.Chmod(name, 0o755)
	case errors.Is(err, fs.ErrExist):
		return nil
	default:
		return err
	}
}

// removeOthers removes what is not wanted below a folder.
func removeOthers(root *os.Root, folder string, wanted map[string]bool) error {
	entries, err := fs.ReadDir(root.FS(), folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		if wanted[name] && !e.IsDir() {
			continue
		}
		if e.IsDir() {
			if err := removeOthers(root, name, wanted); err != nil {
				return err
			}
			if left, err := fs.ReadDir(root.FS(), name); err != nil || len(left) > 0 {
				continue
			}
		}
		if err := root.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile writes the n-th file beside the old one and renames it.
func replaceFile(root *os.Root, place string, n int, item engine.File) error {
	name, mode := path.Join(place, item.Path), fs.FileMode(item.Mode&permissions)
	if old, err := root.Lstat(name); err == nil && old.Mode().IsRegular() && old.Mode().Perm() == mode {
		if before, err := root.ReadFile(name); err == nil && bytes.Equal(before, item.Content) {
			return nil
		}
	}
	if err := makeFolders(root, path.Dir(name)); err != nil {
		return err
	}
	beside := path.Join(place, ".new-"+strconv.Itoa(n))
	if err := root.RemoveAll(beside); err != nil {
		return err
	}
	if err := root.WriteFile(beside, item.Content, 0o600); err != nil {
		return err
	}
	if err := root.Chmod(beside, mode); err != nil {
		return err
	}
	return root.Rename(beside, name)
}

// remove removes all that belongs to a group; without an id, to any.
func (f *Folder) remove(id string) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was only a way in
	names := []string{id}
	if id == "" {
		entries, err := fs.ReadDir(root.FS(), ".")
		if err != nil {
			return fmt.Errorf("listing the folder of files: %w", err)
		}
		names = nil
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	var errs []error
	for _, name := range names {
		if err := root.RemoveAll(name); err != nil {
			errs = append(errs, fmt.Errorf("removing the files of group %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// folderFiles are the files of a plan that are kept in the folder, by place.
type folderFiles struct {
	place string
	files *engine.Files
}

// changedFiles are those of another plan whose contents differ. That they are in
// the same places, is told by the pods, which are equal.
func changedFiles(old, next []folderFiles) []folderFiles {
	var changed []folderFiles
	for _, n := range next {
		same := slices.ContainsFunc(old, func(o folderFiles) bool { return o.place == n.place && sameFiles(o.files, n.files) })
		if !same {
			changed = append(changed, n)
		}
	}
	return changed
}

func sameFiles(a, b *engine.Files) bool {
	if len(a.Items) != len(b.Items) {
		return false
	}
	for i := range a.Items {
		x, y := &a.Items[i], &b.Items[i]
		if x.Path != y.Path || modeOf(a, x) != modeOf(b, y) || !bytes.Equal(x.Content, y.Content) {
			return false
		}
	}
	return true
}

// writeFiles writes the files of a plan, or some of them.
func (r *Runtime) writeFiles(list []folderFiles) error {
	for _, f := range list {
		if err := r.builder.folder.write(f.place, f.files); err != nil {
			return err
		}
	}
	return nil
}

// removeFiles removes the files of a group, or of all.
func (r *Runtime) removeFiles(id string) error {
	if r.builder.folder == nil {
		return nil
	}
	return r.builder.folder.remove(id)
}

// absolute is the folder with an absolute path.
func (f *Folder) absolute() (*Folder, error) {
	if f == nil {
		return nil, nil //nolint:nilnil // none is a choice
	}
	here, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of files: %w", err)
	}
	return &Folder{Path: here, Node: f.Node}, nil
}
