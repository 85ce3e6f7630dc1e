package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func TestRestartAdopts(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.running("web")
				h.create("young") // its group is not running yet
				h.group("uid-young")
				h.wait(10 * time.Second)
				creates, writes := h.cloud.Count(fakecloud.OpCreate), h.api.statusWrites()
				h.restart()
				h.wait(10 * time.Minute)
				if n := h.cloud.Count(fakecloud.OpCreate); n != creates {
					t.Errorf("%d creates after the restart", n-creates)
				}
				if n := h.api.statusWrites(); n != writes {
					t.Errorf("%d status writes although nothing changed: %s", n-writes, h.api.writes[writes:])
				}
				if events := h.events.with("Warning"); len(events) > 0 {
					t.Errorf("events %q", events)
				}
				h.cloud.Finish(h.group("uid-web"), 3)
				h.phase("web", corev1.PodFailed)
				if code := h.api.pod("web").Status.ContainerStatuses[0].State.Terminated.ExitCode; code != 3 {
					t.Errorf("exit code %d, want 3", code)
				}
			}, s...)
		})
	}
}

// TestCrashInCreate: the process ended after the cloud made a group and before
// it heard of it; the cloud shows the group late.
func TestCrashInCreate(t *testing.T) {
	for name, s := range map[string][]setup{
		"with tags": {lag(8 * time.Second)}, "without tags": {withoutTags, lag(8 * time.Second)}, "clocks differ": {withoutTags, lag(8 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				// The first attempt surely fails, so that the second has a
				// token that the next process does not know.
				h.cloud.Fail(fakecloud.OpCreate,
					fakecloud.Fault{Before: cloudErr(cloudapi.CodeThrottled, false)}, fakecloud.Fault{After: cloudErr(cloudapi.CodeUnavailable, true)})
				h.create("web", func(p *corev1.Pod) {
					if name == "clocks differ" {
						p.CreationTimestamp = metav1.NewTime(time.Now().Add(10 * time.Minute))
					}
				})
				h.until(5*time.Second, "two creates", func() bool { return h.cloud.Count(fakecloud.OpCreate) == 2 })
				h.halt()
				h.start()
				h.never(5*time.Minute, "the pod has two groups", func() bool { return len(h.groups("uid-web")) > 1 })
				h.group("uid-web")
			}, s...)
		})
	}
}

// TestMismatch: the pod has changed since an earlier process asked for its
// group, of which the cloud shows nothing yet.
func TestMismatch(t *testing.T) {
	run(t, func(h *harness) {
		pod := h.create("web")
		h.group("uid-web")
		h.halt()
		h.api.change("web", func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodPending} // the crash came before the first write
			p.Spec.Containers[0].Image = "registry.example/app:2"
		})
		h.start()
		h.wait(5 * time.Minute)
		calls := h.cloud.Calls(fakecloud.OpCreate)
		if len(calls) != 2 || calls[1].Create.Token != string(pod.UID) {
			t.Errorf("creates %+v, want a second one with the first one's token", calls)
		}
		if ids := h.groups("uid-web"); len(ids) != 1 {
			t.Errorf("groups %v, want one", ids)
		}
		if failed := h.events.with("Failed"); len(failed) > 0 {
			t.Errorf("events %q", failed)
		}
	}, lag(8*time.Second))
}

// TestRestartWithoutGroup: a pod that ran is lost when its group is gone, and
// never started again.
func TestRestartWithoutGroup(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.halt()
		h.cloud.Vanish(id)
		h.start()
		h.never(youngest-time.Second, "the pod is given up too early", func() bool { return h.api.pod("web").Status.Phase != corev1.PodRunning })
		h.phase("web", corev1.PodFailed)
		h.wait(time.Minute)
		pod := h.api.pod("web")
		if pod.Status.Reason != "ContainerGroupLost" {
			t.Errorf("reason %q", pod.Status.Reason)
		}
		if end := pod.Status.ContainerStatuses[0].State.Terminated; end == nil || end.ExitCode != 137 {
			t.Errorf("container state %+v", pod.Status.ContainerStatuses[0].State)
		}
		if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
			t.Errorf("%d creates, want the one of the first run", n)
		}
	})
}

// TestRestartUnknownID: without the group's id nothing can prove that it is
// gone but time.
func TestRestartUnknownID(t *testing.T) {
	runIdle(t, func(h *harness) {
		h.create("web", func(p *corev1.Pod) {
			p.Status.Phase, p.Status.PodIP = corev1.PodRunning, "10.0.0.9"
			p.Status.StartTime = ptr.To(metav1.Now())
		})
		h.start()
		h.wait(unknownLoss - time.Second)
		if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
			t.Fatalf("phase %s before %v", got, unknownLoss)
		}
		h.wait(time.Minute)
		if got := h.api.pod("web").Status.Phase; got != corev1.PodFailed {
			t.Errorf("phase %s after %v", got, unknownLoss)
		}
		if n := h.cloud.Count(fakecloud.OpCreate); n != 0 {
			t.Errorf("%d creates", n)
		}
	})
}

