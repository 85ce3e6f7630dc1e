package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// TestNothingBeforeFirstList: without one complete list nobody knows what runs
// already.
func TestNothingBeforeFirstList(t *testing.T) {
	runIdle(t, func(h *harness) {
		h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)}
		})
		h.start()
		h.create("web")
		h.wait(10 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpCreate) + h.api.statusWrites(); n != 0 {
			t.Errorf("%d creates and status writes", n)
		}
		select {
		case <-h.p.Swept():
			t.Error("Swept is closed")
		default:
		}
		h.cloud.FailAll(fakecloud.OpList, nil)
		h.group("uid-web")
		<-h.p.Swept()
	})
}

func orphanSpec(node, uid string) cloudapi.GroupSpec {
	return cloudapi.GroupSpec{Name: "orphan", Identity: cloudapi.Identity{
		Cluster: testCluster, Node: node, Namespace: testNamespace, PodName: "old", PodUID: uid,
	}}
}

func TestOrphans(t *testing.T) {
	run(t, func(h *harness) {
		ours := h.cloud.Add(orphanSpec(testNode, "uid-of-nobody"))
		h.cloud.Add(orphanSpec("virtual-2", "uid-of-another-node's"))
		anonymous := h.cloud.Add(orphanSpec(testNode, ""))
		h.wait(29 * time.Second)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes before the group is 30 s old", n)
		}
		h.api.mu.Lock()
		h.api.listErr = cloudErr(cloudapi.CodeUnavailable, false)
		h.api.mu.Unlock()
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes although the API server does not answer", n)
		}
		h.api.mu.Lock()
		h.api.listErr = nil
		h.api.mu.Unlock()
		h.wait(time.Minute)
		deletes := h.cloud.Calls(fakecloud.OpDelete)
		if len(deletes) != 1 || deletes[0].IDs[0] != ours || !deletes[0].Delete.Force {
			t.Errorf("deletes %+v, want one of %s by force", deletes, ours)
		}
		if n := len(h.cloud.Groups()); n != 2 {
			t.Errorf("%d groups are left, want that of the other node and %s", n, anonymous)
		}
	}, endTakes(5*time.Second))
}

// TestOrphanWithLivePod: the API server knows the pod, only we do not yet.
func TestOrphanWithLivePod(t *testing.T) {
	run(t, func(h *harness) {
		h.mu.Lock()
		h.deaf = true
		h.mu.Unlock()
		h.create("web")
		h.cloud.Add(orphanSpec(testNode, "uid-web"))
		h.wait(5 * time.Minute)
		h.mu.Lock()
		h.deaf = false
		h.mu.Unlock()
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} })
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpDelete) + h.cloud.Count(fakecloud.OpCreate); n != 0 {
			t.Errorf("%d deletes and creates", n)
		}
	})
}

func TestSecondGroup(t *testing.T) {
	run(t, func(h *harness) {
		first := h.running("web")
		second := h.cloud.Add(orphanSpec(testNode, "uid-web"))
		h.wait(time.Minute)
		if diff := cmp.Diff([]string{first}, h.groups("uid-web")); diff != "" {
			t.Errorf("groups (-want +got), %s was the second:\n%s", second, diff)
		}
		if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
			t.Errorf("phase %s", got)
		}
	})
}

func TestStaleView(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		writes := h.api.statusWrites()
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Status = cloudapi.StatusPending
			g.Containers[0].Current = cloudapi.RunState{Kind: cloudapi.RunWaiting}
		})
		h.wait(time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("an old view was written: %s", h.api.writes[writes:])
		}
		h.cloud.Finish(id, 0)
		h.phase("web", corev1.PodSucceeded)
		h.cloud.Start(id, "10.0.0.7")
		h.wait(time.Minute)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes", n)
		}
		if pod := h.api.pod("web"); pod.Status.Phase != corev1.PodSucceeded || pod.Status.PodIP != "10.0.0.1" {
			t.Errorf("phase %s, address %s", pod.Status.Phase, pod.Status.PodIP)
		}
	})
}

// TestHiddenReadiness: a cloud that hides readiness tells of failed probes by
// events.
func TestHiddenReadiness(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", func(p *corev1.Pod) {
			p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{
				ProbeHandler:        corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}},
				InitialDelaySeconds: 5, PeriodSeconds: 5, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3,
			}
		})
		if h.api.pod("web").Status.ContainerStatuses[0].Ready {
			t.Error("ready before the first probe")
		}
		h.wait(10 * time.Second)
		if !h.api.pod("web").Status.ContainerStatuses[0].Ready {
			t.Error("not ready after probes that did not fail")
		}
		h.cloud.Change(h.group("uid-web"), func(g *cloudapi.Group) {
			g.Events = []cloudapi.Event{{Warning: true, Reason: "Unhealthy", Message: "Readiness probe failed: no", LastTime: time.Now(), Count: 1}}
		})
		h.wait(2 * time.Second)
		if h.api.pod("web").Status.ContainerStatuses[0].Ready {
			t.Error("ready although the probe failed")
		}
		h.wait(20 * time.Second)
		if !h.api.pod("web").Status.ContainerStatuses[0].Ready {
			t.Error("not ready although the probe fails no more")
		}
	}, withoutTags)
}

// TestImageID: the status has the image's id, whether the cloud's list tells it or
// the group's description.
func TestImageID(t *testing.T) {
	test := func(h *harness) {
		id := h.running("web")
		const image = "registry.example.com/app@sha256:1f"
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].ImageID = image })
		h.wait(5 * time.Second)
		if got := h.api.pod("web").Status.ContainerStatuses[0].ImageID; got != image {
			t.Errorf("imageID is %q, want %q", got, image)
		}
	}
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) { run(t, test, s...) })
	}
}

func TestKickedSweepsAreFew(t *testing.T) {
	run(t, func(h *harness) {
		before := h.cloud.Count(fakecloud.OpList)
		for range 1000 {
			h.p.kick()
			h.wait(10 * time.Millisecond)
		}
		if n := h.cloud.Count(fakecloud.OpList) - before; n > 10*(kickedSweeps+2) {
			t.Errorf("%d lists in 10 s", n)
		}
	})
}

func TestShutdownSaysNothingOfTheCloud(t *testing.T) {
	run(t, func(h *harness) {
		p, never := h.p, make(chan struct{})
		h.cloud.Fail(fakecloud.OpList, fakecloud.Fault{Hold: never})
		h.create("web")
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{Hold: never})
		h.wait(2 * time.Second)
		writes := h.api.statusWrites()
		h.halt() // in the middle of a list and of a create
		if err := p.CloudHealth().Err; err != nil {
			t.Errorf("health after the end: %v", err)
		}
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d writes after the end", n-writes)
		}
	})
}
