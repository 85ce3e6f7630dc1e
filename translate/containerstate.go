package translate

import (
	"strings"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// The kubelet's words for the states of containers.
const (
	reasonContainerCreating = "ContainerCreating"
	reasonPodInitializing   = "PodInitializing"
	reasonCrashLoopBackOff  = "CrashLoopBackOff"
	reasonImagePullBackOff  = "ImagePullBackOff"
	reasonCompleted         = "Completed"
	reasonError             = "Error"
	reasonStatusUnknown     = "ContainerStatusUnknown"

	messageNotLocated = "The container could not be located when the pod was terminated"
	// exitCodeUnknown is what a kubelet reports for a container whose end
	// it did not see: that of a process ended by SIGKILL.
	exitCodeUnknown = 137
	// maxMessages is how many bytes the termination messages of all
	// containers of a pod may have, maxMessage those of one, by the kubelet's
	// rules.
	maxMessages = 12 * 1024
	maxMessage  = 4 * 1024
)

// container is the status of one container. seen is what the cloud tells, nil
// if nothing; old is what pod.Status says, nil if nothing.
func (w *statusWriter) container(c *corev1.Container, seen *cloudapi.ContainerState, old *corev1.ContainerStatus) corev1.ContainerStatus {
	out := corev1.ContainerStatus{Name: c.Name, Image: c.Image}
	if old != nil {
		out = *old.DeepCopy()
	}
	if seen == nil || !isKnown(seen.Current.Kind) {
		w.unseen(&out, old)
	} else {
		w.observed(&out, seen, old)
	}
	w.keepEnded(&out, old)
	w.endWithGroup(&out)
	w.identify(&out, seen)
	w.setAllocated(&out, c)
	return out
}

func isKnown(k cloudapi.RunKind) bool {
	return k == cloudapi.RunWaiting || k == cloudapi.RunRunning || k == cloudapi.RunTerminated
}

// unseen leaves a container as it was, or waiting if it never was anything.
func (w *statusWriter) unseen(out, old *corev1.ContainerStatus) {
	if old == nil || old.State.Running == nil && old.State.Terminated == nil {
		out.State = w.waiting(cloudapi.RunState{})
	}
}

// observed takes over what the cloud tells. Restart counts never fall, and no run
// comes back after its end.
func (w *statusWriter) observed(out *corev1.ContainerStatus, seen *cloudapi.ContainerState, old *corev1.ContainerStatus) {
	run := relate(seen, old)
	if run == runBefore {
		return
	}
	sameRun := run == runSame
	out.RestartCount = max(out.RestartCount, seen.RestartCount)
	if run == runAfter && old != nil && out.RestartCount == old.RestartCount { // the cloud counts anew
		out.RestartCount++
	}
	if seen.Image != "" {
		out.Image = seen.Image
	}
	if seen.ImageID != "" {
		out.ImageID = seen.ImageID
	}
	var before, last *corev1.ContainerState
	if old != nil && sameRun {
		before, last = &old.State, &old.LastTerminationState
	}
	out.State = w.state(seen.Current, before)
	w.lastTermination(out, seen, old, last)
	w.backsOff(out, seen)
}

// lastTermination tells the end of the run before: what the cloud tells of it, with
// missing times from what was written of it, or what was written of a run that is
// over now.
func (w *statusWriter) lastTermination(out *corev1.ContainerStatus, seen *cloudapi.ContainerState, old *corev1.ContainerStatus, last *corev1.ContainerState) {
	if last != nil && old.State.Terminated != nil && out.State.Terminated == nil {
		last = &old.State // it is the run that ended just now
	}
	switch {
	case seen.Previous != nil && seen.Previous.Kind == cloudapi.RunTerminated:
		out.LastTerminationState = w.state(*seen.Previous, last)
	case old != nil && old.State.Terminated != nil && (out.State.Terminated == nil || last == nil):
		out.LastTerminationState = *old.State.DeepCopy()
	}
}

// backsOff words a wait for which the cloud gives no reason and that follows the
// end of a run. A group that is restarted or updated as a whole does not back off.
func (w *statusWriter) backsOff(out *corev1.ContainerStatus, seen *cloudapi.ContainerState) {
	ordered := w.group.Status == cloudapi.StatusRestarting || w.group.Status == cloudapi.StatusUpdating
	if out.State.Waiting == nil || out.LastTerminationState.Terminated == nil || ordered {
		return
	}
	if givenReason(seen.Current) == "" && seen.Current.Message == "" {
		out.State.Waiting.Reason = reasonCrashLoopBackOff
	}
}

// state writes a run in the API's words. before is what was written of the
// same run earlier, from which missing times are taken, so that they do not
// move with every look.
func (w *statusWriter) state(r cloudapi.RunState, before *corev1.ContainerState) corev1.ContainerState {
	switch r.Kind {
	case cloudapi.RunRunning:
		started := r.StartedAt
		if started.IsZero() && before != nil && before.Running != nil {
			started = before.Running.StartedAt.Time
		}
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: w.timeOr(started)}}
	case cloudapi.RunTerminated:
		return corev1.ContainerState{Terminated: w.terminated(r, before)}
	default:
		return w.waiting(r)
	}
}

