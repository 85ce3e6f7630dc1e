package translate

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// setAllocated tells what a container was given once there is a group, and how its
// volumes are mounted. A group is never resized, so that what was told first
// stays, also if the pod asks for more before the container has begun.
func (w *statusWriter) setAllocated(out *corev1.ContainerStatus, c *corev1.Container) {
	setMounts(out, c)
	sized := len(c.Resources.Requests)+len(c.Resources.Limits) > 0
	given := out.State.Waiting == nil || out.LastTerminationState.Terminated != nil || w.group != nil && sized
	// Of a container whose end was made up it is not known whether it began.
	end := out.State.Terminated
	if !given || out.Resources != nil || end != nil && end.Reason == reasonStatusUnknown {
		return
	}
	out.Resources = c.Resources.DeepCopy()
	out.AllocatedResources = c.Resources.Requests.DeepCopy()
}

// setMounts tells the container's mounts, which never change.
func setMounts(out *corev1.ContainerStatus, c *corev1.Container) {
	if out.VolumeMounts != nil {
		return
	}
	for _, m := range c.VolumeMounts {
		mount := corev1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
		if m.ReadOnly {
			mode := corev1.RecursiveReadOnlyDisabled
			if m.RecursiveReadOnly != nil && *m.RecursiveReadOnly == corev1.RecursiveReadOnlyEnabled {
				mode = corev1.RecursiveReadOnlyEnabled // the others are as if nothing had been said
			}
			mount.RecursiveReadOnly = &mode
		}
		out.VolumeMounts = append(out.VolumeMounts, mount)
	}
}

// resizePending is the condition of a pod whose containers ask for other
// resources than they were given; nil for other pods. Such a wish is
// never granted, and the pod runs on as it is: KCI has no call for it, and what
// becomes of running containers when ECI updates them is documented nowhere.
func (w *statusWriter) resizePending() *corev1.PodCondition {
	if isTerminal(w.status.Phase) {
		return nil
	}
	var names []string
	for _, list := range [][]corev1.Container{w.pod.Spec.InitContainers, w.pod.Spec.Containers} {
		for i := range list {
			if cs := w.statusOf(list[i].Name); cs != nil && cs.Resources != nil && !sameSize(&list[i].Resources, cs.Resources) {
				names = append(names, list[i].Name)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &corev1.PodCondition{
		Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: corev1.PodReasonInfeasible,
		Message: fmt.Sprintf("cumulet cannot change the size of a container group: %s keeps what was allocated; "+
			"a new pod gets what is asked for", strings.Join(names, ", ")),
	}
}

// sameSize compares what can be resized.
func sameSize(a, b *corev1.ResourceRequirements) bool {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if !equality.Semantic.DeepEqual(a.Limits[name], b.Limits[name]) || !equality.Semantic.DeepEqual(a.Requests[name], b.Requests[name]) {
			return false
		}
	}
	return true
}

// drop removes a condition that does not hold any more.
func (w *statusWriter) drop(kind corev1.PodConditionType) {
	w.status.Conditions = slices.DeleteFunc(w.status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
}
