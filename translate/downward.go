package translate

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// podField resolves a fieldRef of a variable. For the pod's own address the
// value is left to the cloud: fieldPath is set then.
func (t *translation) podField(ref *corev1.ObjectFieldSelector, container string, path *field.Path) (value, fieldPath string, ok bool) {
	switch ref.FieldPath {
	case "spec.nodeName", "spec.host":
		return orDefault(t.pod.Spec.NodeName, t.opts.Node), "", true
	case "spec.serviceAccountName":
		return t.pod.Spec.ServiceAccountName, "", true
	case "status.hostIP", "status.hostIPs":
		if t.opts.HostIP == "" {
			t.miss(MissingReference{Kind: KindNode, Name: t.opts.Node, Container: container})
			return "", "", false
		}
		return t.opts.HostIP, "", true
	case "status.podIP", "status.podIPs":
		// Groups have one address, so that the list is the address.
		if !t.limits.Can.EnvPodIP {
			t.refusef(path, "%s: the cloud does not fill in the group's address", ref.FieldPath)
			return "", "", false
		}
		return "", cloudapi.FieldPodIP, true
	}
	value, ok = metadataField(t.pod, ref.FieldPath)
	if !ok {
		t.refusef(path, "unsupported fieldPath: %s", ref.FieldPath)
	}
	return value, "", ok
}

// metadataField resolves the field paths that variables and files share.
func metadataField(pod *corev1.Pod, fieldPath string) (string, bool) {
	switch fieldPath {
	case "metadata.name":
		return pod.Name, true
	case "metadata.namespace":
		return pod.Namespace, true
	case "metadata.uid":
		return string(pod.UID), true
	case "metadata.labels":
		return formatMap(pod.Labels), true
	case "metadata.annotations":
		return formatMap(pod.Annotations), true
	}
	if rest, ok := strings.CutSuffix(fieldPath, "']"); ok {
		base, key, found := strings.Cut(rest, "['")
		switch {
		case found && base == "metadata.labels":
			return pod.Labels[key], true
		case found && base == "metadata.annotations":
			return pod.Annotations[key], true
		}
	}
	return "", false
}

// formatMap writes labels or annotations as key="value" lines, sorted.
func formatMap(m map[string]string) string {
	lines := make([]string, 0, len(m))
	for _, k := range sortedKeys(m) {
		lines = append(lines, k+"="+strconv.Quote(m[k]))
	}
	return strings.Join(lines, "\n")
}

// resourceField resolves a resourceFieldRef: a request or limit of a container
// in units of the divisor, rounded up. A limit that is not set is the node's
// allocatable amount, as on a kubelet.
func (t *translation) resourceField(ref *corev1.ResourceFieldSelector, container string, path *field.Path) (string, bool) {
	if ref.ContainerName != "" {
		container = ref.ContainerName
	}
	c := findContainer(t.pod, container)
	if c == nil {
		t.refusef(path.Child("containerName"), "container %s not found", container)
		return "", false
	}
	side, name, _ := strings.Cut(ref.Resource, ".")
	var q resource.Quantity
	switch side {
	case "limits":
		q = c.Resources.Limits[corev1.ResourceName(name)]
		if q.IsZero() && !isHugePages(name) {
			q = t.wholeLimit(corev1.ResourceName(name))
		}
	case "requests":
		q = c.Resources.Requests[corev1.ResourceName(name)]
	}
	value, ok := inUnits(side, name, q, ref.Divisor)
	if !ok {
		t.refusef(path.Child("resource"), "unsupported container resource: %s", ref.Resource)
	}
	return value, ok
}

// wholeLimit is the limit of a container without one of its own: the pod's, else
// what the node has.
func (t *translation) wholeLimit(name corev1.ResourceName) resource.Quantity {
	if whole := t.pod.Spec.Resources; whole != nil && !whole.Limits.Name(name, resource.DecimalSI).IsZero() {
		return whole.Limits[name]
	}
	return t.opts.NodeAllocatable[name]
}

// inUnits divides and rounds up: CPU in thousandths of a core, everything else
// in whole bytes, before the division. ok is false for what containers cannot
// be asked of.
func inUnits(side, name string, q, divisor resource.Quantity) (value string, ok bool) {
	known := side == "limits" || side == "requests"
	switch corev1.ResourceName(name) {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
	default:
		known = known && isHugePages(name)
	}
	if !known {
		return "", false
	}
	if divisor.Sign() <= 0 {
		divisor = resource.MustParse("1")
	}
	amount, unit := wholeBytes(q), wholeBytes(divisor)
	if corev1.ResourceName(name) == corev1.ResourceCPU {
		amount, unit = milliCores(q), milliCores(divisor)
	}
	return strconv.FormatInt(ceilDivide(amount, unit), 10), true
}

// isHugePages tells whether a resource is huge pages. They are never
// overcommitted, so that a missing limit is none.
func isHugePages(name string) bool {
	return strings.HasPrefix(name, corev1.ResourceHugePagesPrefix)
}

func findContainer(pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i]
		}
	}
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == name {
			return &pod.Spec.InitContainers[i]
		}
	}
	return nil
}
