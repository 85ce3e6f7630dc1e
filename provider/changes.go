package provider

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/translate"
)

// reasonResize is the kubelet's word for a resize that a node cannot carry out.
const reasonResize = "ResizeInfeasible"

// tellChanges says as events what a status that has just been written tells for
// the first time and its reader might not look for. What the API server has of
// the pod remembers, across processes, what was told.
func (p *Provider) tellChanges(pod *corev1.Pod, after *corev1.PodStatus) {
	before := &pod.Status
	if c := conditionOf(after, corev1.PodResizePending); c != nil {
		if old := conditionOf(before, corev1.PodResizePending); old == nil || old.ObservedGeneration != c.ObservedGeneration {
			p.Recorder.Event(pod, corev1.EventTypeWarning, reasonResize, c.Message)
		}
	}
	if c := conditionOf(after, corev1.DisruptionTarget); c != nil && conditionOf(before, corev1.DisruptionTarget) == nil {
		p.Recorder.Event(pod, corev1.EventTypeWarning, string(corev1.DisruptionTarget), c.Message)
	}
	for i := range after.EphemeralContainerStatuses {
		name := after.EphemeralContainerStatuses[i].Name
		known := func(cs corev1.ContainerStatus) bool { return cs.Name == name }
		if !slices.ContainsFunc(before.EphemeralContainerStatuses, known) {
			p.tellOfContainer(pod, name, corev1.EventTypeWarning, "Failed",
				fmt.Sprintf("Error: ephemeral container %s is not started: %s", name, translate.MessageNoEphemeral))
		}
	}
	for _, name := range translate.Abandoned(pod, before, after) {
		p.tellOfContainer(pod, name, corev1.EventTypeWarning, reasonSidecarLost, fmt.Sprintf(
			"Sidecar %s has ended and is not started again: a container group has one restart policy for all containers, which is %s",
			name, pod.Spec.RestartPolicy))
	}
}

func conditionOf(s *corev1.PodStatus, kind corev1.PodConditionType) *corev1.PodCondition {
	i := slices.IndexFunc(s.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &s.Conditions[i]
}
