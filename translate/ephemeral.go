package translate

import (
	corev1 "k8s.io/api/core/v1"
)

const (
	// ReasonNotStarted is why an ephemeral container has ended: it never began.
	// It is the word of container runtimes for a container that they cannot start.
	ReasonNotStarted = "ContainerCannotRun"
	// MessageNoEphemeral says why.
	MessageNoEphemeral = "a container cannot be added to a container group that runs: no cloud has a call for that; " +
		"kubectl exec runs a command in one of the pod's own containers"
	// exitCodeNotStarted is what container runtimes report of such a container.
	exitCodeNotStarted = 128
)

// ephemeral tells of every ephemeral container that it has ended without having
// begun. To leave it waiting would have its user wait for ever: nothing can bring
// it to run.
func (w *statusWriter) ephemeral() {
	s := &w.status
	s.EphemeralContainerStatuses = nil
	for i := range w.pod.Spec.EphemeralContainers {
		c := &w.pod.Spec.EphemeralContainers[i].EphemeralContainerCommon
		if old := findStatus(w.old.EphemeralContainerStatuses, c.Name); old != nil && old.State.Terminated != nil {
			s.EphemeralContainerStatuses = append(s.EphemeralContainerStatuses, *old.DeepCopy())
			continue
		}
		s.EphemeralContainerStatuses = append(s.EphemeralContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: exitCodeNotStarted, Reason: ReasonNotStarted, Message: MessageNoEphemeral,
				StartedAt: w.now, FinishedAt: w.now,
			}},
		})
	}
}
