package provider

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

func TestLivenessRestarts(t *testing.T) {
	run(t, func(h *harness) {
		v := h.judge(map[string]int{})
		id := h.running("web", startupProbed)
		h.shows(3*time.Second, "web", "Running running started ready pod ready")
		v.set("liveness", 1)
		v.set("startup", 1)
		h.until(10*time.Second, "the group is restarted", func() bool { return h.cloud.Count(fakecloud.OpRestart) == 1 })
		h.shows(2*time.Second, "web", "Running running")
		if c := h.api.pod("web").Status.ContainerStatuses[0]; c.RestartCount != 1 || c.LastTerminationState.Terminated == nil {
			t.Errorf("status %+v", c)
		}
		want := []string{"Normal Killing spec.containers{main}: Container main failed liveness probe, will be restarted"}
		if diff := cmp.Diff(want, h.events.with("Killing")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if n := len(h.events.with("Liveness probe failed: liveness")); n != 3 {
			t.Errorf("%d failures of the probe, want 3", n)
		}
		h.cloud.OnExec(nil)
		h.shows(2*time.Second, "web", "Running running started ready pod ready")
		if got := h.groups("uid-web"); len(got) != 1 || got[0] != id {
			t.Errorf("groups %v, want the same %s", got, id)
		}
	})
}

// TestRestartsBackOff: a container that never starts does not use up the
// account's quota.
func TestRestartsBackOff(t *testing.T) {
	run(t, func(h *harness) {
		h.judge(map[string]int{"startup": 1})
		h.running("web", func(p *corev1.Pod) {
			startupProbed(p)
			p.Spec.Containers[0].StartupProbe = execProbe("startup")
		})
		// At 0, 10, 30, 70, 150, 310 s, then each 300 s.
		h.wait(time.Hour)
		if n := h.cloud.Count(fakecloud.OpRestart); n < 15 || n > 18 {
			t.Errorf("%d restarts in an hour, want about 16", n)
		}
		tokens := map[string]bool{}
		for _, c := range h.cloud.Calls(fakecloud.OpRestart) {
			if tokens[c.Token] || len(c.Token) > 64 {
				t.Errorf("token %q of a restart is used again or too long", c.Token)
			}
			tokens[c.Token] = true
		}
	})
}

// TestRestartRefusedForNow: the group is in a state that forbids it.
func TestRestartRefusedForNow(t *testing.T) {
	run(t, func(h *harness) {
		v := h.judge(map[string]int{})
		h.running("web", startupProbed)
		h.cloud.Fail(fakecloud.OpRestart, fakecloud.Fault{Before: cloudErr(cloudapi.CodeConflict, false)})
		v.set("liveness", 1)
		h.until(10*time.Second, "the restart is tried again", func() bool { return h.cloud.Count(fakecloud.OpRestart) == 2 })
		if calls := h.cloud.Calls(fakecloud.OpRestart); calls[0].Token != calls[1].Token {
			t.Errorf("tokens %q and %q of one request", calls[0].Token, calls[1].Token)
		}
		if n := len(h.events.with("will be restarted")); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
	})
}

// TestUnhealthyForGood: where no restart comes to what a kubelet does, the pod
// ends.
func TestUnhealthyForGood(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		rigid   bool
		change  func(*corev1.Pod)
		message string
	}{
		"Never": {"a container that may not restart ends for good", false,
			func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }, "Container main failed liveness probe"},
		"RigidCloud": {"the cloud cannot restart anything", true, func(*corev1.Pod) {},
			"Container main failed liveness probe, and test cannot restart a container"},
		"Sidecar": {"the other container must not be restarted", false,
			func(p *corev1.Pod) {
				p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "side", Image: "registry.example/side:1"})
			}, "Container main failed liveness probe, and test cannot restart one of several containers"},
	} {
		t.Run(name, func(t *testing.T) {
			runIdle(t, func(h *harness) {
				if c.rigid {
					h.client = fakecloud.Rigid{Client: h.cloud}
				}
				h.start()
				h.wait(time.Minute)
				h.running("web", restartAlways, c.change)
				h.p.unhealthy("uid-web", failedProbe(h, "web"))
				h.phase("web", corev1.PodFailed)
				h.wait(10 * time.Second)
				status := h.api.pod("web").Status
				if status.Reason != "Unhealthy" || status.Message != c.message || status.ContainerStatuses[0].State.Terminated == nil {
					t.Errorf("%s: reason %q, message %q, container %+v", c.reason, status.Reason, status.Message, status.ContainerStatuses[0].State)
				}
				if diff := cmp.Diff([]bool{false}, h.forces()); diff != "" || h.cloud.Count(fakecloud.OpRestart) > 0 {
					t.Errorf("%d restarts, deletes (-want +got):\n%s", h.cloud.Count(fakecloud.OpRestart), diff)
				}
				want := []string{"Normal Killing spec.containers{main}: " + c.message}
				if diff := cmp.Diff(want, h.events.with("Killing")); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				h.api.end("web", 0)
				h.nothingLeft()
			})
		})
	}
}

