package provider

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// forces tells of each delete so far whether it was by force.
func (h *harness) forces() []bool {
	var list []bool
	for _, c := range h.cloud.Calls(fakecloud.OpDelete) {
		list = append(list, c.Delete.Force)
	}
	return list
}

func TestDelete(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.running("web")
				var last *corev1.Pod
				h.api.end("web", 30)
				h.never(4*time.Second, "the pod is gone before its group", func() bool {
					last = h.api.pod("web")
					return last == nil
				})
				h.goneFromAPI(4*time.Second, "web")
				if diff := cmp.Diff([]bool{false}, h.forces()); diff != "" {
					t.Errorf("deletes (-want +got):\n%s", diff)
				}
				want := []string{"Normal Killing spec.containers{main}: Stopping container main"}
				if diff := cmp.Diff(want, h.events.with("Killing")); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				if w := h.api.writes[len(h.api.writes)-1]; !strings.Contains(w, `"phase":"Failed"`) || !strings.Contains(w, `"exitCode":137`) {
					t.Errorf("the last write is %s", w)
				}
				h.nothingLeft()
			}, append(s, endTakes(5*time.Second))...)
		})
	}
}

func TestDeleteThenForce(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.api.end("web", 5)
		h.wait(14 * time.Second)
		if diff := cmp.Diff([]bool{false}, h.forces()); diff != "" {
			t.Errorf("within grace and margin (-want +got):\n%s", diff)
		}
		h.goneFromAPI(5*time.Second, "web")
		if diff := cmp.Diff([]bool{false, true}, h.forces()); diff != "" {
			t.Errorf("after it (-want +got):\n%s", diff)
		}
		h.nothingLeft()
	}, endTakes(time.Hour))
}

func TestForceDelete(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.running("db")
		h.api.end("web", 0)
		h.wait(3 * time.Second)
		if diff := cmp.Diff([]bool{true}, h.forces()); diff != "" {
			t.Errorf("at once by force (-want +got):\n%s", diff)
		}
		// First with patience, then without.
		h.api.end("db", 300)
		h.wait(3 * time.Second)
		h.api.end("db", 0)
		h.wait(3 * time.Second)
		if diff := cmp.Diff([]bool{true, false, true}, h.forces()); diff != "" {
			t.Errorf("second thoughts (-want +got):\n%s", diff)
		}
		h.nothingLeft()
	}, endTakes(time.Hour))
}

func TestDeleteBeforeCreate(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web")
		h.api.end("web", 30) // in the same instant
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
	}, lag(5*time.Second))
}

// TestDeleteDuringCreate: the answer comes after the pod was deleted; it may
// also be lost.
func TestDeleteDuringCreate(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		after  error
		grace  int64
	}{
		"answered":        {"the group is deleted by the id that came", nil, 30},
		"answered, gone":  {"the pod object is gone already", nil, 0},
		"lost":            {"the group shows up late and is found by a sweep", cloudErr(cloudapi.CodeUnavailable, true), 30},
		"lost, pod gone":  {"the same without a pod object", cloudErr(cloudapi.CodeUnavailable, true), 0},
		"failed for sure": {"there is no group to wait for", nil, 30},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				hold := make(chan struct{})
				f := fakecloud.Fault{Hold: hold, After: c.after}
				if strings.HasPrefix(name, "failed") {
					f.Before = cloudErr(cloudapi.CodeThrottled, false)
				}
				h.cloud.Fail(fakecloud.OpCreate, f)
				h.create("web")
				h.wait(3 * time.Second)
				h.api.end("web", c.grace)
				h.wait(20 * time.Second)
				if c.grace > 0 && h.api.pod("web") == nil {
					t.Error("the pod is gone while its create is under way")
				}
				close(hold)
				h.goneFromAPI(time.Minute, "web")
				h.wait(time.Minute)
				if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
					t.Errorf("%s: %d creates, want 1", c.reason, n)
				}
				h.nothingLeft()
			}, lag(8*time.Second))
		})
	}
}

