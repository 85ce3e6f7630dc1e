package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFilesMessage(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const old = "a has version 0a since 2026-02-01T00:00:00Z; b keeps its old files: why; with ; in it; c has version 0c since 2026-02-02T00:00:00Z"
	for name, c := range map[string]struct {
		reason, before string
		state          fileState
		want           string
	}{
		"First": {"", "", fileState{current: map[string]currentFiles{"b": {"0b", at}, "a": {"0a", at}}},
			"a has version 0a since 2026-03-01T12:00:00Z; b has version 0b since 2026-03-01T12:00:00Z"},
		"Kept": {"what another process told stays", old, fileState{current: map[string]currentFiles{"b": {"0b", at}}},
			"a has version 0a since 2026-02-01T00:00:00Z; b has version 0b since 2026-03-01T12:00:00Z; c has version 0c since 2026-02-02T00:00:00Z"},
		"Same": {"it was there before", old, fileState{current: map[string]currentFiles{"a": {"0a", at}, "c": {"1c", at}}},
			"a has version 0a since 2026-02-01T00:00:00Z; c has version 1c since 2026-03-01T12:00:00Z"},
		"Outdated": {"", old, fileState{outdated: map[string]string{"a": "no shell"}},
			"a keeps its old files: no shell; c has version 0c since 2026-02-02T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.state.message(c.before)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
