package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

// The annotations of an image in the layout.
const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
	// inputsKey tells what the image was made of, so that the next run knows
	// whether it has to be made again.
	inputsKey = "io.github.cumulet.images.inputs"
)

// output is the layout while images are added to it. Its index changes at
// close, at once.
type output struct {
	path  layout.Path
	index v1.IndexManifest
}

// openLayout opens a layout, or makes one where there is nothing. A folder of
// anything else is an error.
func openLayout(folder string) (*output, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		if _, err = layout.Write(folder, empty.Index); err != nil {
			return nil, fmt.Errorf("making layout: %w", err)
		}
	}
	path, err := layout.FromPath(folder)
	if err != nil {
		return nil, fmt.Errorf("%s is no OCI layout, and nothing is written into it: %w", folder, err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		return nil, fmt.Errorf("reading layout: %w", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading layout: %w", err)
	}
	return &output{path: path, index: *manifest.DeepCopy()}, nil
}

// has says whether the image is there and made of the same things.
func (o *output) has(name, key string) bool {
	return slices.ContainsFunc(o.index.Manifests, func(d v1.Descriptor) bool {
		return d.Annotations[containerdName] == name && d.Annotations[inputsKey] == key
	})
}

// add writes the image's blobs, and puts it into the index in place of the one
// that had its name.
func (o *output) add(name, key string, image v1.Image) error {
	if err := o.path.WriteImage(image); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	descriptor, err := partial.Descriptor(image)
	if err != nil {
		return fmt.Errorf("describing %s: %w", name, err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("describing %s: %w", name, err)
	}
	descriptor.Platform = config.Platform()
	descriptor.Annotations = map[string]string{refName: name, containerdName: name, inputsKey: key}
	o.index.Manifests = slices.DeleteFunc(o.index.Manifests, func(d v1.Descriptor) bool { return d.Annotations[containerdName] == name })
	o.index.Manifests = append(o.index.Manifests, *descriptor)
	return nil
}

// close writes the index, sorted by name, and removes the blobs that no image
// has any more.
func (o *output) close() error {
	slices.SortFunc(o.index.Manifests, func(a, b v1.Descriptor) int {
		return strings.Compare(a.Annotations[containerdName], b.Annotations[containerdName])
	})
	if err := o.writeIndex(); err != nil {
		return fmt.Errorf("writing index: %w", err)
	}
	unused, err := o.path.GarbageCollect()
	if err != nil {
		return fmt.Errorf("looking for unused blobs: %w", err)
	}
	for _, blob := range unused {
		if err := o.path.RemoveBlob(blob); err != nil {
			return fmt.Errorf("removing unused blob: %w", err)
		}
	}
	return o.open()
}

// writeIndex replaces index.json by renaming: whoever reads it meanwhile sees
// the old one or the new one.
func (o *output) writeIndex() error {
	beside, err := os.MkdirTemp(string(o.path), "writing")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(beside) }()
	fresh, err := layout.Write(beside, empty.Index)
	if err != nil {
		return fmt.Errorf("making an index: %w", err)
	}
	for _, d := range o.index.Manifests {
		if err := fresh.AppendDescriptor(d); err != nil {
			return fmt.Errorf("adding %s: %w", d.Annotations[containerdName], err)
		}
	}
	if err := os.Rename(filepath.Join(beside, "index.json"), filepath.Join(string(o.path), "index.json")); err != nil {
		return fmt.Errorf("replacing the index: %w", err)
	}
	return nil
}

// open lets everyone read: the library writes blobs for their owner alone, and
// container runtimes run as others.
func (o *output) open() error {
	err := filepath.WalkDir(string(o.path), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o755) //nolint:gosec // Images hold nothing secret.
		}
		return os.Chmod(path, 0o644) //nolint:gosec // As above.
	})
	if err != nil {
		return fmt.Errorf("opening the layout to all: %w", err)
	}
	return nil
}
