package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// epoch is the time of everything in the images. A real one would make every
// build another image.
var epoch = time.Unix(0, 0).UTC()

// node is a file, folder or link.
type node struct {
	kind byte // as in tar.Header.Typeflag
	// mode holds the permissions with the bits for set-uid, set-gid and sticky.
	mode     int64
	uid, gid int
	target   string // of a link
	data     []byte
}

// tree holds the files of one layer by path, without a slash at either end.
type tree struct{ nodes map[string]*node }

func newTree() *tree { return &tree{nodes: map[string]*node{}} }

// merged are the folders that Debian has moved into /usr, and that are links
// into it.
var merged = []string{"bin", "lib", "lib32", "lib64", "libx32", "sbin"}

// clean brings a path into the form of the tree's keys. What is below a merged
// folder goes where its link leads, so that no layer turns the link into a
// folder again.
func clean(name string) string {
	name = strings.Trim(path.Clean("/"+name), "/")
	for _, folder := range merged {
		if strings.HasPrefix(name, folder+"/") {
			return "usr/" + name
		}
	}
	return name
}

func (t *tree) put(name string, n *node) { t.nodes[clean(name)] = n }

func (t *tree) folder(name string, mode int64) { t.put(name, &node{kind: tar.TypeDir, mode: mode}) }

func (t *tree) file(name string, mode int64, data []byte) {
	t.put(name, &node{kind: tar.TypeReg, mode: mode, data: data})
}

// symlink makes name a link that holds target as it is.
func (t *tree) symlink(name, target string) {
	t.put(name, &node{kind: tar.TypeSymlink, mode: 0o777, target: target})
}

// hardlink makes name another name of a file of this tree.
func (t *tree) hardlink(name, file string) {
	t.put(name, &node{kind: tar.TypeLink, mode: 0o755, target: clean(file)})
}

// remove takes out a path and all below it.
func (t *tree) remove(name string) {
	name = clean(name)
	maps.DeleteFunc(t.nodes, func(other string, _ *node) bool {
		return other == name || strings.HasPrefix(other, name+"/")
	})
}

// read returns the content of a file of this tree.
func (t *tree) read(name string) ([]byte, error) {
	n := t.nodes[clean(name)]
	if n == nil || n.kind != tar.TypeReg {
		return nil, fmt.Errorf("there is no file %s", name)
	}
	return n.data, nil
}

// addParents makes the folders that lead to the tree's paths.
func (t *tree) addParents() {
	for _, name := range slices.Collect(maps.Keys(t.nodes)) {
		for up := path.Dir(name); up != "."; up = path.Dir(up) {
			if t.nodes[up] == nil {
				t.nodes[up] = &node{kind: tar.TypeDir, mode: 0o755}
			}
		}
	}
}

// order is that of the paths in the layer: folders before what is in them, and
// hard links last, since their files must be there.
func (t *tree) order() []string {
	names := slices.Sorted(maps.Keys(t.nodes))
	slices.SortStableFunc(names, func(a, b string) int { return t.nodes[a].isHardlink() - t.nodes[b].isHardlink() })
	return names
}

func (n *node) isHardlink() int {
	if n.kind == tar.TypeLink {
		return 1
	}
	return 0
}

// pack makes a layer of the tree: always the same bytes for the same tree.
func (t *tree) pack() (v1.Layer, error) {
	t.addParents()
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	for _, name := range t.order() {
		if err := t.nodes[name].write(writer, name); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("packing layer: %w", err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("compressing layer: %w", err)
	}
	return layer, nil
}

func (n *node) write(writer *tar.Writer, name string) error {
	header := &tar.Header{
		Typeflag: n.kind, Name: name, Linkname: n.target, Mode: n.mode, Uid: n.uid, Gid: n.gid,
		Size: int64(len(n.data)), ModTime: epoch, Format: tar.FormatPAX,
	}
	if n.kind == tar.TypeDir {
		header.Name += "/"
	}
	if err := writer.WriteHeader(header); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	if _, err := writer.Write(n.data); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	return nil
}

// compressed is the content of a layer as it goes over the wire.
func compressed(layer v1.Layer) ([]byte, error) {
	reader, err := layer.Compressed()
	if err != nil {
		return nil, fmt.Errorf("compressing layer: %w", err)
	}
	defer func() { _ = reader.Close() }()
	data, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("compressing layer: %w", err)
	}
	return data, nil
}
