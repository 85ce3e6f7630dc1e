package manifest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// read reads one text as stdin.
func read(t *testing.T, text string) *Manifests {
	t.Helper()
	m, err := Read([]Source{{"stdin", []byte(text)}}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// summary is what of a pod the golden files show.
type summary struct {
	Owner   string         `json:"owner,omitempty"`
	Count   int            `json:"count"`
	Remarks []string       `json:"remarks,omitempty"`
	Pod     *corev1.Pod    `json:"pod"`
	Missing []string       `json:"missing,omitempty"`
	Found   map[string]int `json:"found,omitempty"`
}

// TestPods holds which pods the manifests of testdata make.
func TestPods(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			sources, err := Load([]string{file}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Read(sources, "default")
			if err != nil {
				t.Fatal(err)
			}
			var out []summary
			for i := range m.Pods {
				p := &m.Pods[i]
				found, missing, remarks := m.References(p.Pod)
				s := summary{Owner: p.Owner, Count: p.Count, Remarks: append(p.Remarks, remarks...), Pod: p.Pod, Found: map[string]int{
					"configMaps": len(found.ConfigMaps), "secrets": len(found.Secrets), "claims": len(found.Claims),
					"volumes": len(found.Volumes), "services": len(found.Services), "tokens": len(found.Tokens),
				}}
				for _, lack := range missing {
					s.Missing = append(s.Missing, lack.String())
				}
				out = append(out, s)
			}
			got, err := yaml.Marshal(map[string]any{"pods": out, "skipped": m.Skipped})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", string(got))
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update, then read the file)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestRefusedManifests(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
	cases := map[string]struct {
		reason, text string
		want         []string
	}{
		"UnknownField": {"strict decoding names the field", head + "spec: {containers: [{name: a, image: a, imagePullPolic: Always}]}",
			[]string{`stdin, document 1: Pod a: strict decoding error: unknown field "spec.containers[0].imagePullPolic"`}},
		"UnknownInTemplate": {"and in a template", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {container: []}}}",
			[]string{`Deployment d: strict decoding error: unknown field "spec.template.spec.container"`}},
		"Duplicate":     {"a key twice", head + "spec: {}\nspec: {}", []string{`key "spec" already set in map`}},
		"WrongType":     {"a word for a number", head + "spec: {containers: [{name: a, image: a}], terminationGracePeriodSeconds: soon}", []string{"terminationGracePeriodSeconds"}},
		"NoContainers":  {"a pod needs one", head + "spec: {}", []string{"Pod a: spec.containers: there is none"}},
		"NoImage":       {"and an image", head + "spec: {containers: [{name: a}]}", []string{"spec.containers[0].image: is empty"}},
		"TwoNames":      {"names are unique over both lists", head + "spec: {initContainers: [{name: a, image: a}], containers: [{name: a, image: a}]}", []string{"a is there twice"}},
		"NoName":        {"a pod needs a name", "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: a}]}", []string{"metadata.name: is empty"}},
		"NoKind":        {"an object has a kind", "a: b", []string{"no Kubernetes object", "'Kind' is missing"}},
		"NoObject":      {"a list of YAML is none", "- a", []string{"no object"}},
		"BadYAML":       {"no YAML", "a: b: c", []string{"document 1"}},
		"BadJSON":       {"no JSON", `{"a": `, []string{"document 1"}},
		"EveryDocument": {"all faults at once", head + "spec: {}\n---\n" + head + "spec: {x: 1}", []string{"spec.containers: there is none", `document 2: Pod a: strict decoding error: unknown field "spec.x"`}},
		"InList":        {"items are numbered", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"x":1}}]}`, []string{`items[0]: Pod a: strict decoding error: unknown field "spec.x"`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Read([]Source{{"stdin", []byte(c.text)}}, "shop")
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want %s", c.reason, err, want)
				}
			}
		})
	}
}

// TestNamesAreStable: the same manifest makes the same pod, another another.
func TestNamesAreStable(t *testing.T) {
	const text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: nginx:1}]}}}"
	first, again := read(t, text).Pods[0].Pod, read(t, text).Pods[0].Pod
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("a second reading differs:\n%s", diff)
	}
	if other := read(t, strings.Replace(text, "nginx:1", "nginx:2", 1)).Pods[0].Pod; other.Name == first.Name || other.UID == first.UID {
		t.Errorf("another template makes the same name %s or UID %s", other.Name, other.UID)
	}
}

// TestClaims: a claim gets the volume that it names, that names it, or the
// smallest that fits.
func TestClaims(t *testing.T) {
	const volumes = `
apiVersion: v1
kind: PersistentVolume
metadata: {name: big}
spec: {capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], storageClassName: fast}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: small}
spec: {capacity: {storage: 20Gi}, accessModes: [ReadWriteOnce], storageClassName: fast}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: promised}
spec: {capacity: {storage: 20Gi}, accessModes: [ReadWriteOnce], storageClassName: fast, claimRef: {namespace: shop, name: theirs}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], storageClassName: CLASS, resources: {requests: {storage: SIZE}}VOLUME}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /v}]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: NAME}}]
`
	cases := map[string]struct{ reason, name, class, size, volume, want string }{
		"Smallest": {"the smallest that is large enough", "mine", "fast", "10Gi", "", "small"},
		"Larger":   {"if it is large enough", "mine", "fast", "50Gi", "", "big"},
		"TooLarge": {"none is", "mine", "fast", "500Gi", "", ""},
		"Class":    {"another class is another kind", "mine", "slow", "10Gi", "", ""},
		"Named":    {"the claim names it", "mine", "fast", "10Gi", ", volumeName: big", "big"},
		"Promised": {"the volume names the claim", "theirs", "fast", "10Gi", "", "promised"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("NAME", c.name, "CLASS", c.class, "SIZE", c.size, "VOLUME", c.volume).Replace(volumes)
			m := read(t, text)
			found, missing, _ := m.References(m.Pods[0].Pod)
			got := ""
			for volume := range found.Volumes {
				got += volume
			}
			if got != c.want || (len(missing) == 0) != (c.want != "") {
				t.Errorf("%s: bound to %q, missing %v; want %q", c.reason, got, missing, c.want)
			}
		})
	}
}

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
