package translate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// podShare is what the group must hold when the pod as a whole asks for
// resources: its limit, else its request, but never less than its containers,
// whose own limits the cloud does not let go beyond the group's size.
func (t *translation) podShare(containers share) share {
	whole := t.pod.Spec.Resources
	if whole == nil {
		return containers
	}
	path := field.NewPath("spec", "resources")
	asked := share{
		cpu:    t.onePodResource(whole, corev1.ResourceCPU, milliCores, path),
		memory: t.onePodResource(whole, corev1.ResourceMemory, milliGiB, path),
	}
	out := containers.max(asked)
	if (asked.cpu > 0 && out.cpu > asked.cpu) || (asked.memory > 0 && out.memory > asked.memory) {
		t.changed(path, "the limits of the containers add up to more, and the group must hold them", asked.String(), out.String())
	}
	return out
}

// podLimits tells whether the pod as a whole has a limit of a resource.
func (t *translation) podLimits(name corev1.ResourceName) bool {
	whole := t.pod.Spec.Resources
	return whole != nil && whole.Limits.Name(name, resource.DecimalSI).Sign() > 0
}

func (t *translation) onePodResource(
	whole *corev1.ResourceRequirements, name corev1.ResourceName, measure func(resource.Quantity) int64, path *field.Path,
) int64 {
	limit, request := whole.Limits[name], whole.Requests[name]
	switch {
	case limit.Sign() > 0:
		t.rounded(path.Child("limits").Key(string(name)), name, limit, measure(limit))
		return measure(limit)
	case request.Sign() > 0:
		t.rounded(path.Child("requests").Key(string(name)), name, request, measure(request))
		return measure(request)
	}
	return 0
}
