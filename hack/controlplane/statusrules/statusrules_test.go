package statusrules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/apis/core"
	v1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"sigs.k8s.io/yaml"
)

// goldens is where translate keeps its cases of statuses.
const goldens = "../../../translate/testdata/status/"

// TestGoldensAreValid is what the API server does with a status that cumulet
// writes, for every golden status.
func TestGoldensAreValid(t *testing.T) {
	cases, err := filepath.Glob(goldens + "*.case.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".case.yaml")
		t.Run(name, func(t *testing.T) {
			var before struct{ Pod corev1.Pod }
			read(t, path, &before)
			after := before.Pod.DeepCopy()
			after.Status = corev1.PodStatus{}
			read(t, goldens+name+".status.yaml", &after.Status)
			if before.Pod.Status.QOSClass == "" {
				// The API server fills it in when the pod is made.
				before.Pod.Status.QOSClass = after.Status.QOSClass
			}
			for _, fault := range validation.ValidatePodStatusUpdate(internal(t, after), internal(t, &before.Pod), validation.PodValidationOptions{}) {
				t.Error(fault)
			}
		})
	}
}

// TestFaultsAreFound: a status with a fault does not pass.
func TestFaultsAreFound(t *testing.T) {
	pod := &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, QOSClass: corev1.PodQOSBestEffort}}
	faulty := pod.DeepCopy()
	faulty.Status.QOSClass = corev1.PodQOSGuaranteed
	faulty.Status.PodIPs = []corev1.PodIP{{IP: "nowhere"}}
	found := map[string]bool{}
	for _, fault := range validation.ValidatePodStatusUpdate(internal(t, faulty), internal(t, pod), validation.PodValidationOptions{}) {
		found[fault.Field] = true
	}
	for _, want := range []string{"status.qosClass", "status.podIPs[0]"} {
		if !found[want] {
			t.Errorf("no fault at %s; found %v", want, found)
		}
	}
}

// internal is a stored pod as validation sees it.
func internal(t *testing.T, pod *corev1.Pod) *core.Pod {
	t.Helper()
	stored := pod.DeepCopy()
	stored.ResourceVersion = "1"
	if stored.Namespace == "" {
		stored.Namespace, stored.Name = "default", "pod"
	}
	v1.SetObjectDefaults_Pod(stored)
	out := &core.Pod{}
	if err := v1.Convert_v1_Pod_To_core_Pod(stored, out, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