func (w *statusWriter) terminated(r cloudapi.RunState, before *corev1.ContainerState) *corev1.ContainerStateTerminated {
	started, finished := r.StartedAt, r.FinishedAt
	if before != nil && before.Running != nil {
		started = firstTime(started, before.Running.StartedAt.Time)
	}
	if before != nil && before.Terminated != nil {
		started = firstTime(started, before.Terminated.StartedAt.Time)
		finished = firstTime(finished, before.Terminated.FinishedAt.Time)
	}
	if w.group != nil {
		finished = firstTime(finished, w.group.FinishedAt)
	}
	finished = firstTime(finished, w.now.Time)
	started = firstTime(started, finished)
	if started.After(finished) {
		started = finished
	}
	reason := r.Reason
	if reason == "" && r.ExitCode == 0 {
		reason = reasonCompleted
	} else if reason == "" {
		reason = reasonError
	}
	return &corev1.ContainerStateTerminated{
		ExitCode:   r.ExitCode,
		Signal:     r.Signal,
		Reason:     reason,
		Message:    w.shortMessage(r.Message),
		StartedAt:  apiTime(started),
		FinishedAt: apiTime(finished),
	}
}

// waiting words a wait as a kubelet does. The clouds' agents use the kubelet's
// reasons; where one is missing, its message tells.
func (w *statusWriter) waiting(r cloudapi.RunState) corev1.ContainerState {
	reason := givenReason(r)
	switch {
	case reason != "":
	case strings.HasPrefix(r.Message, "Back-off restarting"), strings.Contains(r.Message, "restarting failed container"):
		reason = reasonCrashLoopBackOff
	case strings.HasPrefix(r.Message, "Back-off pulling image"):
		reason = reasonImagePullBackOff
	case len(w.pod.Spec.InitContainers) > 0:
		reason = reasonPodInitializing
	default:
		reason = reasonContainerCreating
	}
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: NamesPod(w.pod, r.Message)}}
}

// givenReason is the cloud's reason of a wait. The word for the state itself, which
// clouds write there too, is none.
func givenReason(r cloudapi.RunState) string {
	switch strings.ToLower(r.Reason) {
	case "waiting", "created", "pending":
		return ""
	}
	return r.Reason
}

// keepEnded lets no container rise again that may not restart, which the API
// server would refuse, and none at all in a pod that has ended.
func (w *statusWriter) keepEnded(out, old *corev1.ContainerStatus) {
	if old == nil || old.State.Terminated == nil || out.State.Terminated != nil {
		return
	}
	if isTerminal(w.old.Phase) || !w.mayRise(out.Name, old.State.Terminated.ExitCode) {
		out.State, out.LastTerminationState = *old.State.DeepCopy(), *old.LastTerminationState.DeepCopy()
		out.RestartCount = old.RestartCount
	}
}

