package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/translate"
)

func TestEphemeralStorage(t *testing.T) {
	const reason = "every group has 30 GiB of disk space; the rest is asked for besides"
	cases := map[string]struct {
		reason     string
		containers []string // requests
		init       string
		annotation string
		want       int
		notes      []translate.Note
	}{
		"Fits":     {"every group has it", []string{"10Gi", "20Gi"}, "30Gi", "", 0, nil},
		"Sum":      {"containers run at a time", []string{"20Gi", "20.5Gi"}, "", "", 11, []translate.Note{{Asked: "41472Mi", Sold: "30 and 11 GiB"}}},
		"Init":     {"init containers run before", []string{"10Gi"}, "31G", "", 0, nil},
		"BigInit":  {"and count if they want more", []string{"10Gi"}, "200Gi", "", 170, []translate.Note{{Asked: "200Gi", Sold: "30 and 170 GiB"}}},
		"Option":   {"who asks for more has it", []string{"40Gi"}, "", "50Gi", 50, nil},
		"Smaller":  {"less than the requests is not enough", []string{"100Gi"}, "", "50Gi", 70, []translate.Note{{Asked: "100Gi", Sold: "30 and 70 GiB"}}},
		"Nothing":  {"", []string{""}, "", "", 0, nil},
		"Greatest": {"all that can be had", []string{"5030Gi"}, "", "", 5000, []translate.Note{{Asked: "5030Gi", Sold: "30 and 5000 GiB"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Containers = nil
			if c.annotation != "" {
				pod.Annotations = map[string]string{"cumulet.dev/ephemeral-storage": c.annotation}
			}
			for _, q := range c.containers {
				pod.Spec.Containers = append(pod.Spec.Containers, diskContainer(q))
			}
			if c.init != "" {
				pod.Spec.InitContainers = []corev1.Container{diskContainer(c.init)}
			}
			spec, report, err := translate.Group(pod, translate.References{}, options(eciLimits()))
			if err != nil {
				t.Fatal(err)
			}
			if got := spec.Options.EphemeralStorageGiB; got != c.want {
				t.Errorf("%s: %d GiB more, want %d", c.reason, got, c.want)
			}
			for i := range c.notes {
				c.notes[i].Field, c.notes[i].Decision, c.notes[i].Reason = "spec.containers", translate.DecisionChanged, reason
			}
			var notes []translate.Note
			for _, n := range report.Notes {
				if n.Reason == reason {
					notes = append(notes, n)
				}
			}
			if diff := cmp.Diff(c.notes, notes); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
	pod := simplePod()
	pod.Spec.Containers[0] = diskContainer("5031Gi")
	_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
	if err == nil || err.Error() != "spec.containers: the containers ask for 5031Gi of disk space; a group has at most 5030 GiB" {
		t.Errorf("got %v", err)
	}
	if spec, _, err := translate.Group(pod, translate.References{}, options(kciLimits())); err != nil || spec.Options.EphemeralStorageGiB != 0 {
		t.Errorf("KCI has no parameter for it: %v", err)
	}
}

func diskContainer(request string) corev1.Container {
	c := corev1.Container{Name: "app", Image: "registry.example.com/app:1"}
	if request != "" {
		c.Resources.Requests = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse(request)}
	}
	return c
}
