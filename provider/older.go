package provider

import (
	"github.com/cumulet/cumulet/cloudapi"
)

// isOlder tells whether an answer shows a group as it was before another that is
// known: the clouds promise no order.
func isOlder(before, answer *cloudapi.Group) bool {
	if goesBack(before.Status, answer.Status) {
		return true
	}
	if answer.Status.Final() {
		return false // no answer says more
	}
	for _, lists := range [][2][]cloudapi.ContainerState{
		{before.InitContainers, answer.InitContainers}, {before.Containers, answer.Containers},
	} {
		for i := range lists[1] {
			is := &lists[1][i]
			for j := range lists[0] {
				if was := &lists[0][j]; was.Name == is.Name && runGoesBack(was, is) {
					return true
				}
			}
		}
	}
	return false
}

// runGoesBack tells whether a container's run is one before the known one, or that
// one before its end. A cloud may begin to count anew, but no later run begins
// earlier.
func runGoesBack(was, is *cloudapi.ContainerState) bool {
	last, ended := was.Current, was.Current.Kind == cloudapi.RunTerminated
	if last.Kind == cloudapi.RunWaiting && was.Previous != nil {
		last, ended = *was.Previous, true
	}
	if last.StartedAt.IsZero() || is.Current.StartedAt.IsZero() {
		return false
	}
	switch {
	case is.RestartCount < was.RestartCount:
		return is.Current.StartedAt.Before(last.StartedAt)
	case is.RestartCount == was.RestartCount:
		return ended && is.Current.Kind == cloudapi.RunRunning && is.Current.StartedAt.Equal(last.StartedAt)
	default:
		return false
	}
}
