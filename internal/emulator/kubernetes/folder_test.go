package kubernetes

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// treeOf is what lies below a folder: files with mode and content.
func treeOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, folder+"/")] = info.Mode().String() + " " + string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFolderWrite(t *testing.T) {
	folder := &Folder{Path: filepath.Join(t.TempDir(), "files"), Node: "/node"}
	write := func(items ...engine.File) {
		t.Helper()
		if err := folder.write("g/p/v", &engine.Files{DefaultMode: 0o640, Items: items}); err != nil {
			t.Fatal(err)
		}
	}
	write(engine.File{Path: "a", Content: []byte("1")}, engine.File{Path: "d/e/b", Content: []byte("2"), Mode: 0o400}, engine.File{Path: "x/y"})
	want := map[string]string{"g/p/v/a": "-rw-r----- 1", "g/p/v/d/e/b": "-r-------- 2", "g/p/v/x/y": "-rw-r----- "}
	if diff := cmp.Diff(want, treeOf(t, folder.Path)); diff != "" {
		t.Errorf("new files (-want +got):\n%s", diff)
	}
	before, err := os.Stat(filepath.Join(folder.Path, "g/p/v/a"))
	if err != nil {
		t.Fatal(err)
	}
	write(engine.File{Path: "a", Content: []byte("1")}, engine.File{Path: "d", Content: []byte("3")}, engine.File{Path: "x/y/z", Content: []byte("4")})
	want = map[string]string{"g/p/v/a": "-rw-r----- 1", "g/p/v/d": "-rw-r----- 3", "g/p/v/x/y/z": "-rw-r----- 4"}
	if diff := cmp.Diff(want, treeOf(t, folder.Path)); diff != "" {
		t.Errorf("changed files (-want +got):\n%s", diff)
	}
	if after, err := os.Stat(filepath.Join(folder.Path, "g/p/v/a")); err != nil || !os.SameFile(before, after) {
		t.Errorf("a file that is right already was written again (%v)", err)
	}
	if err := folder.remove("g"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{}, treeOf(t, folder.Path)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// TestFolderFollowsNoLink: containers can write into the folder as root.
func TestFolderFollowsNoLink(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "a"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := &Folder{Path: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(folder.Path, "g/p/v"), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"d": outside, "f": filepath.Join(outside, "a"), ".new-0": filepath.Join(outside, "a")} {
		if err := os.Symlink(target, filepath.Join(folder.Path, "g/p/v", name)); err != nil {
			t.Fatal(err)
		}
	}
	files := &engine.Files{Items: []engine.File{{Path: "d/a", Content: []byte("x")}, {Path: "f", Content: []byte("x")}}}
	if err := folder.write("g/p/v", files); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "-rw------- mine"}, treeOf(t, outside)); diff != "" {
		t.Errorf("outside (-want +got):\n%s", diff)
	}
	want := map[string]string{"g/p/v/d/a": "-rw-r--r-- x", "g/p/v/f": "-rw-r--r-- x"}
	if diff := cmp.Diff(want, treeOf(t, folder.Path)); diff != "" {
		t.Errorf("inside (-want +got):\n%s", diff)
	}
}

// TestUpdateInFolder: an update of files changes them in place, whatever files
// come and go, and nothing else.
func TestUpdateInFolder(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, func(o *Options) { o.Files = &Folder{Path: folder, Node: "/shared"} })
		spec := webSpec()
		spec.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{Items: []engine.File{{Path: "a", Content: []byte("1"), Mode: 0o600}}}}}
		w := c.start("eci-1", spec)
		c.pod("eci-1", runs("a"))
		pod, err := c.find("eci-1")
		if err != nil {
			t.Fatal(err)
		}
		if got := pod.Spec.Volumes[0].HostPath; got == nil || got.Path != "/shared/eci-1/eci-1/conf" {
			t.Errorf("volume %+v", pod.Spec.Volumes[0])
		}
		if diff := cmp.Diff(map[string]string{"eci-1/eci-1/conf/a": "-rw------- 1"}, treeOf(t, folder)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		next := *spec
		next.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{Items: []engine.File{{Path: "d/b", Content: []byte("2"), Mode: 0o644}}}}}
		w.Update(&next)
		synctest.Wait()
		if diff := cmp.Diff(map[string]string{"eci-1/eci-1/conf/d/b": "-rw-r--r-- 2"}, treeOf(t, folder)); diff != "" {
			t.Errorf("files after the update (-want +got):\n%s", diff)
		}
		if w.last().Status != engine.Running || c.noted() != nil || len(c.objects("secrets")) > 0 {
			t.Errorf("status %s, deletes %v, secrets %v", w.last().Status, c.noted(), c.objects("secrets"))
		}
		w.Stop(false)
		synctest.Wait()
		c.vanish("eci-1")
		if diff := cmp.Diff(map[string]string{}, treeOf(t, folder)); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	})
}
