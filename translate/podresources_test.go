package translate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// TestRequestAloneIsNoLimit: what a container asks for without a limit the group
// must hold, and of the group it may use what is there.
func TestRequestAloneIsNoLimit(t *testing.T) {
	pod := simplePod()
	pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{
		Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("1Gi")},
		Limits:   corev1.ResourceList{"memory": resource.MustParse("1Gi")},
	}
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "side", Image: "s", Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{"cpu": resource.MustParse("150m"), "memory": resource.MustParse("512Mi")},
	}})
	for name, limits := range map[string]cloudapi.Limits{"ECI": eciLimits(), "KCI": kciLimits()} {
		spec, report, err := translate.Group(pod, translate.References{}, options(limits))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		app, side := spec.Containers[0], spec.Containers[1]
		if app.CPU != 0 || app.Memory != 1 || side.CPU != 0 || side.Memory != 0 || spec.CPU < 0.25 || spec.Memory < 1.5 {
			t.Errorf("%s: containers have %v and %v, %v and %v, the group %v and %v; want 0 (any) and 1, 0 and 0, 0.25 and 1.5 at least",
				name, app.CPU, app.Memory, side.CPU, side.Memory, spec.CPU, spec.Memory)
		}
		for _, n := range report.Notes {
			if strings.Contains(n.Field, "resources") {
				t.Errorf("%s: %+v was told, though all is as it was asked for", name, n)
			}
		}
	}
}

// TestRequestBelowThePodsLimit: a container without a limit may use what its pod
// may, as the downward API tells it.
func TestRequestBelowThePodsLimit(t *testing.T) {
	pod := simplePod()
	pod.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("2")}}
	pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("1Gi")}
	spec, report, err := translate.Group(pod, translate.References{}, options(eciLimits()))
	if err != nil {
		t.Fatal(err)
	}
	app := spec.Containers[0]
	if spec.CPU != 2 || spec.Memory != 1 || app.CPU != 0 || app.Memory != 0 {
		t.Errorf("group %v cores and %v GiB, container %v and %v; want 2 and 1, 0 (any) and 0", spec.CPU, spec.Memory, app.CPU, app.Memory)
	}
	if diff := cmp.Diff([]translate.Note(nil), report.Notes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
