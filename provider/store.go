package provider

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// record is everything the provider remembers of one pod. Values handed out by
// the store are copies; what their pointers show is never changed in place. A
// record lives until the API server has no such pod and the cloud no such
// group any more.
type record struct {
	uid types.UID
	pod *corev1.Pod
	// firstSeen is when this process first saw the pod. inherited: the pod was the
	// node's already then, so that an earlier process may have asked for its group.
	firstSeen time.Time
	inherited bool
	// heard is the version that the watch told last; pod may be newer.
	heard string
	// failAt is when a pod that was refused fails; zero before that. rejected: it
	// was the cloud that refused it, which is not asked again before.
	failAt   time.Time
	rejected bool
	// gone: the pod is no longer in the API server. buried: we have asked the
	// API server to remove it, which finalizers may still hold up.
	gone, buried bool
	// writing: its status is being written. closing: its last status is, or
	// has been, and no other may be any more.
	writing, closing bool

	// spec is what is being asked for, kept until the create is settled so
	// that every repetition is the same request.
	spec *cloudapi.GroupSpec
	// attempt numbers distinct create requests; it is part of the token.
	attempt int
	// creating: a create call is under way. lastCreate is when the last one
	// ended or, while it is under way, began; zero if there never was one.
	creating   bool
	lastCreate time.Time
	// mayExist: the outcome of the create of spec is open, so that only the
	// same request may be repeated.
	mayExist bool
	// unseenSince is when a group may have come into being of which we know
	// no id; zero if there was no such moment.
	unseenSince time.Time

	groupID  string
	group    *cloudapi.Group
	revision string
	// detailAt is when group was last read in full.
	detailAt time.Time
	// absent counts complete lists in a row that did not show the group.
	absent int
	// unclearAt is when the cloud last answered unclearly whether the group is
	// gone; zero if it never did.
	unclearAt time.Time
	// deleteAskedAt is when the cloud accepted the delete; forced tells
	// whether it was one without grace.
	deleteAskedAt time.Time
	forced        bool
	// vanished: the group is surely no longer there.
	vanished bool

	// images are those that the cloud was last asked for, by container. The map
	// is replaced, never changed.
	images map[string]string

	// files is what is known of the files in the group; nil before there is
	// one. tokens are the tokens among them. What both show is replaced, never
	// changed.
	files  *fileState
	tokens map[translate.TokenKey]issuedToken

	// translated is the condition that tells what was not taken literally;
	// nil if nothing was, or if an earlier run of this process has told it.
	// What it shows is never changed.
	translated *corev1.PodCondition
	// verdict, when set, decides the status instead of the group.
	verdict *verdict
	// kill is the container that has to be killed, if there is one. restarts
	// counts the restarts of the group that we asked for, restartedAt is the
	// last of them.
	kill        *kill
	restarts    int
	restartedAt time.Time
	// postStarts are the postStart hooks that the node runs, by container. The
	// map is replaced, never changed.
	postStarts map[string]hookRun
	// preStopAt is when the preStop hooks that the node runs began, preStopped
	// that they have ended. killingTold: the end has been told as an event.
	preStopAt   time.Time
	preStopped  bool
	killingTold bool
	// sidecarsSince is when the pod's sidecars were told to end because its
	// containers had, sidecarRuns how often they had been restarted then.
	// abandoned: they would not end, and the group has to go.
	sidecarsSince time.Time
	sidecarRuns   int32
	abandoned     bool
	// said are the messages of our own events Killing that the cloud has not
	// repeated yet. It is used under the store's lock only.
	said map[string]bool
	// seenEvents is the high-water mark of cloud events told on the pod.
	seenEvents map[eventKey]int32
}

// verdict is a status that the provider itself decides.
type verdict struct {
	// status makes the status from the pod and its group, which may be nil.
	status statusFunc
	// final: the pod will never run.
	final bool
}

type statusFunc func(*corev1.Pod, *cloudapi.Group, time.Time) corev1.PodStatus

// ending tells whether the pod's group has to go because the pod has.
func (r *record) ending() bool {
	return r.gone || r.pod.DeletionTimestamp != nil
}

// finished tells whether the pod is in a phase that it never leaves.
func (r *record) finished() bool {
	return r.pod.Status.Phase == corev1.PodSucceeded || r.pod.Status.Phase == corev1.PodFailed || r.condemned()
}

// condemned tells whether the provider itself has ended the pod.
func (r *record) condemned() bool { return r.verdict != nil && r.verdict.final }

func (r *record) wantsGroup() bool {
	return !r.ending() && !r.finished() && r.groupID == "" && !r.vanished
}

