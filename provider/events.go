package provider

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/reference"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// eventKey tells cloud events apart: neither cloud numbers them.
type eventKey struct {
	warning                 bool
	reason, message, object string
	first                   time.Time
}

// tellEvents repeats on the pod what the cloud reports of its group, each
// occurrence once. Of a group that an earlier run of this process made, what
// happened before this one started has been told already: on first sight it is
// only counted. The clouds' times have whole seconds, so a group of our own
// making may look older than this process.
func (p *Provider) tellEvents(uid types.UID, group *cloudapi.Group, firstSight bool) {
	var fresh []cloudapi.Event
	var pod *corev1.Pod
	p.store.update(uid, func(r *record) {
		pod = r.pod
		told := firstSight && r.lastCreate.IsZero()
		seen := make(map[eventKey]int32, len(group.Events))
		for _, e := range group.Events {
			key := eventKey{e.Warning, e.Reason, e.Message, e.Object, e.FirstTime}
			count := max(e.Count, 1)
			if count > r.seenEvents[key] && !(told && e.LastTime.Before(p.started)) && !r.hasSaid(e) {
				fresh = append(fresh, e)
			}
			seen[key] = max(count, r.seenEvents[key])
		}
		r.seenEvents = seen
	})
	for _, e := range fresh {
		p.tellEvent(pod, e)
	}
}

// reasonKilling is the kubelet's word for ending a container.
const reasonKilling = "Killing"

// tellKill says what a kubelet says when it ends a container. The cloud may say
// it too, later, and is not heard then.
func (p *Provider) tellKill(r *record, container, message string) {
	p.store.update(r.uid, func(r *record) {
		if r.said == nil {
			r.said = map[string]bool{}
		}
		r.said[message] = true
	})
	p.tellOfContainer(r.pod, container, corev1.EventTypeNormal, reasonKilling, message)
}

// hasSaid tells whether we have said ourselves what the cloud says now; each
// saying of ours makes up for one of the cloud's.
func (r *record) hasSaid(e cloudapi.Event) bool {
	message := kubeletWords(e.Message)
	if e.Reason != reasonKilling || !r.said[message] {
		return false
	}
	delete(r.said, message)
	return true
}

func (p *Provider) tellEvent(pod *corev1.Pod, e cloudapi.Event) {
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	message := translate.NamesPod(pod, kubeletWords(e.Message))
	if ref, err := containerReference(pod, containerOf(pod, e)); err == nil {
		p.Recorder.Event(ref, kind, e.Reason, message)
		return
	}
	p.Recorder.Event(pod, kind, e.Reason, message)
}

// kubeletWords undoes the one difference between the clouds' agents and the
// kubelet that shows: Kingsoft quotes images in back-ticks.
func kubeletWords(message string) string {
	return strings.ReplaceAll(message, "`", `"`)
}

// containerOf finds which container an event speaks of: by the cloud's word,
// or because the message names exactly one.
func containerOf(pod *corev1.Pod, e cloudapi.Event) string {
	found := ""
	for _, c := range allContainers(pod) {
		if c.Name == e.Object {
			return c.Name
		}
		if !mentions(e.Message, c.Name) && !mentions(e.Message, c.Image) {
			continue
		}
		if found != "" {
			return ""
		}
		found = c.Name
	}
	return found
}

// mentions tells whether word stands in text on its own.
func mentions(text, word string) bool {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return strings.ContainsRune(" \t\n\"'`,;()", r)
	}) {
		if w == word || strings.TrimPrefix(w, "container=") == word {
			return true
		}
	}
	return false
}

func allContainers(pod *corev1.Pod) []corev1.Container {
	all := make([]corev1.Container, 0, len(pod.Spec.InitContainers)+len(pod.Spec.Containers))
	return append(append(all, pod.Spec.InitContainers...), pod.Spec.Containers...)
}

// containerReference is the object of an event about one container, as the
// kubelet writes it.
func containerReference(pod *corev1.Pod, container string) (*corev1.ObjectReference, error) {
	path := ""
	for _, c := range pod.Spec.InitContainers {
		if c.Name == container {
			path = "spec.initContainers{" + container + "}"
		}
	}
	for _, c := range pod.Spec.Containers {
		if c.Name == container {
			path = "spec.containers{" + container + "}"
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		if pod.Spec.EphemeralContainers[i].Name == container {
			path = "spec.ephemeralContainers{" + container + "}"
		}
	}
	if path == "" {
		return nil, fmt.Errorf("pod %s/%s has no container %q", pod.Namespace, pod.Name, container)
	}
	return reference.GetPartialReference(scheme.Scheme, pod, path)
}

// tellReport says on the pod what a kubelet would have said while it prepared
// the pod, and in one event and a condition what was not taken literally.
func (p *Provider) tellReport(pod *corev1.Pod, report translate.Report) {
	for _, e := range report.Events {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		p.Recorder.Event(pod, kind, e.Reason, e.Message)
	}
	text, leftOut := report.Told()
	if text == "" {
		return
	}
	kind := corev1.EventTypeNormal
	if leftOut {
		kind = corev1.EventTypeWarning
	}
	p.Recorder.Event(pod, kind, translate.EventTranslated, text)
	condition := report.Condition(p.Clock.Now())
	p.store.update(pod.UID, func(r *record) { r.translated = condition })
}
