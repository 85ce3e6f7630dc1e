package translate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// Waiting is the status of a pod that waits for something of ours: Pending,
// every container waiting with this reason, such as
// ReasonCreateContainerConfigError. A pod that has ended stays as it is.
func Waiting(pod *corev1.Pod, reason, message string, now time.Time) corev1.PodStatus {
	w := newStatusWriter(pod, nil, now, StatusOptions{})
	if isTerminal(pod.Status.Phase) {
		return *pod.Status.DeepCopy()
	}
	w.containers()
	for _, list := range [][]corev1.ContainerStatus{w.status.InitContainerStatuses, w.status.ContainerStatuses} {
		for i := range list {
			if list[i].State.Waiting != nil {
				list[i].State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
			}
		}
	}
	w.phase()
	w.conditions()
	return w.status
}

// Rejected is the status of a pod that can never run on this cloud: Failed, as
// a kubelet fails a pod that it does not admit. No container ever was.
func Rejected(pod *corev1.Pod, refused *Refused, now time.Time) corev1.PodStatus {
	if isTerminal(pod.Status.Phase) {
		return *pod.Status.DeepCopy()
	}
	w := newStatusWriter(pod, nil, now, StatusOptions{})
	w.status.Phase = corev1.PodFailed
	w.status.Reason = ReasonUnsupported
	w.status.Message = "Pod was rejected: " + refused.Error()
	w.conditions()
	return w.status
}

// Lost is the status of a pod whose group has vanished from the cloud without
// a word: Failed, every container whose end nobody saw ended with code 137.
func Lost(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	if isTerminal(pod.Status.Phase) {
		return *pod.Status.DeepCopy()
	}
	w := newStatusWriter(pod, nil, now, StatusOptions{})
	w.containers()
	w.end()
	w.status.Phase = corev1.PodFailed
	w.status.Reason = ReasonGroupLost
	w.status.Message = "The container group of this pod no longer exists in the cloud"
	w.conditions()
	return w.status
}

// Terminated is the last status of a pod that was deleted and whose group has
// ended: group is the last that is known of it, or nil. Succeeded if all
// containers ended well, else Failed; a container whose end nobody saw counts
// as failed with code 137.
func Terminated(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
	w := newStatusWriter(pod, group, now, StatusOptions{})
	w.addresses()
	w.containers()
	w.end()
	w.phase()
	if !isTerminal(w.status.Phase) {
		w.status.Phase = corev1.PodFailed
		if allSucceeded(w.status.ContainerStatuses) {
			w.status.Phase = corev1.PodSucceeded
		}
		w.status.Reason, w.status.Message = "", ""
	}
	w.group = nil // nothing can start any more
	w.conditions()
	return w.status
}

// end ends every container that may have run, by the kubelet's rules for a pod
// that is over: all containers of a pod that was initialized; of init
// containers those up to the last that was ever started, and the first anyway.
func (w *statusWriter) end() {
	s := &w.status
	if wasInitialized(w.pod, s) {
		for i := range s.ContainerStatuses {
			w.endOne(&s.ContainerStatuses[i])
		}
	}
	attempted := 0
	for i, cs := range s.InitContainerStatuses {
		if i == 0 || cs.State.Waiting == nil || cs.LastTerminationState.Terminated != nil {
			attempted = i + 1
		}
	}
	for i := range attempted {
		w.endOne(&s.InitContainerStatuses[i])
	}
}

func (w *statusWriter) endOne(cs *corev1.ContainerStatus) {
	if cs.State.Terminated != nil {
		return
	}
	cs.State = w.lostState(&cs.State)
	cs.State.Terminated.ContainerID = cs.ContainerID
	started := false
	cs.Started, cs.Ready = &started, false
}

// wasInitialized tells whether containers may have been started.
func wasInitialized(pod *corev1.Pod, s *corev1.PodStatus) bool {
	if len(pod.Spec.InitContainers) == 0 || hasStarted(s.ContainerStatuses) {
		return true
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if isRestartable(c) {
			continue
		}
		cs := findStatus(s.InitContainerStatuses, c.Name)
		if cs == nil {
			return false
		}
		if end := lastEnd(*cs); end == nil || end.ExitCode != 0 {
			return false
		}
	}
	return true
}

func allSucceeded(statuses []corev1.ContainerStatus) bool {
	for _, cs := range statuses {
		if cs.State.Terminated == nil || cs.State.Terminated.ExitCode != 0 {
			return false
		}
	}
	return len(statuses) > 0
}
