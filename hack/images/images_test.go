package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// testWorkshop has one package in its store, and no need of a network.
func testWorkshop(t *testing.T) *workshop {
	t.Helper()
	cache := t.TempDir()
	archive := testPackage(t, "xz",
		tar.Header{Typeflag: tar.TypeReg, Name: "./bin/tool", Mode: 0o4755, Uname: "tool"},
		tar.Header{Typeflag: tar.TypeReg, Name: "./etc/tool.conf", Mode: 0o640, Uid: 7, Gid: 8},
	)
	p := pinned{arch: "amd64", name: "tool", version: "1", sha256: digest(archive), size: int64(len(archive)), path: "debian/pool/tool.deb"}
	w := &workshop{
		root: filepath.Join("..", ".."), arch: "amd64", lock: lock{snapshot: "20260101T000000Z", packages: []pinned{p}},
		store: newStore(cache, "amd64", "20260101T000000Z"), self: "this program", made: map[*layer]*finished{},
	}
	if err := errors.Join(os.MkdirAll(w.store.folder, 0o750), w.store.keep(p, archive)); err != nil {
		t.Fatal(err)
	}
	return w
}

// testRecipe has files of a package, files of its own and a program.
func testRecipe() recipe {
	return recipe{
		set: setBasic, names: []string{"registry.example.com/a/tool:1", "registry.example.com/a/tool:latest"},
		layers: []*layer{
			{name: "tool", packages: []string{"tool"}, fill: func(_ context.Context, _ *workshop, t *tree) error {
				t.hardlink("bin/also", "bin/tool")
				t.symlink("bin", "usr/bin")
				t.folder("tmp", 0o1777)
				return nil
			}},
			pauseLayer,
		},
		config: v1.Config{Cmd: []string{"tool"}},
	}
}

// read returns all files of a folder by their paths.
func read(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, folder)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestReproducible builds twice, from two stores, and compares every byte.
func TestReproducible(t *testing.T) {
	var layouts [2]map[string]string
	for i := range layouts {
		folder := filepath.Join(t.TempDir(), "images")
		if err := testWorkshop(t).build(t.Context(), folder, []recipe{testRecipe()}); err != nil {
			t.Fatal(err)
		}
		layouts[i] = read(t, folder)
	}
	if diff := cmp.Diff(layouts[0], layouts[1]); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%.2000s", diff)
	}
}

func TestImage(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "images")
	if err := testWorkshop(t).build(t.Context(), folder, []recipe{testRecipe()}); err != nil {
		t.Fatal(err)
	}
	images := named(t, folder)
	for _, full := range testRecipe().names {
		image := images[full]
		if image == nil {
			t.Fatalf("the layout has no %s", full)
		}
		if err := validate.Image(image); err != nil {
			t.Errorf("%s: %v", full, err)
		}
		checkConfig(t, image, full)
		checkFiles(t, image)
	}
	checkModes(t, folder)
}

// named are the layout's images by containerd's annotation; both must be there.
func named(t *testing.T, folder string) map[string]v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]v1.Image{}
	for _, d := range manifest.Manifests {
		full := d.Annotations["io.containerd.image.name"]
		if d.Annotations["org.opencontainers.image.ref.name"] != full || images[full] != nil {
			t.Errorf("annotations %v; want one image with one name in both", d.Annotations)
		}
		if want := (v1.Platform{OS: "linux", Architecture: "amd64"}); d.Platform == nil || !d.Platform.Equals(want) {
			t.Errorf("%s is for %v, want linux/amd64", full, d.Platform)
		}
		if images[full], err = index.Image(d.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return images
}

func checkConfig(t *testing.T, image v1.Image, full string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{Cmd: []string{"tool"}, Labels: map[string]string{
		"org.opencontainers.image.ref.name": full, "org.opencontainers.image.source": "https://github.com/cumulet/cumulet",
	}}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("%s: configuration (-want +got):\n%s", full, diff)
	}
}

