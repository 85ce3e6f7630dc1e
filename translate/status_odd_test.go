package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// statusAt is the next status of a pod, which the pod then has.
func statusAt(t *testing.T, pod *corev1.Pod, group *cloudapi.Group, at int) *corev1.PodStatus {
	t.Helper()
	next := translate.Status(pod, group, second(at), translate.StatusOptions{HostIP: "10.9.8.7", Provider: "kci"})
	for _, fault := range statusFaults(pod, &next) {
		t.Error(fault)
	}
	pod.Status = next
	return &pod.Status
}

func TestOddAddresses(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		ips    []string
		want   []string
	}{
		"Zone":       {"the API takes none", []string{"10.0.0.1", "fe80::1%eth0"}, []string{"10.0.0.1", "fe80::1"}},
		"MappedIPv4": {"it is no second family", []string{"::ffff:10.0.0.1", "10.0.0.2"}, []string{"10.0.0.1"}},
		"SixFirst":   {"the node's family comes first", []string{"fd00::1", "10.0.0.1"}, []string{"10.0.0.1", "fd00::1"}},
	} {
		t.Run(name, func(t *testing.T) {
			group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, IPs: tc.ips}
			if diff := cmp.Diff(tc.want, podIPs(statusAt(t, simplePod(), group, 10).PodIPs)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestReclaimedAfterItsEnd: what ended by itself was not disrupted, though its
// machine is taken back afterwards.
func TestReclaimedAfterItsEnd(t *testing.T) {
	pod := simplePod()
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusFailed, Containers: []cloudapi.ContainerState{ends(0, 5, 19, 3)}}
	statusAt(t, pod, group, 20)
	group.Status = cloudapi.StatusExpired
	for _, c := range statusAt(t, pod, group, 30).Conditions {
		if c.Type == corev1.DisruptionTarget {
			t.Errorf("condition %+v", c)
		}
	}
}

// TestInitContainerStaysCompleted: an init container that has succeeded waits for
// nothing any more, whatever the cloud says later.
func TestInitContainerStaysCompleted(t *testing.T) {
	pod := simplePod()
	pod.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "i"}}
	done := ends(0, 1, 4, 0)
	done.Name = "first"
	group := &cloudapi.Group{
		ID: "g", Status: cloudapi.StatusRunning, Containers: []cloudapi.ContainerState{runs(0, 5)}, InitContainers: []cloudapi.ContainerState{done},
	}
	statusAt(t, pod, group, 10)
	for _, kind := range []cloudapi.RunKind{cloudapi.RunWaiting, cloudapi.RunRunning} {
		group.InitContainers = []cloudapi.ContainerState{{Name: "first", Current: cloudapi.RunState{Kind: kind}}}
		cs := statusAt(t, pod, group, 20).InitContainerStatuses[0]
		if got := inShort(cs.State); got != "ran 1-4: 0" || !cs.Ready {
			t.Errorf("%s: state %s, ready %t", kind, got, cs.Ready)
		}
	}
}

// TestMachineRunsBeforeInit: where init containers are hidden, a group that is
// called running while its containers wait for them proves nothing of them.
func TestMachineRunsBeforeInit(t *testing.T) {
	pod := simplePod()
	pod.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "i"}}
	waiting := cloudapi.ContainerState{Name: "app", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "PodInitializing"}}
	group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, IPs: []string{"10.0.0.1"}, Containers: []cloudapi.ContainerState{waiting}}
	s := statusAt(t, pod, group, 10)
	if got := inShort(s.InitContainerStatuses[0].State); got != "PodInitializing" || s.Phase != corev1.PodPending {
		t.Errorf("state %s, phase %s", got, s.Phase)
	}
	group.Containers = []cloudapi.ContainerState{runs(0, 20)}
	s = statusAt(t, pod, group, 30)
	if got := s.InitContainerStatuses[0].State.Terminated; got == nil || got.ExitCode != 0 || s.Phase != corev1.PodRunning {
		t.Errorf("state %+v, phase %s, once the container runs", got, s.Phase)
	}
}

// TestResizedBeforeItBegan: the group has the size that it was asked for with, not
// the one that the pod has when its container begins.
func TestResizedBeforeItBegan(t *testing.T) {
	pod := simplePod()
	pod.Generation = 1
	size := func(cpu string) {
		pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
	size("1")
	group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusPending, Containers: []cloudapi.ContainerState{{Name: "app"}}}
	statusAt(t, pod, group, 10)
	pod.Generation = 2
	size("2")
	group.Status, group.Containers = cloudapi.StatusRunning, []cloudapi.ContainerState{runs(0, 20)}
	s := statusAt(t, pod, group, 30)
	if got := s.ContainerStatuses[0].AllocatedResources.Cpu().String(); got != "1" {
		t.Errorf("%s cores allocated, want the 1 that the cloud was asked for", got)
	}
	pending := false
	for _, c := range s.Conditions {
		pending = pending || c.Type == corev1.PodResizePending && c.Reason == corev1.PodReasonInfeasible
	}
	if !pending {
		t.Errorf("no word of the resize: %+v", s.Conditions)
	}
}
