package translate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// qosClass is the pod's quality of service: Guaranteed if every container has
// limits for CPU and memory and the pod's requests are the same; BestEffort if
// there is neither limit nor request; Burstable otherwise. Where the pod as a
// whole has resources, they decide instead of its containers'. The API server
// writes it at creation, so that this is for pods that have no status at all.
func qosClass(pod *corev1.Pod) corev1.PodQOSClass {
	requests, limits := map[corev1.ResourceName]*resource.Quantity{}, map[corev1.ResourceName]*resource.Quantity{}
	limited := true
	for _, r := range deciding(pod) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			addPositive(requests, name, r.Requests)
			if !addPositive(limits, name, r.Limits) {
				limited = false
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

// deciding are the resources by which a pod has its class.
func deciding(pod *corev1.Pod) []corev1.ResourceRequirements {
	if pod.Spec.Resources != nil {
		return []corev1.ResourceRequirements{*pod.Spec.Resources}
	}
	var out []corev1.ResourceRequirements
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			out = append(out, list[i].Resources)
		}
	}
	return out
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
