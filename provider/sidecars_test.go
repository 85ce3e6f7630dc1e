package provider

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// withSidecar gives a pod a sidecar named side.
func withSidecar(p *corev1.Pod) {
	p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{
		Name: "side", Image: "registry.example/side:1", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways),
	})
}

// finishOne ends one container of a group with this code.
func (h *harness) finishOne(id, container string, code int32) {
	now := time.Now()
	h.cloud.Change(id, func(g *cloudapi.Group) {
		for i := range g.Containers {
			if run := &g.Containers[i].Current; g.Containers[i].Name == container {
				*run = cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: code, StartedAt: run.StartedAt, FinishedAt: now}
			}
		}
	})
}

// finishAll is finishOne for the last container, with which the group ends.
func (h *harness) finishAll(id, container string, code int32, status cloudapi.Status) {
	h.finishOne(id, container, code)
	h.cloud.Change(id, func(g *cloudapi.Group) { g.Status, g.RawStatus, g.FinishedAt = status, string(status), time.Now() })
}

// orders are the commands that were run in containers, as "container: command".
func (h *harness) orders() []string {
	var all []string
	for _, c := range h.cloud.Calls(fakecloud.OpExec) {
		all = append(all, c.Container+": "+strings.Join(c.Command, " "))
	}
	return all
}

// TestSidecarEndsWithTheJob: the classic pain. The sidecar is asked to end when the
// container has, whereupon the group ends by itself and keeps its logs.
func TestSidecarEndsWithTheJob(t *testing.T) {
	run(t, func(h *harness) {
		var id string
		h.cloud.OnExec(func(context.Context, fakecloud.Call) (int, error) {
			h.finishAll(id, "side", 143, cloudapi.StatusFailed)
			return 0, nil
		})
		id = h.running("job", withSidecar)
		h.finishOne(id, "main", 0)
		h.phase("job", corev1.PodSucceeded)
		if diff := cmp.Diff([]string{"side: /bin/sh -c kill -TERM 1"}, h.orders()); diff != "" {
			t.Errorf("commands (-want +got):\n%s", diff)
		}
		want := []string{"Normal Killing spec.initContainers{side}: Stopping container side"}
		if diff := cmp.Diff(want, h.events.with("Killing")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		h.wait(5 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes: the group holds the logs", n)
		}
		h.api.end("job", 0)
		h.nothingLeft()
	})
}

// TestSidecarWithoutShell: not every image has one.
func TestSidecarWithoutShell(t *testing.T) {
	run(t, func(h *harness) {
		var id string
		h.cloud.OnExec(func(_ context.Context, c fakecloud.Call) (int, error) {
			if c.Command[0] == "/bin/sh" {
				return 126, nil
			}
			h.finishAll(id, "side", 0, cloudapi.StatusSucceeded)
			return 0, nil
		})
		id = h.running("job", withSidecar)
		h.finishOne(id, "main", 0)
		h.phase("job", corev1.PodSucceeded)
		want := []string{"side: /bin/sh -c kill -TERM 1", "side: kill -TERM 1"}
		if diff := cmp.Diff(want, h.orders()); diff != "" {
			t.Errorf("commands (-want +got):\n%s", diff)
		}
	})
}

// TestSidecarThatWillNotEnd: after the grace period the group is deleted, and the
// pod has ended as its containers did.
func TestSidecarThatWillNotEnd(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		code   int32
		phase  corev1.PodPhase
	}{
		"Succeeded": {"the job has done its work", 0, corev1.PodSucceeded},
		"Failed":    {"and so has one that failed", 3, corev1.PodFailed},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("job", withSidecar)
				h.finishOne(id, "main", c.code)
				h.never(29*time.Second, "the group is deleted within the grace period", func() bool {
					return h.cloud.Count(fakecloud.OpDelete) > 0 || h.api.pod("job").Status.Phase != corev1.PodRunning
				})
				h.phase("job", c.phase)
				s := h.api.pod("job").Status
				if end := s.ContainerStatuses[0].State.Terminated; end == nil || end.ExitCode != c.code || s.Reason != "" {
					t.Errorf("%s: reason %q, container %+v", c.reason, s.Reason, s.ContainerStatuses[0].State)
				}
				if end := s.InitContainerStatuses[0].State.Terminated; end == nil || end.Reason != "ContainerStatusUnknown" {
					t.Errorf("sidecar %+v", s.InitContainerStatuses[0].State)
				}
				want := []string{"Warning SidecarNotEnded: The pod's containers have ended, but side did not end within the grace period; " +
					"the container group is deleted, and its logs with it"}
				if diff := cmp.Diff(want, h.events.with("SidecarNotEnded")); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				h.api.end("job", 0)
				h.nothingLeft()
			})
		})
	}
}

