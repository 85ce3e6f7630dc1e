package provider

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/cumulet/cumulet/cloudapi"
)

// orphans are groups that carry this node's mark but belong to no pod it
// knows, or are a pod's second group. They cost money, so they are deleted;
// they may be somebody's work, so only after two complete sweeps, a minimum
// age, and a fresh look at the API server.
type orphans struct {
	mu    sync.Mutex
	known map[string]*orphan
	// deleting: some are being deleted now. heldUntil: none is, because there are
	// too many.
	deleting  bool
	heldUntil time.Time
}

// When most of a node's groups seem to be nobody's, and more than manyOrphans, the
// pods may be what is missing: this may be the API server of another cluster, or
// one that was restored. Such groups are told of, kept until they are manyAge old,
// and their pods asked for once more. It is less than a minute: in most cases the
// groups are nobody's indeed, and paid for.
const (
	manyOrphans = 10
	manyAge     = 50 * time.Second
	// reasonUnknownGroups is the reason of the event that tells so on the node.
	reasonUnknownGroups = "UnknownGroups"
)

type orphan struct {
	group cloudapi.Group
	// since is when the group was first seen, or the cloud last asked to delete
	// it.
	since     time.Time
	sightings int
}

// notice remembers a group that no pod claimed.
func (o *orphans) notice(group *cloudapi.Group, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[string]*orphan{}
	}
	if _, ok := o.known[group.ID]; !ok {
		o.known[group.ID] = &orphan{group: *group, since: now}
	}
}

func (o *orphans) knows(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.known[id]
	return ok
}

// collect counts this sweep's sightings, gives back groups whose pod has
// appeared, and has deleted what is certainly nobody's. It does not wait for that:
// there may be many, and a cloud that is slow to delete them must not keep the
// sweeps from the groups of pods.
func (o *orphans) collect(p *Provider, summaries []cloudapi.Summary, now time.Time) {
	due := o.due(p, summaries, now)
	if len(due) == 0 || !o.setDeleting(true) {
		return
	}
	begun := p.background.begin(func(ctx context.Context) {
		defer o.setDeleting(false)
		o.deleteAll(ctx, p, due, len(summaries))
	})
	if !begun {
		o.setDeleting(false)
	}
}

// setDeleting notes that a deletion begins or has ended, and tells false if that
// was so already.
func (o *orphans) setDeleting(now bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	changed := o.deleting != now
	o.deleting = now
	return changed
}

// deleteAll deletes groups one by one, but for those whose pods are alive. listed
// is how many groups the node has in all.
func (o *orphans) deleteAll(ctx context.Context, p *Provider, due []cloudapi.Group, listed int) {
	alive, err := p.livePods(ctx)
	if err != nil {
		p.Log.Error(err, "looking for the pods of unclaimed groups")
		return
	}
	due = slices.DeleteFunc(due, func(group cloudapi.Group) bool {
		return alive.Has(types.UID(group.Identity.PodUID)) && !p.isSecond(&group)
	})
	if len(due) > manyOrphans && 2*len(due) > listed {
		due = o.hold(p, due, listed)
	}
	for i := range due {
		switch {
		case ctx.Err() != nil:
			return
		case o.knows(due[i].ID):
			p.deleteOrphan(ctx, o, &due[i])
		}
	}
}

// hold returns those of too many groups that have been seen long enough all the
// same, and tells of the others.
func (o *orphans) hold(p *Provider, due []cloudapi.Group, listed int) []cloudapi.Group {
	now := p.Clock.Now()
	o.mu.Lock()
	old := slices.DeleteFunc(slices.Clone(due), func(group cloudapi.Group) bool {
		known, ok := o.known[group.ID]
		return !ok || now.Sub(known.since) < manyAge
	})
	if len(old) < len(due) {
		o.heldUntil = now.Add(manyAge - p.OrphanAge)
	}
	o.mu.Unlock()
	if len(old) < len(due) {
		message := fmt.Sprintf("%d of %d container groups belong to no pod of this node and are deleted %v after they were first seen: "+
			"is this the right cluster?", len(due), listed, manyAge)
		p.Log.Info(message)
		p.Recorder.Event(&corev1.ObjectReference{Kind: "Node", Name: p.Node, UID: types.UID(p.Node)},
			corev1.EventTypeWarning, reasonUnknownGroups, message)
	}
	return old
}

// due returns the groups that are ripe to be deleted.
func (o *orphans) due(p *Provider, summaries []cloudapi.Summary, now time.Time) []cloudapi.Group {
	present := make(map[string]cloudapi.Status, len(summaries))
	for i := range summaries {
		present[summaries[i].ID] = summaries[i].Status
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	held := now.Before(o.heldUntil)
	var due []cloudapi.Group
	for id, orphan := range o.known {
		status, there := present[id]
		switch {
		case !there, p.adopt(types.UID(orphan.group.Identity.PodUID), &orphan.group):
			// If it was adopted, the next sweep reads it in full.
			delete(o.known, id)
		case !p.ours(&orphan.group), status == cloudapi.StatusTerminating:
		default:
			orphan.sightings++
			if !held && orphan.sightings >= absences && now.Sub(orphan.since) >= p.OrphanAge {
				due = append(due, orphan.group)
			}
		}
	}
	return due
}

// claimOrphan gives a pod its group if a sweep saw that before the pod was
// known, and tells whether it did.
func (p *Provider) claimOrphan(uid types.UID) bool {
	if !p.orphans.claim(p, uid) {
		return false
	}
	p.publishes.add(uid)
	p.kick()
	return true
}

func (o *orphans) claim(p *Provider, uid types.UID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, orphan := range o.known {
		if types.UID(orphan.group.Identity.PodUID) == uid && p.adopt(uid, &orphan.group) {
			delete(o.known, id)
			return true
		}
	}
	return false
}

// ours tells whether the group carries this cluster's and this node's mark.
func (p *Provider) ours(group *cloudapi.Group) bool {
	return group.Identity.Cluster == p.Cluster && group.Identity.Node == p.Node && group.Identity.PodUID != ""
}

// isSecond tells whether the group's pod has another group.
func (p *Provider) isSecond(group *cloudapi.Group) bool {
	r, ok := p.store.get(types.UID(group.Identity.PodUID))
	return ok && r.groupID != "" && r.groupID != group.ID
}

// livePods asks the API server itself, not a cache, which pods this node has.
func (p *Provider) livePods(ctx context.Context) (sets.Set[types.UID], error) {
	ctx, cancel := context.WithTimeout(ctx, kubeTimeout)
	defer cancel()
	list, err := p.Kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", p.Node).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("listing pods of node %s: %w", p.Node, err)
	}
	uids := sets.New[types.UID]()
	for i := range list.Items {
		uids.Insert(list.Items[i].UID)
	}
	return uids, nil
}

func (p *Provider) deleteOrphan(ctx context.Context, o *orphans, group *cloudapi.Group) {
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	log := p.Log.WithValues("group", group.ID, "pod", group.Identity.Namespace+"/"+group.Identity.PodName, "uid", group.Identity.PodUID)
	if err := p.Cloud.Delete(ctx, group.ID, cloudapi.DeleteOptions{Force: true}); err != nil {
		log.Error(err, "deleting group without a pod")
	} else {
		p.Metrics.orphans.Inc()
		log.Info("deleted group without a pod")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if known, ok := o.known[group.ID]; ok {
		known.sightings, known.since = 0, p.Clock.Now()
	}
}
