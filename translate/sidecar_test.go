package translate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// jobWithSidecars has an init container, two sidecars and two containers.
func jobWithSidecars(policy corev1.RestartPolicy) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID = "job", "shop", "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e"
	always := ptr.To(corev1.ContainerRestartPolicyAlways)
	pod.Spec = corev1.PodSpec{
		RestartPolicy: policy,
		InitContainers: []corev1.Container{
			{Name: "prepare", Image: "i"}, {Name: "proxy", Image: "i", RestartPolicy: always}, {Name: "logs", Image: "i", RestartPolicy: always},
		},
		Containers: []corev1.Container{{Name: "a", Image: "i"}, {Name: "b", Image: "i"}},
	}
	return pod
}

// ran is a container in a group: its exit code, or -1 while it runs.
func ran(name string, code int32) cloudapi.ContainerState {
	state := cloudapi.ContainerState{Name: name, Current: cloudapi.RunState{Kind: cloudapi.RunRunning}}
	if code >= 0 {
		state.Current = cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: code}
	}
	return state
}

func TestLeftover(t *testing.T) {
	for name, tc := range map[string]struct {
		reason           string
		policy           corev1.RestartPolicy
		status           cloudapi.Status
		a, b, proxy, log int32
		want             []string
	}{
		"Working":    {"a container runs", corev1.RestartPolicyNever, cloudapi.StatusRunning, 0, -1, -1, -1, nil},
		"Over":       {"all have ended, however", corev1.RestartPolicyNever, cloudapi.StatusRunning, 0, 3, -1, -1, []string{"proxy", "logs"}},
		"OneLeft":    {"one sidecar has ended already", corev1.RestartPolicyNever, cloudapi.StatusRunning, 0, 0, 0, -1, []string{"logs"}},
		"Again":      {"a container that failed is started again", corev1.RestartPolicyOnFailure, cloudapi.StatusRunning, 0, 3, -1, -1, nil},
		"OnFailure":  {"both succeeded", corev1.RestartPolicyOnFailure, cloudapi.StatusRunning, 0, 0, -1, -1, []string{"proxy", "logs"}},
		"Always":     {"nothing is ever over", corev1.RestartPolicyAlways, cloudapi.StatusRunning, 0, 0, -1, -1, nil},
		"GroupEnded": {"nothing runs in a group that has ended", corev1.RestartPolicyNever, cloudapi.StatusFailed, 0, 0, -1, -1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			group := &cloudapi.Group{Status: tc.status, Containers: []cloudapi.ContainerState{
				ran("proxy", tc.proxy), ran("logs", tc.log), ran("a", tc.a), ran("b", tc.b),
			}}
			if diff := cmp.Diff(tc.want, translate.Leftover(jobWithSidecars(tc.policy), group)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	if names := translate.Leftover(jobWithSidecars(corev1.RestartPolicyNever), nil); names != nil {
		t.Errorf("of no group: %v", names)
	}
}

// told is a container's status: its exit code, or -1 while it runs.
func told(name string, code int32) corev1.ContainerStatus {
	cs := corev1.ContainerStatus{Name: name}
	if cs.State.Running = (&corev1.ContainerStateRunning{}); code >= 0 {
		cs.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}
	}
	return cs
}

func TestAbandoned(t *testing.T) {
	status := func(phase corev1.PodPhase, a, proxy, logs int32) *corev1.PodStatus {
		return &corev1.PodStatus{
			Phase: phase, ContainerStatuses: []corev1.ContainerStatus{told("a", a), told("b", 0)},
			InitContainerStatuses: []corev1.ContainerStatus{told("prepare", 0), told("proxy", proxy), told("logs", logs)},
		}
	}
	running := status(corev1.PodRunning, -1, -1, -1)
	for name, tc := range map[string]struct {
		reason        string
		policy        corev1.RestartPolicy
		before, after *corev1.PodStatus
		want          []string
	}{
		"Ended":     {"news", corev1.RestartPolicyNever, running, status(corev1.PodRunning, -1, -1, 0), []string{"logs"}},
		"Known":     {"no news", corev1.RestartPolicyNever, status(corev1.PodRunning, -1, -1, 0), status(corev1.PodRunning, -1, -1, 0), nil},
		"OnFailure": {"what failed comes back, what succeeded does not", corev1.RestartPolicyOnFailure, running, status(corev1.PodRunning, -1, 0, 1), []string{"proxy"}},
		"Always":    {"the group starts it again", corev1.RestartPolicyAlways, running, status(corev1.PodRunning, -1, 0, 1), nil},
		"Last":      {"the others have ended too", corev1.RestartPolicyNever, running, status(corev1.PodRunning, 0, 0, -1), nil},
		"Over":      {"the pod has", corev1.RestartPolicyNever, running, status(corev1.PodSucceeded, 0, 0, 0), nil},
		"AtOnce":    {"nothing was told of it before", corev1.RestartPolicyNever, &corev1.PodStatus{}, status(corev1.PodRunning, -1, 1, -1), []string{"proxy"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, translate.Abandoned(jobWithSidecars(tc.policy), tc.before, tc.after)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOver holds when a pod has ended as far as its status tells.
func TestOver(t *testing.T) {
	for name, tc := range map[string]struct {
		policy corev1.RestartPolicy
		a      int32
		want   bool
	}{
		"Runs": {corev1.RestartPolicyNever, -1, false}, "Ended": {corev1.RestartPolicyNever, 3, true},
		"ComesBack": {corev1.RestartPolicyOnFailure, 3, false}, "Service": {corev1.RestartPolicyAlways, 0, false},
	} {
		pod := jobWithSidecars(tc.policy)
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{told("a", tc.a), told("b", 0)}
		if got := translate.Over(pod); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if translate.Over(jobWithSidecars(corev1.RestartPolicyNever)) {
		t.Error("a pod of which nothing is told is over")
	}
}

// TestPrivilegedByPolicy: only what the operator allows reaches the request, for
// containers, sidecars and, where the cloud has it, init containers.
func TestPrivilegedByPolicy(t *testing.T) {
	pod := jobWithSidecars(corev1.RestartPolicyNever)
	privileged := &corev1.SecurityContext{Privileged: ptr.To(true)}
	pod.Spec.InitContainers[0].SecurityContext = privileged
	pod.Spec.InitContainers[1].SecurityContext = privileged
	pod.Spec.Containers[0].SecurityContext = privileged
	rule := func(namespace string) []translate.OptionRule {
		return []translate.OptionRule{{Namespaces: []string{namespace}, Allow: map[string][]string{translate.PolicyPrivileged: {"true"}}}}
	}
	for name, tc := range map[string]struct {
		limits   cloudapi.Limits
		rules    []translate.OptionRule
		refusals int
	}{
		"Allowed":        {kciLimits(), rule("shop"), 0},
		"Denied":         {kciLimits(), nil, 3},
		"OtherNamespace": {kciLimits(), rule("bank"), 3},
		"InitNotOnECI":   {eciLimits(), rule("shop"), 1},
		"NotOnKCISeed":   {kciSeedLimits(), rule("shop"), 0}, // refused otherwise
	} {
		t.Run(name, func(t *testing.T) {
			o := options(tc.limits)
			o.Rules = tc.rules
			spec, _, err := translate.Group(pod, translate.References{}, o)
			if name == "Allowed" {
				if err != nil || !spec.InitContainers[0].Security.Privileged || !spec.Containers[0].Security.Privileged ||
					spec.Containers[1].Security.Privileged || !spec.Containers[2].Security.Privileged || spec.Containers[3].Security.Privileged {
					t.Errorf("%+v, %v", spec, err)
				}
				return
			}
			if err == nil {
				t.Fatal("it is not refused")
			}
			if n := countRefusals(err, "securityContext.privileged"); tc.refusals > 0 && n != tc.refusals {
				t.Errorf("%d refusals of privileged, want %d: %v", n, tc.refusals, err)
			}
		})
	}
}

// countRefusals counts the refusals of fields with this ending.
func countRefusals(err error, ending string) int {
	refused, ok := errors.AsType[*translate.Refused](err)
	if !ok {
		return 0
	}
	n := 0
	for _, r := range refused.Refusals {
		if strings.HasSuffix(r.Field, ending) {
			n++
		}
	}
	return n
}
