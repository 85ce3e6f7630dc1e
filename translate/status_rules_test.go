package translate_test

import (
	"fmt"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// statusFaults holds a new status of a pod against the rules of the API
// server's validation (k8s.io/kubernetes pkg/apis/core/validation, which only
// hack/controlplane/statusrules can import) and of a kubelet.
func statusFaults(pod *corev1.Pod, s *corev1.PodStatus) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	old := &pod.Status
	if old.QOSClass != "" && s.QOSClass != old.QOSClass || s.QOSClass == "" {
		add("qosClass went from %q to %q", old.QOSClass, s.QOSClass)
	}
	if (old.Phase == corev1.PodSucceeded || old.Phase == corev1.PodFailed) && s.Phase != old.Phase {
		add("the phase left %s for %s", old.Phase, s.Phase)
	}
	if s.Phase == "" {
		add("there is no phase")
	}
	if s.HostIP != "" && (len(s.HostIPs) == 0 || s.HostIPs[0].IP != s.HostIP) {
		add("hostIP %q is not the first of %v", s.HostIP, s.HostIPs)
	}
	if s.PodIP != "" && (len(s.PodIPs) == 0 || s.PodIPs[0].IP != s.PodIP) || len(s.PodIPs) > 2 {
		add("podIP %q is not the first of %v", s.PodIP, s.PodIPs)
	}
	if old.StartTime != nil && !s.StartTime.Equal(old.StartTime) || s.StartTime.IsZero() {
		add("startTime went from %v to %v", old.StartTime, s.StartTime)
	}
	if s.ObservedGeneration < old.ObservedGeneration {
		add("observedGeneration fell")
	}
	faults = append(faults, addressFaults("podIPs", podIPs(s.PodIPs))...)
	faults = append(faults, addressFaults("hostIPs", hostIPs(s.HostIPs))...)
	faults = append(faults, conditionFaults(old, s)...)
	faults = append(faults, ephemeralFaults(pod, s)...)
	faults = append(faults, containerFaults(pod, pod.Spec.Containers, old.ContainerStatuses, s.ContainerStatuses)...)
	return append(faults, containerFaults(pod, pod.Spec.InitContainers, old.InitContainerStatuses, s.InitContainerStatuses)...)
}

func podIPs(list []corev1.PodIP) (texts []string) {
	for _, ip := range list {
		texts = append(texts, ip.IP)
	}
	return texts
}

func hostIPs(list []corev1.HostIP) (texts []string) {
	for _, ip := range list {
		texts = append(texts, ip.IP)
	}
	return texts
}

// addressFaults holds addresses against what the API takes: valid, and of two one
// of each family.
func addressFaults(name string, texts []string) []string {
	var faults []string
	families := map[bool]int{}
	for _, text := range texts {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			faults = append(faults, fmt.Sprintf("%s: %q is no address", name, text))
		}
		families[ip.Is6()]++
	}
	if families[true] > 1 || families[false] > 1 {
		faults = append(faults, fmt.Sprintf("%s: %v are two of one family", name, texts))
	}
	return faults
}

// ephemeralFaults: every ephemeral container has a status, and one that has ended
// stays ended.
func ephemeralFaults(pod *corev1.Pod, s *corev1.PodStatus) []string {
	var faults []string
	if n, want := len(s.EphemeralContainerStatuses), len(pod.Spec.EphemeralContainers); n > want {
		faults = append(faults, fmt.Sprintf("%d statuses of %d ephemeral containers", n, want))
	}
	for _, cs := range s.EphemeralContainerStatuses {
		faults = append(faults, stateFaults(cs.Name, cs.State, true)...)
		if len(cs.AllocatedResourcesStatus) > 0 {
			faults = append(faults, cs.Name+" is ephemeral and has resources")
		}
		for _, before := range pod.Status.EphemeralContainerStatuses {
			if before.Name == cs.Name && before.State.Terminated != nil && cs.State.Terminated == nil {
				faults = append(faults, cs.Name+" left the terminated state")
			}
		}
	}
	return faults
}

