package provider

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestWriteScriptNames: a path is a path, whatever a shell might read in it.
func TestWriteScriptNames(t *testing.T) {
	guard := filepath.Join(t.TempDir(), "guard")
	names := []string{
		"$(touch " + guard + ")", "`touch " + guard + "`", "'; touch " + guard + "; '", "\"; touch " + guard + "; \"",
		"a\ntouch " + guard + "\n", "*", "?", "[a-z]", "\\", "a\\", "..x", "...", "-rf", "--", " ", "a ", "~", "#x", "a;b", "a&b", "a|b", "a)b", "é", "\xff",
		"%s%n", "d/'/\"/x", "put 0", "cumulet-files: same",
	}
	var files []cloudapi.File
	want := map[string]string{}
	for i, name := range names {
		content := strings.Repeat("x", i)
		files = append(files, cloudapi.File{Path: filepath.Clean(name), Content: []byte(content), Mode: 0o600})
		want[filepath.Clean(name)] = "-rw------- " + content
	}
	folder := t.TempDir()
	for _, word := range []string{"changed", "same"} {
		if got := runScript(t, folder, files); got != word {
			t.Errorf("the script says %q, want %q", got, word)
		}
		found := tree(t, folder)
		maps.DeleteFunc(found, func(name, _ string) bool { return strings.HasSuffix(name, "/") && want[name] == "" })
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if got := runScript(t, folder, nil); got != "changed" || len(tree(t, folder)) != 0 {
		t.Errorf("emptied: the script says %q and leaves %q", got, tree(t, folder))
	}
	if _, err := os.Lstat(guard); err == nil {
		t.Error("a part of a name was run as a command")
	}
}

// TestWriteScriptCutOff: wherever the connection breaks, each file is as it was,
// or as it is to be, and the next try succeeds.
func TestWriteScriptCutOff(t *testing.T) {
	files := []cloudapi.File{
		{Path: "a", Content: []byte(strings.Repeat("new\n", 10)), Mode: 0o644},
		{Path: "d/b", Content: []byte("it's new"), Mode: 0o600},
		{Path: "fresh", Content: []byte("x"), Mode: 0o644},
	}
	before := map[string]string{"a": "old", "d/b": "old", "gone": "old", "keep/me": "old"}
	after := map[string]string{"a": strings.Repeat("new\n", 10), "d/b": "it's new", "fresh": "x"}
	folder := t.TempDir()
	script := writeScript(folder, files)
	for cut := 0; cut < len(script); cut += 31 {
		for name, content := range before {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "/bin/sh")
		cmd.Dir = t.TempDir() // what stands there is none of the script's business
		cmd.Stdin = strings.NewReader(script[:cut])
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		_ = cmd.Run() // a shell may complain of an end in the middle of a word
		if word := answerIn(stdout.String()); word == "same" || word == "changed" {
			t.Errorf("cut at %d the script says %q", cut, word)
		}
		for name, content := range tree(t, folder) {
			_, content, _ = strings.Cut(content, " ")
			if strings.HasSuffix(name, "/") || strings.HasPrefix(name, ".cumulet-") || content == before[name] || content == after[name] {
				continue
			}
			t.Errorf("cut at %d, %s holds %q", cut, name, content)
		}
		if word := runScript(t, folder, files); word != "changed" && word != "same" {
			t.Errorf("after a cut at %d the script says %q", cut, word)
		}
		want := map[string]string{"a": "-rw-r--r-- " + after["a"], "d/": "-rwxr-xr-x", "d/b": "-rw------- " + after["d/b"], "fresh": "-rw-r--r-- x"}
		if diff := cmp.Diff(want, tree(t, folder)); diff != "" {
			t.Errorf("after a cut at %d and another try (-want +got):\n%s", cut, diff)
		}
		if err := os.RemoveAll(filepath.Join(folder, "a")); err != nil {
			t.Fatal(err)
		}
	}
}
