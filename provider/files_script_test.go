package provider

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// runScript runs the script as a container's shell does, and returns its word.
func runScript(t *testing.T, folder string, files []cloudapi.File) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh")
	cmd.Stdin = strings.NewReader(writeScript(folder, files))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("running the script: %v, %s", err, &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("the shell complains: %s", &stderr)
	}
	return answerIn(stdout.String())
}

// tree is what lies below a folder: files with mode and content.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		name := strings.TrimPrefix(path, folder+"/")
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			found[name+"/"] = info.Mode().Perm().String()
			return nil
		}
		content, err := os.ReadFile(path)
		found[name] = info.Mode().Perm().String() + " " + string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWriteScript(t *testing.T) {
	every := make([]byte, 0, 3*256)
	for range 3 {
		for b := range 256 {
			every = append(every, byte(b))
		}
	}
	file := func(path, content string, mode int32) cloudapi.File {
		return cloudapi.File{Path: path, Content: []byte(content), Mode: mode}
	}
	cases := map[string]struct {
		reason string
		before map[string]string
		files  []cloudapi.File
		word   string
		want   map[string]string
	}{
		"Changed": {"a file gets its new content, what is gone goes",
			map[string]string{"a": "old", "b": "same", "gone": "x"},
			[]cloudapi.File{file("a", "new", 0o644), file("b", "same", 0o600)}, "changed",
			map[string]string{"a": "-rw-r--r-- new", "b": "-rw-rw-r-- same"}},
		"Same": {"nothing is touched that is right already", map[string]string{"a": "x", "d/b": "y"},
			[]cloudapi.File{file("a", "x", 0o644), file("d/b", "y", 0o644)}, "same",
			map[string]string{"a": "-rw-rw-r-- x", "d/": "-rwxr-xr-x", "d/b": "-rw-rw-r-- y"}},
		"OnlyRemoved": {"a file that goes is a change", map[string]string{"a": "x", "d/e/b": "y"},
			[]cloudapi.File{file("a", "x", 0o644)}, "changed", map[string]string{"a": "-rw-rw-r-- x"}},
		"Empty": {"all may go", map[string]string{"a": "x", ".b": "y", "..c": "z"}, nil, "changed", map[string]string{}},
		"FirstOne": {"an empty volume gets its first file", nil, []cloudapi.File{file("a b/c'd", "", 0o400)}, "changed",
			map[string]string{"a b/": "-rwxr-xr-x", "a b/c'd": "-r-------- "}},
		"FolderToFile": {"a folder makes place for a file", map[string]string{"a/b": "x"},
			[]cloudapi.File{file("a", "f", 0o644)}, "changed", map[string]string{"a": "-rw-r--r-- f"}},
		"FileToFolder": {"a file makes place for a folder", map[string]string{"a": "x"},
			[]cloudapi.File{file("a/b", "f", 0o644)}, "changed", map[string]string{"a/": "-rwxr-xr-x", "a/b": "-rw-r--r-- f"}},
		"Leftover": {"what an earlier try left goes", map[string]string{".cumulet-99/0": "half", "a": "x"},
			[]cloudapi.File{file("a", "x", 0o644)}, "same", map[string]string{"a": "-rw-rw-r-- x"}},
		"EveryByte": {"no byte is lost or read as something else", nil, []cloudapi.File{file("-x", string(every), 0o755), file("y", "-n %s\\n", 0o644)}, "changed",
			map[string]string{"-x": "-rwxr-xr-x " + string(every), "y": "-rw-r--r-- -n %s\\n"}},
		"Large": {"a file of many chunks", nil, []cloudapi.File{file("big", strings.Repeat("0123456789", 4000), 0o644)}, "changed",
			map[string]string{"big": "-rw-r--r-- " + strings.Repeat("0123456789", 4000)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for path, content := range c.before {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, path), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(filepath.Join(folder, path), 0o664); err != nil {
					t.Fatal(err)
				}
			}
			if word := runScript(t, folder, c.files); word != c.word {
				t.Errorf("%s: the script says %q, want %q", c.reason, word, c.word)
			}
			if diff := cmp.Diff(c.want, tree(t, folder)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if word := runScript(t, folder, c.files); word != "same" {
				t.Errorf("%s: a second time the script says %q", c.reason, word)
			}
		})
	}
}

func TestWriteScriptFails(t *testing.T) {
	linked := t.TempDir()
	if err := os.Symlink("..2026", filepath.Join(linked, "..data")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ folder, word string }{
		"NoFolder":   {filepath.Join(t.TempDir(), "nowhere"), "absent"},
		"KeptByKube": {linked, "linked"},
		"ReadOnly":   {"/proc/self", "write"},
	} {
		t.Run(name, func(t *testing.T) {
			if word := runScript(t, c.folder, []cloudapi.File{{Path: "a", Content: []byte("x"), Mode: 0o644}}); word != c.word {
				t.Errorf("the script says %q, want %q", word, c.word)
			}
			if scriptFailures[c.word] == "" {
				t.Errorf("nothing is said of %q", c.word)
			}
		})
	}
}

// FuzzWriteScript: whatever a file holds, the script holds nothing else.
func FuzzWriteScript(f *testing.F) {
	f.Add("a/b", []byte("'; rm -rf / #\n\\%d$(id)`id`"))
	f.Add("it's", []byte{0, 255, '\'', '\n'})
	f.Fuzz(func(t *testing.T, path string, content []byte) {
		script := writeScript("/x", []cloudapi.File{{Path: path, Content: content, Mode: 0o644}})
		for line := range strings.SplitSeq(script, "\n") {
			format, isPrint := strings.CutPrefix(line, "printf '")
			if !isPrint || strings.ContainsAny(path, "\n") {
				continue
			}
			if format, _, _ = strings.Cut(format, "' >> "); strings.ContainsAny(format, "'%-\n") {
				t.Errorf("a format has more than plain characters: %q", format)
			}
		}
	})
}