// entry is what a file in the image must be like.
type entry struct {
	Kind     byte
	Mode     int64
	UID, GID int
	Target   string
}

func checkFiles(t *testing.T, image v1.Image) {
	t.Helper()
	packed := mutate.Extract(image)
	defer func() { _ = packed.Close() }()
	got := map[string]entry{}
	for reader := tar.NewReader(packed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := got[header.Name]; twice || header.ModTime.Unix() != 0 {
			t.Errorf("%s is there twice, or has the time %v; want once, 1970", header.Name, header.ModTime)
		}
		got[header.Name] = entry{Kind: header.Typeflag, Mode: header.Mode, UID: header.Uid, GID: header.Gid, Target: header.Linkname}
	}
	want := map[string]entry{
		"bin":           {Kind: '2', Mode: 0o777, Target: "usr/bin"},
		"etc":           {Kind: '5', Mode: 0o755},
		"etc/tool.conf": {Kind: '0', Mode: 0o640, UID: 7, GID: 8},
		"pause":         {Kind: '0', Mode: 0o755},
		"tmp":           {Kind: '5', Mode: 0o1777},
		"usr":           {Kind: '5', Mode: 0o755},
		"usr/bin":       {Kind: '5', Mode: 0o755},
		"usr/bin/also":  {Kind: '1', Mode: 0o755, Target: "usr/bin/tool"},
		"usr/bin/tool":  {Kind: '0', Mode: 0o4755},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// checkModes looks whether everyone can read the layout.
func checkModes(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o644)
		if entry.IsDir() {
			want = 0o755
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAgain builds into a layout that has images already.
func TestAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "images")
	w, first := testWorkshop(t), testRecipe()
	if err := w.build(t.Context(), folder, []recipe{first}); err != nil {
		t.Fatal(err)
	}
	before := read(t, folder)
	// A store without packages would fail if anything were made again.
	w.store.folder = filepath.Join(t.TempDir(), "none")
	if err := w.build(t.Context(), folder, []recipe{first}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, read(t, folder)); diff != "" {
		t.Errorf("a second build changed the layout (-before +after):\n%.2000s", diff)
	}
	// Another image, and a new version of one of the old ones.
	w.self = "another program"
	changed := recipe{set: setBasic, names: []string{"registry.example.com/a/tool:1", "registry.example.com/b:2"}, layers: []*layer{pauseLayer}}
	if err := w.build(t.Context(), folder, []recipe{changed}); err != nil {
		t.Fatal(err)
	}
	layers := map[string]int{}
	for full, image := range named(t, folder) {
		list, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		layers[full] = len(list)
	}
	want := map[string]int{"registry.example.com/a/tool:1": 1, "registry.example.com/a/tool:latest": 2, "registry.example.com/b:2": 1}
	if diff := cmp.Diff(want, layers); diff != "" {
		t.Errorf("layers of images (-want +got):\n%s", diff)
	}
	checkBlobs(t, folder)
}

// checkBlobs looks whether the layout has any blob that no image has.
func checkBlobs(t *testing.T, folder string) {
	t.Helper()
	unused, err := layout.Path(folder).GarbageCollect()
	if err != nil || len(unused) > 0 {
		t.Errorf("unused blobs %v (error %v), want none", unused, err)
	}
}

func TestForeignFolderIsKept(t *testing.T) {
	folder := t.TempDir()
	keep := filepath.Join(folder, "thesis.txt")
	if err := os.WriteFile(keep, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := testWorkshop(t).build(t.Context(), folder, []recipe{testRecipe()})
	if err == nil || !strings.Contains(err.Error(), "is no OCI layout") {
		t.Errorf("building into another folder gives %v", err)
	}
	if diff := cmp.Diff(map[string]string{"/thesis.txt": "years of work"}, read(t, folder)); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
}

func decode(t *testing.T, files *tree, path string, into any) {
	t.Helper()
	data, err := files.read(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}
