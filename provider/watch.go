package provider

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	// sweepTimeout bounds one sweep; the adapters retry within it.
	sweepTimeout = time.Minute
	// restless is how often a group that is on its way (starting, ending) is
	// read in full although its summary did not change: init containers and
	// events do not show in every cloud's summary.
	restless = 2 * time.Second
	// absences is how many complete sweeps in a row must miss a group before
	// it may be taken for lost.
	absences = 2
	// youngest is the age below which a missing group is not yet missed.
	youngest = 30 * time.Second
)

// watch sweeps the cloud until ctx ends.
func (p *Provider) watch(ctx context.Context) {
	ticker := p.Clock.NewTicker(p.SweepInterval)
	defer ticker.Stop()
	for {
		p.sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		case <-p.kicked:
		}
	}
}

// kick asks for a sweep soon.
func (p *Provider) kick() {
	select {
	case p.kicked <- struct{}{}:
	default:
	}
}

// sweep looks at every group of this node once. A failed sweep changes
// nothing but the cloud's health.
func (p *Provider) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	begun := p.Clock.Now()
	summaries, err := p.Cloud.List(ctx, p.owner)
	if err == nil {
		err = p.readDetails(ctx, summaries, begun)
	}
	p.health.note(err, p.Clock.Now())
	p.Metrics.sweep(p.Clock.Since(begun), len(summaries), err)
	if err != nil {
		if ctx.Err() == nil {
			p.Log.Error(err, "sweeping container groups")
		}
		return
	}
	p.noticeAbsence(ctx, summaries, begun)
	p.orphans.collect(ctx, p, summaries, begun)
	p.sweeps.Add(1)
	p.sweptOnce.Do(p.firstSweepDone)
}

// firstSweepDone lets the pods through that waited to learn whether their
// group runs already.
func (p *Provider) firstSweepDone() {
	close(p.swept)
	for _, r := range p.store.each() {
		p.route(r.uid)
	}
}

// readDetails takes in every group whose summary changed or that is on its
// way.
func (p *Provider) readDetails(ctx context.Context, summaries []cloudapi.Summary, now time.Time) error {
	revisions := make(map[string]string, len(summaries))
	var ids []string
	for _, s := range summaries {
		revisions[s.ID] = s.Revision
		switch r, known := p.store.byGroup(s.ID); {
		case s.Group != nil:
			if !known || r.revision != s.Revision {
				p.observeGroup(s.Group, s.Revision, now)
			}
		case !known && p.orphans.knows(s.ID):
		case !known, r.revision != s.Revision, onItsWay(&r, s.Status) && now.Sub(r.detailAt) >= restless:
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	groups, err := p.Cloud.Get(ctx, ids)
	if err != nil {
		return err
	}
	for i := range groups {
		p.observeGroup(&groups[i], revisions[groups[i].ID], now)
	}
	return nil
}

// onItsWay tells whether a group is about to change.
func onItsWay(r *record, status cloudapi.Status) bool {
	if r.ending() {
		return true
	}
	switch status {
	case cloudapi.StatusScheduling, cloudapi.StatusPending, cloudapi.StatusRestarting,
		cloudapi.StatusUpdating, cloudapi.StatusTerminating:
		return true
	default:
		return false
	}
}

// observeGroup takes in what the cloud tells of one group.
func (p *Provider) observeGroup(group *cloudapi.Group, revision string, now time.Time) {
	uid := types.UID(group.Identity.PodUID)
	if r, ok := p.store.byGroup(group.ID); ok {
		uid = r.uid
	} else if !p.adopt(uid, group) {
		p.orphans.notice(group, now)
		return
	}
	var before *cloudapi.Group
	p.store.update(uid, func(r *record) {
		before = r.group
		r.group, r.revision, r.detailAt, r.absent = group, revision, now, 0
	})
	p.tellEvents(uid, group, before == nil)
	if r, ok := p.store.get(uid); ok && r.ending() {
		p.ends.add(uid)
	}
	p.publishes.add(uid)
}

// adopt ties a group that this process did not make to its pod.
func (p *Provider) adopt(uid types.UID, group *cloudapi.Group) bool {
	if uid == "" || !p.store.bind(uid, group.ID) {
		return false
	}
	p.Log.V(1).Info("group belongs to a pod", "uid", uid, "group", group.ID, "status", group.Status)
	return true
}

// noticeAbsence looks for known groups that a complete sweep did not show.
func (p *Provider) noticeAbsence(ctx context.Context, summaries []cloudapi.Summary, begun time.Time) {
	seen := make(map[string]bool, len(summaries))
	for _, s := range summaries {
		seen[s.ID] = true
	}
	for _, r := range p.store.each() {
		if r.groupID == "" || r.vanished || seen[r.groupID] || !r.lastCreate.Before(begun) {
			continue
		}
		p.store.update(r.uid, func(r *record) { r.absent++ })
		r.absent++
		if !r.deleteAskedAt.IsZero() && r.deleteAskedAt.Before(begun) {
			p.vanish(&r)
			continue
		}
		if r.absent >= absences && begun.Sub(r.bornAt()) >= youngest && p.surelyGone(ctx, r.groupID) {
			p.vanish(&r)
		}
	}
}

// bornAt is when the group was made, as far as is known.
func (r *record) bornAt() time.Time {
	if !r.lastCreate.IsZero() {
		return r.lastCreate
	}
	return r.firstSeen
}

// surelyGone asks for a group by id, and by another action as well: to an
// account that lost a permission some clouds show an empty list without any
// error (failure documented for ECI).
func (p *Provider) surelyGone(ctx context.Context, id string) bool {
	groups, err := p.Cloud.Get(ctx, []string{id})
	if err != nil || len(groups) > 0 {
		return false
	}
	_, err = p.Cloud.Logs(ctx, id, "absent", cloudapi.LogOptions{TailLines: 1})
	return cloudapi.Is(err, cloudapi.CodeNotFound, cloudapi.CodeInvalid)
}

// vanish notes that a group is no longer there, whoever ended it.
func (p *Provider) vanish(r *record) {
	p.store.update(r.uid, func(r *record) { r.vanished = true })
	if r.ending() || !r.deleteAskedAt.IsZero() {
		p.ends.add(r.uid)
		return
	}
	if r.finished() {
		return
	}
	p.Log.Info("group vanished", "pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", r.groupID)
	p.lose(r)
}
