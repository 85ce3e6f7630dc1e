package provider

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/internal/fakecloud"
	"github.com/cumulet/cumulet/internal/podfield"
	"github.com/cumulet/cumulet/translate"
)

// TestEverythingRefusedAtOnce: of a pod with every field that is refused, one
// event and the status's one message name each of them, and the cloud is not
// asked.
func TestEverythingRefusedAtOnce(t *testing.T) {
	run(t, func(h *harness) {
		var paths []string
		h.create("web", func(p *corev1.Pod) {
			var err error
			if paths, err = podfield.Refused(p, h.cloud.Limits().Can); err != nil {
				t.Fatal(err)
			}
		})
		h.phase("web", corev1.PodFailed)
		h.wait(10 * time.Minute)
		events, message := h.events.all(), h.api.pod("web").Status.Message
		if len(events) != 1 {
			t.Fatalf("%d events, want one: %q", len(events), events)
		}
		if len(paths) < 60 {
			t.Errorf("only %d fields are refused", len(paths))
		}
		for _, path := range paths {
			if !strings.Contains(events[0], path+": ") || !strings.Contains(message, path+": ") {
				t.Errorf("event or message does not name %s", path)
			}
		}
		if creates, writes := h.cloud.Count(fakecloud.OpCreate), h.api.statusWrites(); creates != 0 || writes != 1 {
			t.Errorf("%d creates and %d status writes, want 0 and 1", creates, writes)
		}
	})
}

// TestReportIsTold: what was not taken literally is one event and one condition,
// which stays; of a plain pod there is neither.
func TestReportIsTold(t *testing.T) {
	run(t, func(h *harness) {
		h.running("plain")
		h.running("odd", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("1Gi")}
		})
		h.wait(10 * time.Minute)
		events := h.events.with(translate.EventTranslated)
		const want = "Warning Translated: ignored spec.containers[0].resources.limits[ephemeral-storage]: " +
			"every group has the cloud's own disk; no share of it is reserved or enforced"
		if len(events) != 1 || events[0] != want {
			t.Errorf("events %q, want %q", events, want)
		}
		for name, count := range map[string]int{"plain": 0, "odd": 1} {
			found := 0
			for _, c := range h.api.pod(name).Status.Conditions {
				if c.Type == translate.ConditionTranslated {
					found++
					if c.Status != corev1.ConditionTrue || "Warning Translated: "+c.Message != want {
						t.Errorf("%s: condition %v", name, c)
					}
				}
			}
			if found != count {
				t.Errorf("%s has %d conditions, want %d", name, found, count)
			}
		}
	})
}
