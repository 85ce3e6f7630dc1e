package provider

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func TestGroupVanishes(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.wait(youngest)
		h.cloud.Vanish(id)
		h.wait(10 * time.Second)
		pod := h.api.pod("web")
		if pod.Status.Phase != corev1.PodFailed || pod.Status.Reason != "ContainerGroupLost" {
			t.Errorf("phase %s, reason %q", pod.Status.Phase, pod.Status.Reason)
		}
		h.wait(10 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
			t.Errorf("%d creates, want 1", n)
		}
		if n := len(h.events.with("ContainerGroupLost")); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
		h.api.end("web", 30)
		h.goneFromAPI(10*time.Second, "web")
		h.nothingLeft()
	})
}

// TestFalseAbsence: whatever keeps a group out of the list, a pod is lost only
// when it is surely gone.
func TestFalseAbsence(t *testing.T) {
	empty := func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Empty: true} }
	fail := func(code cloudapi.Code) func(fakecloud.Call) fakecloud.Fault {
		return func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Before: cloudErr(code, false)} }
	}
	for name, c := range map[string]struct {
		reason  string
		faults  map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault
		healthy bool
	}{
		"list fails":        {"no answer is no absence", map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault{fakecloud.OpList: fail(cloudapi.CodeUnavailable)}, false},
		"list is forbidden": {"the same", map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault{fakecloud.OpList: fail(cloudapi.CodeForbidden)}, false},
		"list is empty":     {"the group is there by its id", map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault{fakecloud.OpList: empty}, true},
		"permission lost": {"its log is there", map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault{
			fakecloud.OpList: empty, fakecloud.OpGet: empty,
		}, false},
		"all permissions lost": {"nothing can be proved", map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault{
			fakecloud.OpList: empty, fakecloud.OpGet: empty, fakecloud.OpLogs: fail(cloudapi.CodeForbidden),
		}, false},
		"proof is throttled": {"nothing can be proved now", map[fakecloud.Op]func(fakecloud.Call) fakecloud.Fault{
			fakecloud.OpList: empty, fakecloud.OpGet: empty, fakecloud.OpLogs: fail(cloudapi.CodeThrottled),
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				const pods = 5
				for i := range pods {
					h.running(fmt.Sprintf("web-%d", i))
				}
				h.wait(youngest)
				writes, logs := h.api.statusWrites(), h.cloud.Count(fakecloud.OpLogs)
				for op, f := range c.faults {
					h.cloud.FailAll(op, f)
				}
				const sweeps = 600
				h.wait(sweeps * time.Second)
				if n := h.api.statusWrites(); n != writes {
					t.Errorf("%s: %d status writes", c.reason, n-writes)
				}
				if healthy := h.p.CloudHealth().Err == nil; healthy != c.healthy {
					t.Errorf("healthy is %t; %v", healthy, h.p.CloudHealth().Err)
				}
				if n := h.cloud.Count(fakecloud.OpLogs) - logs; n > sweeps+1 {
					t.Errorf("%d calls for proof in %d sweeps", n, sweeps)
				}
				for op := range c.faults {
					h.cloud.FailAll(op, nil)
				}
				h.wait(time.Minute)
				if n := h.api.statusWrites() + h.cloud.Count(fakecloud.OpDelete); n != writes {
					t.Errorf("%d writes and deletes afterwards", n-writes)
				}
				if n := h.cloud.Count(fakecloud.OpCreate); n != pods {
					t.Errorf("%d creates, want %d", n, pods)
				}
				if err := h.p.CloudHealth().Err; err != nil {
					t.Errorf("not healthy again: %v", err)
				}
			})
		})
	}
}

// TestUnclearProof: an answer that nobody understands neither proves that a group is
// gone nor keeps the sweeps from the others.
func TestUnclearProof(t *testing.T) {
	run(t, func(h *harness) {
		id, other := h.running("web"), h.running("other")
		h.wait(youngest)
		h.cloud.FailAll(fakecloud.OpLogs, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnknown, false)}
		})
		h.cloud.Vanish(id)
		h.cloud.Add(orphanSpec(testNode, "uid-of-nobody"))
		logs := h.cloud.Count(fakecloud.OpLogs)
		h.wait(10 * time.Minute)
		if err := h.p.CloudHealth().Err; err != nil {
			t.Errorf("the cloud is not healthy: %v", err)
		}
		if groups := h.cloud.Groups(); len(groups) != 1 || groups[0].ID != other {
			t.Errorf("groups %+v are left, want %s alone", groups, other)
		}
		if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
			t.Errorf("phase %s although nothing is proved", got)
		}
		if n := h.cloud.Count(fakecloud.OpLogs) - logs; n < 10 || n > 21 {
			t.Errorf("%d calls for proof in ten minutes, want one in half a minute", n)
		}
		h.cloud.FailAll(fakecloud.OpLogs, nil)
		h.phase("web", corev1.PodFailed)
	})
}

// TestUnclearEnd: a pod that is to go does not wait for ever for a proof that the
// cloud has no words for.
func TestUnclearEnd(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.wait(youngest)
		for _, op := range []fakecloud.Op{fakecloud.OpLogs, fakecloud.OpDelete} {
			h.cloud.FailAll(op, func(fakecloud.Call) fakecloud.Fault {
				return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnknown, false)}
			})
		}
		h.cloud.Vanish(id)
		h.api.end("web", 30)
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
	})
}

// TestGroupOfAnEndedPodVanishes: clouds forget groups that have ended. Nothing is
// asked about them, for nothing hangs on it.
func TestGroupOfAnEndedPodVanishes(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.Finish(id, 0)
		h.phase("web", corev1.PodSucceeded)
		h.wait(time.Minute)
		h.cloud.Vanish(id)
		writes, logs := h.api.statusWrites(), h.cloud.Count(fakecloud.OpLogs)
		h.wait(10 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpLogs); n != logs {
			t.Errorf("%d calls for proof", n-logs)
		}
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d status writes", n-writes)
		}
		h.api.end("web", 30)
		h.goneFromAPI(time.Minute, "web")
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes of what is not there", n)
		}
		h.nothingLeft()
	})
}

func TestBlips(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.wait(youngest)
		writes, lists := h.api.statusWrites(), 0
		h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
			lists++
			return fakecloud.Fault{Empty: lists%3 != 0}
		})
		h.cloud.FailAll(fakecloud.OpGet, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{} })
		h.wait(10 * time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d status writes", n-writes)
		}
	})
}

// TestShownLate: neither one sweep without a group nor a young group that does not
// show yet is enough to give a pod up, not even when its log is missing too.
func TestShownLate(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.FailAll(fakecloud.OpLogs, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeNotFound, false)}
		})
		for _, hidden := range []time.Duration{10 * time.Second, time.Second} { // the second time it is old enough
			h.cloud.Hide(id, true)
			h.wait(hidden)
			h.cloud.Hide(id, false)
			h.wait(youngest)
			if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
				t.Fatalf("phase %s after %v unseen", got, hidden)
			}
		}
	})
}