// TestSidecarComesBack: where the group's policy starts a sidecar again that was
// ended, there is no use in waiting.
func TestSidecarComesBack(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("job", withSidecar, func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure })
		h.finishOne(id, "main", 0)
		h.until(10*time.Second, "the sidecar is told to end", func() bool { return h.cloud.Count(fakecloud.OpExec) > 0 })
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].RestartCount++ })
		h.until(10*time.Second, "the group is deleted", func() bool { return h.cloud.Count(fakecloud.OpDelete) == 1 })
		h.phase("job", corev1.PodSucceeded)
	})
}

// TestSidecarOfACloudThatKnowsThem: the cloud ends it, and is given its time.
func TestSidecarOfACloudThatKnowsThem(t *testing.T) {
	knows := can(func(l *cloudapi.Limits) { l.Can.Sidecars = true })
	run(t, func(h *harness) {
		id := h.running("job", withSidecar)
		if spec := h.cloud.Calls(fakecloud.OpCreate)[0].Spec; !spec.Containers[0].Sidecar || spec.Containers[0].Name != "side" || len(spec.InitContainers) > 0 {
			t.Errorf("containers %+v", spec.Containers)
		}
		h.finishOne(id, "main", 0)
		h.wait(50 * time.Second)
		h.finishAll(id, "side", 137, cloudapi.StatusFailed)
		h.phase("job", corev1.PodSucceeded)
		if n := h.cloud.Count(fakecloud.OpExec) + h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d commands and deletes", n)
		}
	}, knows)
	run(t, func(h *harness) {
		id := h.running("job", withSidecar)
		h.finishOne(id, "main", 0)
		h.until(70*time.Second, "the group is deleted", func() bool { return h.cloud.Count(fakecloud.OpDelete) == 1 })
		h.phase("job", corev1.PodSucceeded)
	}, knows)
}

// TestSidecarAcrossARestart: another process finishes what one has begun.
func TestSidecarAcrossARestart(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("job", withSidecar)
		h.finishOne(id, "main", 0)
		h.until(10*time.Second, "the sidecar is told to end", func() bool { return h.cloud.Count(fakecloud.OpExec) > 0 })
		h.restart()
		h.phase("job", corev1.PodSucceeded)
		h.api.end("job", 0)
		h.nothingLeft()
	})
	// The group went while no process ran.
	run(t, func(h *harness) {
		id := h.running("job", withSidecar)
		h.finishOne(id, "main", 0)
		h.until(10*time.Second, "the container has ended", func() bool {
			return h.api.pod("job").Status.ContainerStatuses[0].State.Terminated != nil
		})
		h.halt()
		h.cloud.Vanish(id)
		h.start()
		h.until(2*time.Minute, "the pod has succeeded", func() bool { return h.api.pod("job").Status.Phase == corev1.PodSucceeded })
	})
}

// TestSidecarStaysWithAService: nothing is over while a container may start again.
func TestSidecarStaysWithAService(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", withSidecar, restartAlways)
		h.finishOne(id, "main", 0)
		h.wait(5 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpExec) + h.cloud.Count(fakecloud.OpDelete); n != 0 || h.api.pod("web").Status.Phase != corev1.PodRunning {
			t.Errorf("%d commands and deletes, phase %s", n, h.api.pod("web").Status.Phase)
		}
	})
}

