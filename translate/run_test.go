package translate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// noon is the time from which these tests count seconds.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func runs(count int32, since int) cloudapi.ContainerState {
	return cloudapi.ContainerState{Name: "app", RestartCount: count, Current: cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: second(since)}}
}

func ends(count int32, from, to int, code int32) cloudapi.ContainerState {
	return cloudapi.ContainerState{Name: "app", RestartCount: count, Current: cloudapi.RunState{
		Kind: cloudapi.RunTerminated, StartedAt: second(from), FinishedAt: second(to), ExitCode: code,
	}}
}

// waits is a container that waits after an earlier state.
func waits(reason string, after cloudapi.ContainerState) cloudapi.ContainerState {
	previous := after.Current
	after.Current, after.Previous = cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: reason}, &previous
	return after
}

// inShort tells a state in short: seconds after noon, and how it ended.
func inShort(s corev1.ContainerState) string {
	seconds := func(t time.Time) int { return int(t.Sub(noon) / time.Second) }
	switch {
	case s.Waiting != nil:
		return s.Waiting.Reason
	case s.Running != nil:
		return fmt.Sprintf("runs since %d", seconds(s.Running.StartedAt.Time))
	case s.Terminated != nil:
		return fmt.Sprintf("ran %d-%d: %d", seconds(s.Terminated.StartedAt.Time), seconds(s.Terminated.FinishedAt.Time), s.Terminated.ExitCode)
	default:
		return "-"
	}
}

// TestRunsGoForward: the clouds promise no order of answers. A status never goes
// back to a run that it has left.
func TestRunsGoForward(t *testing.T) {
	waiting := waits("CrashLoopBackOff", ends(1, 30, 39, 2))
	for name, tc := range map[string]struct {
		reason string
		policy corev1.RestartPolicy
		seen   []cloudapi.ContainerState
		want   []string // state, last state and restarts after each
	}{
		"InOrder": {"each run follows the other", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{runs(0, 5), ends(0, 5, 19, 1), runs(1, 30), waiting, runs(2, 60)},
			[]string{"runs since 5, - #0", "ran 5-19: 1, - #0", "runs since 30, ran 5-19: 1 #1", "CrashLoopBackOff, ran 30-39: 2 #1", "runs since 60, ran 30-39: 2 #2"}},
		"RunningAfterItsEnd": {"what was seen to end does not run", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{ends(0, 5, 19, 1), runs(0, 5)},
			[]string{"ran 5-19: 1, - #0", "ran 5-19: 1, - #0"}},
		"RunningAfterItsBackOff": {"nor when it waits already", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{waiting, runs(1, 30)},
			[]string{"CrashLoopBackOff, ran 30-39: 2 #1", "CrashLoopBackOff, ran 30-39: 2 #1"}},
		"EndOfTheRunBefore": {"the end of another run is not that of this one", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{runs(1, 30), ends(0, 5, 19, 1)},
			[]string{"runs since 30, - #1", "runs since 30, - #1"}},
		"TheRunBefore": {"a start cannot lie back", corev1.RestartPolicyOnFailure,
			[]cloudapi.ContainerState{runs(1, 30), runs(0, 5)},
			[]string{"runs since 30, - #1", "runs since 30, - #1"}},
		"EndOfThisRun": {"whatever the count says", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{runs(3, 30), ends(0, 30, 40, 1)},
			[]string{"runs since 30, - #3", "ran 30-40: 1, - #3"}},
		"StartIsCorrected": {"a cloud that told no start at first", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{{Name: "app", Current: cloudapi.RunState{Kind: cloudapi.RunRunning}}, runs(0, 5), ends(0, 5, 90, 1)},
			[]string{"runs since 100, - #0", "runs since 5, - #0", "ran 5-90: 1, - #0"}},
		"CountedAnew": {"an updated group's containers count from 0 again, a pod's never", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{runs(3, 5), runs(0, 30), runs(0, 30), ends(0, 30, 40, 1), runs(1, 50)},
			[]string{"runs since 5, - #3", "runs since 30, - #4", "runs since 30, - #4", "ran 30-40: 1, - #4", "runs since 50, ran 30-40: 1 #5"}},
		"CountedAnewAfterItsEnd": {"the run that ended becomes the last", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{ends(3, 5, 19, 1), runs(0, 30)},
			[]string{"ran 5-19: 1, - #3", "runs since 30, ran 5-19: 1 #4"}},
		"Never": {"what may not restart is not counted either", corev1.RestartPolicyNever,
			[]cloudapi.ContainerState{ends(0, 5, 19, 1), runs(1, 30)},
			[]string{"ran 5-19: 1, - #0", "ran 5-19: 1, - #0"}},
		"WaitsForNoReason": {"a wait after an end is a back-off", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{runs(0, 5), waits("", ends(0, 5, 19, 1)), waits("waiting", ends(0, 5, 19, 1))},
			[]string{"runs since 5, - #0", "CrashLoopBackOff, ran 5-19: 1 #0", "CrashLoopBackOff, ran 5-19: 1 #0"}},
		"EndWithoutTimes": {"what was told of the end once stays", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{ends(0, 5, 19, 1), {
				Name: "app", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "CrashLoopBackOff"},
				Previous: &cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: 1},
			}},
			[]string{"ran 5-19: 1, - #0", "CrashLoopBackOff, ran 5-19: 1 #0"}},
		"StateForReason": {"the word for the state is no reason", corev1.RestartPolicyAlways,
			[]cloudapi.ContainerState{{Name: "app", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "waiting"}}},
			[]string{"ContainerCreating, - #0"}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.RestartPolicy = tc.policy
			var got []string
			for _, seen := range tc.seen {
				group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, Containers: []cloudapi.ContainerState{seen}}
				next := translate.Status(pod, group, second(100), translate.StatusOptions{Provider: "eci"})
				for _, fault := range statusFaults(pod, &next) {
					t.Error(fault)
				}
				pod.Status = next
				cs := next.ContainerStatuses[0]
				got = append(got, fmt.Sprintf("%s, %s #%d", inShort(cs.State), inShort(cs.LastTerminationState), cs.RestartCount))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTerminationMessageIsShort: a kubelet keeps 4096 bytes of one message, and