// mayRise tells whether a container that ended with this code may run again: an
// init container that has succeeded never does, whatever the restart policy.
func (w *statusWriter) mayRise(name string, exitCode int32) bool {
	for i := range w.pod.Spec.InitContainers {
		if c := &w.pod.Spec.InitContainers[i]; c.Name == name {
			return isRestartable(c) || exitCode != 0 && restarts(w.pod, exitCode)
		}
	}
	return restarts(w.pod, exitCode)
}

// endWithGroup ends a container whose group has ended. One that never ran
// keeps waiting: its reason is the best that is known.
func (w *statusWriter) endWithGroup(out *corev1.ContainerStatus) {
	if w.group == nil || !w.group.Status.Final() || out.State.Terminated != nil {
		return
	}
	last := out.LastTerminationState.Terminated
	switch {
	case w.group.Status == cloudapi.StatusSucceeded:
		out.State = corev1.ContainerState{Terminated: w.terminated(cloudapi.RunState{}, &out.State)}
	case out.State.Waiting != nil && last != nil:
		out.State, out.LastTerminationState = corev1.ContainerState{Terminated: last}, corev1.ContainerState{}
	case out.State.Running != nil:
		out.State = w.lostState(&out.State)
	}
}

// lostState is the end of a container that nobody saw.
func (w *statusWriter) lostState(before *corev1.ContainerState) corev1.ContainerState {
	return corev1.ContainerState{Terminated: w.terminated(cloudapi.RunState{
		ExitCode: exitCodeUnknown,
		Reason:   reasonStatusUnknown,
		Message:  messageNotLocated,
	}, before)}
}

// identify sets the container's id once it has run: the cloud's, or one that
// is made up of group and name.
func (w *statusWriter) identify(out *corev1.ContainerStatus, seen *cloudapi.ContainerState) {
	if seen != nil && seen.ContainerID != "" {
		switch {
		case strings.Contains(seen.ContainerID, "://"):
			out.ContainerID = seen.ContainerID
		case w.opts.Provider != "": // without a scheme it is none
			out.ContainerID = w.opts.Provider + "://" + seen.ContainerID
		}
	}
	hasRun := out.State.Waiting == nil || out.LastTerminationState.Terminated != nil
	if out.ContainerID == "" && hasRun && w.group != nil && w.opts.Provider != "" {
		out.ContainerID = w.opts.Provider + "://" + w.group.ID + "/" + out.Name
	}
	if end := out.State.Terminated; end != nil && end.ContainerID == "" {
		end.ContainerID = out.ContainerID
	}
	if end := out.LastTerminationState.Terminated; end != nil && end.ContainerID == "" {
		end.ContainerID = out.ContainerID
	}
}

// shortMessage cuts a termination message to the container's share.
func (w *statusWriter) shortMessage(message string) string {
	n := len(w.pod.Spec.Containers) + len(w.pod.Spec.InitContainers) + len(w.pod.Spec.EphemeralContainers)
	limit := min(maxMessage, maxMessages/max(n, 1))
	if len(message) <= limit {
		return message
	}
	for limit > 0 && !utf8.RuneStart(message[limit]) {
		limit--
	}
	return message[:limit]
}

// restarts tells whether a container that ended with this code starts again.
func restarts(pod *corev1.Pod, exitCode int32) bool {
	switch pod.Spec.RestartPolicy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return exitCode != 0
	default:
		return true
	}
}

func (w *statusWriter) timeOr(t time.Time) metav1.Time { return apiTime(firstTime(t, w.now.Time)) }

// firstTime is a, or b if a is not known.
func firstTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