// TestSidecarEndsAlone: what is not started again is told, and shows as not ready.
func TestSidecarEndsAlone(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("job", withSidecar)
		h.finishOne(id, "side", 1)
		h.wait(5 * time.Second)
		h.restart()
		h.wait(10 * time.Second)
		want := []string{"Warning SidecarNotRestarted spec.initContainers{side}: Sidecar side has ended and is not started again: " +
			"a container group has one restart policy for all containers, which is Never"}
		if diff := cmp.Diff(want, h.events.with("SidecarNotRestarted")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if s := h.api.pod("job").Status; s.Phase != corev1.PodRunning || isReady(h.api.pod("job")) {
			t.Errorf("phase %s, conditions %+v", s.Phase, s.Conditions)
		}
	})
}

// TestEphemeralContainerIsRefusedAloud: kubectl debug must not wait for ever.
func TestEphemeralContainerIsRefusedAloud(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", restartAlways)
		h.api.change("web", func(p *corev1.Pod) {
			p.Spec.EphemeralContainers = append(p.Spec.EphemeralContainers, corev1.EphemeralContainer{
				EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debugger", Image: "busybox"},
			})
		})
		h.until(10*time.Second, "the container is told not to run", func() bool {
			s := h.api.pod("web").Status.EphemeralContainerStatuses
			return len(s) == 1 && s[0].State.Terminated != nil && s[0].State.Terminated.Reason == "ContainerCannotRun"
		})
		h.wait(time.Minute)
		if events := h.events.with("spec.ephemeralContainers{debugger}"); len(events) != 1 || !strings.HasPrefix(events[0], "Warning Failed ") {
			t.Errorf("events %q", events)
		}
		err := h.p.Logs(t.Context(), ContainerName{testNamespace, "web", "debugger"}, LogOptions{}, &strings.Builder{})
		if err == nil || !strings.Contains(err.Error(), "a container cannot be added") {
			t.Errorf("log: %v", err)
		}
		if s := h.api.pod("web").Status; s.Phase != corev1.PodRunning || h.cloud.Count(fakecloud.OpCreate) != 1 {
			t.Errorf("phase %s, %d creates", s.Phase, h.cloud.Count(fakecloud.OpCreate))
		}
	})
}

// TestResizeIsInfeasible: the wish is answered as a kubelet answers one that its
// node cannot grant, and what was given is still told.
func TestResizeIsInfeasible(t *testing.T) {
	run(t, func(h *harness) {
		size := func(cores string) func(*corev1.Pod) {
			return func(p *corev1.Pod) {
				p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cores)}
				p.Generation++
			}
		}
		h.running("web", restartAlways, size("1"))
		h.api.change("web", size("2"))
		pending := func() *corev1.PodCondition { return conditionOf(&h.api.pod("web").Status, corev1.PodResizePending) }
		h.until(10*time.Second, "the resize is infeasible", func() bool { return pending() != nil })
		if c := pending(); c.Reason != "Infeasible" || c.ObservedGeneration != 2 {
			t.Errorf("condition %+v", c)
		}
		if n := len(h.events.with("Warning ResizeInfeasible")); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
		if got := h.api.pod("web").Status.ContainerStatuses[0].Resources.Limits.Cpu().String(); got != "1" {
			t.Errorf("%s cores are told, want 1", got)
		}
		h.api.change("web", size("1"))
		h.until(10*time.Second, "the condition is gone", func() bool { return pending() == nil })
	})
}

// TestDeadlineCutShort: activeDeadlineSeconds may be set and shortened while the
// pod runs.
func TestDeadlineCutShort(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", restartAlways, func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](3600) })
		h.wait(time.Minute)
		h.api.change("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](90) })
		h.phase("web", corev1.PodFailed)
		if s := h.api.pod("web").Status; s.Reason != "DeadlineExceeded" {
			t.Errorf("reason %q", s.Reason)
		}
	})
}

