package translate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	reasonSidecar = "the clouds have no restartable init containers: it becomes the first of the group's ordinary containers, " +
		"and the pod is over when the others are"
	reasonSidecarOrder  = "the cloud starts and ends it at the same moment as the other containers, which do not wait for its startup probe either"
	reasonSidecarUngate = "the other containers wait until it runs, not until its startup probe has succeeded, " +
		"which the cloud has no word for"
	reasonSidecarRestart = "a group has one restart policy for all containers: when it ends by itself it is started again only " +
		"as the pod's restartPolicy says, and an event tells when it is not"
	reasonSidecarEnd = "the cloud does not end it when the other containers have ended: the node asks the processes of all sidecars to end, " +
		"and deletes the group, whose logs go with it, when that has not helped within the grace period"
	reasonSidecarEarly = "an init container follows it and could not use it: in a container group all containers start after the last " +
		"init container"
	reasonSidecarReadiness = "the node runs it: the cloud would hold the other containers back until it succeeds, which a kubelet does not do"
)

// isRestartable tells whether an init container is a sidecar.
func isRestartable(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// isSidecar tells whether the container of this name is a sidecar of the pod.
func isSidecar(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.Name == name {
			return isRestartable(c)
		}
	}
	return false
}

// LongRunning lists what a pod's group has as ordinary containers: its sidecars
// and then its containers, each in the order of the spec.
func LongRunning(pod *corev1.Pod) []*corev1.Container {
	var out []*corev1.Container
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; isRestartable(c) {
			out = append(out, c)
		}
	}
	for i := range pod.Spec.Containers {
		out = append(out, &pod.Spec.Containers[i])
	}
	return out
}

// Sidecars lists the names of the pod's restartable init containers.
func Sidecars(pod *corev1.Pod) []string {
	var names []string
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; isRestartable(c) {
			names = append(names, c.Name)
		}
	}
	return names
}

// sidecars translates the restartable init containers to the first ordinary
// containers of the group.
func (t *translation) sidecars(spec *cloudapi.GroupSpec) []share {
	var shares []share
	path := field.NewPath("spec", "initContainers")
	for i := range t.pod.Spec.InitContainers {
		c := &t.pod.Spec.InitContainers[i]
		if !isRestartable(c) {
			continue
		}
		out, s := t.mainContainer(c, path.Index(i))
		if t.limits.Can.Sidecars {
			out.Sidecar, out.Readiness = true, gateOf(c)
		}
		t.tellSidecar(i, path.Index(i))
		spec.Containers = append(spec.Containers, out)
		shares = append(shares, s)
	}
	return shares
}

// tellSidecar tells in what a sidecar of the group differs from a kubelet's, and
// refuses one that could not serve what it is meant for.
func (t *translation) tellSidecar(index int, path *field.Path) {
	c, at := &t.pod.Spec.InitContainers[index], path.Child("restartPolicy")
	for i := index + 1; i < len(t.pod.Spec.InitContainers); i++ {
		if !isRestartable(&t.pod.Spec.InitContainers[i]) {
			t.refusef(at, reasonSidecarEarly)
			break
		}
	}
	can := t.limits.Can
	switch {
	case !can.Sidecars:
		t.notef(at, DecisionEmulated, reasonSidecarOrder)
	case c.StartupProbe != nil && gateOf(c) == nil:
		t.notef(at, DecisionEmulated, reasonSidecarUngate)
	}
	if policy := t.pod.Spec.RestartPolicy; policy == corev1.RestartPolicyNever || policy == corev1.RestartPolicyOnFailure {
		t.notef(at, DecisionEmulated, reasonSidecarRestart)
		if !can.Sidecars {
			t.notef(at, DecisionEmulated, reasonSidecarEnd)
		}
	}
}

