package provider

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FilesCurrent is the condition of a pod whose files have changed while it runs:
// True when its containers have them as they are in the cluster. It is not there
// before the first change, and the renewal of tokens is not told in it unless it
// fails.
const FilesCurrent corev1.PodConditionType = "cumulet.dev/FilesCurrent"

// The reasons of FilesCurrent. The latter is that of an event, too.
const (
	reasonFilesUpdated  = "FilesUpdated"
	reasonFilesOutdated = "FilesOutdated"
)

// showFiles writes the condition, if there is something to be told.
func showFiles(s *fileState, status *corev1.PodStatus, now time.Time) {
	if s == nil || len(s.current)+len(s.outdated) == 0 {
		return
	}
	i := slices.IndexFunc(status.Conditions, func(c corev1.PodCondition) bool { return c.Type == FilesCurrent })
	c := corev1.PodCondition{
		Type: FilesCurrent, Status: corev1.ConditionTrue, Reason: reasonFilesUpdated, ObservedGeneration: status.ObservedGeneration,
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
	}
	if len(s.outdated) > 0 {
		c.Status, c.Reason = corev1.ConditionFalse, reasonFilesOutdated
	}
	var before string
	if i >= 0 {
		before = status.Conditions[i].Message
	}
	c.Message = s.message(before)
	switch {
	case i < 0:
		status.Conditions = append(status.Conditions, c)
		return
	case status.Conditions[i].Status == c.Status:
		c.LastTransitionTime = status.Conditions[i].LastTransitionTime
	}
	status.Conditions[i] = c
}

// upToDate stands before the version of a volume that was brought in, keepsOld
// before the reason why one was not.
const (
	upToDate = "has version "
	keepsOld = "keeps its old files: "
)

// toldIn is what a message tells of each volume.
func toldIn(message string) map[string]string {
	told, last := map[string]string{}, ""
	for entry := range strings.SplitSeq(message, "; ") {
		name, text, _ := strings.Cut(entry, " ")
		switch {
		case strings.HasPrefix(text, upToDate), strings.HasPrefix(text, keepsOld):
			last, told[name] = name, text
		case last != "": // a reason may have several parts
			told[last] += "; " + entry
		}
	}
	return told
}

// filesTold is what a pod tells of the files in a group that an earlier process
// made: their versions, and which volumes could not be brought in, and why. What
// the group has is not known by that.
func filesTold(pod *corev1.Pod) *fileState {
	s := (&fileState{pod: pod}).clone()
	c := conditionOf(&pod.Status, FilesCurrent)
	if c == nil {
		return s
	}
	for name, text := range toldIn(c.Message) {
		if reason, old := strings.CutPrefix(text, keepsOld); old {
			s.outdated[name] = reason
		} else {
			s.versions[name], _, _ = strings.Cut(strings.TrimPrefix(text, upToDate), " ")
		}
	}
	return s
}

// message tells of each volume what it has, or why not, in the volumes' order by
// name. What an earlier process told of versions, and nothing contradicts, stays.
func (s *fileState) message(before string) string {
	told := toldIn(before)
	maps.DeleteFunc(told, func(_, text string) bool { return !strings.HasPrefix(text, upToDate) })
	for name, c := range s.current {
		version := upToDate + c.version + " since "
		if !strings.HasPrefix(told[name], version) { // else it was there before
			told[name] = version + c.at.UTC().Format(time.RFC3339)
		}
	}
	for name, reason := range s.outdated {
		told[name] = keepsOld + reason
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(told)) {
		parts = append(parts, name+" "+told[name])
	}
	return strings.Join(parts, "; ")
}
