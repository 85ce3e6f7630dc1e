package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

const (
	// absences is how many complete sweeps in a row must miss a group before
	// it may be taken for lost.
	absences = 2
	// youngest is the age below which a missing group is not yet missed.
	youngest = 30 * time.Second
	// unknownLoss is how long after start a pod that once ran, and whose
	// group's id is not known, must be missing before it is given up.
	unknownLoss = 10 * time.Minute
	// proofsPerSweep bounds how many lost groups one sweep proves to be gone:
	// each proof is a call of its own.
	proofsPerSweep = 20
	// proofPause is how long a group rests of which no proof could be had.
	proofPause = 30 * time.Second
)

// errListLacks is the answer of a cloud that shows less than there is, as some
// do to an account that lost a permission (documented for ECI).
var errListLacks = errors.New("the cloud lists no container group that still exists: has the account lost a permission?")

// ranBefore tells whether a pod's status shows that it once had a group.
func ranBefore(pod *corev1.Pod) bool {
	return pod.Status.PodIP != "" || pod.Status.Phase == corev1.PodRunning
}

// missed handles a pod that ran under an earlier run of this process and whose
// group no sweep has shown. It is never started a second time: it is lost,
// once that is certain.
func (p *Provider) missed(ctx context.Context, r *record) (time.Duration, error) {
	id := p.groupIDIn(r.pod)
	least := youngest
	if id == "" {
		least = unknownLoss
	}
	if p.Clock.Since(p.started) < least || p.sweeps.Load().count < absences {
		return youngest, nil
	}
	if id != "" {
		gone, err := p.surelyGone(ctx, id, r.pod)
		if err != nil {
			return youngest, fmt.Errorf("looking for group %s of pod %s/%s: %w", id, r.pod.Namespace, r.pod.Name, err)
		}
		if !gone {
			return youngest, nil
		}
	}
	p.loseOrEnd(r)
	return 0, nil
}

// loseOrEnd settles a pod whose group is gone without our doing, as far as is
// known. One that was over but for its sidecars has ended as its containers did: an
// earlier process may have deleted its group.
func (p *Provider) loseOrEnd(r *record) {
	if translate.Over(r.pod) {
		p.complete(r.uid)
		return
	}
	p.lose(r)
}

// groupIDIn reads the group's id out of a container id that translate made.
func (p *Provider) groupIDIn(pod *corev1.Pod) string {
	prefix := p.limits.Provider + "://"
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range list {
			if rest, ok := strings.CutPrefix(list[i].ContainerID, prefix); ok {
				id, _, _ := strings.Cut(rest, "/")
				return id
			}
		}
	}
	return ""
}

// surelyGone asks for a group by id.
func (p *Provider) surelyGone(ctx context.Context, id string, pod *corev1.Pod) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	groups, err := p.Cloud.Get(ctx, []string{id})
	if err != nil || len(groups) > 0 {
		return false, err
	}
	err = p.proveGone(ctx, id, pod)
	return err == nil, err
}

// proveGone asks for a group by another action than those that list groups,
// and for a container that it surely has: an account without the right to list
// sees an empty list, but not a log that is missing.
func (p *Provider) proveGone(ctx context.Context, id string, pod *corev1.Pod) error {
	_, err := p.Cloud.Logs(ctx, id, pod.Spec.Containers[0].Name, cloudapi.LogOptions{TailLines: 1})
	switch {
	case err == nil:
		return errListLacks
	case cloudapi.Is(err, cloudapi.CodeNotFound, cloudapi.CodeInvalid):
		return nil
	default:
		return err
	}
}

// lose fails a pod whose group vanished without our doing.
func (p *Provider) lose(r *record) {
	const message = "The container group no longer exists in the cloud and cumulet did not delete it"
	p.Recorder.Event(r.pod, corev1.EventTypeWarning, translate.ReasonGroupLost, message)
	p.decide(r.uid, func(pod *corev1.Pod, _ *cloudapi.Group, now time.Time) corev1.PodStatus {
		return translate.Lost(pod, now)
	})
	p.Metrics.lost.Inc()
}

