package translate

import (
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// StatusOptions are what a status needs to know of the node.
type StatusOptions struct {
	// HostIP is the node's address: status.hostIP and hostIPs[0].
	HostIP string
	// Provider is the scheme of container ids that are made up because the
	// cloud hides its own, such as eci or kci.
	Provider string
	// Ready tells for containers by name whether a probe of the provider's
	// own found them ready. Where the cloud tells too, both must say so: of a
	// probe that the node runs the cloud knows nothing.
	Ready map[string]bool
	// Started tells for containers by name whether their startup probe, which
	// is always the node's, has succeeded in the container's current run. One
	// that is missing here has not.
	Started map[string]bool
}

// Status is the status that a kubelet would write for a pod whose group is in
// this state at this time. It starts from pod.Status, which must be fresh:
// what others wrote is kept, a phase never leaves Succeeded or Failed, and a
// container that ended and may not restart stays ended. A nil group has not
// been created yet.
//
// A container's resources are those that it had when its group was first seen: no
// group is resized. Its user is left as it is in pod.Status.
func Status(pod *corev1.Pod, group *cloudapi.Group, now time.Time, o StatusOptions) corev1.PodStatus {
	w := newStatusWriter(pod, group, now, o)
	w.addresses()
	w.containers()
	w.phase()
	w.conditions()
	return w.status
}

// statusWriter puts one status together. old is what pod.Status says.
type statusWriter struct {
	pod    *corev1.Pod
	group  *cloudapi.Group
	now    metav1.Time
	opts   StatusOptions
	old    *corev1.PodStatus
	status corev1.PodStatus
}

func newStatusWriter(pod *corev1.Pod, group *cloudapi.Group, now time.Time, o StatusOptions) *statusWriter {
	w := &statusWriter{pod: pod, group: group, now: apiTime(now), opts: o, old: &pod.Status, status: *pod.Status.DeepCopy()}
	s := &w.status
	s.ObservedGeneration = max(s.ObservedGeneration, pod.Generation)
	if s.QOSClass == "" {
		s.QOSClass = qosClass(pod)
	}
	if s.StartTime.IsZero() {
		s.StartTime = &metav1.Time{Time: w.now.Time}
	}
	return w
}

// apiTime has whole seconds, which is what the API keeps.
func apiTime(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

// addresses sets the node's address and the group's, of which a pod has at
// most one of each family, that of the node first. An address once told stays
// when the cloud leaves it out.
func (w *statusWriter) addresses() {
	s := &w.status
	if w.opts.HostIP != "" {
		s.HostIP = w.opts.HostIP
		s.HostIPs = []corev1.HostIP{{IP: w.opts.HostIP}}
	}
	if w.group == nil {
		return
	}
	var first, second string
	host, err := netip.ParseAddr(s.HostIP)
	wantSix := err == nil && host.Is6()
	for _, text := range w.group.IPs {
		ip, err := netip.ParseAddr(text)
		ip = ip.Unmap().WithZone("") // the API takes neither a zone nor IPv4 in IPv6
		switch {
		case err != nil || ip.IsUnspecified():
		case ip.Is6() == wantSix && first == "":
			first = ip.String()
		case ip.Is6() != wantSix && second == "":
			second = ip.String()
		}
	}
	var ips []corev1.PodIP
	for _, ip := range []string{first, second} {
		if ip != "" {
			ips = append(ips, corev1.PodIP{IP: ip})
		}
	}
	if len(ips) > 0 {
		s.PodIP, s.PodIPs = ips[0].IP, ips
	}
}

// containers sets the statuses of all containers, in the order of the spec.
func (w *statusWriter) containers() {
	s := &w.status
	var initStates, states []cloudapi.ContainerState
	if w.group != nil {
		initStates, states = w.group.InitContainers, w.group.Containers
	}
	// The containers come first: what they do tells of init containers
	// that the cloud hides.
	s.ContainerStatuses = nil
	for i := range w.pod.Spec.Containers {
		c := &w.pod.Spec.Containers[i]
		cs := w.longRunning(c, findState(states, c.Name), findStatus(w.old.ContainerStatuses, c.Name))
		s.ContainerStatuses = append(s.ContainerStatuses, cs)
	}
	s.InitContainerStatuses = nil
	for i := range w.pod.Spec.InitContainers {
		c := &w.pod.Spec.InitContainers[i]
		old := findStatus(w.old.InitContainerStatuses, c.Name)
		if isRestartable(c) {
			s.InitContainerStatuses = append(s.InitContainerStatuses, w.longRunning(c, findState(states, c.Name), old))
			continue
		}
		cs := w.initContainer(c, findState(initStates, c.Name), old)
		running := cs.State.Running != nil
		cs.Started, cs.Ready = &running, cs.State.Terminated != nil && cs.State.Terminated.ExitCode == 0
		s.InitContainerStatuses = append(s.InitContainerStatuses, cs)
	}
	w.ephemeral()
}

// longRunning is the status of a container, or of a sidecar.
func (w *statusWriter) longRunning(c *corev1.Container, seen *cloudapi.ContainerState, old *corev1.ContainerStatus) corev1.ContainerStatus {
	cs := w.container(c, seen, old)
	started := cs.State.Running != nil && w.isStarted(c)
	cs.Started, cs.Ready = &started, started && w.isReady(c, seen)
	return cs
}

// isStarted tells whether a running container is through its startup probe.
func (w *statusWriter) isStarted(c *corev1.Container) bool {
	return c.StartupProbe == nil || w.opts.Started[c.Name]
}

// isReady tells whether a running container is ready: as the cloud says and
// the provider probed, and if neither tells, yes without a readiness probe.
// The cloud's word alone does not count where no cloud runs the probe.
func (w *statusWriter) isReady(c *corev1.Container, seen *cloudapi.ContainerState) bool {
	// Of a sidecar the cloud knows another probe than its readiness probe.
	told := seen != nil && seen.Ready != nil && !isSidecar(w.pod, c.Name)
	if told && !*seen.Ready {
		return false
	}
	if ready, probed := w.opts.Ready[c.Name]; probed {
		return ready
	}
	if c.ReadinessProbe == nil {
		return true
	}
	return told && !nodeReadiness(w.pod, c)
}

func findState(states []cloudapi.ContainerState, name string) *cloudapi.ContainerState {
	for i := range states {
		if states[i].Name == name {
			return &states[i]
		}
	}
	return nil
}

func findStatus(statuses []corev1.ContainerStatus, name string) *corev1.ContainerStatus {
	for i := range statuses {
		if statuses[i].Name == name {
			return &statuses[i]
		}
	}
	return nil
}
