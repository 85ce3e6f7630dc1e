package translate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// initContainer is the status of one init container. Where the cloud tells
// nothing of it, it is inferred: once the group runs or one of its containers
// has started, all init containers have ended well, for that is when
// containers start; and once one has started, those before it have. Which one
// has started, events tell; without any they wait. If the group fails before,
// the first one that has not ended is taken for the culprit.
func (w *statusWriter) initContainer(
	c *corev1.Container, seen *cloudapi.ContainerState, old *corev1.ContainerStatus,
) corev1.ContainerStatus {
	hidden := seen == nil || !isKnown(seen.Current.Kind)
	if !hidden {
		return w.container(c, seen, old)
	}
	out := corev1.ContainerStatus{Name: c.Name, Image: c.Image}
	if old != nil {
		out = *old.DeepCopy()
	}
	switch {
	case out.State.Terminated != nil && (out.State.Terminated.ExitCode == 0 || !w.isInitialized()):
	case w.nextStarted(c.Name) != nil:
		w.endedWell(&out, w.nextStarted(c.Name).FirstTime)
	case w.isInitialized():
		w.endedWell(&out, w.startOfContainers())
	case w.group != nil && w.group.Status.Final() && w.isFirstOpen():
		if started := w.started(c.Name); started != nil {
			w.tried(&out, started)
		}
		out.State = w.lostState(&out.State)
	case w.started(c.Name) != nil:
		w.tried(&out, w.started(c.Name))
	default:
		w.unseen(&out, old)
	}
	w.identify(&out, nil)
	w.setAllocated(&out, c)
	return out
}

// endedWell ends an init container at the time when what waited for it began.
func (w *statusWriter) endedWell(out *corev1.ContainerStatus, at time.Time) {
	run := cloudapi.RunState{FinishedAt: at}
	if started := w.started(out.Name); started != nil {
		w.tried(out, started)
		run.StartedAt = started.LastTime
	}
	if out.State.Running == nil {
		run.StartedAt = firstTime(run.StartedAt, w.groupCreated(run.FinishedAt))
	}
	if out.State.Terminated != nil { // an earlier try, which failed
		out.LastTerminationState = *out.State.DeepCopy()
	}
	out.State = corev1.ContainerState{Terminated: w.terminated(run, &corev1.ContainerState{Running: out.State.Running})}
}

// isInitialized tells whether the init containers must have ended well. That the
// group runs may mean no more than that its machine does, when every container
// waits for them.
func (w *statusWriter) isInitialized() bool {
	switch {
	case hasStarted(w.status.ContainerStatuses):
		return true
	case w.group == nil:
		return false
	default:
		return w.group.Status == cloudapi.StatusSucceeded || w.group.Status == cloudapi.StatusRunning && !w.awaitsInit()
	}
}

// awaitsInit tells whether the cloud says of every container that it waits for
// the init containers.
func (w *statusWriter) awaitsInit() bool {
	for i := range w.pod.Spec.Containers {
		state := findState(w.group.Containers, w.pod.Spec.Containers[i].Name)
		if state == nil || state.Current.Kind != cloudapi.RunWaiting || state.Current.Reason != reasonPodInitializing {
			return false
		}
	}
	return len(w.pod.Spec.Containers) > 0
}

// isFirstOpen tells whether all init containers written so far ended well, so
// that the next one is the one that did not.
func (w *statusWriter) isFirstOpen() bool {
	for _, cs := range w.status.InitContainerStatuses {
		if isSidecar(w.pod, cs.Name) {
			continue
		}
		if cs.State.Terminated == nil || cs.State.Terminated.ExitCode != 0 {
			return false
		}
	}
	return true
}

// startOfContainers is when the first container started, as far as is known.
func (w *statusWriter) startOfContainers() time.Time {
	var first time.Time
	for _, cs := range w.status.ContainerStatuses {
		var t time.Time
		switch {
		case cs.LastTerminationState.Terminated != nil:
			t = cs.LastTerminationState.Terminated.StartedAt.Time
		case cs.State.Running != nil:
			t = cs.State.Running.StartedAt.Time
		case cs.State.Terminated != nil:
			t = cs.State.Terminated.StartedAt.Time
		}
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return firstTime(first, w.now.Time)
}

func (w *statusWriter) groupCreated(fallback time.Time) time.Time {
	if w.group == nil {
		return fallback
	}
	return firstTime(w.group.CreatedAt, fallback)
}

// hasStarted tells whether one of the containers runs or ever ran.
func hasStarted(statuses []corev1.ContainerStatus) bool {
	for _, cs := range statuses {
		if cs.State.Waiting == nil || cs.LastTerminationState.Terminated != nil || cs.RestartCount > 0 {
			return true
		}
	}
	return false
}
