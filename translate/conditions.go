package translate

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// The kubelet's reasons of conditions.
const (
	reasonUnknownStatuses   = "UnknownContainerStatuses"
	reasonPodCompleted      = "PodCompleted"
	reasonPodFailed         = "PodFailed"
	reasonContainersUnready = "ContainersNotReady"
	reasonNotInitialized    = "ContainersNotInitialized"
	reasonGatesNotReady     = "ReadinessGatesNotReady"
)

// conditions writes the conditions that a kubelet owns, in their places.
// Conditions of others are kept, and a transition time moves only when the
// status of its condition does.
func (w *statusWriter) conditions() {
	for _, c := range w.ownConditions() {
		c.ObservedGeneration = w.status.ObservedGeneration
		c.LastTransitionTime = w.now
		i := slices.IndexFunc(w.status.Conditions, func(o corev1.PodCondition) bool { return o.Type == c.Type })
		if i < 0 {
			w.status.Conditions = append(w.status.Conditions, c)
			continue
		}
		if old := w.status.Conditions[i]; old.Status == c.Status && !old.LastTransitionTime.IsZero() {
			c.LastTransitionTime = old.LastTransitionTime
		}
		w.status.Conditions[i] = c
	}
}

// ownConditions are those that hold; what held before and is not among them is
// dropped where that says something.
func (w *statusWriter) ownConditions() []corev1.PodCondition {
	ready := w.containersReady()
	own := []corev1.PodCondition{
		{Type: corev1.PodReadyToStartContainers, Status: conditionStatus(w.hasSandbox())},
		w.initialized(),
		w.podReady(ready),
		ready,
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	}
	if c := w.resizePending(); c != nil {
		own = append(own, *c)
	} else {
		w.drop(corev1.PodResizePending)
	}
	if c := w.publicAddress(); c != nil {
		own = append(own, *c)
	}
	if c := w.disruption(); c != nil && !w.isDisrupted() {
		own = append(own, *c)
	}
	return own
}

func conditionStatus(yes bool) corev1.ConditionStatus {
	if yes {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// hasSandbox tells whether containers can start: the group has an address and
// has not ended.
func (w *statusWriter) hasSandbox() bool {
	return w.group != nil && !w.group.Status.Final() && !isTerminal(w.status.Phase) && w.status.PodIP != ""
}

func (w *statusWriter) initialized() corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	unknown, incomplete := w.uninitialized()
	switch {
	case w.status.Phase == corev1.PodSucceeded && len(unknown) == 0:
		c.Reason = reasonPodCompleted
	case hasStarted(w.status.ContainerStatuses):
	case len(unknown)+len(incomplete) > 0:
		c.Status, c.Reason = corev1.ConditionFalse, reasonNotInitialized
		c.Message = containersMessage(unknown, "incomplete", incomplete)
	}
	return c
}

func (w *statusWriter) containersReady() corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}
	unknown, waiting := w.unready()
	switch {
	case w.status.Phase == corev1.PodFailed:
		c.Reason = reasonPodFailed
	case w.status.Phase == corev1.PodSucceeded:
		c.Reason = reasonPodCompleted
	case w.status.ContainerStatuses == nil:
		c.Reason = reasonUnknownStatuses
	case len(unknown)+len(waiting) > 0:
		c.Reason, c.Message = reasonContainersUnready, containersMessage(unknown, "unready", waiting)
	default:
		c.Status = corev1.ConditionTrue
	}
	return c
}

// podReady is true when the containers are ready and so says every condition
// that a readiness gate names.
func (w *statusWriter) podReady(containers corev1.PodCondition) corev1.PodCondition {
	c := containers
	c.Type = corev1.PodReady
	if c.Status != corev1.ConditionTrue {
		return c
	}
	var messages []string
	for _, gate := range w.pod.Spec.ReadinessGates {
		i := slices.IndexFunc(w.status.Conditions, func(o corev1.PodCondition) bool { return o.Type == gate.ConditionType })
		switch {
		case i < 0:
			messages = append(messages, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType))
		case w.status.Conditions[i].Status != corev1.ConditionTrue:
			messages = append(messages, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v",
				gate.ConditionType, w.status.Conditions[i].Status))
		}
	}
	if len(messages) > 0 {
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, reasonGatesNotReady, strings.Join(messages, ", ")
	}
	return c
}

// unready lists sidecars and containers without a status, and those that are not
// ready.
func (w *statusWriter) unready() (unknown, waiting []string) {
	for _, c := range LongRunning(w.pod) {
		switch cs := w.statusOf(c.Name); {
		case cs == nil:
			unknown = append(unknown, c.Name)
		case !cs.Ready:
			waiting = append(waiting, c.Name)
		}
	}
	return unknown, waiting
}

// uninitialized lists init containers without a status, and those that have not
// succeeded or, if they are sidecars, not started.
func (w *statusWriter) uninitialized() (unknown, incomplete []string) {
	for i := range w.pod.Spec.InitContainers {
		c := &w.pod.Spec.InitContainers[i]
		switch cs := findStatus(w.status.InitContainerStatuses, c.Name); {
		case cs == nil:
			unknown = append(unknown, c.Name)
		case isRestartable(c) && !isTrue(cs.Started), !isRestartable(c) && !cs.Ready:
			incomplete = append(incomplete, c.Name)
		}
	}
	return unknown, incomplete
}

// statusOf is what has been written of a container or init container.
func (w *statusWriter) statusOf(name string) *corev1.ContainerStatus {
	if cs := findStatus(w.status.ContainerStatuses, name); cs != nil {
		return cs
	}
	return findStatus(w.status.InitContainerStatuses, name)
}

func containersMessage(unknown []string, what string, others []string) string {
	var parts []string
	if len(unknown) > 0 {
		parts = append(parts, fmt.Sprintf("containers with unknown status: %s", unknown))
	}
	if len(others) > 0 {
		parts = append(parts, fmt.Sprintf("containers with %s status: %s", what, others))
	}
	return strings.Join(parts, ", ")
}
