package provider

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// interactive makes the pod one of `kubectl run -i`.
func interactive(policy corev1.RestartPolicy, command ...string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy = policy
		c := &pod.Spec.Containers[0]
		c.Command, c.Args, c.Stdin, c.StdinOnce = nil, command, true, true
	}
}

func TestAttachTypes(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		policy  corev1.RestartPolicy
		command []string
		code    int
		output  string
		phase   corev1.PodPhase
	}{
		"Never": {
			reason: "the pod is over with its session", policy: corev1.RestartPolicyNever, command: []string{"sh", "-l"},
			output: "sh -l\n", phase: corev1.PodSucceeded,
		},
		"NeverFails": {
			reason: "the session's exit code is the pod's", policy: corev1.RestartPolicyNever, command: []string{"sh"}, code: 3,
			output: "sh\n", phase: corev1.PodFailed,
		},
		"OnFailure": {
			reason: "a failed container is started again: the pod goes on", policy: corev1.RestartPolicyOnFailure, command: []string{"sh"}, code: 3,
			output: "sh\n", phase: corev1.PodRunning,
		},
		"Always": {
			reason: "a container is always started again: the pod goes on", policy: corev1.RestartPolicyAlways, command: []string{"sh"},
			output: "sh\n", phase: corev1.PodRunning,
		},
		"ImagesCommand": {
			reason: "what only the image knows is replaced by a shell", policy: corev1.RestartPolicyAlways,
			output: "sh\n", phase: corev1.PodRunning,
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.running("web", interactive(tc.policy, tc.command...))
				h.cloud.OnExec(func(context.Context, fakecloud.Call) (int, error) { return tc.code, nil })
				var out bytes.Buffer
				o := cloudapi.ExecOptions{Stdin: strings.NewReader("exit\n"), Stdout: &out}
				if err := h.p.Attach(h.t.Context(), ContainerName{testNamespace, "web", "main"}, o); err != nil {
					t.Fatalf("%s: %v", tc.reason, err)
				}
				if out.String() != tc.output {
					t.Errorf("%s: output %q, want %q", tc.reason, out.String(), tc.output)
				}
				h.phase("web", tc.phase)
				if tc.phase == corev1.PodRunning {
					return
				}
				h.until(time.Minute, "the group is deleted", func() bool { return len(h.groups("uid-web")) == 0 })
				pod, err := h.kube.CoreV1().Pods(testNamespace).Get(h.t.Context(), "web", metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				ended := pod.Status.ContainerStatuses[0].State.Terminated
				if ended == nil || int(ended.ExitCode) != tc.code {
					t.Errorf("%s: container state %+v, want ended with %d", tc.reason, pod.Status.ContainerStatuses[0].State, tc.code)
				}
			}, can(func(l *cloudapi.Limits) { l.Can.Stdin = true }))
		})
	}
}

// TestAttachEndsBeforeTheGroup: how the container ends when the group is deleted is
// not how the session ended.
func TestAttachEndsBeforeTheGroup(t *testing.T) {
	for name, ended := range map[string]struct {
		reason string
		before bool
		code   int32
	}{
		"Killed":   {"the session's exit code stays, though the container is killed then", false, 3},
		"ByItself": {"a container that had ended before keeps its own", true, 137},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("web", interactive(corev1.RestartPolicyNever, "sh"))
				h.cloud.FailAll(fakecloud.OpDelete, func(fakecloud.Call) fakecloud.Fault {
					return fakecloud.Fault{Before: &cloudapi.Error{Op: "Delete", Code: cloudapi.CodeUnavailable}}
				})
				h.cloud.OnExec(func(context.Context, fakecloud.Call) (int, error) {
					if ended.before {
						h.cloud.Finish(id, 137)
						h.phase("web", corev1.PodFailed)
					}
					return 3, nil
				})
				o := cloudapi.ExecOptions{Stdin: strings.NewReader("exit\n"), Stdout: io.Discard}
				if err := h.p.Attach(h.t.Context(), ContainerName{testNamespace, "web", "main"}, o); err != nil {
					t.Fatal(err)
				}
				h.cloud.Finish(id, 137)
				h.phase("web", corev1.PodFailed)
				h.wait(time.Second)
				end := h.api.pod("web").Status.ContainerStatuses[0].State.Terminated
				if end == nil || end.ExitCode != ended.code {
					t.Errorf("%s: container ended with %+v, want %d", ended.reason, end, ended.code)
				}
			}, can(func(l *cloudapi.Limits) { l.Can.Stdin = true }))
		})
	}
}

func TestAttachWatches(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web") // its container takes no input
		h.cloud.SetLog(id, "main", "before\n")
		h.wait(2 * time.Second)
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
		defer cancel()
		var out bytes.Buffer
		o := cloudapi.ExecOptions{Stdin: strings.NewReader("nobody reads this"), Stdout: &out}
		err := h.p.Attach(ctx, ContainerName{testNamespace, "web", "main"}, o)
		if err != nil {
			t.Errorf("attaching until the watcher leaves: %v", err)
		}
		if diff := cmp.Diff(0, len(h.cloud.Calls(fakecloud.OpExec))); diff != "" {
			t.Errorf("commands run in a container that takes no input (-want +got):\n%s", diff)
		}
	})
}
