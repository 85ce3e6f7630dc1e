package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
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

func TestFilesTold(t *testing.T) {
	pod := newPod("web")
	if s := filesTold(pod); len(s.versions)+len(s.outdated)+len(s.has) != 0 || s.pod != pod {
		t.Errorf("of a pod that tells nothing: %+v", s)
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: FilesCurrent, Message: "a has version 0a since 2026-02-01T00:00:00Z; " +
		"b keeps its old files: why; with ; in it; c has version 0c since 2026-02-02T00:00:00Z; d keeps its old files: no shell"}}
	s := filesTold(pod)
	if diff := cmp.Diff(map[string]string{"a": "0a", "c": "0c"}, s.versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"b": "why; with ; in it", "d": "no shell"}, s.outdated); diff != "" {
		t.Errorf("outdated (-want +got):\n%s", diff)
	}
	if len(s.has) != 0 {
		t.Errorf("what the group has is known: %v", s.has)
	}
}
