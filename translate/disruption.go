package translate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	// eventSpotRelease is the cloud's event of a preemptible group that it is
	// about to reclaim (ECI's page on custom events).
	eventSpotRelease = "SpotToBeReleased"

	// messageExpired names both causes, for the cloud's documents do: the page on
	// life cycles the first, that of DescribeContainerGroups the second.
	messageExpired  = "The cloud has ended the container group: it has reclaimed a preemptible group, or the account is in arrears"
	messageReclaims = "The cloud is about to reclaim the preemptible container group"
)

// disruption is the condition of a pod that ends because the cloud wants its
// machine back; nil for other pods. Jobs and budgets tell by it such an end from a
// failure of the pod's own. The reason is a kubelet's for what it ends itself.
func (w *statusWriter) disruption() *corev1.PodCondition {
	if w.group == nil || isTerminal(w.old.Phase) { // what has ended was not ended by that
		return nil
	}
	announced := slices.ContainsFunc(w.group.Events, func(e cloudapi.Event) bool { return e.Reason == eventSpotRelease })
	message := messageReclaims
	switch {
	case w.group.Status == cloudapi.StatusExpired:
		message = messageExpired
	case !announced || isTerminal(w.status.Phase):
		return nil
	}
	return &corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonTerminationByKubelet, Message: message,
	}
}

// isDisrupted tells whether somebody has said already that the pod is disrupted;
// the first to say so is right.
func (w *statusWriter) isDisrupted() bool {
	return slices.ContainsFunc(w.status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue
	})
}