// 12 KiB of all of a pod's.
func TestTerminationMessageIsShort(t *testing.T) {
	for name, tc := range map[string]struct {
		containers, ephemeral, want int
	}{
		"One":       {1, 0, 4096},
		"Three":     {3, 0, 4096},
		"Five":      {5, 0, 2457},
		"Ephemeral": {4, 1, 2457},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			for i := 1; i < tc.containers; i++ {
				pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: fmt.Sprintf("c%d", i), Image: "x"})
			}
			for range tc.ephemeral {
				pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, corev1.EphemeralContainer{})
			}
			seen := ends(0, 5, 19, 1)
			seen.Current.Message = strings.Repeat("x", 20000)
			group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, Containers: []cloudapi.ContainerState{seen}}
			status := translate.Status(pod, group, second(100), translate.StatusOptions{Provider: "eci"})
			if got := len(status.ContainerStatuses[0].State.Terminated.Message); got != tc.want {
				t.Errorf("%d bytes, want %d", got, tc.want)
			}
		})
	}
}

// TestContainerIDWithoutScheme: a status that is made without the provider's name
// tells no id without a scheme, and none that begins with ://.
func TestContainerIDWithoutScheme(t *testing.T) {
	seen := ends(0, 5, 19, 1)
	seen.ContainerID = "0123"
	group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, Containers: []cloudapi.ContainerState{seen}}
	status := translate.Terminated(simplePod(), group, second(100))
	if got := status.ContainerStatuses[0].ContainerID; got != "" {
		t.Errorf("id %q", got)
	}
}
