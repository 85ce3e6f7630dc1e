package provider

import (
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
	volumes := diskClaims(r.pod, spec, refs)
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
		if other.uid == self || other.pod.Namespace != claim.Namespace || !slices.Contains(translate.Needs(other.pod).Claims, claim.Name) {
			continue
		}
		if other.hasGroup() || made.pod == other.uid && now.Before(made.until) && other.wantsGroup() {
			names = append(names, other.pod.Name)
		}
	}
	slices.Sort(names)
	return names
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

// diskClaims are the claims behind the volumes of a group that are disks which
// exist, by the names of the volumes.
func diskClaims(pod *corev1.Pod, spec *cloudapi.GroupSpec, refs translate.References) map[string]types.NamespacedName {
	claims := map[string]types.NamespacedName{}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		if v.Disk == nil || v.Disk.ID == "" {
			continue
		}
		if name := translate.ClaimOf(pod, v.Name); refs.Claims[name] != nil {
			claims[v.Name] = types.NamespacedName{Namespace: pod.Namespace, Name: name}
		}
	}
	return claims
}

func sortedVolumes(volumes map[string]types.NamespacedName) []string {
	names := make([]string, 0, len(volumes))
	for name := range volumes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
