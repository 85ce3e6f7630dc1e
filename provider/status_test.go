package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestOldAnswer: the cloud shows a group once more as it was before a restart.
func TestOldAnswer(t *testing.T) {
	for name, s := range map[string][]setup{"WithTags": nil, "WithoutTags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("web", func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyAlways })
				show := func(count int32, ready bool, now cloudapi.RunState) {
					h.cloud.Change(id, func(g *cloudapi.Group) {
						g.Containers[0].RestartCount, g.Containers[0].Ready, g.Containers[0].Current = count, ptr.To(ready), now
					})
					h.wait(5 * time.Second)
				}
				first := cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: time.Now().Truncate(time.Second)}
				ended := cloudapi.RunState{
					Kind: cloudapi.RunTerminated, StartedAt: first.StartedAt, FinishedAt: first.StartedAt.Add(10 * time.Second), ExitCode: 1,
				}
				second := cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: first.StartedAt.Add(15 * time.Second)}
				show(0, true, first)
				show(0, false, ended)
				before := h.api.pod("web").Status
				show(0, true, first)
				if diff := cmp.Diff(before, h.api.pod("web").Status); diff != "" {
					t.Errorf("a run that has ended runs again (-before +after):\n%s", diff)
				}
				show(1, true, second)
				before = h.api.pod("web").Status
				show(0, false, ended)
				if diff := cmp.Diff(before, h.api.pod("web").Status); diff != "" {
					t.Errorf("the end of the run before ends the new one (-before +after):\n%s", diff)
				}
				if !isReady(h.api.pod("web")) {
					t.Error("it is not ready")
				}
				h.cloud.Finish(id, 3)
				h.wait(5 * time.Second)
				if code := h.api.pod("web").Status.ContainerStatuses[0].State.Terminated.ExitCode; code != 3 {
					t.Errorf("exit code %d in the end", code)
				}
			}, s...)
		})
	}
}

// TestWaitingPodHasHostIP: as under a kubelet, which tells it of every pod that it
// has taken.
func TestWaitingPodHasHostIP(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", func(p *corev1.Pod) {
			p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{
				ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "not-there"}},
			}}
		})
		h.wait(10 * time.Second)
		s := h.api.pod("web").Status
		if got := s.ContainerStatuses[0].State.Waiting.Reason; got != "CreateContainerConfigError" {
			t.Fatalf("waits for %q", got)
		}
		if s.HostIP != "192.0.2.1" || len(s.HostIPs) != 1 || s.HostIPs[0].IP != s.HostIP {
			t.Errorf("hostIP %q, hostIPs %v", s.HostIP, s.HostIPs)
		}
	})
}

// TestBackOffNamesPod: the cloud's agent knows the pod by its group's name.
func TestBackOffNamesPod(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Events = []cloudapi.Event{{
				Warning: true, Reason: "BackOff", Message: "Back-off restarting failed container main in pod g_default(eci-1)",
				Count: 1, FirstTime: time.Now(), LastTime: time.Now(),
			}}
		})
		h.wait(5 * time.Second)
		want := []string{"Warning BackOff spec.containers{main}: Back-off restarting failed container main in pod web_shop(uid-web)"}
		if diff := cmp.Diff(want, h.events.with("BackOff")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
