package provider

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

// round is one look at the files of one pod.
type round struct {
	p *Provider
	r *record
	// state becomes the record's at the end.
	state *fileState
	due   []translate.FileVolume
	// pause is when to look again, 0 if nothing is waited for.
	pause time.Duration
}

func (p *Provider) newRound(r *record) *round {
	s := &round{p: p, r: r, state: r.files.clone()}
	if s.state.restarted(r.group) {
		s.state.forget()
	}
	s.state.pod, s.state.unfinished = r.pod, false
	s.state.runs = map[string]prober.Run{}
	for i := range r.group.Containers {
		c := &r.group.Containers[i]
		if c.Current.Kind == cloudapi.RunRunning {
			s.state.runs[c.Name] = runOf(c)
		} else if run, seen := r.files.runs[c.Name]; seen {
			s.state.runs[c.Name] = run
		}
	}
	return s
}

// forget forgets what does not outlive a container's run: that files were written
// into it, and that they could not be.
func (s *fileState) forget() {
	for name := range s.written {
		delete(s.has, name)
	}
	clear(s.refused)
}

// take decides what is to be done for a volume.
func (s *round) take(v translate.FileVolume) {
	if v.Err != nil {
		s.lacks(&v)
		return
	}
	delete(s.state.missingSince, v.Name)
	has, known := s.state.has[v.Name]
	refused := s.state.refused[v.Name]
	left := refused.until.Sub(s.p.Clock.Now())
	switch {
	case refused.fingerprint == v.Fingerprint && left > 0:
		s.pauseFor(left)
	case !known, has != v.Fingerprint:
		s.due = append(s.due, v)
	default:
		s.done(&v, false) // it may have become what the group has by going back
	}
}

// lacks notes that a volume cannot be made as it should be now. What the group
// has stays, as under a kubelet; the object may only be on its way.
func (s *round) lacks(v *translate.FileVolume) {
	if _, missing := errors.AsType[*translate.MissingReference](v.Err); missing {
		since, seen := s.state.missingSince[v.Name]
		if !seen {
			since = s.p.Clock.Now()
			s.state.missingSince[v.Name] = since
		}
		if left := since.Add(missingPatience).Sub(s.p.Clock.Now()); left > 0 {
			s.pauseFor(left)
			return
		}
	}
	s.fail(v, v.Err.Error())
}

func (s *round) pauseFor(d time.Duration) {
	if s.pause == 0 || d < s.pause {
		s.pause = d
	}
}

// wait notes that a volume has to wait until the group can be changed, which is
// looked at after this time.
func (s *round) wait(d time.Duration) {
	s.state.unfinished = true
	s.pauseFor(d)
}

// refusal is a volume that could not be written through exec, and why.
type refusal struct {
	volume *translate.FileVolume
	reason string
}

// bringIn brings in the volumes that are due: through exec, which disturbs
// nothing, else through the cloud's own call.
func (s *round) bringIn(ctx context.Context) error {
	var refused []refusal
	var errs []error
	for i := range s.due {
		v := &s.due[i]
		changed, reason, err := s.write(ctx, v)
		switch {
		case errors.Is(err, errNotRunning):
			s.wait(notRunningPause)
		case err != nil && s.patient(v):
			errs = append(errs, err)
		case err != nil && s.notUpdatable(v) == "":
			refused = append(refused, refusal{v, stableText(err)})
		case err != nil:
			s.giveUp(v, stableText(err))
		case reason != "":
			refused = append(refused, refusal{v, reason})
		default:
			s.state.written[v.Name] = true
			s.done(v, changed)
		}
	}
	if len(refused) > 0 {
		errs = append(errs, s.update(ctx, refused))
	}
	return errors.Join(errs...)
}

// patient notes that a change failed in a way that may pass, and tells whether it
// is too early to give it up.
func (s *round) patient(v *translate.FileVolume) bool {
	now := s.p.Clock.Now()
	since, seen := s.state.failingSince[v.Name]
	if !seen {
		since, s.state.failingSince[v.Name] = now, now
	}
	early := now.Sub(since) < execPatience
	s.state.unfinished = s.state.unfinished || early
	return early
}

// giveUp lets a content rest that has failed for long, however that may pass: a
// container that never answers takes half a minute of a worker each time.
func (s *round) giveUp(v *translate.FileVolume, reason string) {
	rest := min(refusedRest, s.p.Clock.Since(s.state.failingSince[v.Name])/2)
	s.state.refused[v.Name] = refusedFiles{v.Fingerprint, s.p.Clock.Now().Add(rest)}
	s.pauseFor(rest)
	s.tell(v, reason)
	s.p.Log.Info("files could not be updated", "pod", nameOf(s.r.pod), "uid", s.r.uid, "group", s.r.groupID,
		"volume", v.Name, "reason", reason, "rest", rest)
}

// done notes that the group has a volume's content now.
func (s *round) done(v *translate.FileVolume, changed bool) {
	has, had := s.state.has[v.Name]
	s.state.has[v.Name] = v.Fingerprint
	_, failed := s.state.outdated[v.Name]
	delete(s.state.outdated, v.Name)
	delete(s.state.told, v.Name)
	delete(s.state.refused, v.Name)
	delete(s.state.failingSince, v.Name)
	if changed {
		s.p.Log.V(1).Info("updated files", "pod", nameOf(s.r.pod), "uid", s.r.uid, "group", s.r.groupID, "volume", v.Name, "version", v.Version)
	}
	before, known := s.state.versions[v.Name]
	s.state.versions[v.Name] = v.Version
	// An earlier try, of which no answer came, may have changed the files. That a
	// token was renewed is not shown: it has no version.
	changed = changed || had && has != v.Fingerprint
	other := known && before != v.Version
	if failed || other && (changed || !had) || !known && changed && !v.HasToken {
		s.state.current[v.Name] = currentFiles{version: v.Version, at: s.p.Clock.Now()}
	}
}

// fail notes that a volume cannot be brought in.
func (s *round) fail(v *translate.FileVolume, reason string) {
	if v.Err == nil {
		s.state.refused[v.Name] = refusedFiles{v.Fingerprint, s.p.Clock.Now().Add(refusedRest)}
	}
	s.tell(v, reason)
}

// tell shows that a volume's files are old, as an event once for each content.
func (s *round) tell(v *translate.FileVolume, reason string) {
	s.state.outdated[v.Name] = reason
	content := v.Version + " " + reason
	if s.state.told[v.Name] == content {
		return
	}
	s.state.told[v.Name] = content
	s.p.Recorder.Eventf(s.r.pod, corev1.EventTypeWarning, reasonFilesOutdated, "Volume %q keeps its old files: %s", v.Name, reason)
}
