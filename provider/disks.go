package provider

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// A disk is attached to one group at a time. On one ordinary node two pods share
// it; on a virtual node the second waits until the group of the first has ended,
// in the words of the attach-detach controller for pods of two nodes. Without
// that the cloud would refuse the second as a request that can never succeed,
// and a Deployment would make one failed pod after the other.

// promiseLife is how long a disk is kept for a group that is about to be asked
// for, until the request itself shows in the pod's record.
const promiseLife = 5 * time.Second

// promises are the claims whose disks are promised to pods.
type promises struct {
	mu     sync.Mutex
	claims map[types.NamespacedName]promise
}

type promise struct {
	pod   types.UID
	until time.Time
}

// heldDisk says which disk of a pod another pod has, or promises the pod all of
// its disks.
func (p *Provider) heldDisk(r *record, spec *cloudapi.GroupSpec, refs translate.References) *translate.MissingReference {
	volumes := exclusiveClaims(r.pod, spec, refs)
	if len(volumes) == 0 {
		return nil
	}
	now := p.Clock.Now()
	p.promised.mu.Lock()
	defer p.promised.mu.Unlock()
	for _, name := range sortedVolumes(volumes) {
		claim := volumes[name]
		if holders := p.holders(r.uid, claim, now); len(holders) > 0 {
			return &translate.MissingReference{
				Kind: translate.KindAttachment, Namespace: claim.Namespace, Volume: name,
				Name: refs.Claims[claim.Name].Spec.VolumeName, Key: strings.Join(holders, ", "),
			}
		}
	}
	p.promised.keep(now)
	for _, claim := range volumes {
		p.promised.claims[claim] = promise{pod: r.uid, until: now.Add(promiseLife)}
	}
	return nil
}

// keep drops promises that are over.
func (l *promises) keep(now time.Time) {
	if l.claims == nil {
		l.claims = map[types.NamespacedName]promise{}
	}
	for claim, made := range l.claims {
		if now.After(made.until) {
			delete(l.claims, claim)
		}
	}
}

// holders are the names of other pods whose groups have, or are about to have,
// the disk of a claim, sorted.
func (p *Provider) holders(self types.UID, claim types.NamespacedName, now time.Time) []string {
	made := p.promised.claims[claim]
	var names []string
	for _, other := range p.store.each() {
		if other.uid == self || other.pod.Namespace != claim.Namespace || !mountsClaim(other.pod, claim.Name) {
			continue
		}
		if other.hasGroup() || made.pod == other.uid && now.Before(made.until) && other.wantsGroup() {
			names = append(names, other.pod.Name)
		}
	}
	slices.Sort(names)
	return names
}

// mountsClaim tells whether a container of the pod mounts a volume of the claim.
func mountsClaim(pod *corev1.Pod, claim string) bool {
	for _, c := range allContainers(pod) {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return translate.ClaimOf(pod, m.Name) == claim }) {
			return true
		}
	}
	return false
}

// hasGroup tells whether the pod has, or may have, a group that has not ended.
func (r *record) hasGroup() bool {
	switch {
	case r.creating || r.mayExist:
		return true
	case r.groupID == "" || r.vanished:
		return false
	default:
		return r.group == nil || !r.group.Status.Final()
	}
}

// exclusiveClaims are the claims behind the volumes of a group that one pod alone
// can have, by the names of the volumes: disks which exist, and what is made for
// one pod.
func exclusiveClaims(pod *corev1.Pod, spec *cloudapi.GroupSpec, refs translate.References) map[string]types.NamespacedName {
	claims := map[string]types.NamespacedName{}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		name := translate.ClaimOf(pod, v.Name)
		claim := refs.Claims[name]
		if claim != nil && (v.Disk != nil && v.Disk.ID != "" || oncePod(refs.Volumes[claim.Spec.VolumeName])) {
			claims[v.Name] = types.NamespacedName{Namespace: pod.Namespace, Name: name}
		}
	}
	return claims
}

// oncePod tells whether a volume is for one pod at a time. With several access
// modes it is not known which one a pod means, and a kubelet lets it pass.
func oncePod(volume *corev1.PersistentVolume) bool {
	return volume != nil && len(volume.Spec.AccessModes) == 1 && volume.Spec.AccessModes[0] == corev1.ReadWriteOncePod
}

func sortedVolumes(volumes map[string]types.NamespacedName) []string {
	names := make([]string, 0, len(volumes))
	for name := range volumes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// attachedWords are how a cloud may say that a disk is another's at the moment. No
// document of either cloud has a code for it, and of their codes none means only
// this; so it is a hint, after which a pod waits that would otherwise have failed.
var attachedWords = []string{"attached", "in use", "in_use", "in-use", "inuse", "already mounted"}

// attachedElsewhere finds the volume whose disk the cloud says is attached, in an
// answer to a request of disks that exist; empty if it does not say so. A disk that
// the request itself names twice is never free.
func attachedElsewhere(spec *cloudapi.GroupSpec, e *cloudapi.Error) string {
	text := strings.ToLower(e.VendorCode + " " + e.Message)
	says := func(word string) bool { return strings.Contains(text, word) }
	if e.Code != cloudapi.CodeInvalid || !slices.ContainsFunc(attachedWords, says) {
		return ""
	}
	found, seen := "", map[string]bool{}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		if v.Disk == nil || v.Disk.ID == "" {
			continue
		}
		if seen[v.Disk.ID] {
			return ""
		}
		seen[v.Disk.ID] = true
		named := says(strings.ToLower(v.Disk.ID))
		if named || found == "" && (says("disk") || says("volume")) {
			found = v.Name
		}
	}
	return found
}

// awaitDisk shows, in the words of the attach-detach controller, that a pod waits
// for a disk that neither it nor another pod of this node has: an ordinary node, or
// the cloud, which has not done with it yet.
func (p *Provider) awaitDisk(r *record, volume string, e *cloudapi.Error) {
	message := fmt.Sprintf("AttachVolume.Attach failed for volume %q : %s", volume, e.Stable())
	p.Recorder.Event(r.pod, corev1.EventTypeWarning, translate.ReasonFailedAttach, message)
	p.show(r.uid, func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Waiting(pod, "ContainerCreating", message, now)
	})
}
