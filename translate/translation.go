package translate

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// translation is one run of Group: its inputs, which are only read, and what
// it found on the way.
type translation struct {
	pod    *corev1.Pod
	refs   References
	opts   Options
	limits *cloudapi.Limits
	// variableName is the cloud's pattern for names of variables.
	variableName *regexp.Regexp
	// services are the variables of services, the same for all containers.
	services map[string]string

	report   Report
	refusals []Refusal
	// volumesSeen are the volumes of the pod, translated; derived are those
	// made for sub-paths, see subpath.go.
	volumesSeen []cloudapi.Volume
	derived     []cloudapi.Volume
	// readOnlyPaths are volumes of the machine's paths that are read-only as a
	// whole: a cloud has no word for that but the mount's.
	readOnlyPaths []string
}

// refusef records that a field cannot be carried out.
func (t *translation) refusef(path *field.Path, format string, args ...any) {
	t.refusals = append(t.refusals, Refusal{Field: path.String(), Reason: fmt.Sprintf(format, args...)})
}

// notef records a remark on a field.
func (t *translation) notef(path *field.Path, decision Decision, format string, args ...any) {
	t.report.Notes = append(t.report.Notes, Note{Field: path.String(), Decision: decision, Reason: fmt.Sprintf(format, args...)})
}

// changed records that something other than what was asked is sold.
func (t *translation) changed(path *field.Path, reason, asked, sold string) {
	t.report.Notes = append(t.report.Notes, Note{Field: path.String(), Decision: DecisionChanged, Reason: reason, Asked: asked, Sold: sold})
}

// eventf records what a kubelet would have told as a warning.
func (t *translation) eventf(reason, format string, args ...any) {
	t.report.Events = append(t.report.Events, Event{Warning: true, Reason: reason, Message: fmt.Sprintf(format, args...)})
}

// miss records a reference that cannot be resolved now.
func (t *translation) miss(m MissingReference) {
	if m.Namespace == "" {
		m.Namespace = t.pod.Namespace
	}
	t.report.Missing = append(t.report.Missing, m)
}

// atMost refuses when a count or size is over a limit; a limit of 0 is none.
func (t *translation) atMost(path *field.Path, limit, size int, what string) {
	if limit > 0 && size > limit {
		t.refusef(path, "%d %s; the cloud takes at most %d", size, what, limit)
	}
}
