package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/manifest"
)

// onlyReal are the examples that the simulated runtime cannot stand for, with
// the reason; TestExamples runs them for real.
var onlyReal = map[string]string{
	"ephemeral-storage":   "the simulated shell has no df",
	"probes":              "the node asks the container over the network, which simulated groups are not on",
	"sidecar-restartable": "the node asks the sidecar over the network, which simulated groups are not on",
}

// errand is what the simulated runtime cannot know of a program: that it ends. The
// test ends it, as the program would, once it has seen what the program finds.
type errand struct {
	// look is a command in the container, and finds what it prints first.
	look  []string
	finds string
}

// errands are the examples' programs that end by themselves and whose images are
// not to be had, by example.
var errands = map[string]errand{
	"cron-backup": {
		look:  []string{"printenv", "TARGET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
		finds: "s3://example-backups/postgres\nexample-key-id\nexample-secret-key\n",
	},
	"gpu-job": {look: []string{"hostname"}, finds: "train-"},
	"python-worker": {
		look: []string{"sh", "-c", `echo "$TENANT $LOG_LEVEL $API_TOKEN [$FEATURES]"; cat /app/worker.py`},
		finds: "example info not-a-real-token []\n" +
			"import os\nprint(\"working for\", os.environ[\"TENANT\"])\n",
	},
	"spot-batch": {}, // twenty pods, one after the other
}

// example is a manifest of examples/.
type example struct {
	name    string
	objects []object
	// text is what is applied.
	text string
}

// object is one that makes pods, and that the example is done for when it is well.
type object struct{ kind, name string }

// exampleFile is the path of an example.
func exampleFile(name string) string { return filepath.Join("..", "examples", name+".yaml") }

// runnable are the examples that translate says would run on a cloud: those whose
// golden file ends so.
func runnable(t *testing.T, cloud string) []string {
	t.Helper()
	folder := filepath.Join("..", "examples", "testdata")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		name, found := strings.CutSuffix(e.Name(), "."+cloud+".txt")
		if !found {
			continue
		}
		shown, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasSuffix(shown, []byte("exit code 0\n")) {
			names = append(names, name)
		}
	}
	if len(names) < 20 {
		t.Fatalf("%d examples would run on %s: %v", len(names), cloud, names)
	}
	return names
}

// simulateExamples applies the examples as they are, but for the node that they are
// to run on, over simulated containers: all that they make is well in the end.
func simulateExamples(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		var examples []*example
		for _, name := range runnable(t, c.cloud) {
			if _, left := onlyReal[name]; !left {
				examples = append(examples, c.readExample(t, name))
			}
		}
		begun := time.Now()
		c.applyExamples(t, examples)
		ended := sets.New[string]()
		for _, e := range examples {
			c.awaitExample(t, e, func() { c.endErrands(t, examples, ended) })
		}
		t.Logf("%d examples run after %v", len(examples), since(begun))
	})
}

// applyExamples makes what the examples need besides themselves, and then all of
// them at once. A CronJob is run now, for it would wait for the night.
func (c *target) applyExamples(t *testing.T, examples []*example) {
	t.Helper()
	c.mustKubectl(t, "", "create", "serviceaccount", "vault-client")
	c.mustKubectl(t, "", "create", "serviceaccount", "prometheus")
	var all []string
	for _, e := range examples {
		all = append(all, e.text)
	}
	c.mustKubectl(t, strings.Join(all, "---\n"), "apply", "-f", "-")
	for _, e := range examples {
		for i, o := range e.objects {
			if o.kind == "CronJob" {
				e.objects[i] = object{kind: "Job", name: o.name + "-now"}
				c.mustKubectl(t, "", "create", "job", o.name+"-now", "--from=cronjob/"+o.name)
			}
		}
	}
}

// awaitExample waits until all that an example makes is well. meanwhile is called
// again and again until then.
func (c *target) awaitExample(t *testing.T, e *example, meanwhile func()) {
	t.Helper()
	for _, o := range e.objects {
		c.within(t, 2*patience, fmt.Sprintf("%s %s of %s to be well", o.kind, o.name, e.name), func(ctx context.Context) (bool, error) {
			meanwhile()
			return c.isWell(ctx, o)
		})
	}
}

// endErrands looks around in the pods that do an errand, and ends each.
func (c *target) endErrands(t *testing.T, examples []*example, ended sets.Set[string]) {
	t.Helper()
	for _, e := range examples {
		errand, ok := errands[e.name]
		if !ok {
			continue
		}
		pods, err := c.podsOf(t.Context(), e.objects[0])
		if err != nil {
			t.Fatal(err)
		}
		for i := range pods {
			if !ended.Has(pods[i].Name) && isReady(&pods[i]) {
				ended.Insert(pods[i].Name)
				c.endErrand(t, &pods[i], errand)
			}
		}
	}
}

