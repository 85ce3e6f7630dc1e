package kubernetes

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// observe is all that the inbox shows of the group, without events.
func (g *group) observe(in *inbox) engine.Observation {
	spec := in.spec
	if g.pod != nil {
		spec = g.pod.spec
	}
	pod := in.seen
	if pod == nil {
		pod = &corev1.Pod{}
	}
	scrub := g.scrubberFor(in, in.podName, string(in.podUID)).scrub
	v := &view{scrub: scrub, carried: g.carried}
	waiting := waitingReason(spec, pod)
	o := engine.Observation{
		IP: pod.Status.PodIP, HostIP: pod.Status.HostIP, Status: g.status(pod),
		InitContainers: statesOf(spec.InitContainers, pod.Status.InitContainerStatuses, waiting, v),
		Containers: statesOf(spec.Containers,
			slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses), waiting, v),
	}
	if o.Status == engine.Succeeded && sidecarFailed(spec, o.Containers) {
		o.Status = engine.Failed
	}
	if o.Status == engine.Failed {
		o.Reason, o.Message = pod.Status.Reason, scrub(pod.Status.Message)
	}
	if o.Status.Final() && g.deprived(in) {
		o.Status, o.Reason, o.Message = engine.Failed, lostGroupReason, lostGroupMessage
	}
	return o
}

// status is the pod's phase, as long as it is the pod that the group is to have.
func (g *group) status(pod *corev1.Pod) engine.Status {
	status := statusOf(pod)
	switch {
	case g.pod == nil || g.replacing:
		return engine.Pending
	case status == engine.Running && g.pod.holds(pod):
		return engine.Pending
	default:
		return status
	}
}

// holds tells whether some container still has to change to its new image. It
// forgets those that have.
func (p *incarnation) holds(pod *corev1.Pod) bool {
	for _, status := range pod.Status.ContainerStatuses {
		old, ok := p.held[status.Name]
		if !ok {
			continue
		}
		if status.ContainerID != "" && status.ContainerID != old {
			delete(p.held, status.Name)
		}
	}
	return len(p.held) > 0
}

// deprived tells whether somebody else is taking the group's pod away.
func (g *group) deprived(in *inbox) bool {
	return in.stop == stays && g.pod.asked == stays && in.seen.DeletionTimestamp != nil
}
