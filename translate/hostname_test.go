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

// named is what becomes of a pod's names: the fields that are refused or told,
// the group's host name and the variables of its one container.
type named struct {
	Refused, Emulated []string
	Hostname          string
	Env               []cloudapi.EnvVar
}

func translateNamed(t *testing.T, pod *corev1.Pod, limits cloudapi.Limits, policy translate.HostnamePolicy) named {
	t.Helper()
	o := options(limits)
	o.Hostname, o.Report = policy, translate.ReportStrict
	spec, report, err := translate.Group(pod, translate.References{}, o)
	var out named
	var refused *translate.Refused
	switch {
	case errors.As(err, &refused):
		for _, r := range refused.Refusals {
			out.Refused = append(out.Refused, r.Field)
		}
		return out
	case err != nil:
		t.Fatal(err)
	}
	for _, n := range report.Notes {
		if n.Decision == translate.DecisionEmulated && strings.Contains(n.Reason, "HOSTNAME") {
			out.Emulated = append(out.Emulated, n.Field)
		}
	}
	out.Hostname, out.Env = spec.Hostname, spec.Containers[0].Env
	return out
}

func TestHostname(t *testing.T) {
	set := []cloudapi.EnvVar{{Name: "HOSTNAME", Value: "db-0"}}
	tests := map[string]struct {
		reason string
		change func(*corev1.PodSpec)
		limits cloudapi.Limits
		policy translate.HostnamePolicy
		want   named
	}{
		"Refuse": {
			reason: "without a policy nothing is left to the cloud in silence",
			limits: kciLimits(),
			want:   named{Refused: []string{"spec.hostname", "spec.subdomain"}},
		},
		"Emulate": {
			reason: "a pod of a StatefulSet runs where the operator says so, under the strict report too",
			limits: kciLimits(), policy: translate.HostnameEmulate,
			want: named{Emulated: []string{"spec.hostname", "spec.subdomain"}, Env: set},
		},
		"Seed": {
			limits: kciSeedLimits(), policy: translate.HostnameEmulate,
			want: named{Emulated: []string{"spec.hostname", "spec.subdomain"}, Env: set},
		},
		"Cloud": {
			reason: "a cloud that takes host names gets it by its own word",
			limits: eciLimits(), policy: translate.HostnameEmulate,
			want: named{Hostname: "db-0"},
		},
		"Plain": {
			reason: "a pod that names nothing is as before",
			change: func(s *corev1.PodSpec) { s.Hostname, s.Subdomain = "", "" },
			limits: kciLimits(), policy: translate.HostnameEmulate,
		},
		"Override": {
			change: func(s *corev1.PodSpec) { s.Hostname, s.Subdomain, s.HostnameOverride = "", "", ptr.To("db.example") },
			limits: kciLimits(), policy: translate.HostnameEmulate,
			want: named{Emulated: []string{"spec.hostnameOverride"}, Env: []cloudapi.EnvVar{{Name: "HOSTNAME", Value: "db.example"}}},
		},
		"Own": {
			reason: "a variable of the container's own is kept, as a container runtime keeps it",
			change: func(s *corev1.PodSpec) { s.Containers[0].Env = []corev1.EnvVar{{Name: "HOSTNAME", Value: "mine"}} },
			limits: kciLimits(), policy: translate.HostnameEmulate,
			want: named{Emulated: []string{"spec.hostname", "spec.subdomain"}, Env: []cloudapi.EnvVar{{Name: "HOSTNAME", Value: "mine"}}},
		},
		"Expansion": {
			reason: "a kubelet does not find what the container runtime sets",
			change: func(s *corev1.PodSpec) { s.Containers[0].Env = []corev1.EnvVar{{Name: "NAME", Value: "$(HOSTNAME)"}} },
			limits: kciLimits(), policy: translate.HostnameEmulate,
			want: named{
				Emulated: []string{"spec.hostname", "spec.subdomain"},
				Env:      []cloudapi.EnvVar{{Name: "NAME", Value: "$(HOSTNAME)"}, {Name: "HOSTNAME", Value: "db-0"}},
			},
		},
		"Qualified": {
			reason: "hostname alone would have to say it",
			change: func(s *corev1.PodSpec) { s.SetHostnameAsFQDN = ptr.To(true) },
			limits: kciLimits(), policy: translate.HostnameEmulate,
			want: named{Refused: []string{"spec.setHostnameAsFQDN"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pod := simplest()
			pod.Name, pod.Spec.Hostname, pod.Spec.Subdomain = "db-0", "db-0", "db"
			pod.Spec.EnableServiceLinks = ptr.To(false)
			if test.change != nil {
				test.change(&pod.Spec)
			}
			got := translateNamed(t, pod, test.limits, test.policy)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestHostnamePolicyUnknown(t *testing.T) {
	o := options(kciLimits())
	o.Hostname = "ignore"
	_, _, err := translate.Group(simplest(), translate.References{}, o)
	if want := `the policy for host names is "ignore"; it must be refuse or emulate`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
