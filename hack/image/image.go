package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the image's user and group: the number that the chart's security
// context and distroless images use for nonroot.
const user = 65532

// epoch is the time of everything in the image. A real one would make every
// build another image.
var epoch = time.Unix(0, 0).UTC()

// contents are what an image is made of.
type contents struct {
	binary      []byte
	authorities []byte // PEM
	platform    v1.Platform
	version     string
}

// file is one entry of a layer; a folder if it ends in a slash.
type file struct {
	name string
	mode int64
	data []byte
}

// newImage makes the image of one platform: a layer that seldom changes, and
// one with the program.
func newImage(c contents) (v1.Image, error) {
	accounts := fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%d:%d:nonroot:/:/sbin/nologin\n", user, user)
	layers := [][]file{
		{
			{name: "etc/", mode: 0o755},
			{name: "etc/group", mode: 0o644, data: fmt.Appendf(nil, "root:x:0:\nnonroot:x:%d:\n", user)},
			{name: "etc/passwd", mode: 0o644, data: []byte(accounts)},
			{name: "etc/ssl/", mode: 0o755},
			{name: "etc/ssl/certs/", mode: 0o755},
			{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: c.authorities},
		},
		{{name: "cumulet", mode: 0o755, data: c.binary}},
	}
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	for _, files := range layers {
		layer, err := newLayer(files)
		if err != nil {
			return nil, err
		}
		last := files[len(files)-1].name
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "hack/image: " + path.Base(last)},
		})
		if err != nil {
			return nil, fmt.Errorf("adding layer: %w", err)
		}
	}
	return configure(image, c)
}

// configure says how the image is run and what it is.
func configure(image v1.Image, c contents) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading image configuration: %w", err)
	}
	config = config.DeepCopy()
	config.Created = v1.Time{Time: epoch}
	config.OS, config.Architecture, config.Variant = c.platform.OS, c.platform.Architecture, c.platform.Variant
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", user, user),
		Entrypoint: []string{"/cumulet"},
		Cmd:        []string{"--help"},
		WorkingDir: "/",
		Labels:     labels(c.version),
	}
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		return nil, fmt.Errorf("setting image configuration: %w", err)
	}
	return image, nil
}

func labels(version string) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "cumulet",
		"org.opencontainers.image.description": "Virtual kubelet for Alibaba Cloud ECI and Kingsoft Cloud KCI",
		"org.opencontainers.image.source":      "https://github.com/cumulet/cumulet",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     version,
	}
}

// newLayer packs files, owned by root so that the program cannot change them.
func newLayer(files []file) (v1.Layer, error) {
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: epoch, Format: tar.FormatPAX,
		}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name, err)
		}
		if _, err := writer.Write(f.data); err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("packing layer: %w", err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("making layer: %w", err)
	}
	return layer, nil
}

// newIndex joins the platforms' images under one name.
func newIndex(images []v1.Image, version string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("reading image configuration: %w", err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: config.Platform()},
		})
	}
	annotated, ok := mutate.Annotations(index, labels(version)).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("annotating %T gives no index", index)
	}
	return annotated, nil
}
