package kubernetes

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func terminated(reason string, code int32) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, StartedAt: metav1.NewTime(clockStart), FinishedAt: metav1.NewTime(clockStart.Add(time.Second)),
	}
}

// TestContainerState maps what a kubelet tells of a container.
func TestContainerState(t *testing.T) {
	ended := func(reason string, code int) engine.RunState {
		return engine.RunState{Kind: "Terminated", Reason: reason, ExitCode: code, StartedAt: clockStart, FinishedAt: clockStart.Add(time.Second)}
	}
	cases := map[string]struct {
		reason  string
		status  *corev1.ContainerStatus
		carried *carry
		want    engine.ContainerState
	}{
		"Unknown": {
			reason: "the kubelet has said nothing yet",
			want:   engine.ContainerState{Current: engine.RunState{Kind: "Waiting", Reason: "ContainerCreating"}},
		},
		"Stateless": {
			reason: "no state is waiting, by the API's own rule", status: &corev1.ContainerStatus{ImageID: "i"},
			want: engine.ContainerState{ImageID: "i", Current: engine.RunState{Kind: "Waiting", Reason: "ContainerCreating"}},
		},
		"ImagePullBackOff": {
			reason: "the kubelet's reason and message",
			status: &corev1.ContainerStatus{State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: `Back-off pulling image "x" for eci-1`},
			}},
			want: engine.ContainerState{Current: engine.RunState{
				Kind: "Waiting", Reason: "ImagePullBackOff", Message: `Back-off pulling image "x" for web`,
			}},
		},
		"Running": {
			reason: "started, not yet ready",
			status: &corev1.ContainerStatus{
				ContainerID: "containerd://1", Started: ptr.To(true),
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(clockStart)}},
			},
			want: engine.ContainerState{
				ContainerID: "containerd://1", Started: true, Current: engine.RunState{Kind: "Running", StartedAt: clockStart},
			},
		},
		"CrashLoopBackOff": {
			reason: "waiting after an end that is told too",
			status: &corev1.ContainerStatus{
				RestartCount: 3,
				State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
					Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container=app pod=eci-1_groups(uid-1)",
				}},
				LastTerminationState: corev1.ContainerState{Terminated: terminated("Error", 1)},
			},
			want: engine.ContainerState{
				RestartCount: 3, Previous: ptr.To(ended("Error", 1)),
				Current: engine.RunState{
					Kind: "Waiting", Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container=app pod=web_default(id-1)",
				},
			},
		},
		"OOMKilled": {
			reason: "with signal and message",
			status: &corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Reason: "OOMKilled", ExitCode: 137, Signal: 9, Message: "why",
				StartedAt: metav1.NewTime(time.Unix(0, 0)), FinishedAt: metav1.NewTime(clockStart),
			}}},
			want: engine.ContainerState{Current: engine.RunState{
				Kind: "Terminated", Reason: "OOMKilled", ExitCode: 137, Signal: 9, Message: "why", FinishedAt: clockStart,
			}},
		},
		"CarriedWaiting": {
			reason:  "a new pod's container that has not run yet",
			carried: &carry{restarts: 2, ran: true, previous: ptr.To(ended("Error", 137))},
			want: engine.ContainerState{
				RestartCount: 2, Previous: ptr.To(ended("Error", 137)), Current: engine.RunState{Kind: "Waiting", Reason: "ContainerCreating"},
			},
		},
		"CarriedRuns": {
			reason:  "the run in the new pod is a restart; its own previous run is the newer one",
			carried: &carry{restarts: 2, ran: true, previous: ptr.To(ended("Error", 137))},
			status: &corev1.ContainerStatus{
				RestartCount: 1, State: corev1.ContainerState{Terminated: terminated("Completed", 0)},
				LastTerminationState: corev1.ContainerState{Terminated: terminated("Error", 2)},
			},
			want: engine.ContainerState{RestartCount: 4, Previous: ptr.To(ended("Error", 2)), Current: ended("Completed", 0)},
		},
		"CarriedFirstRun": {
			reason:  "a container that did not run in the pod before is not restarted",
			carried: &carry{},
			status:  &corev1.ContainerStatus{State: corev1.ContainerState{Terminated: terminated("Completed", 0)}},
			want:    engine.ContainerState{Current: ended("Completed", 0)},
		},
	}
	spec := &engine.Spec{Name: "web"}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := &view{
				scrub:   newScrubber("eci", "id-1", spec, identity{namespace: "groups", name: "eci-1", uid: "uid-1"}).scrub,
				carried: map[string]carry{},
			}
			if tc.carried != nil {
				v.carried["app"] = *tc.carried
			}
			statuses := []corev1.ContainerStatus{{Name: "other", RestartCount: 9}}
			if tc.status != nil {
				tc.status.Name = "app"
				statuses = append(statuses, *tc.status)
			}
			tc.want.Name, tc.want.Image = "app", "nginx"
			got := statesOf([]engine.Container{{Name: "app", Image: "nginx"}}, statuses, containerCreating, v)
			if diff := cmp.Diff([]engine.ContainerState{tc.want}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWaitingReason(t *testing.T) {
	initialized := func(status corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodInitialized, Status: status}}}}
	}
	with := &engine.Spec{InitContainers: []engine.Container{{}}}
	cases := map[string]struct {
		reason string
		spec   *engine.Spec
		pod    *corev1.Pod
		want   string
	}{
		"NoInit":      {reason: "nothing comes before", spec: &engine.Spec{}, want: "ContainerCreating"},
		"NoPod":       {reason: "init containers come first", spec: with, want: "PodInitializing"},
		"Initializes": {reason: "and are not done", spec: with, pod: initialized(corev1.ConditionFalse), want: "PodInitializing"},
		"Initialized": {reason: "they are done", spec: with, pod: initialized(corev1.ConditionTrue), want: "ContainerCreating"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := waitingReason(tc.spec, tc.pod); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	cases := map[corev1.PodPhase]engine.Status{
		"": engine.Pending, "Pending": engine.Pending, "Running": engine.Running, "Succeeded": engine.Succeeded,
		"Failed": engine.Failed, "Unknown": engine.Running, "New": engine.Pending,
	}
	for phase, want := range cases {
		if got := statusOf(&corev1.Pod{Status: corev1.PodStatus{Phase: phase}}); got != want {
			t.Errorf("phase %q: %s, want %s", phase, got, want)
		}
	}
}

func TestScrub(t *testing.T) {
	spec := &engine.Spec{Name: "web", Containers: []engine.Container{{Image: "busybox:1", PullPolicy: "Never"}}}
	pod := identity{namespace: "groups", name: "eci-1-2", uid: "uid-1", node: "machine"}
	cases := map[string]struct{ reason, text, want string }{
		"Full": {
			reason: "how a kubelet names a pod", text: "Back-off restarting failed container app in pod eci-1-2_groups(uid-1)",
			want: "Back-off restarting failed container app in pod web_default(eci-1)",
		},
		"Slash":     {reason: "how others do", text: `pod "groups/eci-1-2" is bad`, want: `pod "default/web" is bad`},
		"Namespace": {reason: "alone", text: `no "x" in namespace "groups" or namespace groups`, want: `no "x" in namespace "default" or namespace default`},
		"Word":      {reason: "a word is no namespace", text: "two groups of files", want: "two groups of files"},
		"Secret":    {reason: "files are a volume's", text: `secret "eci-1-2-files-conf" not found`, want: `secret "conf" not found`},
		"Path":      {reason: "a folder", text: "/var/lib/kubelet/pods/uid-1/volumes", want: "/var/lib/kubelet/pods/eci-1/volumes"},
		"Node":      {reason: "only as a node", text: `node "machine" has the image on machine, nodes machine`, want: `node "eci" has the image on machine, nodes eci`},
		"Never": {
			reason: "an image that is never pulled has a digest of ours",
			text:   `Container image "busybox:1` + absentDigest + `" is not present with pull policy of Never`,
			want:   `Container image "busybox:1" is not present with pull policy of Never`,
		},
		"Nothing": {reason: "no text", text: "", want: ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := newScrubber("eci", "eci-1", spec, pod).scrub(tc.text); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
	plain := newScrubber("eci", "eci-1", spec, identity{namespace: "groups"}).scrub("a text")
	if plain != "a text" {
		t.Errorf("without a pod: %q, want it unchanged", plain)
	}
}

func TestEvent(t *testing.T) {
	at := func(seconds int) metav1.Time {
		return metav1.NewTime(clockStart.Add(time.Duration(seconds) * time.Second))
	}
	micro := func(seconds int) metav1.MicroTime {
		return metav1.NewMicroTime(clockStart.Add(time.Duration(seconds) * time.Second))
	}
	cases := map[string]struct {
		reason string
		event  corev1.Event
		count  int
		want   engine.Event
	}{
		"Classic": {
			reason: "as a kubelet tells",
			event:  corev1.Event{Type: "Warning", Reason: "BackOff", Message: "m", Count: 4, FirstTimestamp: at(1), LastTimestamp: at(9)},
			count:  4, want: engine.Event{Type: "Warning", Reason: "BackOff", Message: "m", Count: 4, First: at(1).Time, Last: at(9).Time},
		},
		"Series": {
			reason: "as the newer API tells",
			event: corev1.Event{Type: "Normal", Reason: "R", EventTime: micro(1),
				Series: &corev1.EventSeries{Count: 7, LastObservedTime: micro(5)}},
			count: 7, want: engine.Event{Type: "Normal", Reason: "R", Count: 7, First: at(1).Time, Last: at(5).Time},
		},
		"Once": {
			reason: "no count at all", event: corev1.Event{Type: "Normal", Reason: "R", EventTime: micro(1)},
			count: 1, want: engine.Event{Type: "Normal", Reason: "R", Count: 1, First: at(1).Time, Last: at(1).Time},
		},
		"Init": {
			reason: "an init container",
			event: corev1.Event{Reason: "R", Count: 1, FirstTimestamp: at(1), LastTimestamp: at(1),
				InvolvedObject: corev1.ObjectReference{FieldPath: "spec.initContainers{first}"}},
			count: 1, want: engine.Event{Reason: "R", Container: "first", Count: 1, First: at(1).Time, Last: at(1).Time},
		},
		"OddPath": {
			reason: "a path that ends too early",
			event:  corev1.Event{Reason: "R", Count: 1, FirstTimestamp: at(1), InvolvedObject: corev1.ObjectReference{FieldPath: "spec.containers{"}},
			count:  1, want: engine.Event{Reason: "R", Count: 1, First: at(1).Time, Last: at(1).Time},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := occurrences(&tc.event); got != tc.count {
				t.Errorf("%s: %d times, want %d", tc.reason, got, tc.count)
			}
			s := newScrubber("eci", "eci-1", &engine.Spec{Name: "web"}, identity{namespace: "groups", name: "eci-1"})
			if diff := cmp.Diff(tc.want, eventOf(&tc.event, tc.count, s)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
