package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func newImage(p *corev1.Pod) { p.Spec.Containers[0].Image = "registry.example/app:2" }

// updates are the images that the cloud was asked to change.
func (h *harness) updates() []map[string]string {
	var list []map[string]string
	for _, c := range h.cloud.Calls(fakecloud.OpUpdate) {
		list = append(list, c.Images)
	}
	return list
}

func TestImageChanges(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", restartAlways)
		h.api.change("web", newImage)
		h.wait(5 * time.Second)
		want := []map[string]string{{"main": "registry.example/app:2"}}
		if diff := cmp.Diff(want, h.updates()); diff != "" {
			t.Errorf("updates (-want +got):\n%s", diff)
		}
		events := []string{"Normal Killing spec.containers{main}: Container main definition changed, will be restarted"}
		if diff := cmp.Diff(events, h.events.with("Killing")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if c := h.api.pod("web").Status.ContainerStatuses[0]; c.Image != "registry.example/app:2" || c.RestartCount != 1 {
			t.Errorf("status %+v", c)
		}
		h.restart()
		h.wait(time.Minute)
		if n := len(h.updates()); n != 1 {
			t.Errorf("%d updates after a restart of the process", n)
		}
	})
}

// TestImageChangedWhileDown: the cloud tells what the group was made of.
func TestImageChangedWhileDown(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", restartAlways)
		h.halt()
		h.api.change("web", newImage)
		h.start()
		h.wait(time.Minute)
		want := []map[string]string{{"main": "registry.example/app:2"}}
		if diff := cmp.Diff(want, h.updates()); diff != "" {
			t.Errorf("updates (-want +got):\n%s", diff)
		}
	})
}

// TestImageBeforeCreate: what has not been asked for yet is asked for as it is
// now.
func TestImageBeforeCreate(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{Before: cloudErr(cloudapi.CodeThrottled, false)})
		h.create("web", restartAlways)
		h.wait(100 * time.Millisecond)
		h.api.change("web", newImage)
		id := h.group("uid-web")
		h.cloud.Start(id, "10.0.0.1")
		h.wait(5 * time.Second)
		calls := h.cloud.Calls(fakecloud.OpCreate)
		if got := calls[len(calls)-1].Spec.Containers[0].Image; got != "registry.example/app:2" || len(h.updates()) != 0 {
			t.Errorf("created with %q, updates %v", got, h.updates())
		}
	})
}

func TestImageStays(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		rigid  bool
		err    error
		change func(*corev1.Pod)
		event  string
	}{
		"RigidCloud": {"it has no such call", true, nil, restartAlways, "test cannot change a running container group"},
		"Never":      {"the cloud might end the pod", false, nil, func(*corev1.Pod) {}, "containers that may not restart cannot be changed"},
		"Refused": {"the cloud says no", false, &cloudapi.Error{Op: "Update", Code: cloudapi.CodeInvalid, Message: "too large", RequestID: "r-1"},
			restartAlways, "Update: Invalid: too large"},
	} {
		t.Run(name, func(t *testing.T) {
			runIdle(t, func(h *harness) {
				if c.rigid {
					h.client = fakecloud.Rigid{Client: h.cloud}
				}
				h.start()
				h.wait(time.Minute)
				h.running("web", c.change)
				if c.err != nil {
					h.cloud.Fail(fakecloud.OpUpdate, fakecloud.Fault{Before: c.err})
				}
				h.api.change("web", newImage)
				h.wait(time.Minute)
				h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} })
				h.wait(time.Minute)
				want := []string{`Warning UpdateUnsupported spec.containers{main}: Container main keeps image "registry.example/app:1": ` +
					c.event + `; delete the pod to run image "registry.example/app:2"`}
				if diff := cmp.Diff(want, h.events.with("Update")); diff != "" {
					t.Errorf("%s: events (-want +got):\n%s", c.reason, diff)
				}
				if got := h.api.pod("web").Status.ContainerStatuses[0].Image; got != "registry.example/app:1" {
					t.Errorf("the status shows image %q, which does not run", got)
				}
			})
		})
	}
}

func TestFullName(t *testing.T) {
	for name, c := range map[string]struct{ image, want string }{
		"Short":    {"busybox", "busybox:latest"},
		"Tagged":   {"busybox:1.36", "busybox:1.36"},
		"Long":     {"docker.io/library/busybox:1.36", "busybox:1.36"},
		"Registry": {"registry.example:5000/app", "registry.example:5000/app:latest"},
		"Digest":   {"registry.example/app@sha256:00", "registry.example/app@sha256:00"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fullName(c.image); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
