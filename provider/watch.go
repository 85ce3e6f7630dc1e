package provider

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	// kickedSweeps is how many sweeps may at most be made in the time of one
	// when something asks for them: a hundred creates a second must not
	// become a hundred lists.
	kickedSweeps = 5
	// haste makes sweeps follow each other faster while a group is in its
	// first or last moments: after this part of the time that it has been in
	// them already, so that its change is seen late by no more than that part.
	haste = 8
	// rest is how many times its own duration a sweep must be followed by
	// before the next when that comes early: the cloud's quota is for others too.
	rest = 3
)

// sweeps is what the complete sweeps so far amount to.
type sweeps struct {
	// count is their number, begun when the last of them began, took how long it
	// took.
	count int
	begun time.Time
	took  time.Duration
}

// watch sweeps the cloud until ctx ends.
func (p *Provider) watch(ctx context.Context) {
	for {
		begun := p.Clock.Now()
		p.sweep(ctx)
		timer := p.Clock.NewTimer(p.untilNextSweep(begun, p.Clock.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		case <-p.kicked:
			timer.Stop()
			select {
			case <-ctx.Done():
				return
			case <-p.Clock.After(p.SweepInterval/kickedSweeps - p.Clock.Since(begun)):
			}
		}
	}
}

// untilNextSweep is how long after a sweep that began and ended at these
// moments the next one is due: SweepInterval after the last, or sooner while
// some group is about to change.
func (p *Provider) untilNextSweep(begun, ended time.Time) time.Duration {
	interval := p.SweepInterval
	if p.CloudHealth().Err == nil {
		interval = min(interval, p.store.patience(ended))
	}
	took := ended.Sub(begun)
	interval = max(interval, p.SweepInterval/kickedSweeps, min(rest*took, p.SweepInterval))
	return max(0, interval-took)
}

// patience is how long the next sweep may wait for the sake of the most urgent
// pod.
func (s *store) patience(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	least := time.Hour
	for _, r := range s.records {
		if since, waits := r.awaited(); waits {
			least = min(least, now.Sub(since)/haste)
		}
	}
	return least
}

// awaited tells whether the pod's group is about to become ready, or to go, and
// since when.
func (r *record) awaited() (since time.Time, waits bool) {
	switch {
	case r.groupID == "" || r.vanished:
		return time.Time{}, false
	case !r.deleteAskedAt.IsZero():
		return r.deleteAskedAt, true
	case r.ending(), r.finished(), isReady(r.pod), r.group != nil && r.group.Status.Final():
		return time.Time{}, false
	case !r.sidecarsSince.IsZero():
		return r.sidecarsSince, true
	case r.restartedAt.After(r.bornAt()):
		return r.restartedAt, true
	default:
		return r.bornAt(), true
	}
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
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
	begun := p.Clock.Now()
	listed, err := p.look(ctx, begun)
	if ctx.Err() != nil {
		return // what was cut short tells nothing of the cloud
	}
	p.health.note(err, p.Clock.Now())
	p.Metrics.sweep(p.Clock.Since(begun), len(listed), err)
	if err != nil {
		p.Log.Error(err, "sweeping container groups")
		return
	}
	p.orphans.collect(p, listed, begun)
	p.sweeps.Store(&sweeps{count: p.sweeps.Load().count + 1, begun: begun, took: p.Clock.Since(begun)})
	p.sweptOnce.Do(p.firstSweepDone)
}

// look lists the groups and takes in what changed, or fails as a whole.
func (p *Provider) look(ctx context.Context, begun time.Time) ([]cloudapi.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	summaries, err := p.Cloud.List(ctx, p.owner)
	if err != nil {
		return nil, err
	}
	if err := p.readDetails(ctx, summaries, begun); err != nil {
		return nil, err
	}
	return summaries, p.noticeAbsence(ctx, summaries, begun)
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
	seen := make(map[string]*cloudapi.Summary, len(summaries))
	var ids []string
	for i := range summaries {
		s := &summaries[i]
		seen[s.ID] = s
		r, known := p.store.byGroup(s.ID)
		p.store.update(r.uid, func(r *record) { r.absent = 0 })
		switch {
		case s.Group != nil:
			if !known || r.revision != s.Revision || r.vanished {
				p.observeGroup(s.Group, s.Revision, now)
			}
		case !known && p.orphans.knows(s.ID):
		case !known, r.revision != s.Revision, r.vanished, onItsWay(&r, s.Status) && now.Sub(r.detailAt) >= restless:
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
		if s := seen[groups[i].ID]; s != nil {
			nameImages(&groups[i], s.ImageIDs)
			p.observeGroup(&groups[i], s.Revision, now)
		}
	}
	return nil
}

// nameImages adds image ids that only the sweep has told.
func nameImages(group *cloudapi.Group, ids map[string]string) {
	for i := range group.Containers {
		if c := &group.Containers[i]; c.ImageID == "" {
			c.ImageID = ids[c.Name]
		}
	}
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
	stale := false
	p.store.update(uid, func(r *record) {
		r.detailAt, r.absent, r.vanished = now, 0, false
		before = r.group
		if stale = before != nil && isOlder(before, group); !stale {
			r.group, r.revision = group, revision
			if r.images == nil {
				r.images = imagesSeen(group)
			}
		}
	})
	if stale {
		p.Log.V(1).Info("ignoring what the cloud showed of a group before", "uid", uid, "group", group.ID,
			"status", group.Status, "known", before.Status)
		return
	}
	p.tellEvents(uid, group, before == nil)
	p.route(uid)
}

// goesBack tells whether a state can only be an older one that the cloud has
// shown late: no group becomes young again or rises from a final state.
func goesBack(before, after cloudapi.Status) bool {
	switch {
	case before.Final():
		return !after.Final() && after != cloudapi.StatusTerminating
	case before == cloudapi.StatusRunning || before == cloudapi.StatusTerminating:
		return after == cloudapi.StatusScheduling || after == cloudapi.StatusPending
	default:
		return false
	}
}

// adopt ties a group that this process did not make to its pod.
func (p *Provider) adopt(uid types.UID, group *cloudapi.Group) bool {
	if uid == "" || !p.store.bind(uid, group.ID) {
		return false
	}
	p.Log.V(1).Info("group belongs to a pod", "uid", uid, "group", group.ID, "status", group.Status)
	return true
}
