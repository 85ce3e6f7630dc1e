package provider

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// fileUpdater is a cloud that can replace the files of volumes of a running
// group, by the volumes' names. Each has Files; their modes are not told. The
// token makes the request idempotent.
type fileUpdater interface {
	UpdateFiles(ctx context.Context, id string, volumes []cloudapi.Volume, token string) error
}

// update has the cloud replace the files of volumes that exec could not write, or
// tells why they stay.
func (s *round) update(ctx context.Context, refused []refusal) error {
	var volumes []cloudapi.Volume
	var due []refusal
	for _, f := range refused {
		if why := s.notUpdatable(f.volume); why != "" {
			s.fail(f.volume, f.reason+"; "+why)
			continue
		}
		due = append(due, f)
		volumes = append(volumes, cloudapi.Volume{Name: f.volume.Name, Files: &f.volume.Files})
	}
	switch {
	case len(due) == 0:
		return nil
	case s.r.group.Status != cloudapi.StatusRunning && s.r.group.Status != cloudapi.StatusPending:
		s.wait(endPause)
		return nil
	}
	cloud, _ := s.p.Cloud.(fileUpdater)
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	err := cloud.UpdateFiles(ctx, s.r.groupID, volumes, fmt.Sprintf("%s-%x", s.r.uid, s.p.Clock.Now().UnixMilli()))
	switch {
	case cloudapi.Terminal(err):
		for _, f := range due {
			s.fail(f.volume, f.reason+"; "+stableText(err))
		}
		return nil
	case err != nil:
		return s.notUpdated(due, err)
	}
	for _, f := range due {
		delete(s.state.written, f.volume.Name)
		s.done(f.volume, true)
	}
	// What the cloud itself still has of the other volumes is old.
	for name := range s.state.written {
		delete(s.state.has, name)
		s.wait(endPause)
	}
	s.p.kick()
	return nil
}

// notUpdated settles an update that failed in a way that may pass. The error is to
// be tried again soon.
func (s *round) notUpdated(due []refusal, err error) error {
	early := false
	for _, f := range due {
		if s.patient(f.volume) {
			early = true
		} else {
			s.giveUp(f.volume, f.reason+"; "+stableText(err))
		}
	}
	if early {
		return err
	}
	return nil
}

// notUpdatable is why the cloud cannot be asked to replace a volume's files.
func (s *round) notUpdatable(v *translate.FileVolume) string {
	limits := s.p.limits
	_, can := s.p.Cloud.(fileUpdater)
	switch {
	case !can || !limits.Can.FileUpdates:
		return limits.Cloud + " cannot change the files of a running container group"
	case s.r.pod.Spec.RestartPolicy == corev1.RestartPolicyNever:
		return "containers that may not restart cannot be changed through the cloud's API"
	case len(v.Files.Items) == 0:
		return "the cloud's API cannot empty a volume"
	case limits.MaxUpdateFiles > 0 && len(v.Files.Items) > limits.MaxUpdateFiles:
		return fmt.Sprintf("it has %d files, and the cloud's API changes at most %d", len(v.Files.Items), limits.MaxUpdateFiles)
	case s.state.modes == nil:
		return "" // an earlier process made the group; the cloud knows of what
	}
	modes, ofFiles := s.state.modes[v.Name]
	if !ofFiles {
		return "the volume began empty, and the cloud's API adds no files to such a volume"
	}
	for _, f := range v.Files.Items {
		if before, known := modes[f.Path]; !known && f.Mode != v.Files.DefaultMode || known && before != f.Mode {
			return fmt.Sprintf("the cloud's API cannot give the new file %s its mode %#o", f.Path, f.Mode)
		}
	}
	return ""
}
