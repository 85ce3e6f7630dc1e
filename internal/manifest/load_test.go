package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.yaml": "b", "a.json": "a", "c.txt": "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := Load([]string{"-", dir}, strings.NewReader("in"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sources {
		got = append(got, filepath.Base(s.Name)+"="+string(s.Data))
	}
	if diff := cmp.Diff([]string{"stdin=in", "a.json=a", "b.yaml=b"}, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if _, err := Load([]string{"-", "-", filepath.Join(dir, "no")}, strings.NewReader("")); err == nil ||
		!strings.Contains(err.Error(), "once only") || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v, want both faults", err)
	}
	if _, err := Load([]string{t.TempDir()}, nil); err == nil || !strings.Contains(err.Error(), "no file that ends in") {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestSplit: texts that kubectl takes are taken.
func TestSplit(t *testing.T) {
	pod := func(name string) string {
		return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `"},"spec":{"containers":[{"name":"c","image":"c:1"}]}}`
	}
	for name, c := range map[string]struct {
		reason, text string
		want         []string
	}{
		"JSON":      {"objects that follow each other", pod("a") + pod("b") + "\n" + pod("c"), []string{"a", "b", "c"}},
		"JSONLines": {"or are documents", pod("a") + "\n---\n" + pod("b"), []string{"a", "b"}},
		"JSONMark":  {"with a byte order mark", "\ufeff" + pod("a") + "\n" + pod("b"), []string{"a", "b"}},
		"Flow":      {"YAML may begin like JSON", "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: c}]}}\n---\n" + pod("b"), []string{"a", "b"}},
		"Mark":      {"YAML with a byte order mark", "\ufeffapiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: c}]}\n", []string{"a"}},
		"Windows":   {"lines that end as on Windows", "---\r\n# none\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {name: a}\r\nspec: {containers: [{name: c, image: c}]}\r\n--- # end\r\n", []string{"a"}},
		"Anchors":   {"what YAML repeats", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - &c {name: c, image: c}\n  - {<<: *c, name: d}\n", []string{"a"}},
		"Twice":     {"the same file given twice", pod("a") + pod("a"), []string{"a"}},
		"TypedList": {"a list of a kind of its own", `{"apiVersion":"v1","kind":"PodList","items":[` + pod("a") + `,` + pod("b") + `]}`, []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := read(t, c.text)
			var got []string
			for _, p := range m.Pods {
				got = append(got, p.Pod.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// FuzzRead holds that no text makes the reading panic, and that what is read is
// complete.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read([]Source{{"stdin", data}}, "default")
		if err != nil {
			return
		}
		for i := range m.Pods {
			p := &m.Pods[i]
			if p.Pod.Name == "" || p.Pod.UID == "" || p.Pod.Namespace == "" || len(p.Pod.Spec.Containers) == 0 {
				t.Errorf("incomplete: %+v", p.Pod)
			}
			m.References(p.Pod)
		}
	})
}
