package kubernetes

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The types of events.
const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

// scheduled is the event of the backing cluster's scheduler, whose place the
// cloud's own takes.
const scheduled = "Scheduled"

// occurrences is how often an event has happened so far. Events of the newer API
// count in their series, or not at all.
func occurrences(e *corev1.Event) int {
	switch {
	case e.Series != nil:
		return int(e.Series.Count)
	case e.Count > 0:
		return int(e.Count)
	default:
		return 1
	}
}

// eventOf is an event as the cloud tells it, happened count times since it was
// last told.
func eventOf(e *corev1.Event, count int, s *scrubber) engine.Event {
	first, last := eventTimes(e)
	return engine.Event{
		Type: e.Type, Reason: e.Reason, Message: s.scrub(e.Message),
		Container: containerOfPath(e.InvolvedObject.FieldPath),
		Count:     count, First: first, Last: last,
	}
}

// eventTimes are when an event first and last happened, zero if it does not say.
func eventTimes(e *corev1.Event) (first, last time.Time) {
	first, last = moment(e.FirstTimestamp), moment(e.LastTimestamp)
	if first.IsZero() && !e.EventTime.IsZero() {
		first = e.EventTime.UTC()
	}
	if last.IsZero() && e.Series != nil {
		last = e.Series.LastObservedTime.UTC()
	}
	if last.IsZero() {
		last = first
	}
	return first, last
}

// containerOfPath is the container that a path such as spec.containers{app} names;
// "" for a path of the pod.
func containerOfPath(fieldPath string) string {
	_, rest, found := strings.Cut(fieldPath, "ontainers{") // containers or initContainers
	if !found {
		return ""
	}
	name, _, found := strings.Cut(rest, "}")
	if !found {
		return ""
	}
	return name
}
