package translate

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestQOSClass: the values are what Kubernetes' own ComputePodQOS gives
// (pkg/apis/core/v1/helper/qos).
func TestQOSClass(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		out := corev1.ResourceList{}
		if cpu != "" {
			out["cpu"] = resource.MustParse(cpu)
		}
		if memory != "" {
			out["memory"] = resource.MustParse(memory)
		}
		return out
	}
	all := func(l corev1.ResourceList) corev1.ResourceRequirements {
		return corev1.ResourceRequirements{Limits: l, Requests: l}
	}
	some := func(requests, limits corev1.ResourceList) corev1.ResourceRequirements {
		return corev1.ResourceRequirements{Limits: limits, Requests: requests}
	}
	none := corev1.ResourceRequirements{}
	for name, c := range map[string]struct {
		reason     string
		whole      *corev1.ResourceRequirements
		containers []corev1.ResourceRequirements
		want       corev1.PodQOSClass
	}{
		"Nothing":        {"nothing is asked for", nil, []corev1.ResourceRequirements{none}, "BestEffort"},
		"Zero":           {"nor is by 0", nil, []corev1.ResourceRequirements{all(list("0", "0"))}, "BestEffort"},
		"Guaranteed":     {"limits are requests", nil, []corev1.ResourceRequirements{all(list("1", "1Gi")), all(list("2", "1Gi"))}, "Guaranteed"},
		"OneWithout":     {"a container has none", nil, []corev1.ResourceRequirements{all(list("1", "1Gi")), none}, "Burstable"},
		"Less":           {"a request is less than its limit", nil, []corev1.ResourceRequirements{some(list("1", "1Gi"), list("2", "1Gi"))}, "Burstable"},
		"RequestsOnly":   {"there is no limit", nil, []corev1.ResourceRequirements{some(list("1", "1Gi"), nil)}, "Burstable"},
		"OtherResources": {"only CPU and memory count", nil, []corev1.ResourceRequirements{some(nil, corev1.ResourceList{"example.com/x": resource.MustParse("1")})}, "BestEffort"},
		"Pod":            {"the pod's own decide, whatever its containers have", ptrTo(all(list("1", "1Gi"))), []corev1.ResourceRequirements{none}, "Guaranteed"},
		"PodLess": {"a request of the pod is less than its limit", ptrTo(some(list("1", "1Gi"), list("2", "1Gi"))),
			[]corev1.ResourceRequirements{all(list("1", "1Gi"))}, "Burstable"},
		"PodHalf":         {"the pod has no limit of memory", ptrTo(all(list("1", ""))), []corev1.ResourceRequirements{all(list("1", "1Gi"))}, "Burstable"},
		"PodRequestsOnly": {"the pod has requests alone", ptrTo(some(list("1", "1Gi"), nil)), []corev1.ResourceRequirements{all(list("1", "1Gi"))}, "Burstable"},
		"PodNothing":      {"the pod has an empty list", ptrTo(none), []corev1.ResourceRequirements{all(list("1", "1Gi"))}, "BestEffort"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Resources: c.whole}}
			for _, r := range c.containers {
				pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Resources: r})
			}
			if got := qosClass(pod); got != c.want {
				t.Errorf("%s: %s, want %s", c.reason, got, c.want)
			}
		})
	}
}

func ptrTo[T any](v T) *T { return &v }