func conditionFaults(old, s *corev1.PodStatus) []string {
	var faults []string
	seen := map[corev1.PodConditionType]corev1.PodCondition{}
	for _, c := range s.Conditions {
		if _, twice := seen[c.Type]; twice {
			faults = append(faults, fmt.Sprintf("condition %s is there twice", c.Type))
		}
		seen[c.Type] = c
		for _, fault := range validation.IsQualifiedName(string(c.Type)) {
			faults = append(faults, fmt.Sprintf("condition %s: %s", c.Type, fault))
		}
		if c.ObservedGeneration < 0 || c.ObservedGeneration > s.ObservedGeneration {
			faults = append(faults, fmt.Sprintf("condition %s is of generation %d, the status of %d", c.Type, c.ObservedGeneration, s.ObservedGeneration))
		}
		if c.LastTransitionTime.IsZero() {
			faults = append(faults, fmt.Sprintf("condition %s has no time", c.Type))
		}
	}
	for _, before := range old.Conditions {
		now, there := seen[before.Type]
		if before.Type == corev1.PodResizePending && !there {
			continue // a kubelet takes this one back
		}
		if !there || now.Status == before.Status && !now.LastTransitionTime.Equal(&before.LastTransitionTime) {
			faults = append(faults, fmt.Sprintf("condition %s went from %v to %v", before.Type, before, now))
		}
	}
	terminal := s.Phase == corev1.PodSucceeded || s.Phase == corev1.PodFailed
	for _, t := range []corev1.PodConditionType{corev1.PodReady, corev1.ContainersReady} {
		if terminal && seen[t].Status == corev1.ConditionTrue {
			faults = append(faults, fmt.Sprintf("a pod that has ended is %s", t))
		}
	}
	return faults
}

func containerFaults(pod *corev1.Pod, spec []corev1.Container, old, statuses []corev1.ContainerStatus) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for i, cs := range statuses {
		if len(statuses) != len(spec) || cs.Name != spec[i].Name {
			add("statuses %v are not in the order of the spec", statuses)
			break
		}
		faults = append(faults, stateFaults(cs.Name, cs.State, true)...)
		faults = append(faults, stateFaults(cs.Name, cs.LastTerminationState, false)...)
		if cs.Image == "" {
			add("%s has no image", cs.Name)
		}
		for _, before := range old {
			if before.Name != cs.Name {
				continue
			}
			if cs.RestartCount < before.RestartCount {
				add("the restart count of %s fell from %d to %d", cs.Name, before.RestartCount, cs.RestartCount)
			}
			if before.State.Terminated != nil && cs.State.Terminated == nil && !mayRestart(pod, cs.Name, before.State.Terminated.ExitCode) {
				add("%s left the terminated state", cs.Name)
			}
		}
	}
	return faults
}

func mayRestart(pod *corev1.Pod, name string, exitCode int32) bool {
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if c.Name == name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			return true
		}
	}
	return pod.Spec.RestartPolicy == corev1.RestartPolicyAlways || pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure && exitCode != 0
}

func stateFaults(name string, state corev1.ContainerState, required bool) []string {
	var faults []string
	n := 0
	if state.Waiting != nil {
		n++
	}
	if state.Running != nil {
		n++
		if state.Running.StartedAt.IsZero() {
			faults = append(faults, name+" runs without a start")
		}
	}
	if end := state.Terminated; end != nil {
		n++
		if end.FinishedAt.IsZero() || end.StartedAt.IsZero() || end.FinishedAt.Before(&end.StartedAt) || end.Reason == "" {
			faults = append(faults, fmt.Sprintf("%s ended oddly: %v", name, end))
		}
	}
	if n > 1 || required && n == 0 {
		faults = append(faults, fmt.Sprintf("%s has %d states at once", name, n))
	}
	return faults
}

func TestStatusFaultsAreFound(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "a", Image: "a"}}}}
	pod.Status.Phase = corev1.PodFailed
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", RestartCount: 2, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
	bad := &corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: "1.1.1.1", HostIPs: []corev1.HostIP{{IP: "2.2.2.2"}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "a", State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{}, Running: &corev1.ContainerStateRunning{},
		}}},
	}
	if faults := statusFaults(pod, bad); len(faults) < 7 {
		t.Errorf("a status full of faults passes but for %q", faults)
	}
}