// TestUnrestartable: a liveness probe that nobody could act upon is refused.
func TestUnrestartable(t *testing.T) {
	const reason = "test cannot run this probe, and when the node runs it, it cannot restart the container alone"
	side := func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{
			Name: "side", Image: "registry.example/side:1", LivenessProbe: execProbe("liveness"),
		})
	}
	for name, c := range map[string]struct {
		rigid   bool
		changes []func(*corev1.Pod)
		want    string // empty: it runs
	}{
		"Single":      {false, []func(*corev1.Pod){startupProbed}, ""},
		"RigidCloud":  {true, []func(*corev1.Pod){startupProbed}, "spec.containers[0].livenessProbe: " + reason},
		"RigidNever":  {true, []func(*corev1.Pod){startupProbed, func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }}, ""},
		"StartupOnly": {true, []func(*corev1.Pod){startupProbed, func(p *corev1.Pod) { p.Spec.Containers[0].LivenessProbe = nil }}, ""},
		"Sidecar": {false, []func(*corev1.Pod){startupProbed, side},
			"spec.containers[0].livenessProbe: " + reason + "; spec.containers[1].livenessProbe: " + reason},
		"RestartableInit": {false, []func(*corev1.Pod){startupProbed, withSidecar, func(p *corev1.Pod) {
			p.Spec.InitContainers[0].LivenessProbe = execProbe("liveness")
		}}, "spec.containers[0].livenessProbe: " + reason + "; spec.initContainers[0].livenessProbe: " + reason},
		"Init": {false, []func(*corev1.Pod){startupProbed, func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "setup", Image: "registry.example/setup:1"}}
		}}, "spec.containers[0].livenessProbe: " + reason},
	} {
		t.Run(name, func(t *testing.T) {
			runIdle(t, func(h *harness) {
				if c.rigid {
					h.client = fakecloud.Rigid{Client: h.cloud}
				}
				h.start()
				h.wait(time.Minute)
				h.create("web", c.changes...)
				h.wait(5 * time.Second)
				s := h.api.pod("web").Status
				if c.want == "" && (s.Phase != corev1.PodPending || h.cloud.Count(fakecloud.OpCreate) != 1) {
					t.Errorf("phase %s, message %q", s.Phase, s.Message)
				}
				if c.want != "" && (s.Reason != "UnsupportedPodSpec" || s.Message != "Pod was rejected: "+c.want) {
					t.Errorf("reason %q, message %q, want %q", s.Reason, s.Message, c.want)
				}
			})
		})
	}
}

// TestUnrestartableOnce: a probe that translation has refused is not refused once
// more for what comes of that.
func TestUnrestartableOnce(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "main", LivenessProbe: execProbe("liveness")}, {Name: "side", LivenessProbe: execProbe("liveness")},
		{Name: "part", LivenessProbe: execProbe("liveness")},
	}}}
	err := error(translate.NewRefused([]translate.Refusal{
		{Field: "spec.containers[0].livenessProbe", Reason: "the cloud runs no commands"},
		{Field: "spec.containers[2].livenessProbe.exec", Reason: "nor these"},
	}))
	const want = "spec.containers[0].livenessProbe: the cloud runs no commands; " +
		"spec.containers[1].livenessProbe: test cannot run this probe, and when the node runs it, it cannot restart the container alone; " +
		"spec.containers[2].livenessProbe.exec: nor these"
	if got := WithUnrestartable(pod, cloudapi.Limits{Cloud: "test"}, false, err); got.Error() != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestKillOfAnOldRun: the container has been restarted meanwhile.
func TestKillOfAnOldRun(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", restartAlways)
		f := failedProbe(h, "web")
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].RestartCount++ })
		h.wait(2 * time.Second)
		h.p.unhealthy("uid-web", f)
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpRestart); n != 0 {
			t.Errorf("%d restarts", n)
		}
		if r, _ := h.p.store.get("uid-web"); r.kill != nil {
			t.Error("the kill is still remembered")
		}
	})
}

// failedProbe is a liveness probe that failed in the current run of the pod's
// container.
func failedProbe(h *harness, pod string) prober.Failed {
	h.t.Helper()
	r, ok := h.p.store.byPodName(testNamespace, pod)
	if !ok || r.group == nil {
		h.t.Fatalf("pod %s has no group", pod)
	}
	return prober.Failed{Container: "main", Kind: translate.ProbeLiveness, Run: runOf(&r.group.Containers[0])}
}

// TestOutageRestartsNothing: while the cloud does not answer, no command of a
// probe is answered either, and that is not the container's fault.
func TestOutageRestartsNothing(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", startupProbed)
		h.shows(3*time.Second, "web", "Running running started ready pod ready")
		h.wait(30 * time.Second)
		writes := h.api.statusWrites()
		outage := make(chan struct{})
		for _, op := range []fakecloud.Op{fakecloud.OpExec, fakecloud.OpList, fakecloud.OpGet} {
			h.cloud.FailAll(op, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Hold: outage} })
		}
		h.wait(10 * time.Minute)
		for _, op := range []fakecloud.Op{fakecloud.OpExec, fakecloud.OpList, fakecloud.OpGet} {
			h.cloud.FailAll(op, nil)
		}
		close(outage)
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpRestart) + h.api.statusWrites() - writes; n != 0 {
			t.Errorf("%d restarts and status writes", n)
		}
	})
}

// TestSlowCommand: a command that surely runs has no more time than its probe
// gives it.
func TestSlowCommand(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", startupProbed)
		h.shows(3*time.Second, "web", "Running running started ready pod ready")
		h.cloud.OnExec(func(ctx context.Context, _ fakecloud.Call) (int, error) {
			<-ctx.Done()
			return 0, &cloudapi.Error{Op: "Exec", Code: cloudapi.CodeCanceled, Uncertain: true, Err: ctx.Err()}
		})
		h.until(20*time.Second, "the group is restarted", func() bool { return h.cloud.Count(fakecloud.OpRestart) == 1 })
	})
}
