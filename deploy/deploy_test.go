// Package deploy_test holds the plain manifests, and what the chart renders in
// its own tests, against the program: the configuration in them is one that
// cumulet reads.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/cumulet/cumulet/internal/config"
)

// blanks are the words in angle brackets and what an operator may put there.
var blanks = strings.NewReplacer(
	"<UID of the namespace kube-system>", "0a1b2c3d-1111-4222-8333-444455556666",
	"<region id>", "cn-beijing-6",
	"<zone id>", "cn-beijing-6a",
	"<vSwitch id>", "vsw-1",
	"<subnet id>", "subnet-1",
	"<security group id>", "sg-1",
	"<access key id>", "id",
	"<access key secret>", "secret",
)

func TestManifestsWithBlanks(t *testing.T) {
	for _, path := range glob(t, "*.yaml") {
		manifest := read(t, path)
		_, err := parse(t, manifest)
		if err == nil || !strings.Contains(err.Error(), "clusterID: Invalid value") {
			t.Errorf("%s: cumulet says %v, want a refusal of the blank in clusterID: two clusters would share it", path, err)
		}
		filled := blanks.Replace(manifest)
		if strings.Contains(filled, ": <") || strings.Contains(filled, "- <") || strings.Contains(filled, `"<`) {
			t.Errorf("%s has a blank that this test does not know", path)
		}
		c, err := parse(t, filled)
		if err != nil {
			t.Errorf("%s, filled in: %v", path, err)
			continue
		}
		cloud := strings.TrimSuffix(path, ".yaml")
		if len(c.Nodes) != 1 || c.Nodes[0].Cloud != cloud || c.Nodes[0].Region != "cn-beijing-6" {
			t.Errorf("%s has the nodes %+v, want one of cloud %s", path, c.Nodes, cloud)
		}
	}
}

func TestChart(t *testing.T) {
	for _, path := range glob(t, filepath.Join("..", "hack", "chart", "testdata", "*.yaml")) {
		if strings.HasSuffix(path, ".values.yaml") {
			continue
		}
		_, err := parse(t, read(t, path))
		if filepath.Base(path) == "nothing.yaml" {
			// The Deployment has no replicas then.
			if err == nil || !strings.Contains(err.Error(), "at least one virtual node is needed") {
				t.Errorf("%s: %v, want a refusal for want of nodes", path, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// parse reads the one configuration in a manifest as cumulet does in its pod.
func parse(t *testing.T, manifest string) (*config.Config, error) {
	t.Helper()
	environment := map[string]string{"CUMULET_ADVERTISE_ADDRESS": "10.0.0.1"}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(manifest), 4096)
	for {
		var object corev1.ConfigMap
		err := documents.Decode(&object)
		if errors.Is(err, io.EOF) {
			t.Fatal("there is no ConfigMap with a configuration")
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := object.Data["config.yaml"]; ok && object.Kind == "ConfigMap" {
			return config.Parse([]byte(text), func(name string) string { return environment[name] })
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("nothing matches %s (error %v)", pattern, err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestSchema checks that the chart's values let an operator say everything about
// a node that the configuration can, so that a new field is not forgotten.
func TestSchema(t *testing.T) {
	var schema struct {
		Definitions struct {
			Node struct {
				Properties map[string]any `json:"properties"`
			} `json:"node"`
		} `json:"definitions"`
	}
	text := read(t, filepath.Join("..", "charts", "cumulet", "values.schema.json"))
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	// Values have these in another form or place.
	elsewhere := map[string]string{
		"advertiseAddress": "the pod's own address",
		"credentials":      "credentials, once per cloud",
		"kubeconfig":       "nodes[].kubeconfigSecret",
		"serving":          "serving, for all nodes",
	}
	want := map[string]bool{"kubeconfigSecret": true}
	for field := range reflect.TypeFor[config.Node]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if _, other := elsewhere[name]; !other {
			want[name] = true
		}
	}
	got := map[string]bool{}
	for name := range schema.Definitions.Node.Properties {
		got[name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields of a node in the chart's values (-want +got):\n%s", diff)
	}
}
