package translate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

func TestInferReady(t *testing.T) {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	yes := true
	running := func(name string) cloudapi.ContainerState {
		return cloudapi.ContainerState{Name: name, Current: cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: started}}
	}
	told := running("app")
	told.Ready = &yes
	failure := func(after time.Duration) cloudapi.Event {
		return cloudapi.Event{Warning: true, Reason: "Unhealthy", Message: "Readiness probe failed: refused", LastTime: started.Add(after)}
	}
	group := func(events []cloudapi.Event, states ...cloudapi.ContainerState) *cloudapi.Group {
		return &cloudapi.Group{Containers: states, Events: events}
	}
	probe := &corev1.Probe{InitialDelaySeconds: 15, PeriodSeconds: 10, TimeoutSeconds: 2}
	cases := map[string]struct {
		reason string
		probe  *corev1.Probe
		group  *cloudapi.Group
		after  time.Duration
		want   map[string]bool
		again  time.Duration
	}{
		"NoGroup":      {"nothing is known", probe, nil, time.Hour, map[string]bool{}, 0},
		"NoProbe":      {"without a probe there is nothing to infer", nil, group(nil, running("app")), 0, map[string]bool{}, 0},
		"Told":         {"what the cloud tells is not inferred", probe, group(nil, told), 0, map[string]bool{}, 0},
		"NotRunning":   {"what does not run is not ready", probe, group(nil, cloudapi.ContainerState{Name: "app"}), 0, map[string]bool{}, 0},
		"TooEarly":     {"the round at 20 s and its timeout and a second are not over", probe, group(nil, running("app")), 20 * time.Second, map[string]bool{"app": false}, 3 * time.Second},
		"FirstRound":   {"they are over without a complaint", probe, group(nil, running("app")), 23 * time.Second, map[string]bool{"app": true}, 0},
		"Complaint":    {"a failed probe counts for a round", probe, group([]cloudapi.Event{failure(30 * time.Second)}, running("app")), 40 * time.Second, map[string]bool{"app": false}, 3 * time.Second},
		"Recovered":    {"the next round brought no complaint", probe, group([]cloudapi.Event{failure(30 * time.Second)}, running("app")), 43 * time.Second, map[string]bool{"app": true}, 0},
		"OldComplaint": {"a complaint of the run before does not count", probe, group([]cloudapi.Event{failure(-time.Second)}, running("app")), 23 * time.Second, map[string]bool{"app": true}, 0},
		"Defaults":     {"the first probe comes at once, with 1 s and Kubernetes' period", &corev1.Probe{}, group(nil, running("app")), time.Second, map[string]bool{"app": false}, time.Second},
		"OtherEvent": {"only complaints of readiness probes count", probe, group([]cloudapi.Event{{Warning: true, Reason: "Unhealthy", Message: "Liveness probe failed", LastTime: started.Add(22 * time.Second)}}, running("app")),
			23 * time.Second, map[string]bool{"app": true}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Containers[0].ReadinessProbe = c.probe
			got, again := translate.InferReady(pod, c.group, started.Add(c.after))
			if diff := cmp.Diff(c.want, got); diff != "" || again != c.again {
				t.Errorf("%s: again in %v, want %v (-want +got):\n%s", c.reason, again, c.again, diff)
			}
		})
	}
}
