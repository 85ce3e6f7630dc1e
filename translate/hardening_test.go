package translate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/podfield"
	"github.com/cumulet/cumulet/translate"
)

// outcome is what becomes of a security context: the fields that are refused,
// those that are left out, and what is asked of the cloud.
type outcome struct {
	Refused, LeftOut, Granted []string
}

// translateHardened translates a pod under SecurityContextReport. Paths are
// below the one container's securityContext where they can be.
func translateHardened(t *testing.T, pod *corev1.Pod, limits cloudapi.Limits) outcome {
	t.Helper()
	o := options(limits)
	o.SecurityContext = translate.SecurityContextReport
	spec, report, err := translate.Group(pod, translate.References{}, o)
	short := func(path string) string { return strings.TrimPrefix(path, "spec.containers[0].securityContext.") }
	var out outcome
	var refused *translate.Refused
	switch {
	case errors.As(err, &refused):
		for _, r := range refused.Refusals {
			out.Refused = append(out.Refused, short(r.Field))
		}
	case err != nil:
		t.Fatal(err)
	default:
		out.Granted = spec.Containers[0].Security.AddCapabilities
	}
	for _, n := range report.Notes {
		if n.Decision == translate.DecisionIgnored && strings.Contains(n.Field, "ecurityContext") {
			out.LeftOut = append(out.LeftOut, short(n.Field))
		}
	}
	return out
}

// simplest is a pod of one container.
func simplest() *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID = "web", "shop", "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e"
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "app"}}
	return pod
}

func TestAddAndDrop(t *testing.T) {
	const add, drop = "capabilities.add[0]", "capabilities.drop"
	type list = []corev1.Capability
	cases := map[string]struct {
		reason    string
		add, drop list
		eci, kci  outcome
	}{
		"DropAll": {
			reason: "a virtual machine has no neighbours",
			drop:   list{"ALL"}, eci: outcome{LeftOut: []string{drop}}, kci: outcome{LeftOut: []string{drop}},
		},
		"DropOne": {
			reason: "each capability is as good as all",
			drop:   list{"MKNOD"}, eci: outcome{LeftOut: []string{drop}}, kci: outcome{LeftOut: []string{drop}},
		},
		"AddUnasked": {
			reason: "a runtime grants it to every container",
			add:    list{"CHOWN"}, eci: outcome{LeftOut: []string{add}}, kci: outcome{LeftOut: []string{add}},
		},
		"AllButUnasked": {
			reason: "with nothing dropped the container has what it keeps",
			add:    list{"NET_BIND_SERVICE"}, drop: list{"ALL"},
			eci: outcome{LeftOut: []string{add, drop}}, kci: outcome{LeftOut: []string{add, drop}},
		},
		"DropTheUnasked": {
			reason: "a runtime grants it anyway, no more comes out than without either",
			add:    list{"KILL"}, drop: list{"KILL"},
			eci: outcome{LeftOut: []string{add, drop}}, kci: outcome{LeftOut: []string{add, drop}},
		},
		"AllButGranted": {
			reason: "the cloud's parameter says what is added",
			add:    list{"NET_ADMIN"}, drop: list{"ALL"},
			eci: outcome{LeftOut: []string{drop}, Granted: []string{"NET_ADMIN"}},
			kci: outcome{Refused: []string{add, drop}},
		},
		"AllButRaw": {
			reason: "not every runtime grants it, so that it takes the parameter",
			add:    list{"NET_RAW"}, drop: list{"ALL"},
			eci: outcome{LeftOut: []string{drop}, Granted: []string{"NET_RAW"}},
			kci: outcome{Refused: []string{add, drop}},
		},
		"AllButInexpressible": {
			reason: "the cloud grants no such capability",
			add:    list{"SYS_TIME"}, drop: list{"ALL"},
			eci: outcome{Refused: []string{add, drop}}, kci: outcome{Refused: []string{add, drop}},
		},
		"AllCapabilities": {
			reason: "no cloud grants all",
			add:    list{"ALL"}, drop: list{"CHOWN"},
			eci: outcome{Refused: []string{add, drop}}, kci: outcome{Refused: []string{add, drop}},
		},
		"DropWhatIsGranted": {
			reason: "a kubelet lets the drop win; without it the container would have more than any runtime gives",
			add:    list{"NET_ADMIN"}, drop: list{"MKNOD", "net_admin"},
			eci: outcome{Refused: []string{drop + "[1]"}}, kci: outcome{Refused: []string{add, drop}},
		},
	}
	for name, c := range cases {
		for cloud, limits := range map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits()} {
			t.Run(name+"/"+cloud, func(t *testing.T) {
				pod, want := simplest(), map[string]outcome{"eci": c.eci, "kci": c.kci}[cloud]
				pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
					Capabilities: &corev1.Capabilities{Add: c.add, Drop: c.drop},
				}
				if diff := cmp.Diff(want, translateHardened(t, pod, limits)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.reason, diff)
				}
			})
		}
	}
}

