package translate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestInferReady(t *testing.T) {
	started := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return started.Add(time.Duration(seconds) * time.Second) }
	probe := &corev1.Probe{InitialDelaySeconds: 7, PeriodSeconds: 5, TimeoutSeconds: 2}
	running := cloudapi.ContainerState{Name: "main", Current: cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: started}}
	failed := func(seconds int) cloudapi.Event {
		return cloudapi.Event{Warning: true, Reason: "Unhealthy", Message: "Readiness probe failed: no", LastTime: at(seconds)}
	}
	for name, c := range map[string]struct {
		reason string
		probe  *corev1.Probe
		state  cloudapi.ContainerState
		events []cloudapi.Event
		now    time.Time
		ready  map[string]bool
		again  time.Duration
	}{
		// The delay of 7 s ends in the second round, at 10 s; the probe may
		// take 2 s and its event 1 s more.
		"before the first probe": {"nothing is known yet", probe, running, nil, at(12), map[string]bool{"main": false}, time.Second},
		"after the first probe":  {"no failure was told", probe, running, nil, at(13), map[string]bool{"main": true}, 0},
		"a failure":              {"it counts for a round: 5 + 2 + 1 s", probe, running, []cloudapi.Event{failed(20)}, at(27), map[string]bool{"main": false}, time.Second},
		"a failure passed":       {"the next round was well", probe, running, []cloudapi.Event{failed(20)}, at(28), map[string]bool{"main": true}, 0},
		"failures, newest last":  {"the newest counts", probe, running, []cloudapi.Event{failed(40), failed(20)}, at(40), map[string]bool{"main": false}, 8 * time.Second},
		"an older run's failure": {"it was before this run", probe, running, []cloudapi.Event{failed(-1)}, at(13), map[string]bool{"main": true}, 0},
		"a liveness failure": {"it is another probe's", probe, running, []cloudapi.Event{
			{Warning: true, Reason: "Unhealthy", Message: "Liveness probe failed: no", LastTime: at(20)}}, at(21), map[string]bool{"main": true}, 0},
		"a normal event": {"it is no failure", probe, running, []cloudapi.Event{
			{Reason: "Unhealthy", Message: "Readiness probe failed", LastTime: at(20)}}, at(21), map[string]bool{"main": true}, 0},
		"defaults": {"10 s, 1 s and no delay, as in Kubernetes", &corev1.Probe{}, running, []cloudapi.Event{failed(0)}, at(11), map[string]bool{"main": false}, time.Second},
		"no probe": {"the container needs none", nil, running, nil, at(1), map[string]bool{}, 0},
		"waiting":  {"it does not run", probe, cloudapi.ContainerState{Name: "main", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting}}, nil, at(60), map[string]bool{}, 0},
		"told":     {"the cloud tells", probe, cloudapi.ContainerState{Name: "main", Ready: ptr.To(false), Current: running.Current}, nil, at(60), map[string]bool{}, 0},
		"not the cloud's": {"no cloud runs gRPC, so that silence tells nothing", &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{}}}, running, nil, at(60), map[string]bool{}, 0},
		"not there": {"the cloud does not show it", probe, cloudapi.ContainerState{Name: "other", Current: running.Current}, nil, at(60), map[string]bool{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", ReadinessProbe: c.probe}}}}
			group := &cloudapi.Group{Containers: []cloudapi.ContainerState{c.state}, Events: c.events}
			ready, again := InferReady(pod, group, c.now)
			if diff := cmp.Diff(c.ready, ready); diff != "" || again != c.again {
				t.Errorf("%s: again in %v, want %v (-want +got):\n%s", c.reason, again, c.again, diff)
			}
		})
	}
	if ready, again := InferReady(&corev1.Pod{}, nil, started); len(ready) != 0 || again != 0 {
		t.Errorf("no group: %v, %v", ready, again)
	}
}

// TestInferReadyOfSeveral: the next look is due when the first of them may
// change.
func TestInferReadyOfSeveral(t *testing.T) {
	started := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	run := cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: started}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "slow", ReadinessProbe: &corev1.Probe{InitialDelaySeconds: 60, PeriodSeconds: 10, TimeoutSeconds: 1}},
		{Name: "quick", ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1}},
	}}}
	group := &cloudapi.Group{Containers: []cloudapi.ContainerState{{Name: "slow", Current: run}, {Name: "quick", Current: run}}}
	ready, again := InferReady(pod, group, started)
	if diff := cmp.Diff(map[string]bool{"slow": false, "quick": false}, ready); diff != "" || again != 2*time.Second {
		t.Errorf("again in %v, want 2 s (-want +got):\n%s", again, diff)
	}
}
