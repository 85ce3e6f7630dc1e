package main

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// refName is the annotation by which tools find an image in a layout.
const refName = "org.opencontainers.image.ref.name"

// writeLayout writes the image as an OCI layout of its own. A folder that is
// there is replaced if it is a layout, and left alone if it is anything else.
func writeLayout(index v1.ImageIndex, folder string) error {
	if err := removeLayout(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o750); err != nil {
		return fmt.Errorf("making layout: %w", err)
	}
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return fmt.Errorf("making layout: %w", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return fmt.Errorf("reading index: %w", err)
	}
	name := map[string]string{refName: manifest.Annotations["org.opencontainers.image.version"]}
	if err := path.AppendIndex(index, layout.WithAnnotations(name)); err != nil {
		return fmt.Errorf("writing layout: %w", err)
	}
	return nil
}

func removeLayout(folder string) error {
	if _, err := os.Stat(folder); os.IsNotExist(err) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(folder, "oci-layout")); err != nil {
		return fmt.Errorf("%s is no OCI layout and will not be replaced: %w", folder, err)
	}
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("replacing layout: %w", err)
	}
	return nil
}

// writeArchive packs a layout into one tar file, always the same way.
func writeArchive(folder, archive string) error {
	target, err := os.Create(archive)
	if err != nil {
		return fmt.Errorf("making archive: %w", err)
	}
	writer := tar.NewWriter(target)
	// WalkDir goes in lexical order.
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return pack(writer, folder, path)
	})
	if err == nil {
		err = writer.Close()
	}
	if closed := target.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	return nil
}

func pack(writer *tar.Writer, folder, path string) error {
	name, err := filepath.Rel(folder, path)
	if err != nil {
		return fmt.Errorf("naming %s: %w", path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading layout: %w", err)
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(data)), ModTime: epoch}
	if err := writer.WriteHeader(header); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	if _, err := writer.Write(data); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	return nil
}
