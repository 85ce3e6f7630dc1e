package translate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ReportPolicy is what becomes of fields that are ignored and that somebody
// could miss.
type ReportPolicy string

// The policies.
const (
	// ReportWarn tells of them on the pod, as of what is emulated and changed.
	ReportWarn ReportPolicy = "warn"
	// ReportStrict refuses pods that have such fields. Hardening that
	// SecurityContextReport leaves out is told all the same: the operator has
	// said so by its name.
	ReportStrict ReportPolicy = "strict"
)

// ConditionTranslated is the type of the condition of a pod that runs with
// something that was not taken literally. Its message says what. Pods without
// such have no such condition.
const ConditionTranslated corev1.PodConditionType = "cumulet.dev/Translated"

// EventTranslated is the reason of the one event that tells the same. No
// kubelet has it.
const EventTranslated = "Translated"

// maxTold bounds what is told in a condition and an event, in bytes. It is the
// bound of an event's note in events.k8s.io/v1; cumulet translate tells all.
const maxTold = 1024

// quietFields are fields whose notes are left out of condition and event: they
// stand in every pod, or others have acted upon them already.
var quietFields = []string{
	"spec.nodeName", "spec.schedulerName", "spec.tolerations", "spec.affinity", "spec.nodeSelector",
	"spec.topologySpreadConstraints", "spec.priority", "spec.priorityClassName", "spec.preemptionPolicy",
	"spec.schedulingGates", "spec.workloadRef", "spec.serviceAccount", "spec.automountServiceAccountToken",
	"spec.enableServiceLinks", "spec.containers[*].imagePullPolicy", "spec.initContainers[*].imagePullPolicy",
	"spec.containers[*].ports", "spec.initContainers[*].ports",
	"spec.containers[*].resizePolicy", "spec.initContainers[*].resizePolicy",
	"spec.securityContext.fsGroupChangePolicy", "spec.securityContext.seLinuxChangePolicy",
	"spec.volumes[*].ephemeral.volumeClaimTemplate",
}

// The reasons of notes that are told apart by them.
const (
	reasonDefaultSize = "nothing was asked for: the default size"
	reasonUnmounted   = "no container mounts it"
)

// defaultGraceSeconds is the grace period that a pod gets that names none.
const defaultGraceSeconds = 30

// tokenVolume begins the name of the volume that the API server adds to a pod.
const tokenVolume = "kube-api-access-"

var listIndex = regexp.MustCompile(`\[\d+\]`)

// markQuiet marks the notes that nobody needs to be told of.
func (t *translation) markQuiet() {
	for i := range t.report.Notes {
		t.report.Notes[i].Quiet = t.isQuiet(&t.report.Notes[i])
	}
}

func (t *translation) isQuiet(n *Note) bool {
	pattern := listIndex.ReplaceAllString(n.Field, "[*]")
	switch {
	case slices.Contains(quietFields, pattern):
		return true
	case pattern == "spec.terminationGracePeriodSeconds":
		return *t.pod.Spec.TerminationGracePeriodSeconds == defaultGraceSeconds
	case n.Reason == reasonDefaultSize || n.Reason == reasonUnmounted:
		return true
	}
	for i := range t.pod.Spec.Volumes {
		at := fmt.Sprintf("spec.volumes[%d]", i)
		known := strings.HasPrefix(t.pod.Spec.Volumes[i].Name, tokenVolume) || !isMounted(t.pod, t.pod.Spec.Volumes[i].Name)
		if known && (n.Field == at || strings.HasPrefix(n.Field, at+".")) {
			return true
		}
	}
	return false
}

// refuseIgnored refuses what is ignored where the policy is strict.
func (t *translation) refuseIgnored() {
	if t.opts.Report != ReportStrict {
		return
	}
	for _, n := range t.report.Notes {
		if n.Decision == DecisionIgnored && !n.Quiet && n.Reason != reasonHardening && n.Reason != reasonUnasked {
			t.refusals = append(t.refusals, Refusal{Field: n.Field, Reason: "it would be left out, and the node's policy.report is strict: " + n.Reason})
		}
	}
}

// Told is what condition and event say of a pod's notes, and whether something
// of the pod is left out; the text is empty when there is nothing to tell. Notes
// of one reason are told together, what is left out first.
func (r Report) Told() (text string, leftOut bool) {
	var parts []string
	for _, decision := range []Decision{DecisionIgnored, DecisionChanged, DecisionEmulated} {
		for _, group := range r.byReason(decision) {
			parts = append(parts, strings.ToLower(string(decision))+" "+group)
			leftOut = leftOut || decision == DecisionIgnored
		}
	}
	return bounded(parts), leftOut
}

// byReason are the fields of one decision with their reasons, in the order in
// which the reasons come up first.
func (r Report) byReason(decision Decision) []string {
	var reasons []string
	fields := map[string][]string{}
	for _, n := range r.Notes {
		if n.Decision != decision || n.Quiet {
			continue
		}
		reason, field := n.Reason, n.Field
		if decision == DecisionChanged {
			field += fmt.Sprintf(" (asked %s, sold %s)", n.Asked, n.Sold)
		}
		if fields[reason] == nil {
			reasons = append(reasons, reason)
		}
		fields[reason] = append(fields[reason], field)
	}
	for i, reason := range reasons {
		reasons[i] = strings.Join(fields[reason], ", ") + ": " + reason
	}
	return reasons
}

// bounded joins parts as far as they go into maxTold bytes, and counts the rest.
func bounded(parts []string) string {
	const room = len("; and 9999 more")
	text := ""
	for i, part := range parts {
		next := part
		if i > 0 {
			next = text + "; " + part
		}
		if len(next) > maxTold-room {
			return strings.TrimPrefix(fmt.Sprintf("%s; and %d more", text, len(parts)-i), "; ")
		}
		text = next
	}
	return text
}

// Condition is ConditionTranslated as a pod of this report has it, or nil. Its
// transition time is the API's to whole seconds.
func (r Report) Condition(now time.Time) *corev1.PodCondition {
	text, leftOut := r.Told()
	if text == "" {
		return nil
	}
	reason := "Adapted"
	if leftOut {
		reason = "LeftOut"
	}
	return &corev1.PodCondition{
		Type: ConditionTranslated, Status: corev1.ConditionTrue, Reason: reason, Message: text, LastTransitionTime: apiTime(now),
	}
}

// WithCondition puts a condition that is not a kubelet's into a status; nil
// changes nothing. It keeps the transition time of one with the same status.
func WithCondition(status corev1.PodStatus, c *corev1.PodCondition) corev1.PodStatus {
	if c == nil {
		return status
	}
	own := *c
	own.ObservedGeneration = status.ObservedGeneration
	status.Conditions = slices.Clone(status.Conditions)
	i := slices.IndexFunc(status.Conditions, func(o corev1.PodCondition) bool { return o.Type == own.Type })
	if i < 0 {
		status.Conditions = append(status.Conditions, own)
		return status
	}
	if old := status.Conditions[i]; old.Status == own.Status {
		own.LastTransitionTime = old.LastTransitionTime
	}
	status.Conditions[i] = own
	return status
}
