package translate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// ephemeralStorage asks for the disk space that the containers request beyond
// what every group has, where the cloud can give more. An option that asks for
// more than that stays.
func (t *translation) ephemeralStorage(o *cloudapi.Options) {
	asked := ephemeralRequest(t.pod)
	has := int64(t.limits.EphemeralStorageGiB)
	more := ceilDivide(wholeBytes(asked), gibibyte) - has
	if !t.limits.Can.EphemeralStorage || more <= int64(o.EphemeralStorageGiB) {
		return
	}
	path := field.NewPath("spec", "containers")
	if most := t.limits.Options["ephemeral-storage"].Max; most > 0 && more > most {
		t.refusef(path, "the containers ask for %s of disk space; a group has at most %d GiB", asked.String(), has+most)
		return
	}
	o.EphemeralStorageGiB = int(more)
	t.changed(path, fmt.Sprintf("every group has %d GiB of disk space; the rest is asked for besides", has),
		asked.String(), fmt.Sprintf("%d and %d GiB", has, more))
}

// ephemeralRequest is the disk space that a pod's containers request together, or
// an init container if one requests more.
func ephemeralRequest(pod *corev1.Pod) resource.Quantity {
	request := func(c *corev1.Container) resource.Quantity {
		if q, asked := c.Resources.Requests[corev1.ResourceEphemeralStorage]; asked {
			return q
		}
		return c.Resources.Limits[corev1.ResourceEphemeralStorage] // as the API server fills it in
	}
	var out resource.Quantity
	for _, c := range LongRunning(pod) {
		out.Add(request(c))
	}
	for i := range pod.Spec.InitContainers {
		if q := request(&pod.Spec.InitContainers[i]); q.Cmp(out) > 0 {
			out = q
		}
	}
	return out
}
