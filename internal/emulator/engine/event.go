package engine

import (
	"slices"
	"time"
)

// eventLimit is how many events of a group the clouds keep (ECI's page
// on DescribeContainerGroupEvents).
const eventLimit = 50

// mergeEvents adds what is new to events, the way a kubelet's correlator does:
// the same thing again is counted, not repeated. The result is ordered by the
// last time each was seen, and is a slice of its own.
func mergeEvents(events, news []Event, now time.Time) []Event {
	if len(news) == 0 {
		return events
	}
	merged := slices.Clone(events)
	for _, n := range news {
		n = completeEvent(n, now)
		i := slices.IndexFunc(merged, func(e Event) bool {
			return e.Reason == n.Reason && e.Message == n.Message && e.Container == n.Container
		})
		if i >= 0 {
			n.Count += merged[i].Count
			n.First = merged[i].First
			merged = slices.Delete(merged, i, i+1)
		}
		merged = append(merged, n)
	}
	if over := len(merged) - eventLimit; over > 0 {
		merged = slices.Delete(merged, 0, over)
	}
	return merged
}

// completeEvent fills what a runtime may leave out: an event without a count
// happened once, one without times now.
func completeEvent(e Event, now time.Time) Event {
	if e.Count == 0 {
		e.Count = 1
	}
	if e.Last.IsZero() {
		e.Last = now
	}
	if e.First.IsZero() {
		e.First = e.Last
	}
	return e
}