// gateOf is what the other containers wait for where the cloud lets them wait for
// a sidecar: its startup probe, as the readiness probe that is all the cloud
// knows. It is nil without a startup probe, and for one that no cloud has words
// for. The node runs the startup probe all the same, and the sidecar's own
// readiness probe.
func gateOf(c *corev1.Container) *cloudapi.Probe {
	p := c.StartupProbe
	if p == nil || hasNoWords(p) {
		return nil
	}
	complete := completeProbe(c, p)
	out := &cloudapi.Probe{
		InitialDelaySeconds: complete.InitialDelaySeconds, PeriodSeconds: complete.PeriodSeconds, TimeoutSeconds: complete.TimeoutSeconds,
		SuccessThreshold: complete.SuccessThreshold, FailureThreshold: complete.FailureThreshold,
	}
	switch {
	case complete.HTTPGet != nil:
		get := complete.HTTPGet
		out.HTTP = &cloudapi.HTTPProbe{Scheme: string(get.Scheme), Path: get.Path, Port: get.Port.IntVal}
	case complete.TCPSocket != nil:
		out.TCP = &cloudapi.TCPProbe{Port: complete.TCPSocket.Port.IntVal}
	case complete.Exec != nil:
		out.Exec = &cloudapi.ExecProbe{Command: complete.Exec.Command}
	}
	return out
}

// ownRestartPolicy refuses a restart policy of a container that is not what it
// has as part of the group.
func (t *translation) ownRestartPolicy(c *corev1.Container, init bool, path *field.Path) {
	if c.RestartPolicy == nil || init && isRestartable(c) {
		return
	}
	policy := corev1.RestartPolicy(*c.RestartPolicy)
	whole := orDefault(t.pod.Spec.RestartPolicy, corev1.RestartPolicyAlways)
	// An init container that has succeeded is never started again.
	if init && whole == corev1.RestartPolicyAlways {
		whole = corev1.RestartPolicyOnFailure
	}
	if policy != whole {
		t.refusef(path.Child("restartPolicy"), "%s: the group has one restart policy for all containers, which is %s",
			policy, orDefault(t.pod.Spec.RestartPolicy, corev1.RestartPolicyAlways))
	}
}

// Over tells whether every container of the pod, sidecars aside, has ended for
// good, as the pod's status says.
func Over(pod *corev1.Pod) bool {
	for i := range pod.Spec.Containers {
		cs := findStatus(pod.Status.ContainerStatuses, pod.Spec.Containers[i].Name)
		if cs == nil || cs.State.Terminated == nil || restarts(pod, cs.State.Terminated.ExitCode) {
			return false
		}
	}
	return len(pod.Spec.Containers) > 0
}

// Leftover lists the sidecars that run in a group although the pod's other
// containers have ended for good: what a kubelet would end now.
func Leftover(pod *corev1.Pod, group *cloudapi.Group) []string {
	if group == nil || group.Status.Final() {
		return nil
	}
	for i := range pod.Spec.Containers {
		state := findState(group.Containers, pod.Spec.Containers[i].Name)
		if state == nil || state.Current.Kind != cloudapi.RunTerminated || restarts(pod, state.Current.ExitCode) {
			return nil
		}
	}
	var names []string
	for _, name := range Sidecars(pod) {
		if state := findState(group.Containers, name); state != nil && state.Current.Kind != cloudapi.RunTerminated {
			names = append(names, name)
		}
	}
	return names
}

// Abandoned lists the sidecars that have ended while the pod goes on and that its
// group does not start again, as a kubelet would: those that after shows so, and
// before did not.
func Abandoned(pod *corev1.Pod, before, after *corev1.PodStatus) []string {
	if after.Phase != corev1.PodRunning || !slices.ContainsFunc(after.ContainerStatuses, isRunning) {
		return nil
	}
	var names []string
	for _, name := range Sidecars(pod) {
		was, is := findStatus(before.InitContainerStatuses, name), findStatus(after.InitContainerStatuses, name)
		if is == nil || is.State.Terminated == nil || was != nil && was.State.Terminated != nil {
			continue
		}
		if !restarts(pod, is.State.Terminated.ExitCode) {
			names = append(names, name)
		}
	}
	return names
}

func isRunning(cs corev1.ContainerStatus) bool { return cs.State.Running != nil }
