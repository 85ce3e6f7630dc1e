package translate_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// TestLivenessOfTheNode: a cloud without words for a liveness probe, which restarts
// nothing either, takes the pod all the same if nothing is ever to be restarted.
func TestLivenessOfTheNode(t *testing.T) {
	const at = "spec.containers[0].livenessProbe.grpc"
	never := func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }
	two := func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "side", Image: "side"})
	}
	const refused = at + ": the node would have to restart the container when it fails, and the cloud lets nobody; " +
		"passes in a pod of one container that never restarts"
	tests := map[string]struct {
		reason  string
		limits  cloudapi.Limits
		changes []func(*corev1.Pod)
		want    string
	}{
		"KCI":      {"it would go on without its probe", kciLimits(), nil, refused},
		"KCINever": {"a pod that is to end can be ended", kciLimits(), []func(*corev1.Pod){never}, ""},
		"KCITwo":   {"with it the other container would end", kciLimits(), []func(*corev1.Pod){never, two}, refused},
		"ECI":      {"the cloud restarts the container", eciLimits(), nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 80}}}
			for _, change := range test.changes {
				change(pod)
			}
			_, report, err := translate.Group(pod, translate.References{}, options(test.limits))
			if got := text(err); test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("%s: error %q, want %q", test.reason, got, test.want)
			}
			if notes := notesAt(report, at); test.want == "" && (len(notes) != 1 || notes[0].Decision != translate.DecisionEmulated) {
				t.Errorf("%s: told %+v", test.reason, notes)
			}
		})
	}
}
