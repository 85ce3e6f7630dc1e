package provider

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/cumulet/cumulet/cloudapi"
)

// record is everything the provider remembers of one pod. Values handed out by
// the store are copies; what their pointers show is never changed in place.
type record struct {
	uid types.UID
	pod *corev1.Pod
	// firstSeen is when this process first saw the pod.
	firstSeen time.Time
	// gone: the pod is no longer in the API server.
	gone bool

	// spec is what is being asked for, kept until the create is settled so
	// that every repetition is the same request.
	spec *cloudapi.GroupSpec
	// attempt numbers distinct create requests; it is part of the token.
	attempt int
	// creating: a create call is under way. lastCreate is when one last was.
	creating   bool
	lastCreate time.Time
	// mayExist: an earlier create's outcome is open.
	mayExist bool

	groupID  string
	group    *cloudapi.Group
	revision string
	// detailAt is when group was last read in full.
	detailAt time.Time
	// absent counts complete sweeps in a row that did not show the group.
	absent int
	// deleteAskedAt is when the cloud accepted the delete; forced tells
	// whether it was one without grace.
	deleteAskedAt time.Time
	forced        bool
	// vanished: the group is surely no longer there.
	vanished bool

	// verdict, when set, decides the status instead of the group.
	verdict *verdict
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

// ending tells whether the pod's group has to go.
func (r *record) ending() bool {
	return r.gone || r.pod.DeletionTimestamp != nil
}

// finished tells whether the pod is in a phase that it never leaves.
func (r *record) finished() bool {
	return r.pod.Status.Phase == corev1.PodSucceeded || r.pod.Status.Phase == corev1.PodFailed ||
		(r.verdict != nil && r.verdict.final)
}

func (r *record) wantsGroup() bool {
	return !r.ending() && !r.finished() && r.groupID == "" && !r.vanished
}

// store holds the records, keyed by pod UID.
type store struct {
	mu      sync.Mutex
	records map[types.UID]*record
	groups  map[string]types.UID
}

func newStore() *store {
	return &store{records: map[types.UID]*record{}, groups: map[string]types.UID{}}
}

// observe takes the newer of the known and the given object.
func (s *store) observe(pod *corev1.Pod, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[pod.UID]
	if !ok {
		s.records[pod.UID] = &record{uid: pod.UID, pod: pod, firstSeen: now}
		return
	}
	if newer(pod, r.pod) {
		r.pod = pod
	}
}

// newer tells whether a is not older than b. Versions of one object can be
// compared since Kubernetes 1.35 (KEP-5504).
func newer(a, b *corev1.Pod) bool {
	order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion)
	return err != nil || order >= 0
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
	if !ok || (r.groupID != "" && r.groupID != groupID) {
		return false
	}
	r.groupID, r.spec, r.mayExist = groupID, nil, false
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
	for _, r := range s.records {
		if r.pod.Name != name || r.pod.Namespace != namespace || r.gone {
			continue
		}
		if best == nil || best.pod.CreationTimestamp.Before(&r.pod.CreationTimestamp) {
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
	if r, ok := s.records[uid]; ok {
		delete(s.groups, r.groupID)
		delete(s.records, uid)
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
