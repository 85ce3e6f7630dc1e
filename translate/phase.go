package translate

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// The reasons of a pod that failed as a whole.
const (
	// ReasonGroupExpired: a preemptible group was reclaimed, or the account is in
	// arrears.
	ReasonGroupExpired = "ContainerGroupExpired"
	// ReasonGroupFailed: the cloud calls the group failed, and neither it
	// nor a container's exit code says why.
	ReasonGroupFailed = "ContainerGroupFailed"
	// ReasonGroupLost: the group vanished from the cloud.
	ReasonGroupLost = "ContainerGroupLost"
	// ReasonUnsupported: the pod asks for what the cloud cannot do.
	ReasonUnsupported = "UnsupportedPodSpec"
)

// phase sets phase, reason and message.
//
//	group                        phase
//	none yet                     Pending
//	Scheduling .. Updating       from the containers, as a kubelet does
//	Terminating, Unknown         as it was
//	Succeeded                    Succeeded, or Failed if a container failed
//	Failed                       Failed, or Succeeded if only sidecars failed
//	Expired                      Failed
//
// A phase never leaves Succeeded and Failed, and never goes back to Pending.
func (w *statusWriter) phase() {
	s := &w.status
	if isTerminal(w.old.Phase) {
		return
	}
	s.Phase = w.newPhase()
	if w.old.Phase == corev1.PodRunning && s.Phase == corev1.PodPending {
		s.Phase = corev1.PodRunning
	}
	switch {
	case w.group == nil:
	case s.Phase == corev1.PodFailed:
		s.Reason, s.Message = w.failure()
	case s.Phase == corev1.PodPending:
		s.Reason, s.Message = w.group.Reason, w.group.Message
	case s.Phase != w.old.Phase:
		s.Reason, s.Message = "", ""
	}
}

func (w *statusWriter) newPhase() corev1.PodPhase {
	if w.group == nil {
		return orDefault(w.old.Phase, corev1.PodPending)
	}
	switch w.group.Status {
	case cloudapi.StatusSucceeded:
		if hasFailed(w.status.ContainerStatuses) {
			return corev1.PodFailed
		}
		return corev1.PodSucceeded
	case cloudapi.StatusFailed:
		// How a sidecar ends does not matter to the pod, though it does to its
		// group; why the cloud ended the group does.
		if w.group.Reason == "" && len(Sidecars(w.pod)) > 0 && allSucceeded(w.status.ContainerStatuses) {
			return corev1.PodSucceeded
		}
		return corev1.PodFailed
	case cloudapi.StatusExpired:
		return corev1.PodFailed
	case cloudapi.StatusTerminating, cloudapi.StatusUnknown:
		return orDefault(w.old.Phase, corev1.PodPending)
	default:
		return w.containersPhase()
	}
}

// failure says why a pod failed: as the cloud says, else nothing if a
// container's exit code speaks for itself.
func (w *statusWriter) failure() (reason, message string) {
	g := w.group
	switch {
	case g.Reason != "" || g.Message != "":
		return orDefault(g.Reason, ReasonGroupFailed), g.Message
	case g.Status == cloudapi.StatusExpired:
		return ReasonGroupExpired, messageExpired
	case explainsFailure(w.status.ContainerStatuses) || explainsFailure(w.status.InitContainerStatuses):
		return "", ""
	}
	return ReasonGroupFailed, "The cloud reports the container group as " + orDefault(g.RawStatus, string(g.Status))
}

// containersPhase is the phase that a kubelet computes from the states of
// containers.
func (w *statusWriter) containersPhase() corev1.PodPhase {
	sidecars := 0 // those that run
	for i := range w.pod.Spec.InitContainers {
		c := &w.pod.Spec.InitContainers[i]
		cs := findStatus(w.status.InitContainerStatuses, c.Name)
		switch {
		case cs == nil:
			return corev1.PodPending
		case isRestartable(c):
			if isWaiting(*cs) || cs.State.Running != nil && !isTrue(cs.Started) && !hasStarted(w.status.ContainerStatuses) {
				return corev1.PodPending
			}
			if cs.State.Running != nil {
				sidecars++
			}
			continue
		}
		switch end := lastEnd(*cs); {
		case end == nil:
			return corev1.PodPending
		case end.ExitCode != 0 && !restarts(w.pod, end.ExitCode):
			return corev1.PodFailed
		}
	}
	return w.mainPhase(sidecars)
}

// isWaiting tells whether a container has never run.
func isWaiting(cs corev1.ContainerStatus) bool {
	return cs.State.Running == nil && lastEnd(cs) == nil
}

// mainPhase is the phase of an initialized pod; sidecars of it run beside its
// containers.
func (w *statusWriter) mainPhase(sidecars int) corev1.PodPhase {
	running, stopped, final, succeeded := sidecars, 0, 0, 0
	for _, cs := range w.status.ContainerStatuses {
		end := lastEnd(cs)
		switch {
		case cs.State.Running != nil:
			running++
		case end == nil:
			return corev1.PodPending
		default:
			stopped++
			if !restarts(w.pod, end.ExitCode) {
				final++
			}
			if cs.State.Terminated != nil && end.ExitCode == 0 {
				succeeded++
			}
		}
	}
	switch {
	case running+stopped == 0:
		return corev1.PodPending
	case running > 0 || stopped != final:
		return corev1.PodRunning
	case stopped == succeeded:
		return corev1.PodSucceeded
	default:
		return corev1.PodFailed
	}
}

// lastEnd is how a container that does not run ended; nil if it runs or never
// ran.
func lastEnd(cs corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	switch {
	case cs.State.Running != nil:
		return nil
	case cs.State.Terminated != nil:
		return cs.State.Terminated
	default:
		return cs.LastTerminationState.Terminated
	}
}

func hasFailed(statuses []corev1.ContainerStatus) bool {
	for _, cs := range statuses {
		if end := cs.State.Terminated; end != nil && end.ExitCode != 0 {
			return true
		}
	}
	return false
}

// explainsFailure tells whether a container was seen to fail; an exit code that
// was made up explains nothing.
func explainsFailure(statuses []corev1.ContainerStatus) bool {
	for _, cs := range statuses {
		if end := cs.State.Terminated; end != nil && end.ExitCode != 0 && end.Reason != reasonStatusUnknown {
			return true
		}
	}
	return false
}

func isTerminal(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}