// TestProfiles holds which profiles are hardening and which are settings of a
// machine that no container group has.
func TestProfiles(t *testing.T) {
	profile := "web"
	cases := map[string]struct {
		reason  string
		context corev1.SecurityContext
		want    outcome
	}{
		"SeccompDefault": {
			reason:  "the runtime's profile keeps a process from the machine",
			context: corev1.SecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			want:    outcome{LeftOut: []string{"seccompProfile.type"}},
		},
		"SeccompUnconfined": {
			reason:  "it asks for nothing",
			context: corev1.SecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}},
		},
		"SeccompLocalhost": {
			reason: "somebody wrote it for this program",
			context: corev1.SecurityContext{SeccompProfile: &corev1.SeccompProfile{
				Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: &profile,
			}},
			want: outcome{Refused: []string{"seccompProfile.localhostProfile", "seccompProfile.type"}},
		},
		"AppArmorDefault": {
			reason:  "as with seccomp",
			context: corev1.SecurityContext{AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeRuntimeDefault}},
			want:    outcome{LeftOut: []string{"appArmorProfile.type"}},
		},
		"AppArmorLocalhost": {
			reason: "as with seccomp",
			context: corev1.SecurityContext{AppArmorProfile: &corev1.AppArmorProfile{
				Type: corev1.AppArmorProfileTypeLocalhost, LocalhostProfile: &profile,
			}},
			want: outcome{Refused: []string{"appArmorProfile.localhostProfile", "appArmorProfile.type"}},
		},
		"AppArmorUnconfined": {
			reason:  "a kubelet confines where nothing is said, so that this asks for more",
			context: corev1.SecurityContext{AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}},
			want:    outcome{Refused: []string{"appArmorProfile.type"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := simplest()
			pod.Spec.Containers[0].SecurityContext = &c.context
			if diff := cmp.Diff(c.want, translateHardened(t, pod, eciLimits())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestReportSoftensNothingElse sets each field that the table refuses
// everywhere in turn: but for these four, whatever they say, it is refused under
// either policy.
func TestReportSoftensNothingElse(t *testing.T) {
	want := []string{
		"spec.containers[*].securityContext.allowPrivilegeEscalation",
		"spec.containers[*].securityContext.capabilities.drop",
		"spec.initContainers[*].securityContext.allowPrivilegeEscalation",
		"spec.initContainers[*].securityContext.capabilities.drop",
	}
	var got []string
	o := options(eciLimits())
	o.SecurityContext = translate.SecurityContextReport
	for _, f := range translate.Fields() {
		if f.Decision != translate.DecisionRefused {
			continue
		}
		pod := emptyPod()
		if err := podfield.Set(pod, f); err != nil {
			t.Error(err)
			continue
		}
		_, _, err := translate.Group(pod, translate.References{}, o)
		if err == nil || !strings.Contains(err.Error(), f.Reason) {
			got = append(got, f.Path)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

func TestUnknownPolicy(t *testing.T) {
	o := options(eciLimits())
	o.SecurityContext = "ignore"
	_, _, err := translate.Group(simplest(), translate.References{}, o)
	const want = `the policy for security contexts is "ignore"; it must be refuse or report`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
