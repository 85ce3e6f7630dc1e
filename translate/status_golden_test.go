package translate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// statusCase is an input under testdata/status.
type statusCase struct {
	// Story says what happened, for the reader.
	Story string
	// Call is Status, Waiting, Rejected, Failed, Lost or Terminated.
	Call    string
	Now     time.Time
	Options translate.StatusOptions
	Pod     corev1.Pod
	Group   *cloudapi.Group
	// Reason, Message and Refusals are for Waiting, Failed and Rejected.
	Reason, Message string
	Refusals        []translate.Refusal
}

func (c *statusCase) run(t *testing.T, pod *corev1.Pod, now time.Time) corev1.PodStatus {
	t.Helper()
	switch c.Call {
	case "Status":
		return translate.Status(pod, c.Group, now, c.Options)
	case "Waiting":
		return translate.Waiting(pod, c.Reason, c.Message, now)
	case "Rejected":
		return translate.Rejected(pod, &translate.Refused{Refusals: c.Refusals}, now)
	case "Failed":
		return translate.Failed(pod, c.Group, c.Reason, c.Message, now)
	case "Lost":
		return translate.Lost(pod, now)
	case "Terminated":
		return translate.Terminated(pod, c.Group, now)
	}
	t.Fatalf("unknown call %q", c.Call)
	return corev1.PodStatus{}
}

func TestStatusGoldens(t *testing.T) {
	cases, err := filepath.Glob("testdata/status/*.case.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".case.yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := decode(t, data, &statusCase{})
			before := decode(t, data, &statusCase{})
			got := c.run(t, &c.Pod, c.Now)
			if diff := cmp.Diff(before, c); diff != "" {
				t.Errorf("the input was changed (-before +after):\n%s", diff)
			}
			text, err := yaml.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, filepath.Join("testdata/status", name+".status.yaml"), text)
			for _, fault := range statusFaults(&c.Pod, &got) {
				t.Error(fault)
			}
			// What was written once must not be written again an hour
			// later, when nothing has changed.
			later := c.Pod.DeepCopy()
			later.Status = *got.DeepCopy()
			if diff := cmp.Diff(got, c.run(t, later, c.Now.Add(time.Hour))); diff != "" {
				t.Errorf("without news the status changes (-first +second):\n%s", diff)
			}
		})
	}
}
