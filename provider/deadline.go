package provider

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// keepDeadline fails a pod that has run longer than activeDeadlineSeconds, and
// tells whether it did; of one that still may run it makes the pod come back in
// time. The provider keeps deadlines itself, as a kubelet does, because not every
// cloud does.
func (p *Provider) keepDeadline(r *record) (exceeded bool) {
	at, limited := r.deadline()
	if !limited {
		return false
	}
	now := p.Clock.Now()
	switch left := at.Sub(now); {
	case left > 0:
		p.publishes.addAfter(r.uid, left)
	case !p.seenSince(r, at):
		p.publishes.addAfter(r.uid, p.SweepInterval)
	case !p.endedBefore(r, at, now):
		p.exceedDeadline(r)
		return true
	}
	return false
}

// deadline is when the pod's time is over; false for a pod without a deadline, or
// whose end is decided.
func (r *record) deadline() (time.Time, bool) {
	seconds, start := r.pod.Spec.ActiveDeadlineSeconds, r.pod.Status.StartTime
	if seconds == nil || start == nil || r.finished() || r.ending() {
		return time.Time{}, false
	}
	return start.Add(time.Duration(*seconds) * time.Second), true
}

// seenSince tells whether it is known how the pod did at this moment. A pod may
// have ended while this process, or the way to the cloud, was down.
func (p *Provider) seenSince(r *record, at time.Time) bool {
	switch {
	case r.vanished:
		return true
	case r.groupID == "":
		if p.claimOrphan(r.uid) || p.mayAppear(r) {
			return false
		}
		now, known := p.store.get(r.uid) // another worker may have found its group
		return known && now.groupID == ""
	default:
		// The sweep that has just read the group may not have ended yet.
		return r.group != nil && (!r.detailAt.Before(at) || !p.sweeps.Load().begun.Before(at))
	}
}

// endedBefore tells whether the pod's containers have ended for good before this
// moment, as far as the cloud tells when they ended.
func (p *Provider) endedBefore(r *record, at, now time.Time) bool {
	status, _ := p.statusOf(r, now)
	if r.group == nil || !isTerminal(status.Phase) {
		return false
	}
	return lastEnd(r.group).Before(at)
}

// lastEnd is when the last container of a group ended, or the group did; zero if
// the cloud does not tell.
func lastEnd(group *cloudapi.Group) time.Time {
	var last time.Time
	for _, list := range [][]cloudapi.ContainerState{group.InitContainers, group.Containers} {
		for i := range list {
			if end := list[i].Current.FinishedAt; end.After(last) {
				last = end
			}
		}
	}
	if last.IsZero() {
		last = group.FinishedAt
	}
	return last
}

// exceedDeadline fails a pod that ran too long and ends its group.
func (p *Provider) exceedDeadline(r *record) {
	const reason, message = "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
	p.decide(r.uid, func(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
		status := translate.Failed(pod, group, reason, message, now)
		if group != nil || !ranBefore(pod) {
			return status
		}
		// Its group has gone while this process was down.
		pod = pod.DeepCopy()
		pod.Status = status
		return translate.Terminated(pod, nil, now)
	})
	p.Recorder.Event(r.pod, corev1.EventTypeNormal, reason, message)
	p.ends.add(r.uid)
}
