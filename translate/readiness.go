package translate

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// probeSlack is how late a failed probe's event may show in the cloud's answer.
const probeSlack = time.Second

// InferReady tells which containers are ready where the cloud is left to run
// readiness probes but does not tell their outcome (KCI): its agent, as a kubelet,
// reports a probe that fails as an event Unhealthy, so that a running
// container is ready when its first probe is over and the last round brought
// no such event. Where the kubelet would wait for failureThreshold failures,
// the container counts as unready from the first. Events do not name a
// container: a failure counts against each that has a readiness probe. And a
// kubelet's recorder tells of one pod 25 events in a row and then one in five
// minutes (client-go, tools/record, events_cache.go): a container that fails for
// long looks ready again.
//
// again is when the answer may change by itself; 0 means not at all.
func InferReady(pod *corev1.Pod, group *cloudapi.Group, now time.Time) (ready map[string]bool, again time.Duration) {
	ready = map[string]bool{}
	if group == nil {
		return ready, 0
	}
	for _, c := range LongRunning(pod) {
		state := containerOf(group, c.Name)
		if c.ReadinessProbe == nil || state == nil || state.Ready != nil || state.Current.Kind != cloudapi.RunRunning {
			continue
		}
		if nodeReadiness(pod, c) {
			continue
		}
		wait := readyIn(c.ReadinessProbe, group.Events, state.Current.StartedAt, now)
		ready[c.Name] = wait <= 0
		if wait > 0 && (again == 0 || wait < again) {
			again = wait
		}
	}
	return ready, again
}

func containerOf(group *cloudapi.Group, name string) *cloudapi.ContainerState {
	for i := range group.Containers {
		if group.Containers[i].Name == name {
			return &group.Containers[i]
		}
	}
	return nil
}

// readyIn is how long until the container counts as ready if nothing more is
// heard; not positive when it is.
func readyIn(p *corev1.Probe, events []cloudapi.Event, started, now time.Time) time.Duration {
	period, timeout := seconds(p.PeriodSeconds, 10), seconds(p.TimeoutSeconds, 1)
	delay := seconds(p.InitialDelaySeconds, 0)
	// The kubelet probes in rounds of a period, so the first one may come up
	// to a period after the delay.
	first := delay.Truncate(period)
	if first < delay {
		first += period
	}
	settled := started.Add(first + timeout + probeSlack)
	for _, e := range events {
		if e.Warning && e.Reason == "Unhealthy" && strings.HasPrefix(e.Message, "Readiness probe") && !e.LastTime.Before(started) {
			if next := e.LastTime.Add(period + timeout + probeSlack); next.After(settled) {
				settled = next
			}
		}
	}
	return settled.Sub(now)
}

// seconds is a probe's number, or Kubernetes' default for 0.
func seconds(n, byDefault int32) time.Duration {
	if n == 0 {
		n = byDefault
	}
	return time.Duration(n) * time.Second
}
