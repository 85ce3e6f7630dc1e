package engine

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEvents(t *testing.T) {
	event := func(message string, count, first, last int) Event {
		return Event{Type: "Warning", Reason: "BackOff", Message: message, Count: count, First: at(first), Last: at(last)}
	}
	many := func(from, to int) []Event {
		var events []Event
		for i := from; i <= to; i++ {
			events = append(events, event(fmt.Sprint(i), 1, i, i))
		}
		return events
	}
	cases := map[string]struct {
		reason    string
		old, news []Event
		want      []Event
	}{
		"Completed": {
			reason: "what a runtime leaves out is filled in",
			news:   []Event{{Type: "Warning", Reason: "BackOff", Message: "a"}},
			want:   []Event{event("a", 1, 9, 9)},
		},
		"Counted": {
			reason: "the same thing again is counted and moves to the end",
			old:    []Event{event("a", 2, 1, 3), event("b", 1, 4, 4)}, news: []Event{event("a", 1, 5, 5)},
			want: []Event{event("b", 1, 4, 4), event("a", 3, 1, 5)},
		},
		"OtherContainer": {
			reason: "containers are told apart",
			old:    []Event{event("a", 1, 1, 1)},
			news:   []Event{{Type: "Warning", Reason: "BackOff", Message: "a", Container: "x", Count: 1, First: at(2), Last: at(2)}},
			want: []Event{event("a", 1, 1, 1),
				{Type: "Warning", Reason: "BackOff", Message: "a", Container: "x", Count: 1, First: at(2), Last: at(2)}},
		},
		"Bounded": {
			reason: "only the newest 50 stay", old: many(1, 50), news: many(51, 53), want: many(4, 53),
		},
		"Nothing": {reason: "nothing new changes nothing", old: many(1, 2), want: many(1, 2)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := append([]Event(nil), tc.old...)
			got := mergeEvents(tc.old, tc.news, at(9))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(before, tc.old); diff != "" {
				t.Errorf("%s: an earlier snapshot was changed:\n%s", tc.reason, diff)
			}
		})
	}
}
