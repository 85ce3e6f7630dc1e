package provider

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func deadline(seconds int64) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To(seconds) }
}

// TestDeadlineWhileWritesFail: the deadline passes while a status rests that the
// API server did not take.
func TestDeadlineWhileWritesFail(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", deadline(60))
		started := h.api.pod("web").Status.StartTime.Time
		h.wait(time.Until(started.Add(40 * time.Second)))
		down := make([]error, 6) // tries after 0.5, 1, 2, 4, 8 and 15 s
		for i := range down {
			down[i] = errors.New("the API server is down")
		}
		h.api.mu.Lock()
		h.api.refuse = down
		h.api.mu.Unlock()
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].Ready = ptr.To(false) })
		h.wait(time.Until(started.Add(2 * time.Minute)))
		if s := h.api.pod("web").Status; s.Phase != corev1.PodFailed || s.Reason != "DeadlineExceeded" {
			t.Errorf("phase %s, reason %q; log:\n%s", s.Phase, s.Reason, h.log)
		}
		if n := len(h.cloud.Groups()); n != 0 {
			t.Errorf("%d groups are left", n)
		}
	})
}

// TestDeadlineAfterTheEnd: the pod had ended before its deadline passed, though
// nobody was there to see it.
func TestDeadlineAfterTheEnd(t *testing.T) {
	run(t, func(h *harness) {
		good, bad, late := h.running("good", deadline(60)), h.running("bad", deadline(60)), h.running("late", deadline(60))
		h.halt()
		h.cloud.Finish(good, 0)
		h.cloud.Finish(bad, 3)
		h.wait(70 * time.Second)
		h.cloud.Finish(late, 137) // the cloud's own deadline
		h.wait(5 * time.Minute)
		h.start()
		h.wait(10 * time.Second)
		if s := h.api.pod("good").Status; s.Phase != corev1.PodSucceeded || s.Reason != "" {
			t.Errorf("good: phase %s, reason %q", s.Phase, s.Reason)
		}
		if s := h.api.pod("bad").Status; s.Phase != corev1.PodFailed || s.Reason != "" || s.ContainerStatuses[0].State.Terminated.ExitCode != 3 {
			t.Errorf("bad: phase %s, reason %q, %+v", s.Phase, s.Reason, s.ContainerStatuses[0].State)
		}
		if s := h.api.pod("late").Status; s.Phase != corev1.PodFailed || s.Reason != "DeadlineExceeded" {
			t.Errorf("late: phase %s, reason %q", s.Phase, s.Reason)
		}
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes: the logs of ended pods are gone", n)
		}
	})
}

// TestDeadlineInOutage: while the cloud does not answer nobody knows whether the
// pod has ended in time.
func TestDeadlineInOutage(t *testing.T) {
	run(t, func(h *harness) {
		good := h.running("good", deadline(60))
		h.running("slow", deadline(60))
		h.wait(10 * time.Second)
		h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)}
		})
		h.wait(5 * time.Second)
		h.cloud.Finish(good, 0)
		writes := h.api.statusWrites()
		h.wait(5 * time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d writes in the outage", n-writes)
		}
		h.cloud.FailAll(fakecloud.OpList, nil)
		h.wait(5 * time.Second)
		if s := h.api.pod("good").Status; s.Phase != corev1.PodSucceeded {
			t.Errorf("good: phase %s, reason %q", s.Phase, s.Reason)
		}
		if s := h.api.pod("slow").Status; s.Phase != corev1.PodFailed || s.Reason != "DeadlineExceeded" {
			t.Errorf("slow: phase %s, reason %q", s.Phase, s.Reason)
		}
	})
}

// TestDeadlineThenCrashWhileStopping: the process ended while the group of a pod
// that ran too long was being deleted.
func TestDeadlineThenCrashWhileStopping(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", deadline(60))
		h.until(2*time.Minute, "the group is being deleted", func() bool { return h.cloud.Count(fakecloud.OpDelete) > 0 })
		h.halt()
		h.wait(30 * time.Second)
		h.start()
		h.wait(20 * time.Second) // the group might still appear
		s := h.api.pod("web").Status
		if s.Phase != corev1.PodFailed || s.Reason != "DeadlineExceeded" {
			t.Errorf("phase %s, reason %q", s.Phase, s.Reason)
		}
		if end := s.ContainerStatuses[0].State.Terminated; end == nil || end.ExitCode != 137 {
			t.Errorf("container state %+v", s.ContainerStatuses[0].State)
		}
	}, endTakes(10*time.Second))
}

// TestDeadlineOfLatePod: the pod is heard of after the first sweep has seen its
// group, which has ended in time.
func TestDeadlineOfLatePod(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", deadline(60))
		h.halt()
		h.cloud.Finish(id, 0)
		h.wait(5 * time.Minute)
		h.mu.Lock()
		h.deaf = true
		h.mu.Unlock()
		h.start()
		h.wait(5 * time.Second)
		h.mu.Lock()
		h.deaf = false
		h.mu.Unlock()
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} })
		h.wait(10 * time.Second)
		if s := h.api.pod("web").Status; s.Phase != corev1.PodSucceeded || s.Reason != "" {
			t.Errorf("phase %s, reason %q", s.Phase, s.Reason)
		}
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes", n)
		}
	})
}

// TestDeadlineThenVanished: the group goes by itself before the cloud has accepted
// to delete it.
func TestDeadlineThenVanished(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](60) })
		h.cloud.FailAll(fakecloud.OpDelete, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeForbidden, false)}
		})
		h.wait(70 * time.Second)
		h.cloud.Vanish(id)
		h.phase("web", corev1.PodFailed)
		status := h.api.pod("web").Status
		if status.Reason != "DeadlineExceeded" || status.ContainerStatuses[0].State.Terminated == nil {
			t.Errorf("reason %q, container %+v", status.Reason, status.ContainerStatuses[0].State)
		}
	})
}