// lingers tells whether the group still runs although the pod has ended: its
// deadline passed, it was rejected after all, somebody else failed it, or only
// sidecars are left of it, which do not end. A group whose containers have ended
// is on its way to a final state by itself; it keeps the pod's logs and is left
// alone.
func (r *record) lingers() bool {
	switch {
	case r.groupID == "" || r.vanished || !r.finished() && !r.abandoned:
		return false
	case r.abandoned:
		return r.group == nil || !r.group.Status.Final()
	case r.group == nil:
		return r.condemned()
	case r.group.Status.Final():
		return false
	default:
		return r.condemned() || atWork(r.group)
	}
}

// atWork tells whether one of the group's containers runs, or none has ended.
func atWork(group *cloudapi.Group) bool {
	ended := 0
	for _, list := range [][]cloudapi.ContainerState{group.InitContainers, group.Containers} {
		for i := range list {
			switch list[i].Current.Kind {
			case cloudapi.RunRunning:
				return true
			case cloudapi.RunTerminated:
				ended++
			case cloudapi.RunWaiting:
			}
		}
	}
	return ended == 0
}

// store holds the records, keyed by pod UID.
type store struct {
	mu      sync.Mutex
	records map[types.UID]*record
	groups  map[string]types.UID
	// names finds records by the pod's name, which one pod after the other
	// may bear.
	names map[types.NamespacedName][]*record
}

func newStore() *store {
	return &store{
		records: map[types.UID]*record{},
		groups:  map[string]types.UID{},
		names:   map[types.NamespacedName][]*record{},
	}
}

func nameOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
}

// observe takes the newer of the known and the given object. What the watch tells
// is newer than what it told before, whatever its version: only an API server that
// was restored from a backup counts back. first is the record of a pod that is new.
func (s *store) observe(pod *corev1.Pod, first record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[pod.UID]; ok {
		if r.heard != "" && older(pod.ResourceVersion, r.heard) {
			r.pod = pod
		}
		r.take(pod)
		r.heard = pod.ResourceVersion
		return
	}
	r := &first
	r.uid, r.pod, r.heard = pod.UID, pod, pod.ResourceVersion
	s.records[pod.UID] = r
	s.names[nameOf(pod)] = append(s.names[nameOf(pod)], r)
}

// refresh is observe for a pod that is known: an answer of the API server that
// comes late must not bring a pod back that has been forgotten meanwhile.
func (s *store) refresh(pod *corev1.Pod) {
	s.update(pod.UID, func(r *record) { r.take(pod) })
}

func (r *record) take(pod *corev1.Pod) {
	if !older(pod.ResourceVersion, r.pod.ResourceVersion) {
		r.pod = pod
	}
}

// older tells whether version a is surely older than b. Versions of one object can
// be compared since Kubernetes 1.35 (KEP-5504).
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

func (s *store) get(uid types.UID) (record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[uid]
	if !ok {
		return record{}, false
	}
	return *r, true
}

// update changes a record in place, if it is known. change must not block.
func (s *store) update(uid types.UID, change func(*record)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[uid]; ok {
		change(r)
	}
}

// bind ties a group to a pod. It tells false when the pod is unknown or has
// another group already: a second group of one pod is nobody's.
func (s *store) bind(uid types.UID, groupID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[uid]
	if !ok || groupID == "" || (r.groupID != "" && r.groupID != groupID) {
		return false
	}
	if r.spec != nil {
		r.images = imagesAsked(r.spec)
		r.files = filesAsked(r.pod, r.spec)
	}
	r.groupID, r.spec, r.mayExist = groupID, nil, false
	if !r.condemned() {
		r.verdict = nil // it has waited long enough
	}
	s.groups[groupID] = uid
	return true
}

func (s *store) byGroup(id string) (record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[s.groups[id]]
	if !ok {
		return record{}, false
	}
	return *r, true
}

// byPodName finds the pod that has this name now: of several, one that still
// exists, and the youngest.
func (s *store) byPodName(namespace, name string) (record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *record
	for _, r := range s.names[types.NamespacedName{Namespace: namespace, Name: name}] {
		if r.gone {
			continue
		}
		// Of two made in one second the later seen is the younger.
		if best == nil || !r.pod.CreationTimestamp.Before(&best.pod.CreationTimestamp) {
			best = r
		}
	}
	if best == nil {
		return record{}, false
	}
	return *best, true
}

func (s *store) remove(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[uid]
	if !ok {
		return
	}
	delete(s.groups, r.groupID)
	delete(s.records, uid)
	name := nameOf(r.pod)
	s.names[name] = slices.DeleteFunc(s.names[name], func(other *record) bool { return other == r })
	if len(s.names[name]) == 0 {
		delete(s.names, name)
	}
}

// each returns a copy of every record.
func (s *store) each() []record {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]record, 0, len(s.records))
	for _, r := range s.records {
		all = append(all, *r)
	}
	return all
}

func (s *store) pods() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, r := range s.each() {
		if !r.gone {
			pods = append(pods, r.pod.DeepCopy())
		}
	}
	return pods
}