// TestSpotReclaimIsADisruption: a job's podFailurePolicy can tell it by that.
func TestSpotReclaimIsADisruption(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Events = append(g.Events, cloudapi.Event{Warning: true, Reason: "SpotToBeReleased", Message: "in 3 minutes", Count: 1})
		})
		disrupted := func() bool { return conditionOf(&h.api.pod("web").Status, corev1.DisruptionTarget) != nil }
		h.until(10*time.Second, "the disruption is announced", disrupted)
		h.cloud.Finish(id, 137)
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Status = cloudapi.StatusExpired })
		h.phase("web", corev1.PodFailed)
		if n := len(h.events.with("DisruptionTarget")); n != 1 || !disrupted() {
			t.Errorf("%d events, disrupted %v", n, disrupted())
		}
	})
}

// TestHooksThatSleep: a hook that only waits is the node's on every cloud.
func TestHooksThatSleep(t *testing.T) {
	sleeps := func(seconds int64) *corev1.LifecycleHandler {
		return &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: seconds}}
	}
	run(t, func(h *harness) {
		id := h.begun("web", restartAlways, func(p *corev1.Pod) {
			p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PostStart: sleeps(5), PreStop: sleeps(10)}
		})
		h.wait(3 * time.Second)
		if got, want := h.state("web"), "Pending waiting ContainerCreating"; got != want {
			t.Errorf("while the hook sleeps: %q, want %q", got, want)
		}
		h.shows(4*time.Second, "web", "Running running started ready pod ready")
		h.api.end("web", 30)
		h.never(9*time.Second, "the group is deleted while the hook sleeps", func() bool { return h.cloud.Count(fakecloud.OpDelete) > 0 })
		h.goneFromAPI(10*time.Second, "web")
		if n := h.cloud.Count(fakecloud.OpExec); n != 0 || len(h.groups("uid-web")) > 0 {
			t.Errorf("%d commands in group %s", n, id)
		}
		h.nothingLeft()
	}, can(func(l *cloudapi.Limits) { l.Can.Hooks, l.Can.Exec = true, false }))
}

// TestSidecarImage: a new image of a sidecar is carried into the group like that of
// a container.
func TestSidecarImage(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", withSidecar, restartAlways)
		h.api.change("web", func(p *corev1.Pod) { p.Spec.InitContainers[0].Image = "registry.example/side:2" })
		h.until(10*time.Second, "the image is updated", func() bool { return h.cloud.Count(fakecloud.OpUpdate) == 1 })
		want := map[string]string{"side": "registry.example/side:2"}
		if diff := cmp.Diff(want, h.cloud.Calls(fakecloud.OpUpdate)[0].Images); diff != "" {
			t.Errorf("images (-want +got):\n%s", diff)
		}
		if events := h.events.with("definition changed"); len(events) != 1 || !strings.Contains(events[0], "spec.initContainers{side}") {
			t.Errorf("events %q", events)
		}
	})
}

// TestSidecarsEndOneByOne: that one of two sidecars has ended, and was restarted
// in its life, is no sign that the other comes back.
func TestSidecarsEndOneByOne(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("job", withSidecar, withSidecar, func(p *corev1.Pod) {
			p.Spec.InitContainers[1].Name = "other"
			p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
		})
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].RestartCount = 2 })
		h.finishOne(id, "main", 0)
		h.until(10*time.Second, "the sidecars are told to end", func() bool { return h.cloud.Count(fakecloud.OpExec) == 2 })
		h.finishOne(id, "side", 0)
		h.never(20*time.Second, "the group is deleted within the grace period", func() bool { return h.cloud.Count(fakecloud.OpDelete) > 0 })
		h.finishAll(id, "other", 0, cloudapi.StatusSucceeded)
		h.phase("job", corev1.PodSucceeded)
		if events := h.events.with("SidecarNotEnded"); len(events) > 0 {
			t.Errorf("events %q", events)
		}
	})
}
