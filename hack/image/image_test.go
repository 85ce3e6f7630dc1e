package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var platforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

// buildIndex makes the image of testdata/hello out of a copy of its source in
// a folder of its own.
func buildIndex(t *testing.T) (v1.ImageIndex, map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	source, err := os.ReadFile(filepath.Join("testdata", "hello", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"main.go": source, "go.mod": []byte("module example.com/hello\n\ngo 1.26\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusted, err := bundle("")
	if err != nil {
		t.Fatal(err)
	}
	var images []v1.Image
	binaries := map[string][]byte{}
	for _, platform := range platforms {
		binary, err := program{dir: dir, name: ".", version: "1.2.3"}.build(t.Context(), platform)
		if err != nil {
			t.Fatal(err)
		}
		image, err := newImage(contents{binary: binary, authorities: trusted, platform: platform, version: "1.2.3"})
		if err != nil {
			t.Fatal(err)
		}
		binaries[platform.Architecture] = binary
		images = append(images, image)
	}
	index, err := newIndex(images, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return index, binaries
}

// TestReproducible builds twice, from two folders, and compares every byte that
// is written.
func TestReproducible(t *testing.T) {
	var archives [2][]byte
	var digests [2]v1.Hash
	for i := range archives {
		index, _ := buildIndex(t)
		folder := filepath.Join(t.TempDir(), "layout")
		archive := filepath.Join(t.TempDir(), "image.tar")
		if err := errors.Join(writeLayout(index, folder), writeArchive(folder, archive)); err != nil {
			t.Fatal(err)
		}
		var err error
		if archives[i], err = os.ReadFile(archive); err != nil {
			t.Fatal(err)
		}
		if digests[i], err = index.Digest(); err != nil {
			t.Fatal(err)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds have the digests %s and %s", digests[0], digests[1])
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the archives of two builds differ")
	}
}

func TestImage(t *testing.T) {
	built, binaries := buildIndex(t)
	folder := filepath.Join(t.TempDir(), "layout")
	if err := writeLayout(built, folder); err != nil {
		t.Fatal(err)
	}
	// A second time, over the first.
	if err := writeLayout(built, folder); err != nil {
		t.Fatal(err)
	}
	images := readLayout(t, folder)
	if len(images) != len(platforms) {
		t.Fatalf("the layout has %d images, want %d", len(images), len(platforms))
	}
	for i, image := range images {
		architecture := platforms[i].Architecture
		if err := validate.Image(image); err != nil {
			t.Errorf("%s: %v", architecture, err)
		}
		checkConfig(t, image, architecture)
		checkFiles(t, image, binaries[architecture])
	}
}

func readLayout(t *testing.T, folder string) []v1.Image {
	t.Helper()
	outer, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	top, err := outer.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(top.Manifests) != 1 || top.Manifests[0].Annotations[refName] != "1.2.3" {
		t.Fatalf("the layout lists %+v, want one image called 1.2.3", top.Manifests)
	}
	index, err := outer.ImageIndex(top.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var images []v1.Image
	for _, descriptor := range manifest.Manifests {
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, image)
	}
	return images
}

func checkConfig(t *testing.T, image v1.Image, architecture string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{"/cumulet"},
		Cmd:        []string{"--help"},
		WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":       "cumulet",
			"org.opencontainers.image.description": "Virtual kubelet for Alibaba Cloud ECI and Kingsoft Cloud KCI",
			"org.opencontainers.image.source":      "https://github.com/cumulet/cumulet",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     "1.2.3",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("%s: configuration (-want +got):\n%s", architecture, diff)
	}
	if config.Architecture != architecture || config.OS != "linux" {
		t.Errorf("the image says %s/%s, want linux/%s", config.OS, config.Architecture, architecture)
	}
	if !config.Created.Equal(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%s: created %v, want the beginning of 1970", architecture, config.Created)
	}
}

// entry is what a file in the image must be like.
type entry struct {
	Mode     int64
	UID, GID int
	Seconds  int64
}

func checkFiles(t *testing.T, image v1.Image, binary []byte) {
	t.Helper()
	packed := mutate.Extract(image)
	defer func() { _ = packed.Close() }()
	got := map[string]entry{}
	data := map[string][]byte{}
	for reader := tar.NewReader(packed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] = entry{Mode: header.Mode, UID: header.Uid, GID: header.Gid, Seconds: header.ModTime.Unix()}
		if data[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]entry{
		"cumulet":                           {Mode: 0o755},
		"etc":                               {Mode: 0o755},
		"etc/group":                         {Mode: 0o644},
		"etc/passwd":                        {Mode: 0o644},
		"etc/ssl":                           {Mode: 0o755},
		"etc/ssl/certs":                     {Mode: 0o755},
		"etc/ssl/certs/ca-certificates.crt": {Mode: 0o644},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if !bytes.Equal(data["cumulet"], binary) {
		t.Error("the program in the image is not the one that was built")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data["etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("the certificate authorities cannot be read")
	}
}

// TestProgram checks that the program is static and knows its version.
func TestProgram(t *testing.T) {
	_, binaries := buildIndex(t)
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	for architecture, binary := range binaries {
		file, err := elf.NewFile(bytes.NewReader(binary))
		if err != nil {
			t.Fatal(err)
		}
		if file.Machine != machines[architecture] {
			t.Errorf("the program for %s is for %s", architecture, file.Machine)
		}
		for _, segment := range file.Progs {
			if segment.Type == elf.PT_INTERP {
				t.Errorf("the program for %s needs a loader, which the image does not have", architecture)
			}
		}
	}
	own, ok := binaries[runtime.GOARCH]
	if !ok || runtime.GOOS != "linux" {
		t.Logf("not run: this machine is %s/%s", runtime.GOOS, runtime.GOARCH)
		return
	}
	path := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(path, own, 0o700); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), path).Output()
	if err != nil || string(output) != "hello 1.2.3\n" {
		t.Errorf("the program says %q (error %v), want hello 1.2.3", output, err)
	}
}

func TestAuthorities(t *testing.T) {
	trusted, err := bundle("")
	if err != nil {
		t.Fatal(err)
	}
	// 117 roots, of which one is trusted for certificates before 2026-04-15
	// only.
	if got := strings.Count(string(trusted), "-----BEGIN CERTIFICATE-----"); got != 116 {
		t.Errorf("%d authorities, want 116", got)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle(empty); err == nil || !strings.Contains(err.Error(), "holds no certificate in PEM form") {
		t.Errorf("a file without certificates gives %v", err)
	}
}

func TestForeignFolderIsKept(t *testing.T) {
	folder := t.TempDir()
	keep := filepath.Join(folder, "thesis.txt")
	if err := os.WriteFile(keep, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	index, err := newIndex(nil, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if err := writeLayout(index, folder); err == nil || !strings.Contains(err.Error(), "is no OCI layout") {
		t.Errorf("writing over another folder gives %v", err)
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}
