package translate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// qosClass is the pod's quality of service: Guaranteed if every container has
// limits for CPU and memory and the pod's requests are the same; BestEffort if
// there is neither limit nor request; Burstable otherwise. The API server
// writes it at creation, so that this is for pods that have no status at all.
func qosClass(pod *corev1.Pod) corev1.PodQOSClass {
	compute := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}
	requests, limits := map[corev1.ResourceName]*resource.Quantity{}, map[corev1.ResourceName]*resource.Quantity{}
	limited := true
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			for _, name := range compute {
				addPositive(requests, name, list[i].Resources.Requests)
				if !addPositive(limits, name, list[i].Resources.Limits) {
					limited = false
				}
			}
		}
	}
	if len(requests)+len(limits) == 0 {
		return corev1.PodQOSBestEffort
	}
	if !limited || len(requests) != len(limits) {
		return corev1.PodQOSBurstable
	}
	for name, r := range requests {
		if limits[name] == nil || limits[name].Cmp(*r) != 0 {
			return corev1.PodQOSBurstable
		}
	}
	return corev1.PodQOSGuaranteed
}

func addPositive(sum map[corev1.ResourceName]*resource.Quantity, name corev1.ResourceName, list corev1.ResourceList) bool {
	q, ok := list[name]
	if !ok || q.Sign() <= 0 {
		return false
	}
	if sum[name] == nil {
		sum[name] = &resource.Quantity{}
	}
	sum[name].Add(q)
	return true
}
