package translate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// deployed is a plain pod as a Deployment and the API server's defaults and
// admission make it: with what every pod has.
func deployed() *corev1.Pod {
	pod := emptyPod()
	pod.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst, SchedulerName: "default-scheduler",
		ServiceAccountName: "default", DeprecatedServiceAccount: "default", NodeName: "virtual-1", Priority: ptr.To[int32](0),
		PreemptionPolicy: ptr.To(corev1.PreemptLowerPriority), EnableServiceLinks: ptr.To(true), SecurityContext: &corev1.PodSecurityContext{},
		TerminationGracePeriodSeconds: ptr.To[int64](30),
		Tolerations:                   []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists}},
		Containers: []corev1.Container{{
			Name: "nginx", Image: "nginx:1.27", ImagePullPolicy: corev1.PullIfNotPresent, TerminationMessagePath: "/dev/termination-log",
			TerminationMessagePolicy: corev1.TerminationMessageReadFile, Ports: []corev1.ContainerPort{{ContainerPort: 80, Protocol: corev1.ProtocolTCP}},
			VolumeMounts: []corev1.VolumeMount{{Name: "kube-api-access-x", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}},
		}},
		Volumes: []corev1.Volume{{Name: "kube-api-access-x", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			DefaultMode: ptr.To[int32](0o644),
			Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr.To[int64](3607)}},
			},
		}}}},
	}
	return pod
}

func report(t *testing.T, pod *corev1.Pod, limits cloudapi.Limits) translate.Report {
	t.Helper()
	_, r, err := translate.Group(pod, translate.References{Tokens: tokens()}, options(limits))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPlainPodsAreQuiet: of a pod with nothing but what every pod has there is
// nothing to be told, on any cloud.
func TestPlainPodsAreQuiet(t *testing.T) {
	for name, limits := range map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits(), "kciSeed": kciSeedLimits()} {
		r := report(t, deployed(), limits)
		if text, _ := r.Told(); text != "" || r.Condition(time.Now()) != nil {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestToldTogether: what is left out comes first, one reason is told once, and
// what is changed with both values.
func TestToldTogether(t *testing.T) {
	pod := deployed()
	disk := corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("1Gi")}
	pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{Limits: disk, Requests: disk.DeepCopy()}
	pod.Spec.Containers[0].Resources.Limits[corev1.ResourceCPU] = resource.MustParse("3")
	second := *pod.Spec.Containers[0].DeepCopy()
	second.Name, second.Resources = "second", corev1.ResourceRequirements{Limits: pod.Spec.Containers[0].Resources.Requests.DeepCopy()}
	pod.Spec.Containers = append(pod.Spec.Containers, second)
	pod.Spec.TerminationGracePeriodSeconds = ptr.To[int64](90)
	r := report(t, pod, kciLimits())
	const want = "ignored spec.containers[0].resources.limits[ephemeral-storage], spec.containers[1].resources.limits[ephemeral-storage]: every group has the cloud's own disk; no share of it is reserved or enforced; " +
		"ignored spec.containers[0].resources.requests[ephemeral-storage]: " +
		"every group has the cloud's own disk; what is requested beyond it is asked for where the cloud can give more; " +
		"changed spec.containers (asked 3 vCPU and 0 GiB, sold 4 vCPU and 4 GiB): rounded up to a size that is sold; " +
		"emulated spec.terminationGracePeriodSeconds: the cloud takes no grace period; what there is of it is left to the node"
	text, leftOut := r.Told()
	if diff := cmp.Diff(want, text); diff != "" || !leftOut {
		t.Errorf("left out %v (-want +got):\n%s", leftOut, diff)
	}
}

func TestToldIsBounded(t *testing.T) {
	var r translate.Report
	for i := range 40 {
		r.Notes = append(r.Notes, translate.Note{
			Field: "spec.x" + string(rune('a'+i%26)), Decision: translate.DecisionIgnored, Reason: strings.Repeat(string(rune('A'+i)), 60),
		})
	}
	text, _ := r.Told()
	if len(text) > 1024 || len(text) < 900 || !strings.HasSuffix(text, " more") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	r.Notes = []translate.Note{{Field: "spec.x", Decision: translate.DecisionIgnored, Reason: strings.Repeat("x", 2000)}}
	if text, _ := r.Told(); text != "and 1 more" {
		t.Errorf("one that is too long: %q", text)
	}
}

// TestStrict: what is ignored is refused, but for what others have acted upon
// and what the operator lets pass by name.
func TestStrict(t *testing.T) {
	o := options(eciLimits())
	o.Report, o.SecurityContext = translate.ReportStrict, translate.SecurityContextReport
	pod := deployed()
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{AllowPrivilegeEscalation: ptr.To(false)}
	refs := translate.References{Tokens: tokens()}
	if _, _, err := translate.Group(pod, refs, o); err != nil {
		t.Errorf("a plain pod: %v", err)
	}
	pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("1Gi")}
	_, _, err := translate.Group(pod, refs, o)
	const want = "spec.containers[0].resources.limits[ephemeral-storage]: it would be left out, and the node's policy.report is strict: " +
		"every group has the cloud's own disk; no share of it is reserved or enforced"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	o.Report = "loud"
	if _, _, err := translate.Group(pod, refs, o); err == nil || err.Error() != `the policy for reports is "loud"; it must be warn or strict` {
		t.Errorf("an unknown policy: %v", err)
	}
}

// TestWithCondition: it is added once, moves its time only with its status, and
// leaves others alone.
func TestWithCondition(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := translate.Report{Notes: []translate.Note{{Field: "spec.a", Decision: translate.DecisionEmulated, Reason: "so"}}}
	other := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(at)}
	status := corev1.PodStatus{ObservedGeneration: 3, Conditions: []corev1.PodCondition{other}}
	first := translate.WithCondition(status, r.Condition(at))
	again := translate.WithCondition(first, r.Condition(at.Add(time.Hour)))
	want := []corev1.PodCondition{other, {
		Type: "cumulet.dev/Translated", Status: corev1.ConditionTrue, Reason: "Adapted", Message: "emulated spec.a: so",
		ObservedGeneration: 3, LastTransitionTime: metav1.NewTime(at),
	}}
	for _, got := range []corev1.PodStatus{first, again} {
		if diff := cmp.Diff(want, got.Conditions); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
	}
	if len(status.Conditions) != 1 {
		t.Error("the status that was given has changed")
	}
	if diff := cmp.Diff(status, translate.WithCondition(status, nil)); diff != "" {
		t.Errorf("nothing to tell (-want +got):\n%s", diff)
	}
}