// TestDeleteUnsettled: the pod stays until a sweep could have shown the group,
// also when sweeps fail for long.
func TestDeleteUnsettled(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{After: cloudErr(cloudapi.CodeUnavailable, true)})
		h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)}
		})
		h.create("web")
		h.wait(100 * time.Millisecond)
		h.api.end("web", 1)
		h.never(5*time.Minute, "the pod is gone although its group may exist", func() bool { return h.api.pod("web") == nil })
		h.cloud.FailAll(fakecloud.OpList, nil)
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
	})
}

func TestDeleteFails(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.cloud.Fail(fakecloud.OpDelete, fakecloud.Fault{Before: cloudErr(cloudapi.CodeConflict, false)},
			fakecloud.Fault{After: cloudErr(cloudapi.CodeUnavailable, true)})
		h.api.end("web", 30)
		h.goneFromAPI(time.Minute, "web")
		if n := len(h.events.with("Killing")); n != 1 {
			t.Errorf("%d events Killing, want 1", n)
		}
		h.nothingLeft()
	})
}

func TestNameReuse(t *testing.T) {
	run(t, func(h *harness) {
		old := h.running("web")
		h.api.end("web", 0)
		h.create("web", func(p *corev1.Pod) { p.UID = "uid-web-2" })
		young := h.group("uid-web-2")
		h.cloud.Start(young, "10.0.0.2")
		h.phase("web", corev1.PodRunning)
		h.until(time.Minute, "the old group is gone", func() bool { return len(h.groups("uid-web")) == 0 })
		pod := h.api.pod("web")
		if pod.UID != "uid-web-2" || pod.Status.PodIP != "10.0.0.2" {
			t.Errorf("pod %s with address %s", pod.UID, pod.Status.PodIP)
		}
		got, err := h.p.GetPod(h.t.Context(), testNamespace, "web")
		if err != nil || got.UID != "uid-web-2" {
			t.Errorf("GetPod: %v, %v", got, err)
		}
		for _, c := range h.cloud.Calls(fakecloud.OpDelete) {
			if c.IDs[0] != old {
				t.Errorf("group %s was deleted", c.IDs[0])
			}
		}
	}, endTakes(5*time.Second))
}

// TestLateVoices: what virtual-kubelet or an answer of the API server tell of
// a pod that has been forgotten brings nothing back.
func TestLateVoices(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		pod := h.api.pod("web")
		h.api.end("web", 0)
		h.wait(time.Minute)
		for _, say := range []error{
			h.p.CreatePod(h.t.Context(), pod), h.p.UpdatePod(h.t.Context(), pod), h.p.DeletePod(h.t.Context(), pod),
		} {
			if say != nil {
				t.Error(say)
			}
		}
		h.p.refresh(pod.DeepCopy())
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
			t.Errorf("%d creates, want 1", n)
		}
		h.nothingLeft()
	})
}

// TestFinalizer: a Job holds its pods by a finalizer until it has counted
// them.
func TestFinalizer(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", func(p *corev1.Pod) { p.Finalizers = []string{"batch.kubernetes.io/job-tracking"} })
		h.api.end("web", 30)
		h.phase("web", corev1.PodFailed)
		h.wait(time.Minute)
		writes := h.api.statusWrites()
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"counted": "yes"} })
		h.wait(time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d writes after the last one", n-writes)
		}
		h.api.change("web", func(p *corev1.Pod) { p.Finalizers = nil })
		h.api.end("web", 0)
		h.nothingLeft()
	})
}

func TestLastWriteConflicts(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", func(p *corev1.Pod) { p.Finalizers = []string{"example.com/hold"} })
		h.api.mu.Lock()
		h.api.refuse = []error{apierrors.NewConflict(podResource, "web", errors.New("the object has been modified"))}
		h.api.mu.Unlock()
		h.api.end("web", 1)
		h.phase("web", corev1.PodFailed)
	})
}

func TestWritesAreRepeated(t *testing.T) {
	for name, err := range map[string]error{
		"conflict": apierrors.NewConflict(podResource, "web", errors.New("the object has been modified")),
		"outage":   apierrors.NewInternalError(errors.New("etcd is tired")),
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("web")
				h.api.mu.Lock()
				h.api.refuse = []error{err, err}
				h.api.mu.Unlock()
				h.cloud.Finish(id, 0)
				h.phase("web", corev1.PodSucceeded)
				h.api.mu.Lock()
				h.api.refuse = []error{err, err}
				h.api.mu.Unlock()
				h.api.end("web", 30)
				h.goneFromAPI(time.Minute, "web")
				h.nothingLeft()
			})
		})
	}
}