func TestRestartOfEndedPods(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.Finish(h.running("good"), 0)
		h.cloud.Finish(h.running("bad"), 1)
		h.cloud.Finish(h.running("forgotten"), 1)
		h.phase("good", corev1.PodSucceeded)
		h.phase("bad", corev1.PodFailed)
		h.phase("forgotten", corev1.PodFailed)
		before := []*corev1.Pod{h.api.pod("good"), h.api.pod("bad"), h.api.pod("forgotten")}
		h.halt()
		h.cloud.Vanish(h.group("uid-forgotten")) // clouds forget what has ended
		h.start()
		h.wait(20 * time.Minute)
		after := []*corev1.Pod{h.api.pod("good"), h.api.pod("bad"), h.api.pod("forgotten")}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("pods changed (-before +after):\n%s", diff)
		}
		if n := h.cloud.Count(fakecloud.OpCreate); n != 3 {
			t.Errorf("%d creates, want 3", n)
		}
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes: the logs of ended pods are gone", n)
		}
	})
}

// TestRestartOfEndingPod: the pod was deleted while nobody looked; its group
// is not taken for an orphan but ended with its grace.
func TestRestartOfEndingPod(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.halt()
		h.api.end("web", 30)
		h.start()
		h.goneFromAPI(time.Minute, "web")
		deletes := h.cloud.Calls(fakecloud.OpDelete)
		if len(deletes) != 1 || deletes[0].Delete.Force {
			t.Errorf("deletes %+v, want one with grace", deletes)
		}
		h.nothingLeft()
	}, endTakes(3*time.Second))
}

// TestForcedWhileDown: the pod object is gone when the process comes back.
func TestForcedWhileDown(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.halt()
		h.api.end("web", 0)
		h.start()
		h.until(time.Minute, "the group is gone", func() bool { return len(h.cloud.Groups()) == 0 })
		h.nothingLeft()
	})
}

func TestPodsSeenAfterGroups(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		writes := h.api.statusWrites()
		h.halt()
		h.mu.Lock()
		h.deaf = true // the informer is slow
		h.mu.Unlock()
		h.start()
		h.wait(2 * time.Minute)
		h.mu.Lock()
		h.deaf = false
		h.mu.Unlock()
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} })
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpCreate) + h.cloud.Count(fakecloud.OpDelete); n != 1 {
			t.Errorf("%d creates and deletes, want the first create only", n)
		}
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("written before the group was read: %s", h.api.writes[writes:])
		}
		h.cloud.Finish(h.group("uid-web"), 0)
		h.phase("web", corev1.PodSucceeded)
	})
}

func TestEventsAreToldOnce(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		tell := func(message string, count int32) {
			h.cloud.Change(id, func(g *cloudapi.Group) {
				g.Events = []cloudapi.Event{{
					Reason: "Pulled", Message: message, Count: count, FirstTime: time.Now().Truncate(time.Hour), LastTime: time.Now(),
				}}
			})
			h.wait(10 * time.Second)
		}
		tell("Pulled `registry.example/app:1`", 1)
		tell("Pulled `registry.example/app:1`", 1)
		tell("Pulled `registry.example/app:1`", 2)
		want := strings.Repeat("Normal Pulled spec.containers{main}: Pulled \"registry.example/app:1\"\n", 2)
		if diff := cmp.Diff(want, strings.Join(h.events.with("Pulled"), "\n")+"\n"); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		h.restart()
		h.wait(time.Minute)
		if n := len(h.events.with("Pulled")); n != 2 {
			t.Errorf("%d events after the restart, want the same 2", n)
		}
		tell("Pulled `registry.example/app:1`", 3)
		if n := len(h.events.with("Pulled")); n != 3 {
			t.Errorf("%d events after a new one, want 3", n)
		}
	})
}

// TestEventsOfTheFirstSecond: the clouds' times have whole seconds, so the
// events of a group that was made right after the start look older than it.
func TestEventsOfTheFirstSecond(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		early := func() {
			group := &cloudapi.Group{Events: []cloudapi.Event{{Reason: "Pulling", Message: "of the first second", LastTime: h.p.started.Add(-time.Second)}}}
			h.p.store.update("uid-web", func(r *record) { r.seenEvents = nil })
			h.p.tellEvents("uid-web", group, true)
		}
		early()
		if n := len(h.events.with("of the first second")); n != 1 {
			t.Errorf("%d events of a group of our own making, want 1", n)
		}
		h.restart()
		h.wait(time.Minute)
		early()
		if n := len(h.events.with("of the first second")); n != 1 {
			t.Errorf("%d events after a restart, want the same 1: the run before has told it", n)
		}
	})
}

// TestRestoredAPIServer: an API server that was restored from a backup counts its
// versions from an earlier one on. What it says of a pod counts all the same.
func TestRestoredAPIServer(t *testing.T) {
	run(t, func(h *harness) {
		h.api.mu.Lock()
		h.api.version = 1000
		h.api.mu.Unlock()
		h.running("web")
		h.api.mu.Lock()
		h.api.version = 500
		h.api.mu.Unlock()
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"restored": "yes"} })
		h.wait(time.Second)
		h.api.end("web", 30)
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
	})
}

// TestLateNews: what the watch tells late does not undo what a write was answered.
func TestLateNews(t *testing.T) {
	s := newStore()
	version := func(v string) *corev1.Pod { return newPod("web", func(p *corev1.Pod) { p.ResourceVersion = v }) }
	for _, step := range []struct {
		version, want string
		answered      bool
	}{{"5", "5", false}, {"9", "9", true}, {"7", "9", false}, {"9", "9", false}, {"10", "10", false}, {"4", "4", false}} {
		if step.answered {
			s.refresh(version(step.version))
		} else {
			s.observe(version(step.version), record{})
		}
		if r, _ := s.get("uid-web"); r.pod.ResourceVersion != step.want {
			t.Errorf("version %s after %s, want %s", r.pod.ResourceVersion, step.version, step.want)
		}
	}
}
