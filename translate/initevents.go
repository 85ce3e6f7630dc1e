package translate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// The kubelet's reasons of events that tell of a container's life; the clouds'
// agents use the same.
const (
	eventStarted = "Started"
	eventBackOff = "BackOff"
)

// messageEndHidden stands in the end of an init container that the cloud tells
// nothing of.
const messageEndHidden = "The cloud does not tell how init containers end"

// event is the last event of a reason that names a container, nil if there is
// none.
func (w *statusWriter) event(reason, container string) *cloudapi.Event {
	if w.group == nil {
		return nil
	}
	var last *cloudapi.Event
	for i := range w.group.Events {
		e := &w.group.Events[i]
		if e.Reason == reason && e.Object == container && (last == nil || !e.LastTime.Before(last.LastTime)) {
			last = e
		}
	}
	return last
}

// started is the event of a container's starts; its LastTime is that of the
// present one and its Count how many there were.
func (w *statusWriter) started(container string) *cloudapi.Event {
	return w.event(eventStarted, container)
}

// nextStarted is the event of the first start of an init container after this
// one, nil if none has started. Sidecars have states of their own.
func (w *statusWriter) nextStarted(container string) *cloudapi.Event {
	after := false
	for i := range w.pod.Spec.InitContainers {
		c := &w.pod.Spec.InitContainers[i]
		if started := w.started(c.Name); after && started != nil && !isRestartable(c) {
			return started
		}
		after = after || c.Name == container
	}
	return nil
}

// tried writes the state of an init container that has started and of which
// nothing shows that it has ended well: it runs, or waits after it failed.
func (w *statusWriter) tried(out *corev1.ContainerStatus, started *cloudapi.Event) {
	begun := started.LastTime
	out.RestartCount = max(out.RestartCount, started.Count-1)
	waits := w.event(eventBackOff, out.Name)
	if waits == nil || waits.LastTime.Before(begun) {
		if out.RestartCount > 0 {
			w.failedBefore(out, w.lastStart(out, started), begun)
		}
		out.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: w.timeOr(begun)}}
		return
	}
	w.failedBefore(out, begun, waits.LastTime)
	out.State = w.waiting(cloudapi.RunState{Message: waits.Message})
}

// lastStart is when the run before the present one began, as far as is known.
func (w *statusWriter) lastStart(out *corev1.ContainerStatus, started *cloudapi.Event) time.Time {
	switch {
	case out.State.Running != nil && out.State.Running.StartedAt.Time.Before(started.LastTime):
		return out.State.Running.StartedAt.Time
	case out.LastTerminationState.Terminated != nil:
		return out.LastTerminationState.Terminated.StartedAt.Time
	default:
		return started.FirstTime
	}
}

// failedBefore writes the end of a run that began at start, unless it is written
// already. Its exit code is what a kubelet tells of an end that it did not see.
func (w *statusWriter) failedBefore(out *corev1.ContainerStatus, start, end time.Time) {
	if last := out.LastTerminationState.Terminated; last != nil && !last.StartedAt.Time.Before(start.Truncate(time.Second)) {
		return
	}
	out.LastTerminationState = corev1.ContainerState{Terminated: w.terminated(cloudapi.RunState{
		ExitCode: exitCodeUnknown, Reason: reasonStatusUnknown, Message: messageEndHidden,
		StartedAt: start, FinishedAt: end,
	}, nil)}
}