func TestDeadline(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](60) })
		started := h.api.pod("web").Status.StartTime.Time
		h.wait(time.Until(started.Add(59 * time.Second)))
		if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
			t.Fatalf("phase %s before the deadline", got)
		}
		h.wait(2 * time.Second)
		pod := h.api.pod("web")
		ready := conditionOf(&pod.Status, corev1.PodReady)
		if pod.Status.Phase != corev1.PodRunning || pod.Status.Reason != "" || ready.Status != corev1.ConditionFalse || ready.Reason != "PodFailed" {
			t.Errorf("phase %s, reason %q, %+v after the deadline, while a container still runs", pod.Status.Phase, pod.Status.Reason, ready)
		}
		h.until(time.Minute, "the group is gone", func() bool { return len(h.cloud.Groups()) == 0 })
		h.phase("web", corev1.PodFailed)
		h.wait(time.Minute)
		pod = h.api.pod("web")
		if pod.Status.Reason != "DeadlineExceeded" || pod.Status.ContainerStatuses[0].State.Terminated == nil {
			t.Errorf("reason %q, container %+v once the group is gone", pod.Status.Reason, pod.Status.ContainerStatuses[0].State)
		}
		if n := len(h.events.with("DeadlineExceeded")); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
		writes := h.api.statusWrites()
		h.wait(10 * time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d more writes", n-writes)
		}
		h.api.end("web", 30)
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
	}, endTakes(4*time.Second))
}

// TestDeadlineWithoutGroup: the cloud never had a machine for the pod.
func TestDeadlineWithoutGroup(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.FailAll(fakecloud.OpCreate, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeOutOfStock, false)}
		})
		h.create("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](45) })
		h.wait(50 * time.Second)
		if got := h.api.pod("web").Status; got.Phase != corev1.PodFailed || got.Reason != "DeadlineExceeded" {
			t.Errorf("phase %s, reason %q", got.Phase, got.Reason)
		}
		before := h.cloud.Count(fakecloud.OpCreate)
		h.wait(10 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpCreate); n != before {
			t.Errorf("%d creates after the deadline", n-before)
		}
	})
}

// TestDeadlineDuringCreate: the group that comes too late is deleted.
func TestDeadlineDuringCreate(t *testing.T) {
	run(t, func(h *harness) {
		hold := make(chan struct{})
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{Hold: hold})
		h.create("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](10) })
		h.phase("web", corev1.PodFailed)
		close(hold)
		h.until(time.Minute, "a group was made", func() bool { return h.cloud.Count(fakecloud.OpDelete) > 0 })
		h.until(time.Minute, "and is gone", func() bool { return len(h.cloud.Groups()) == 0 })
		if h.api.pod("web") == nil {
			t.Error("the pod is gone too")
		}
	})
}

// TestDeadlineThenCrash: the process ended after it had failed the pod and
// before it could delete the group.
func TestDeadlineThenCrash(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.halt()
		h.api.change("web", func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason = corev1.PodFailed, "DeadlineExceeded"
		})
		h.start()
		h.until(time.Minute, "the group is gone", func() bool { return len(h.cloud.Groups()) == 0 })
	})
}

// TestEndIsLeftAlone: a group whose containers have ended keeps their logs,
// also in the moments before the cloud calls it ended.
func TestEndIsLeftAlone(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Containers[0].Current = cloudapi.RunState{Kind: cloudapi.RunTerminated, FinishedAt: time.Now()}
		})
		h.phase("web", corev1.PodSucceeded)
		h.wait(time.Minute)
		h.cloud.Finish(id, 0)
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes", n)
		}
	})
}

func TestStatusOfOtherUID(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.mu.Lock()
		h.deaf = true
		h.mu.Unlock()
		h.api.end("web", 0)
		h.create("web", func(p *corev1.Pod) { p.UID = types.UID("uid-other") })
		h.cloud.Finish(id, 1)
		h.wait(time.Minute)
		if got := h.api.pod("web").Status; got.Phase != corev1.PodPending {
			t.Errorf("the new pod has its predecessor's phase %s", got.Phase)
		}
	})
}
