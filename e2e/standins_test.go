package e2e

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// standIns are the examples' images that nobody can pull and that run for real all
// the same: by the program of testdata/standin that does what theirs would.
var standIns = map[string]string{
	"registry.example.com/shop/search:4.0":      "search",
	"registry.example.com/tools/sql-proxy:2.14": "sql-proxy",
	"registry.example.com/shop/migrate:1.9":     "migrate",
}

// imageName is the annotation that holds an image's full name in a layout.
const imageName = "io.containerd.image.name"

// withStandIns makes a layout of the images that were built here and the
// stand-ins, unless it is there.
func withStandIns(t *testing.T, dir string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "index.json")); err == nil {
		return dir
	}
	linkLayout(t, builtImages(), dir)
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	base := builtImage(t, path, "docker.io/library/busybox:1.36")
	added, err := tarball.LayerFromOpener(programLayer(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range standIns {
		image, err := mutate.AppendLayers(base, added)
		if err == nil {
			image, err = mutate.Config(image, v1.Config{Entrypoint: []string{"/bin/standin", program}})
		}
		if err == nil {
			err = path.AppendImage(image, layout.WithAnnotations(map[string]string{imageName: name}))
		}
		if err != nil {
			t.Fatalf("making a stand-in for %s: %v", name, err)
		}
	}
	return dir
}

// linkLayout makes a layout with the images of another, which stays as it is.
func linkLayout(t *testing.T, from, to string) {
	t.Helper()
	const blobs = "blobs/sha256"
	if err := os.MkdirAll(filepath.Join(to, blobs), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.json", "oci-layout"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(from, blobs))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(from, blobs, e.Name()), filepath.Join(to, blobs, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// builtImage is an image of a layout.
func builtImage(t *testing.T, path layout.Path, name string) v1.Image {
	t.Helper()
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	found, err := partial.FindImages(index, match.Annotation(imageName, name))
	if err != nil || len(found) != 1 {
		t.Fatalf("there are %d images %s in %s: %v", len(found), name, path, err)
	}
	return found[0]
}

// programLayer is the layer with the stand-ins' program.
func programLayer(t *testing.T) tarball.Opener {
	t.Helper()
	program := filepath.Join(t.TempDir(), "standin")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/standin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the stand-ins' program: %v\n%s", err, out)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	err = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "bin/standin", Mode: 0o755, Size: int64(len(content))})
	if err == nil {
		_, err = archive.Write(content)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatalf("archiving the stand-ins' program: %v", err)
	}
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil }
}