func (c *target) endErrand(t *testing.T, pod *corev1.Pod, e errand) {
	t.Helper()
	if len(e.look) > 0 {
		look := append([]string{"exec", pod.Name, "--"}, e.look...)
		if out := c.mustKubectl(t, "", look...); !strings.HasPrefix(out, e.finds) {
			t.Errorf("in pod %s, %v prints %q, want %q", pod.Name, e.look, out, e.finds)
		}
	}
	for _, g := range c.groups(t, pod) {
		c.admin(t, http.MethodPost, "/groups/"+c.cloud+"/"+g.ID+"/fate", []byte(`{"exit":0}`))
	}
}

// podsOf are the pods of an object.
func (c *target) podsOf(ctx context.Context, o object) ([]corev1.Pod, error) {
	pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		owner := metav1.GetControllerOf(&p)
		if owner == nil {
			return o.kind != "Pod" || p.Name != o.name
		}
		// The ReplicaSet of a Deployment has the Deployment's name and a hash.
		return o.kind == "Pod" || (owner.Name != o.name && !(owner.Kind == "ReplicaSet" && o.kind == "Deployment" &&
			owner.Name == o.name+"-"+p.Labels["pod-template-hash"]))
	}), nil
}

// isWell tells whether all pods of an object run, or have ended well if they are to
// end. A pod that has failed is an error.
func (c *target) isWell(ctx context.Context, o object) (bool, error) {
	pods, err := c.podsOf(ctx, o)
	if err != nil {
		return false, err
	}
	for i := range pods {
		if pods[i].Status.Phase == corev1.PodFailed {
			return false, fmt.Errorf("pod %s failed: %s", pods[i].Name, statusText(&pods[i]))
		}
	}
	switch o.kind {
	case "Pod":
		return len(pods) == 1 && (pods[0].Status.Phase == corev1.PodSucceeded || isReady(&pods[0])), nil
	case "Job":
		job, err := c.kube.BatchV1().Jobs(c.namespace).Get(ctx, o.name, metav1.GetOptions{})
		return err == nil && job.Status.CompletionTime != nil, err
	case "Deployment":
		d, err := c.kube.AppsV1().Deployments(c.namespace).Get(ctx, o.name, metav1.GetOptions{})
		return err == nil && d.Status.AvailableReplicas == *d.Spec.Replicas, err
	case "StatefulSet":
		s, err := c.kube.AppsV1().StatefulSets(c.namespace).Get(ctx, o.name, metav1.GetOptions{})
		return err == nil && s.Status.ReadyReplicas == *s.Spec.Replicas, err
	default:
		return false, fmt.Errorf("nobody knows when %s %s is well", o.kind, o.name)
	}
}

// readExample reads an example whose pods go to the target's node: what an
// operator's admission would see to. What names the namespace that people would
// apply it in names the target's.
func (c *target) readExample(t *testing.T, name string) *example {
	t.Helper()
	data, err := os.ReadFile(exampleFile(name))
	if err != nil {
		t.Fatal(err)
	}
	e := &example{name: name}
	var out []string
	data = bytes.ReplaceAll(data, []byte("namespace: default}"), []byte("namespace: "+c.namespace+"}"))
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		content := map[string]any{}
		// The newline is part of the last line, which may be a file's.
		if err := yaml.Unmarshal(slices.Concat(doc, []byte("\n")), &content); err != nil {
			t.Fatal(err)
		}
		spec, _ := content["spec"].(map[string]any)
		for _, field := range []string{"jobTemplate", "spec", "template", "spec"} {
			if below, ok := spec[field].(map[string]any); ok {
				spec = below
			}
		}
		if _, pod := spec["containers"]; pod {
			spec["nodeSelector"] = map[string]any{corev1.LabelHostname: c.node}
			spec["tolerations"] = []any{map[string]any{"key": "virtual-kubelet.io/provider", "operator": "Exists"}}
			meta, _ := content["metadata"].(map[string]any)
			e.objects = append(e.objects, object{kind: fmt.Sprint(content["kind"]), name: fmt.Sprint(meta["name"])})
		}
		text, err := yaml.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	if len(e.objects) == 0 {
		t.Fatalf("example %s makes no pods", name)
	}
	e.text = strings.Join(out, "---\n")
	return e
}

// imagesOf are the full names of an example's images.
func imagesOf(t *testing.T, name string) []string {
	t.Helper()
	sources, err := manifest.Load([]string{exampleFile(name)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read(sources, "default")
	if err != nil {
		t.Fatal(err)
	}
	var images []string
	for i := range m.Pods {
		spec := &m.Pods[i].Pod.Spec
		for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
			images = append(images, fullName(container.Image))
		}
	}
	return images
}

// fullName is an image's name with the registry that a short one leaves out.
func fullName(image string) string {
	switch {
	case strings.Count(image, "/") == 0:
		return "docker.io/library/" + image
	case !strings.Contains(image[:strings.IndexByte(image, '/')], "."):
		return "docker.io/" + image
	default:
		return image
	}
}
