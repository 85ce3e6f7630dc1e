package kci

import (
	"errors"
	"sync"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The words of a group's Status. The KCI document has Running, Succeeded and
// Failed; the SDKs and Kingsoft's page on KCI's concepts have the others.
const (
	statusScheduling   = "Scheduling"
	statusPending      = "Pending"
	statusImagePulling = "ImagePulling"
	statusRunning      = "Running"
	statusSucceeded    = "Succeeded"
	statusFailed       = "Failed"
	statusCreateError  = "CreateError"
	statusUnknown      = "Unknown"
)

// seedStatuses can be filtered by in Seed, allStatuses in Extended.
var (
	seedStatuses = []string{statusRunning, statusSucceeded, statusFailed}
	allStatuses  = []string{
		statusScheduling, statusPending, statusImagePulling, statusRunning,
		statusSucceeded, statusFailed, statusCreateError, statusUnknown,
	}
)

// statusOf is a group's Status. The engine's states that KCI does not have show
// as the nearest one it has; for a group that is being deleted, see leaving.
func statusOf(g *engine.Group) string {
	switch g.Status {
	case engine.Scheduling:
		return statusScheduling
	case engine.Pending:
		if pulling(g) {
			return statusImagePulling
		}
		return statusPending
	case engine.Running, engine.Restarting, engine.Updating:
		return statusRunning
	case engine.Succeeded:
		return statusSucceeded
	case engine.Failed, engine.Expired:
		return statusFailed
	case engine.ScheduleFailed:
		return statusCreateError
	case engine.Terminating:
		return lastStatus(g)
	default:
		return statusUnknown
	}
}

// lastStatus guesses what a group was before its deletion: Running if something
// has run in it.
func lastStatus(g *engine.Group) string {
	for _, c := range g.Containers {
		if c.Current.Kind == engine.KindRunning || c.Current.Kind == engine.KindTerminated || c.Previous != nil {
			return statusRunning
		}
	}
	if g.ScheduledAt.IsZero() {
		return statusScheduling
	}
	return statusPending
}

// pulling tells whether some container's latest news is that its image is being
// pulled.
func pulling(g *engine.Group) bool {
	latest := map[string]engine.Event{}
	for _, event := range g.Events {
		switch event.Reason {
		case "Pulling", "Pulled", "Failed", "BackOff":
			if !event.Last.Before(latest[event.Container].Last) {
				latest[event.Container] = event
			}
		}
	}
	for _, event := range latest {
		if event.Reason == "Pulling" {
			return true
		}
	}
	return false
}

// leaving remembers the status that groups had when their deletion was asked
// for, until they are gone. What was deleted by other means shows lastStatus.
type leaving struct {
	groups engine.Groups

	mu       sync.Mutex
	statuses map[string]string
	sweepAt  int // entries at which the gone ones are forgotten
}

const firstSweep = 256

func newLeaving(groups engine.Groups) *leaving {
	return &leaving{groups: groups, statuses: map[string]string{}, sweepAt: firstSweep}
}

// note remembers a group's status, unless it is leaving already.
func (l *leaving) note(g *engine.Group) {
	if g.Status == engine.Terminating {
		return
	}
	l.mu.Lock()
	l.statuses[g.ID] = statusOf(g)
	full := len(l.statuses) >= l.sweepAt
	l.mu.Unlock()
	if full {
		l.sweep()
	}
}

// status is a group's Status, remembered or not.
func (l *leaving) status(g *engine.Group) string {
	if g.Status == engine.Terminating {
		l.mu.Lock()
		defer l.mu.Unlock()
		if status, ok := l.statuses[g.ID]; ok {
			return status
		}
	}
	return statusOf(g)
}

// sweep forgets the groups that are gone. It runs each time the entries have
// doubled, so that it costs little for each group.
func (l *leaving) sweep() {
	l.mu.Lock()
	ids := make([]string, 0, len(l.statuses))
	for id := range l.statuses {
		ids = append(ids, id)
	}
	l.mu.Unlock()
	var gone []string
	for _, id := range ids {
		if _, err := l.groups.Get(id); errors.Is(err, engine.ErrNotFound) {
			gone = append(gone, id)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range gone {
		delete(l.statuses, id)
	}
	l.sweepAt = max(firstSweep, 2*len(l.statuses))
}