// noticeAbsence looks for known groups that a complete list did not show. An
// error means that the list cannot be trusted.
func (p *Provider) noticeAbsence(ctx context.Context, summaries []cloudapi.Summary, begun time.Time) error {
	suspects := p.suspects(summaries, begun)
	if len(suspects) == 0 {
		return nil
	}
	ids := make([]string, len(suspects))
	for i := range suspects {
		ids[i] = suspects[i].groupID
	}
	groups, err := p.Cloud.Get(ctx, ids)
	if err != nil {
		return err
	}
	found := make(map[string]bool, len(groups))
	for i := range groups {
		found[groups[i].ID] = true
	}
	proofs := 0
	for i := range suspects {
		r := &suspects[i]
		switch {
		case found[r.groupID]:
			p.store.update(r.uid, func(r *record) { r.absent = 0 })
		case !r.deleteAskedAt.IsZero(), r.finished() && !r.lingers(): // nothing hangs on a proof
			p.vanish(r)
		case proofs < proofsPerSweep && p.Clock.Since(r.unclearAt) >= proofPause:
			proofs++
			if err := p.prove(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// prove gives up a group that is surely gone. An error means that no absence can
// be believed; an answer that nobody understands is about this group alone, and
// must not keep the sweeps from all others, nor a pod that is to go.
func (p *Provider) prove(ctx context.Context, r *record) error {
	err := p.proveGone(ctx, r.groupID, r.pod)
	switch {
	case err == nil, cloudapi.Is(err, cloudapi.CodeUnknown) && r.ending():
		p.vanish(r)
	case cloudapi.Is(err, cloudapi.CodeUnknown):
		p.store.update(r.uid, func(r *record) { r.unclearAt = p.Clock.Now() })
		p.Log.Error(err, "looking whether a group that is not listed is gone",
			"pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", r.groupID)
	default:
		return err
	}
	return nil
}

// suspects are the pods whose groups should have been in the list: first those
// that were missed often and long enough to be lost, whose proof also tells
// whether the list can be trusted, then those that were to be deleted.
func (p *Provider) suspects(summaries []cloudapi.Summary, begun time.Time) []record {
	seen := make(map[string]bool, len(summaries))
	for i := range summaries {
		seen[summaries[i].ID] = true
	}
	var lost, deleted []record
	for _, r := range p.store.each() {
		if r.groupID == "" || r.vanished || r.creating || seen[r.groupID] || !r.lastCreate.Before(begun) {
			continue
		}
		p.store.update(r.uid, func(r *record) { r.absent++ })
		r.absent++
		switch {
		case !r.deleteAskedAt.IsZero():
			if r.deleteAskedAt.Before(begun) {
				deleted = append(deleted, r)
			}
		case r.absent >= absences && begun.Sub(r.bornAt()) >= youngest:
			lost = append(lost, r)
		}
	}
	return append(lost, deleted...)
}

// bornAt is when the group was made, as far as is known.
func (r *record) bornAt() time.Time {
	if !r.lastCreate.IsZero() {
		return r.lastCreate
	}
	return r.firstSeen
}

// vanish notes that a group is no longer there, whoever ended it.
func (p *Provider) vanish(r *record) {
	p.store.update(r.uid, func(r *record) { r.vanished = true })
	p.prober.Forget(r.uid)
	switch {
	case r.ending():
		p.ends.add(r.uid)
	case !r.deleteAskedAt.IsZero(), r.condemned():
		// The pod had ended, its containers end with the group.
		p.complete(r.uid)
	case r.finished():
	default:
		p.Log.Info("group vanished", "pod", r.pod.Namespace+"/"+r.pod.Name, "uid", r.uid, "group", r.groupID)
		p.loseOrEnd(r)
	}
}

// complete ends, in the status of a pod that has ended, what still ran.
func (p *Provider) complete(uid types.UID) {
	p.store.update(uid, func(r *record) { r.verdict = &verdict{status: r.lastStatus(), final: true} })
	p.publishes.add(uid)
}

// lastStatus makes the status of a pod nothing of which runs any more.
func (r *record) lastStatus() statusFunc {
	before, condemned, ran := r.verdict, r.condemned(), r.groupID != ""
	return func(pod *corev1.Pod, group *cloudapi.Group, now time.Time) corev1.PodStatus {
		if condemned {
			pod = pod.DeepCopy()
			pod.Status = before.status(pod, group, now)
		}
		if condemned && !ran {
			return pod.Status
		}
		return translate.Terminated(pod, group, now)
	}
}
