package provider

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// TestDeadlineShortened: the cloud was told another deadline, which it cannot
// be told anew; the node keeps the one that comes first.
func TestDeadlineShortened(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](3600) })
		if got := h.cloud.Calls(fakecloud.OpCreate)[0].Spec.ActiveDeadlineSeconds; got == nil || *got != 3600 {
			t.Fatalf("the cloud was told the deadline %v", got)
		}
		h.wait(time.Minute)
		h.api.change("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](70) })
		h.wait(8 * time.Second)
		if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
			t.Errorf("phase %s before the new deadline", got)
		}
		h.wait(3 * time.Second)
		if s := h.api.pod("web").Status; s.Phase != corev1.PodFailed || s.Reason != "DeadlineExceeded" {
			t.Errorf("phase %s, reason %q after it", s.Phase, s.Reason)
		}
		h.until(5*time.Second, "the group is gone", func() bool { return len(h.cloud.Groups()) == 0 })
		h.wait(10 * time.Second)
		if s := h.api.pod("web").Status; s.Reason != "DeadlineExceeded" || s.ContainerStatuses[0].State.Terminated == nil {
			t.Errorf("in the end: %+v", s)
		}
	}, can(func(l *cloudapi.Limits) { l.Can.ActiveDeadline = true }))
}

// TestDeadlinePassedAlready: a deadline may be set that is over.
func TestDeadlinePassedAlready(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.wait(time.Minute)
		h.api.change("web", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](5) })
		h.wait(time.Second)
		if s := h.api.pod("web").Status; s.Phase != corev1.PodFailed || s.Reason != "DeadlineExceeded" {
			t.Errorf("phase %s, reason %q", s.Phase, s.Reason)
		}
	})
}

// TestObservedGeneration: the status tells which generation of the pod it is
// about, at last the newest, and not more often than it must.
func TestObservedGeneration(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", func(p *corev1.Pod) { p.Generation, p.Spec.ActiveDeadlineSeconds = 1, ptr.To[int64](5000) })
		writes := h.api.statusWrites()
		for range 499 {
			h.api.change("web", func(p *corev1.Pod) {
				p.Generation++
				*p.Spec.ActiveDeadlineSeconds--
			})
		}
		h.wait(time.Second)
		pod := h.api.pod("web")
		if pod.Generation != 500 || pod.Status.ObservedGeneration != 500 {
			t.Errorf("generation %d, observed %d, want 500", pod.Generation, pod.Status.ObservedGeneration)
		}
		for _, c := range pod.Status.Conditions {
			if c.ObservedGeneration != 500 {
				t.Errorf("condition %s is of generation %d", c.Type, c.ObservedGeneration)
			}
		}
		if n := h.api.statusWrites() - writes; n > 499 {
			t.Errorf("%d writes for 499 changes", n)
		}
	})
}

// TestAnnotationMendsPod: a pod that cannot be made as it is waits, and goes on
// at once when it was changed.
func TestAnnotationMendsPod(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", func(p *corev1.Pod) {
			p.Annotations = map[string]string{"other": "x"}
			p.Spec.Volumes = []corev1.Volume{{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "PART", ValueFrom: &corev1.EnvVarSource{
				FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.annotations['part']"},
			}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "work", MountPath: "/scratch", SubPathExpr: "$(PART)/main"}}
		})
		h.wait(2 * time.Minute)
		if got, want := h.state("web"), "Pending waiting CreateContainerConfigError"; got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		h.wait(2 * time.Second) // between two tries
		h.api.change("web", func(p *corev1.Pod) { p.Annotations["part"] = "one" })
		h.wait(300 * time.Millisecond)
		calls := h.cloud.Calls(fakecloud.OpCreate)
		if len(calls) != 1 {
			t.Fatalf("%d creates, want 1; log:\n%s", len(calls), h.log)
		}
		if got := calls[0].Spec.Containers[0].Mounts[0].SubPath; got != "one/main" {
			t.Errorf("sub-path %q", got)
		}
	}, can(func(l *cloudapi.Limits) { l.Can.SubPath = true }))
}

// TestNewGroupsAreSeenSoon: how late a change is seen is a small part of how
// long it took.
func TestNewGroupsAreSeenSoon(t *testing.T) {
	for _, after := range []time.Duration{300 * time.Millisecond, 1200 * time.Millisecond, 4 * time.Second, time.Minute} {
		t.Run(after.String(), func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.group(h.create("web").UID)
				h.wait(after)
				h.cloud.Start(id, "10.0.0.1")
				h.shows(min(max(250*time.Millisecond, after/haste+100*time.Millisecond), 1100*time.Millisecond),
					"web", "Running running started ready pod ready")
				before := h.cloud.Count(fakecloud.OpList)
				h.wait(time.Minute)
				if n := h.cloud.Count(fakecloud.OpList) - before; n < 55 || n > 62 {
					t.Errorf("%d lists in a minute of rest", n)
				}
				h.api.end("web", 30)
				h.goneFromAPI(time.Second, "web")
			}, endTakes(700*time.Millisecond))
		})
	}
}

