package main

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var testChart = repository{root: filepath.Join("..", "..")}

// TestTemplates renders testdata/NAME.values.yaml and compares with NAME.yaml,
// which a person has read.
func TestTemplates(t *testing.T) {
	const suffix = ".values.yaml"
	cases, err := filepath.Glob(filepath.Join("testdata", "*"+suffix))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases under testdata (error %v)", err)
	}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), suffix)
		t.Run(name, func(t *testing.T) {
			values, err := common.ReadValuesFile(path)
			if err != nil {
				t.Fatal(err)
			}
			result, err := template(testChart.chart(), release{name: "edge", namespace: "clouds", values: values})
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range result.objects {
				decodeStrictly(t, object)
			}
			compare(t, filepath.Join("testdata", name+".yaml"), strings.Join(result.objects, "\n---\n")+"\n")
			compare(t, filepath.Join("testdata", name+".notes.txt"), result.notes+"\n")
		})
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the chart renders; read the difference, then run with -update (-want +got):\n%s", golden, diff)
	}
}

// decodeStrictly fails on a field that the object's kind does not have.
func decodeStrictly(t *testing.T, object string) {
	t.Helper()
	codecs := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict)
	if _, err := runtime.Decode(codecs.UniversalDeserializer(), []byte(object)); err != nil {
		t.Errorf("decoding an object: %v\n%s", err, object)
	}
}

// TestManifests checks that deploy/ is what the chart renders, and that helm's
// linter is content.
func TestManifests(t *testing.T) {
	var out strings.Builder
	if err := run(&out, testChart.root, []string{"verify"}); err != nil {
		t.Error(err)
	}
	want := []string{
		"lint: clean with default values",
		"lint: clean with ../../hack/chart/values/eci.yaml",
		"lint: clean with ../../hack/chart/values/kci.yaml",
		"up to date: ../../deploy/eci.yaml",
		"up to date: ../../deploy/kci.yaml",
	}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out.String()), "\n")); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

// TestStaleManifest checks that verify sees a manifest that differs.
func TestStaleManifest(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"charts", "hack"} {
		target, err := filepath.Abs(filepath.Join(testChart.root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "deploy"), 0o700); err != nil {
		t.Fatal(err)
	}
	tree := repository{root: root}
	if err := tree.render(new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(tree.manifest("kci"))
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(manifest), "kind: ServiceAccount", "kind: Account", 1)
	if err := os.WriteFile(tree.manifest("kci"), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	err = tree.verify(new(strings.Builder))
	if err == nil || !strings.Contains(err.Error(), "kci.yaml is not what the chart renders, first at line 14") {
		t.Errorf("verify says %v, want line 14 of kci.yaml", err)
	}
}
