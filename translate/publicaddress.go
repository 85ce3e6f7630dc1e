package translate

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// ConditionPublicAddress is the type of the condition of a pod that the internet
// reaches by an address of its own, which is none of status.podIPs: no process in
// the pod can listen on it. Its message is the address, or several with commas
// between them.
const ConditionPublicAddress corev1.PodConditionType = "cumulet.dev/PublicAddress"

// publicAddress is the condition that tells the group's public addresses, and that
// an ended pod has none any more; nil where there is nothing new.
func (w *statusWriter) publicAddress() *corev1.PodCondition {
	if isTerminal(w.status.Phase) {
		if slices.ContainsFunc(w.status.Conditions, func(c corev1.PodCondition) bool { return c.Type == ConditionPublicAddress }) {
			return &corev1.PodCondition{Type: ConditionPublicAddress, Status: corev1.ConditionFalse, Reason: "Released"}
		}
		return nil
	}
	if w.group == nil {
		return nil
	}
	var list []string
	for _, text := range w.group.PublicIPs {
		if ip, err := netip.ParseAddr(text); err == nil && !ip.IsUnspecified() {
			list = append(list, ip.String())
		}
	}
	if len(list) == 0 {
		return nil
	}
	return &corev1.PodCondition{
		Type: ConditionPublicAddress, Status: corev1.ConditionTrue, Reason: "Assigned", Message: strings.Join(list, ", "),
	}
}
