package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/manifest"
	"github.com/cumulet/cumulet/internal/preview"
)

// FuzzTranslate holds for any pod that can be decoded: nothing panics, twice is
// alike, the pod is left as it was, and what comes of it is a refusal, something
// that is missing, or a request that the emulated cloud accepts.
func FuzzTranslate(f *testing.F) {
	for _, pod := range examplePods(f) {
		data, err := json.Marshal(pod)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	fronts := emulatedFronts(f)
	clouds, err := (&translateFlags{allFields: true}).clouds()
	if err != nil {
		f.Fatal(err)
	}
	names := []string{"eci", "kci", "kci-seed"}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := manifest.Read([]manifest.Source{{Name: "stdin", Data: data}}, "default")
		if err != nil {
			return
		}
		for i := range m.Pods {
			p := &m.Pods[i]
			if !apiTakes(p.Pod) {
				continue
			}
			before := p.Pod.DeepCopy()
			for j := range clouds {
				acceptedOrRefused(t, fronts[names[j]], &clouds[j], m, p)
			}
			if diff := cmp.Diff(before, p.Pod); diff != "" {
				t.Errorf("the pod was changed (-before +after):\n%s", diff)
			}
		}
	})
}

// acceptedOrRefused sends the request that comes of a pod, if one does.
func acceptedOrRefused(t *testing.T, to front, c *preview.Cloud, m *manifest.Manifests, p *manifest.Pod) {
	t.Helper()
	got, again := c.Of(m, p, true), c.Of(m, p, true)
	if !reflect.DeepEqual(got, again) {
		t.Fatalf("%s: a second run differs", c.Title)
	}
	if got.Verdict != preview.VerdictRuns {
		if len(got.Refused)+len(got.Missing) == 0 {
			t.Errorf("%s: %s for no reason", c.Title, got.Verdict)
		}
		return
	}
	var text strings.Builder
	if err := preview.WriteRequests(&text, preview.Output{Results: []preview.Result{got}}); err != nil {
		t.Fatal(err)
	}
	for _, request := range parseRequests(t, text.String()) {
		status, answer, err := to.send(t.Context(), request)
		switch {
		case err != nil:
			t.Fatal(err)
		case status == http.StatusOK && strings.Contains(answer, `"ContainerGroupId"`):
		case strings.Contains(answer, "IdempotentParameterMismatch"), strings.Contains(answer, "ContainerGroupNameAlreadyExist"):
			// Another pod of this run has the same made-up UID.
		case strings.Contains(answer, "is attached to"):
			// Another pod of this run has the same disk.
		default:
			t.Errorf("%s: the cloud answers %d %s to\n%s", c.Title, status, answer, request.body)
		}
	}
}

// apiTakes leaves out pods that the API server would never let be: names that
// are none. Its rules for everything else must not matter to a request.
func apiTakes(pod *corev1.Pod) bool {
	if !isName(pod.Name, 253) || !isName(pod.Namespace, 63) || strings.Contains(pod.Namespace, ".") || uuid.Validate(string(pod.UID)) != nil {
		return false
	}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range list {
			if !isName(c.Name, 63) || strings.Contains(c.Name, ".") || strings.TrimSpace(c.Image) != c.Image {
				return false
			}
		}
	}
	for _, v := range pod.Spec.Volumes {
		if !isName(v.Name, 63) || strings.Contains(v.Name, ".") {
			return false
		}
	}
	return true
}

func isName(text string, most int) bool {
	inner := strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")
	return text != "" && len(text) <= most && inner == "" && !strings.ContainsAny(text[:1]+text[len(text)-1:], "-.")
}

// examplePods are the pods of all examples.
func examplePods(t testing.TB) []*corev1.Pod {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	sources, err := manifest.Load(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read(sources, "default")
	if err != nil {
		t.Fatal(err)
	}
	var pods []*corev1.Pod
	for i := range m.Pods {
		pod := m.Pods[i].Pod.DeepCopy()
		pod.APIVersion, pod.Kind = "v1", "Pod"
		pods = append(pods, pod)
	}
	return pods
}

// TestFieldsTogether sets fields of the table together, drawn at random with the
// values of testdata/fields: whatever goes together is accepted, and whatever
// does not is refused here and not by the cloud.
func TestFieldsTogether(t *testing.T) {
	fronts := emulatedFronts(t)
	clouds, err := (&translateFlags{allFields: true}).clouds()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := os.ReadFile(filepath.Join("testdata", "fields", "objects.txt"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"eci", "kci", "kci-seed"}
	runs := 0
	for seed := range uint64(400) {
		m := drawn(t, rand.New(rand.NewPCG(seed, 3)), objects)
		for j := range clouds {
			if clouds[j].Of(m, &m.Pods[0], false).Verdict == preview.VerdictRuns {
				runs++
			}
			acceptedOrRefused(t, fronts[names[j]], &clouds[j], m, &m.Pods[0])
		}
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, asYAML(t, m.Pods[0].Pod.Spec))
		}
	}
	if runs < 200 {
		t.Errorf("only %d of 1200 pods run: that tests little", runs)
	}
}

// drawn is a pod with up to four of the cases of testdata/fields.
func drawn(t *testing.T, r *rand.Rand, objects []byte) *manifest.Manifests {
	t.Helper()
	spec := baseSpec(nil)
	all := places()
	for range 1 + r.IntN(4) {
		at := all[r.IntN(len(all))]
		cases := readCases(t, at.file)
		c := cases[r.IntN(len(cases))]
		if c.Only != "" && "spec."+c.Only+"[*]" != at.prefix {
			continue
		}
		for key, value := range copied(t, at.base) {
			if spec[key] == nil {
				spec[key] = value
			}
		}
		maps.Copy(spec, copied(t, c.Pod))
		at.put(spec, copied(t, c.Set))
	}
	var id [16]byte
	for i := range id {
		id[i] = byte(r.IntN(256))
	}
	uid := uuid.UUID(id)
	pod, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": map[string]any{
		"name": "web", "namespace": "shop", "uid": uid.String(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read([]manifest.Source{{Name: "pod", Data: pod}, {Name: "objects", Data: objects}}, "shop")
	if err != nil {
		t.Fatalf("%s: %v", pod, err)
	}
	return m
}
