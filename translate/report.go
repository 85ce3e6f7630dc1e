package translate

import (
	"slices"
	"sort"
	"strings"
)

// Report tells what became of the parts of a pod that were not simply
// honoured. It holds no value that came from a Secret.
type Report struct {
	// Notes are sorted by path.
	Notes []Note
	// Events are what a kubelet would have told of the pod on the way, in
	// the order of the pod's fields.
	Events []Event
	// Missing is all that the pod refers to and that is not there, in the order
	// in which a kubelet meets it; the first is the error of Group, if there is
	// nothing worse.
	Missing []MissingReference
}

// Note is a remark about one field.
type Note struct {
	// Field is the path, such as spec.volumes[0].configMap.
	Field string
	// Decision is DecisionEmulated, DecisionIgnored or DecisionChanged.
	Decision Decision
	Reason   string
	// Asked and Sold are set with DecisionChanged.
	Asked, Sold string
	// Quiet says that it is true of nearly every pod, or that others have
	// acted upon the field: it is told in no condition and no event.
	Quiet bool
}

// Event is an event that a kubelet would record for the pod.
type Event struct {
	// Warning is true for type Warning, false for Normal.
	Warning         bool
	Reason, Message string
}

// The reasons of Event, as the kubelet spells them.
const (
	// EventInvalidVariables: keys of an envFrom source were left out.
	EventInvalidVariables = "InvalidEnvironmentVariableNames"
	// EventMissingClusterDNS: dnsPolicy fell back to Default.
	EventMissingClusterDNS = "MissingClusterDNS"
	// EventDNSConfigForming: the resolver configuration was cut.
	EventDNSConfigForming = "DNSConfigForming"
	// EventPullSecret: an image pull secret is missing or unreadable.
	EventPullSecret = "FailedToRetrieveImagePullSecret"
)

// forgetRefused removes that fields which are refused, or their parts, are
// emulated or ignored: they are not then. The elements of a list may still be.
func (t *translation) forgetRefused() {
	t.report.Notes = slices.DeleteFunc(t.report.Notes, func(n Note) bool {
		return n.Decision != DecisionChanged && slices.ContainsFunc(t.refusals, func(f Refusal) bool {
			part, within := strings.CutPrefix(n.Field, f.Field)
			return within && (part == "" || part[0] == '.')
		})
	})
}

func (r Report) sort() {
	sort.SliceStable(r.Notes, func(i, j int) bool {
		return comparePaths(r.Notes[i].Field, r.Notes[j].Field) < 0
	})
}
