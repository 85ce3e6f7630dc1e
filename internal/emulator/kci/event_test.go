package kci

import (
	"testing"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func TestEventMessage(t *testing.T) {
	tests := map[string]struct {
		reason string
		event  engine.Event
		want   string
	}{
		"Young": {
			reason: "the kubelet of Kubernetes 1.35 leaves the name to the event's object, which KCI does not have",
			event:  engine.Event{Reason: "Started", Message: "Container started", Container: "app"}, want: "Started container app",
		},
		"Created": {event: engine.Event{Reason: "Created", Message: "Container created", Container: "app"}, want: "Created container app"},
		"Nobody": {
			reason: "without a name there is none to say",
			event:  engine.Event{Reason: "Started", Message: "Container started"}, want: "Container started",
		},
		"Image": {
			reason: "images are in back-ticks",
			event:  engine.Event{Reason: "Pulling", Message: `Pulling image "app:1"`, Container: "app"}, want: "Pulling image `app:1`",
		},
		"Other": {
			reason: "all else is as the agent says it",
			event:  engine.Event{Reason: "Unhealthy", Message: `Readiness probe failed: "no"`, Container: "app"}, want: `Readiness probe failed: "no"`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := eventMessage(&test.event); got != test.want {
				t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
			}
		})
	}
}
