package provider

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// startled is a cloud whose client panics at the first create of some pods, after
// it has been carried out.
type startled struct {
	*fakecloud.Cloud
	left atomic.Int32
}

// Create implements cloudapi.Client.
func (s *startled) Create(ctx context.Context, spec cloudapi.GroupSpec, o cloudapi.CreateOptions) (string, error) {
	id, err := s.Cloud.Create(ctx, spec, o)
	if spec.Identity.PodName == "odd" && s.left.Add(-1) >= 0 {
		panic("an answer that nobody thought of")
	}
	return id, err
}

// TestPanicIsOnePods: what goes wrong with one pod neither ends the process, whose
// node would lose all pods, nor that pod's way for ever.
func TestPanicIsOnePods(t *testing.T) {
	runIdle(t, func(h *harness) {
		cloud := &startled{Cloud: h.cloud}
		cloud.left.Store(1)
		h.client = cloud
		h.start()
		h.wait(time.Minute)
		h.create("odd")
		h.running("web")
		h.cloud.Start(h.group("uid-odd"), "10.0.0.2")
		h.phase("odd", corev1.PodRunning)
		if log := h.log.String(); !strings.Contains(log, "an answer that nobody thought of") || !strings.Contains(log, "panics_test.go") {
			t.Errorf("the log does not tell what happened and where:\n%s", log)
		}
		h.api.end("odd", 0)
		h.api.end("web", 0)
		h.nothingLeft()
	})
}

// TestPanicWhileRouting: the same where no queue is at work, as in the watch.
func TestPanicWhileRouting(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		var pod *corev1.Pod
		h.p.store.update("uid-web", func(r *record) { pod, r.pod = r.pod, nil })
		h.p.route("uid-web")
		h.p.store.update("uid-web", func(r *record) { r.pod = pod })
		if !strings.Contains(h.log.String(), "nil pointer") {
			t.Errorf("log:\n%s", h.log)
		}
	})
}
