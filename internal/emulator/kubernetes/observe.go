package kubernetes

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The kubelet's reasons of containers that never ran (pkg/kubelet, kubelet_pods.go).
const (
	podInitializing   = "PodInitializing"
	containerCreating = "ContainerCreating"
)

// The kubelet's words for a container of which nobody knows how it ended
// (pkg/kubelet/container, and controllers/podgc).
const (
	lostReason   = "ContainerStatusUnknown"
	lostMessage  = "The container could not be located when the pod was deleted.  The container used to be Running"
	lostExitCode = 137
)

// carry is what a container brings from the pod that the group had before.
type carry struct {
	// restarts counts the restarts before; a run in the new pod is one more.
	restarts int
	ran      bool
	previous *engine.RunState
}

// statesOf are the states of containers in the order of the spec, with what they
// carry over from an earlier pod. statuses may lack some.
func statesOf(specs []engine.Container, statuses []corev1.ContainerStatus, waiting string, v *view) []engine.ContainerState {
	states := make([]engine.ContainerState, 0, len(specs))
	for i := range specs {
		state := engine.ContainerState{
			Name: specs[i].Name, Image: specs[i].Image,
			Current: engine.RunState{Kind: engine.KindWaiting, Reason: waiting},
		}
		if at := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == state.Name }); at >= 0 {
			v.fill(&state, &statuses[at], waiting)
		}
		v.carryOver(&state)
		states = append(states, state)
	}
	return states
}

// view is how pods of one incarnation are looked at.
type view struct {
	scrub   func(string) string
	carried map[string]carry
}

// fill takes over a container's status.
func (v *view) fill(state *engine.ContainerState, status *corev1.ContainerStatus, waiting string) {
	state.ImageID, state.ContainerID = status.ImageID, status.ContainerID
	state.Ready = status.Ready
	state.Started = status.Started != nil && *status.Started
	state.RestartCount = int(status.RestartCount)
	if current := v.run(&status.State); current != nil {
		state.Current = *current
	}
	if state.Current.Kind == engine.KindWaiting && state.Current.Reason == "" {
		state.Current.Reason = waiting
	}
	state.Previous = v.run(&status.LastTerminationState)
}

// carryOver adds what the container did in earlier pods of its group.
func (v *view) carryOver(state *engine.ContainerState) {
	c, ok := v.carried[state.Name]
	if !ok {
		return
	}
	begun := ran(state)
	state.RestartCount += c.restarts
	if begun && c.ran {
		state.RestartCount++
	}
	if state.Previous == nil {
		state.Previous = c.previous
	}
}

// ran tells whether a container has run in the pod that its state is of.
func ran(state *engine.ContainerState) bool {
	return state.Current.Kind != engine.KindWaiting || state.Previous != nil
}

// carriedFrom is what a container in its last state of one pod brings to the next.
func carriedFrom(state *engine.ContainerState) carry {
	c := carry{restarts: state.RestartCount, ran: ran(state), previous: state.Previous}
	if state.Current.Kind == engine.KindTerminated {
		last := state.Current
		c.previous = &last
	}
	return c
}

// run is one run of a container; nil if the status names none.
func (v *view) run(s *corev1.ContainerState) *engine.RunState {
	switch {
	case s.Waiting != nil:
		return &engine.RunState{Kind: engine.KindWaiting, Reason: s.Waiting.Reason, Message: v.scrub(s.Waiting.Message)}
	case s.Running != nil:
		return &engine.RunState{Kind: engine.KindRunning, StartedAt: moment(s.Running.StartedAt)}
	case s.Terminated != nil:
		t := s.Terminated
		return &engine.RunState{
			Kind: engine.KindTerminated, Reason: t.Reason, Message: v.scrub(t.Message),
			ExitCode: int(t.ExitCode), Signal: int(t.Signal),
			StartedAt: moment(t.StartedAt), FinishedAt: moment(t.FinishedAt),
		}
	default:
		return nil
	}
}

// moment is a time of the cluster. Containers that never started have the
// container runtime's zero, which is that of Unix.
func moment(t metav1.Time) time.Time {
	if t.IsZero() || t.Unix() <= 0 {
		return time.Time{}
	}
	return t.UTC()
}

// ended makes a container that may still have run one that has ended, at a time
// when its pod is known to be gone.
func ended(states []engine.ContainerState, at time.Time) {
	for i := range states {
		s := &states[i]
		s.Ready, s.Started = false, false
		if s.Current.Kind == engine.KindRunning {
			s.Current = engine.RunState{
				Kind: engine.KindTerminated, Reason: lostReason, Message: lostMessage, ExitCode: lostExitCode,
				StartedAt: s.Current.StartedAt, FinishedAt: at,
			}
		}
	}
}

// phases are a pod's phases as a group's states. A pod whose node has fallen
// silent is taken to run on.
var phases = map[corev1.PodPhase]engine.Status{
	corev1.PodPending:   engine.Pending,
	corev1.PodRunning:   engine.Running,
	corev1.PodSucceeded: engine.Succeeded,
	corev1.PodFailed:    engine.Failed,
	corev1.PodUnknown:   engine.Running,
}

// statusOf is the state of a group whose pod this is.
func statusOf(pod *corev1.Pod) engine.Status {
	if status, ok := phases[pod.Status.Phase]; ok {
		return status
	}
	return engine.Pending
}

// waitingReason is why containers wait that were never started.
func waitingReason(spec *engine.Spec, pod *corev1.Pod) string {
	if len(spec.InitContainers) == 0 {
		return containerCreating
	}
	if pod != nil {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodInitialized && c.Status == corev1.ConditionTrue {
				return containerCreating
			}
		}
	}
	return podInitializing
}

// anyRuns tells whether some container of a pod runs, as far as is known.
func anyRuns(pod *corev1.Pod) bool {
	if pod == nil {
		return false
	}
	runs := func(status corev1.ContainerStatus) bool { return status.State.Running != nil }
	return slices.ContainsFunc(pod.Status.ContainerStatuses, runs) || slices.ContainsFunc(pod.Status.InitContainerStatuses, runs)
}
