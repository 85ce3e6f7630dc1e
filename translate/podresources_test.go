package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/translate"
)

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
	if spec.CPU != 2 || spec.Memory != 1 || app.CPU != 0 || app.Memory != 1 {
		t.Errorf("group %v cores and %v GiB, container %v and %v; want 2 and 1, 0 (any) and 1", spec.CPU, spec.Memory, app.CPU, app.Memory)
	}
	want := []translate.Note{{
		Field: "spec.containers[0].resources.requests[memory]", Decision: translate.DecisionChanged,
		Reason: "without a limit the request is the limit too", Asked: "no limit", Sold: "1Gi",
	}}
	if diff := cmp.Diff(want, report.Notes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
