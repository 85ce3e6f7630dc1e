package provider

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// refusedPods creates pods that this cloud refuses, of a ReplicaSet of this uid,
// or nobody's if it is empty.
func (h *harness) refusedPods(owner types.UID, names ...string) {
	h.t.Helper()
	for _, name := range names {
		h.create(name, func(p *corev1.Pod) {
			p.Spec.HostNetwork = true
			if owner != "" {
				p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "rs", UID: owner, Controller: ptr.To(true)}}
			}
		})
	}
}

func manyNames(prefix string, count int) (names []string) {
	for i := range count {
		names = append(names, fmt.Sprintf("%s-%02d", prefix, i))
	}
	return names
}

func (h *harness) failed(names []string) int {
	count := 0
	for _, name := range names {
		if pod := h.api.pod(name); pod != nil && pod.Status.Phase == corev1.PodFailed {
			count++
		}
	}
	return count
}

// TestRefusalsOfOneController: a controller that replaces each failed pod at once
// cannot turn ever faster.
func TestRefusalsOfOneController(t *testing.T) {
	run(t, func(h *harness) {
		many, few, own := manyNames("many", 13), manyNames("few", 3), manyNames("own", 15)
		h.refusedPods("rs-many", many...)
		h.refusedPods("rs-few", few...)
		h.refusedPods("", own...)
		h.wait(5 * time.Second)
		if m, f, o := h.failed(many), h.failed(few), h.failed(own); m != 10 || f != 3 || o != 15 {
			t.Errorf("at once %d, %d and %d pods have failed, want 10 of 13, all 3, and all 15 without a controller", m, f, o)
		}
		held := 0
		for _, name := range many {
			held += map[string]int{"Pending waiting UnsupportedPodSpec": 1}[h.state(name)]
		}
		if held != 3 {
			t.Errorf("%d pods wait and say why, want 3", held)
		}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{6 * time.Second, 11}, {10 * time.Second, 12}, {20 * time.Second, 13}} {
			h.wait(step.wait)
			if got := h.failed(many); got != step.want {
				t.Errorf("after another %v %d have failed, want %d", step.wait, got, step.want)
			}
		}
		if n := len(h.events.all()); n != 31 {
			t.Errorf("%d events, want one of each pod", n)
		}
		// In time it is forgotten.
		h.wait(11 * time.Minute)
		again := manyNames("again", 10)
		h.refusedPods("rs-many", again...)
		h.wait(5 * time.Second)
		if got := h.failed(again); got != 10 {
			t.Errorf("later %d of 10 fail at once", got)
		}
	})
}

// TestRefusedByCloudOfOneController: what the cloud calls invalid is held too, and
// not asked for all the time.
func TestRefusedByCloudOfOneController(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.FailAll(fakecloud.OpCreate, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: &cloudapi.Error{Op: "Create", Code: cloudapi.CodeInvalid, Message: "no"}}
		})
		names := manyNames("pod", 12)
		for _, name := range names {
			h.create(name, func(p *corev1.Pod) {
				p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "rs", UID: "rs", Controller: ptr.To(true)}}
			})
		}
		h.wait(5 * time.Second)
		if got, asked := h.failed(names), h.cloud.Count(fakecloud.OpCreate); got != 10 || asked != 12 {
			t.Errorf("%d failed after %d creates, want 10 after 12", got, asked)
		}
		h.wait(time.Minute)
		if got, asked := h.failed(names), h.cloud.Count(fakecloud.OpCreate); got != 12 || asked != 14 {
			t.Errorf("%d failed after %d creates, want 12 after 14", got, asked)
		}
	})
}

// TestRefusalMended: a pod that is held goes on as soon as what it refers to lets
// it, and one that is deleted goes at once.
func TestRefusalMended(t *testing.T) {
	run(t, func(h *harness) {
		h.configMap("1", map[string]string{"a": "12345"})
		names := manyNames("web", 20)
		for _, name := range names {
			h.create(name, settings, func(p *corev1.Pod) {
				p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "rs", UID: "rs", Controller: ptr.To(true)}}
			})
		}
		h.wait(5 * time.Second)
		failed := h.failed(names)
		if failed != 10 {
			t.Fatalf("%d failed at once", failed)
		}
		var held []string
		for _, name := range names {
			if h.api.pod(name).Status.Phase == corev1.PodPending {
				held = append(held, name)
			}
		}
		h.api.end(held[0], 30)
		h.goneFromAPI(5*time.Second, held[0])
		h.configMap("2", map[string]string{"a": "1234"})
		h.wait(2 * time.Second)
		if n := len(h.cloud.Groups()); n != 9 {
			t.Errorf("%d groups, want those of the 9 that were held; log:\n%s", n, h.log)
		}
		h.wait(10 * time.Minute)
		if n := h.failed(names); n != 10 {
			t.Errorf("%d failed in the end", n)
		}
	}, can(func(l *cloudapi.Limits) { l.MaxFileBytes = 4 }))
}
