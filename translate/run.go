package translate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// runRelation is how the run that the cloud speaks of stands to the last run that a
// pod's status knows of.
type runRelation int

const (
	runSame runRelation = iota
	runAfter
	// runBefore: the answer is older than one that was seen before it.
	runBefore
)

// relate compares runs, by their number and, where both are told, their times: the
// clouds promise no order of answers, and a cloud may begin to count anew when a
// group is changed. old may be nil.
func relate(seen *cloudapi.ContainerState, old *corev1.ContainerStatus) runRelation {
	if old == nil || seen.RestartCount > old.RestartCount {
		return runAfter
	}
	from, to := lastRun(old)
	if seen.Current.StartedAt.IsZero() || from.IsZero() {
		return runSame
	}
	began, runs := seen.Current.StartedAt.Truncate(time.Second), seen.Current.Kind == cloudapi.RunRunning
	switch {
	case seen.RestartCount < old.RestartCount && runs:
		return relateStart(began, from, to)
	case seen.RestartCount < old.RestartCount && !seen.Current.FinishedAt.IsZero() && seen.Current.FinishedAt.Before(from):
		return runBefore
	case runs && to.After(from) && !began.After(from):
		return runBefore // it has been seen to end
	default:
		return runSame
	}
}

// relateStart compares a run that the cloud counts lower than the last known one by
// when it began.
func relateStart(began, from, to time.Time) runRelation {
	switch {
	case began.Before(from), began.Equal(from) && to.After(from):
		return runBefore
	case began.After(from) && !began.Before(to):
		return runAfter
	default:
		return runSame
	}
}

// lastRun is when the last run that a status knows of began and ended; zero for
// what is not known, or has not happened.
func lastRun(cs *corev1.ContainerStatus) (from, to time.Time) {
	end := cs.State.Terminated
	switch {
	case cs.State.Running != nil:
		return cs.State.Running.StartedAt.Time, time.Time{}
	case end == nil:
		end = cs.LastTerminationState.Terminated
	}
	if end == nil {
		return time.Time{}, time.Time{}
	}
	return end.StartedAt.Time, end.FinishedAt.Time
}
