package translate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// Failed is the status of a pod that is failed from here, for this reason, not
// by its containers: because its deadline has passed, or because the cloud
// rejects it for good. group is the last that is known of it, or nil; its
// containers are told as they are, and end when it does.
func Failed(pod *corev1.Pod, group *cloudapi.Group, reason, message string, now time.Time) corev1.PodStatus {
	// A pod that has ended otherwise stays as it ended; one that was failed
	// from here before still learns how its containers end.
	failedHere := pod.Status.Phase == corev1.PodFailed && pod.Status.Reason == reason
	if isTerminal(pod.Status.Phase) && !failedHere {
		return *pod.Status.DeepCopy()
	}
	w := newStatusWriter(pod, group, now, StatusOptions{})
	if group != nil {
		w.addresses()
		w.containers()
	}
	w.status.Phase = corev1.PodFailed
	w.status.Reason, w.status.Message = reason, message
	w.conditions()
	return w.status
}