// TestManyPods: fifty pods are asked for in a moment.
func TestManyPods(t *testing.T) {
	run(t, func(h *harness) {
		const pods = 50
		begun := time.Now()
		lists := h.cloud.Count(fakecloud.OpList)
		for i := range pods {
			h.create(fmt.Sprintf("web-%d", i))
		}
		h.until(time.Second, "all groups", func() bool { return len(h.cloud.Groups()) == pods })
		for i, g := range h.cloud.Groups() {
			h.wait(50 * time.Millisecond) // a machine starts them one after the other
			h.cloud.Start(g.ID, fmt.Sprintf("10.0.1.%d", i+1))
		}
		h.until(time.Second, "all pods ready", func() bool {
			for i := range pods {
				if !isReady(h.api.pod(fmt.Sprintf("web-%d", i))) {
					return false
				}
			}
			return true
		})
		took := time.Since(begun)
		if n := h.cloud.Count(fakecloud.OpList) - lists; n > kickedSweeps*int(took/time.Second+1) {
			t.Errorf("%d lists in %v", n, took)
		}
	})
}

func TestUntilNextSweep(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		reason string
		age    time.Duration // of the youngest group that is awaited; 0 for none
		took   time.Duration
		err    error
		want   time.Duration
	}{
		"Rest":          {"nothing is awaited", 0, 10 * time.Millisecond, nil, 990 * time.Millisecond},
		"New":           {"no more often than five times in a second", time.Millisecond, 10 * time.Millisecond, nil, 190 * time.Millisecond},
		"Young":         {"an eighth of its age", 4 * time.Second, 0, nil, 500 * time.Millisecond},
		"Old":           {"no less often than at rest", time.Hour, 0, nil, time.Second},
		"SlowCloud":     {"a quarter of the time at most", time.Millisecond, 300 * time.Millisecond, nil, 600 * time.Millisecond},
		"VerySlowCloud": {"at rest it may be more", time.Millisecond, 5 * time.Second, nil, 0},
		"CloudIsAway":   {"it is not pressed", time.Millisecond, 10 * time.Millisecond, cloudErr(cloudapi.CodeThrottled, false), 990 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Provider{Options: Options{SweepInterval: time.Second}, store: newStore()}
			p.health.note(c.err, at)
			if c.age > 0 {
				p.store.observe(newPod("web"), record{firstSeen: at})
				p.store.bind("uid-web", "group-1")
				p.store.update("uid-web", func(r *record) { r.lastCreate = at.Add(c.took - c.age) })
			}
			if got := p.untilNextSweep(at, at.Add(c.took)); got != c.want {
				t.Errorf("%s: %v, want %v", c.reason, got, c.want)
			}
		})
	}
}

// TestStatusWhileEnding: an ending pod's status goes on to tell the truth.
func TestStatusWhileEnding(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.api.end("web", 30)
		h.wait(time.Second)
		h.cloud.Change(id, func(g *cloudapi.Group) {
			now := time.Now()
			g.Containers[0].Current = cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: 0, StartedAt: g.Containers[0].Current.StartedAt, FinishedAt: now}
		})
		h.wait(3 * time.Second)
		if got, want := h.state("web"), "Running ended"; got != want {
			t.Errorf("while the group goes: %q, want %q", got, want)
		}
		h.goneFromAPI(20*time.Second, "web")
		h.nothingLeft()
	}, endTakes(10*time.Second))
}

// TestKillingIsToldOnce: the cloud's agents speak as a kubelet does, too.
func TestKillingIsToldOnce(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.api.end("web", 30)
		h.wait(time.Second)
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Events = []cloudapi.Event{
				{Reason: "Killing", Message: "Stopping container main", Count: 1, FirstTime: time.Now(), LastTime: time.Now()},
				{Reason: "Killing", Message: "Stopping container other", Count: 1, FirstTime: time.Now(), LastTime: time.Now()},
			}
		})
		h.wait(3 * time.Second)
		want := []string{"Normal Killing spec.containers{main}: Stopping container main", "Normal Killing: Stopping container other"}
		if diff := cmp.Diff(want, h.events.with("Killing")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}, endTakes(10*time.Second))
}
