package provider

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

const (
	// fileWorkers is how many pods' files are brought in at once: each is a
	// call to the cloud, whose quota is for creates and deletes first.
	fileWorkers = 8
	// missingPatience is how long an object that files are made of may be gone
	// before it is told: with a namespace its ConfigMaps go before its pods.
	missingPatience = 15 * time.Second
	// execPatience is how long exec may fail before the cloud's own call is made,
	// or the pod says that its files are old.
	execPatience = time.Minute
	// notRunningPause is how often files are looked at that wait for a container
	// to run, when no change of the group tells that one does.
	notRunningPause = 10 * time.Second
	// refusedRest is how long a content rests that could not be brought in,
	// unless a container starts anew. What failed and may yet pass rests half as
	// long as it has been failing, and no longer than this.
	refusedRest = 10 * time.Minute
)

// fileState is what is known of the volumes of files in a pod's group. Copies of
// a record share it: it is replaced, never changed.
type fileState struct {
	// has are the contents that the group is known to have, by volume.
	has map[string][sha256.Size]byte
	// versions are those that the group has, or had, where they are known.
	versions map[string]string
	// modes are the modes of the files that a volume was created with; nil for
	// a volume that began empty. It is nil as a whole for a group that an
	// earlier process made.
	modes map[string]map[string]int32
	// pod is the pod that has was last made of, nil if nothing was yet.
	pod *corev1.Pod
	// written are volumes written through exec; runs are the containers' runs
	// at that time. A cloud may give a container its files anew when it starts
	// it again.
	written map[string]bool
	runs    map[string]prober.Run
	// unfinished: something could not be brought in yet.
	unfinished bool
	// missingSince is when a source of a volume was first not there, failingSince
	// when exec first failed in a way that may pass.
	missingSince, failingSince map[string]time.Time

	// refused are the contents that could not be brought in, and until when they
	// rest.
	refused map[string]refusedFiles

	// current are the versions that were brought in, outdated the volumes that
	// could not be, both by volume. told are the contents of which the latter
	// has been told as an event.
	current  map[string]currentFiles
	outdated map[string]string
	told     map[string]string
}

// currentFiles is a content that was brought into a running group.
type currentFiles struct {
	version string
	at      time.Time
}

// refusedFiles is a content that could not be brought in.
type refusedFiles struct {
	fingerprint [sha256.Size]byte
	until       time.Time
}

// clone copies what a round may change.
func (s *fileState) clone() *fileState {
	c := fileState{}
	if s != nil {
		c = *s
	}
	c.has, c.versions = cloned(c.has), cloned(c.versions)
	c.written, c.missingSince, c.failingSince = cloned(c.written), cloned(c.missingSince), cloned(c.failingSince)
	c.refused = cloned(c.refused)
	c.current, c.outdated, c.told = cloned(c.current), cloned(c.outdated), cloned(c.told)
	return &c
}

func cloned[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

// filesAsked are the files that a request asks for.
func filesAsked(pod *corev1.Pod, spec *cloudapi.GroupSpec) *fileState {
	names := translate.ChangingVolumes(pod)
	if len(names) == 0 {
		return nil
	}
	s := &fileState{has: map[string][sha256.Size]byte{}, modes: map[string]map[string]int32{}}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		if !slices.Contains(names, v.Name) {
			continue
		}
		files := v.Files
		if files == nil {
			files = &cloudapi.Files{}
		} else {
			s.modes[v.Name] = map[string]int32{}
		}
		for _, f := range files.Items {
			s.modes[v.Name][f.Path] = f.Mode
		}
		s.has[v.Name] = translate.FingerprintOf(files)
	}
	return s
}

// keepsFiles tells whether the pod has a group whose files are to be kept
// current.
func (r *record) keepsFiles() bool {
	return r.groupID != "" && !r.vanished && !r.ending() && !r.finished() &&
		(r.group == nil || !r.group.Status.Final()) && len(translate.ChangingVolumes(r.pod)) > 0
}

// referenceChanged is told of a pod whose ConfigMap or Secret changed.
func (p *Provider) referenceChanged(uid types.UID) {
	p.creates.add(uid)
	p.files.add(uid)
}

// routeFiles puts a pod into the queue whose files may have to be changed.
func (p *Provider) routeFiles(r *record) {
	switch {
	case !r.keepsFiles():
		if r.files != nil { // nothing is watched for it any more
			p.store.update(r.uid, func(r *record) { r.files, r.tokens = nil, nil })
			p.files.add(r.uid)
		}
	case r.group == nil:
	case r.files == nil:
		// A group that an earlier process made: it is not known what it has.
		p.store.update(r.uid, func(r *record) { r.files = filesTold(r.pod) })
		p.files.addAfter(r.uid, rush(translate.FileNeeds(r.pod)))
	case r.files.stale(r):
		p.files.add(r.uid)
	}
}

// stale tells whether the pod or its containers have changed since files were
// last looked after, or something is left to be done.
func (s *fileState) stale(r *record) bool {
	if s.pod == nil || s.unfinished {
		return true
	}
	if s.pod != r.pod && !(maps.Equal(s.pod.Labels, r.pod.Labels) && maps.Equal(s.pod.Annotations, r.pod.Annotations)) {
		return true
	}
	return len(s.written)+len(s.refused) > 0 && s.restarted(r.group)
}

// restarted tells whether a container that was written through runs anew.
func (s *fileState) restarted(group *cloudapi.Group) bool {
	for name, run := range s.runs {
		if c := containerState(group, name); c != nil && c.Current.Kind == cloudapi.RunRunning && runOf(c) != run {
			return true
		}
	}
	return false
}

// syncFiles brings a running group's files in line with what they are made of.
func (p *Provider) syncFiles(ctx context.Context, uid types.UID) (time.Duration, error) {
	defer p.dropReferences(uid)
	r, ok := p.store.get(uid)
	if !ok || !r.keepsFiles() || r.group == nil || r.files == nil {
		return 0, nil
	}
	needs := translate.FileNeeds(r.pod)
	references, err := p.resolveFiles(ctx, &r, needs)
	if err != nil {
		return 0, p.unread(ctx, &r, err)
	}
	round := p.newRound(&r)
	for _, v := range translate.CurrentFiles(r.pod, references, p.translateOptions()) {
		round.take(v)
	}
	err = round.bringIn(ctx)
	p.store.update(uid, func(r *record) {
		if r.files != nil {
			r.files = round.state
		}
	})
	p.publishes.add(uid)
	if err != nil {
		return 0, fmt.Errorf("updating the files of group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	if r, ok = p.store.get(uid); !ok {
		return 0, nil
	}
	next := p.tokensDue(&r, needs)
	if round.pause > 0 && (next == 0 || round.pause < next) {
		next = round.pause
	}
	return next, nil
}

// unread tells that what a running pod's files are made of could not be read.
func (p *Provider) unread(ctx context.Context, r *record, err error) error {
	if now, known := p.store.get(r.uid); known && now.keepsFiles() && ctx.Err() == nil {
		p.tellFailedSync(r.pod, err)
	}
	return fmt.Errorf("reading the files of pod %s/%s: %w", r.pod.Namespace, r.pod.Name, err)
}

// resolveFiles reads what the files of a running pod are made of.
func (p *Provider) resolveFiles(ctx context.Context, r *record, needs translate.Requirements) (translate.References, error) {
	ctx, cancel := context.WithTimeout(ctx, referenceTimeout)
	defer cancel()
	found := translate.References{
		ConfigMaps: map[string]*corev1.ConfigMap{},
		Secrets:    map[string]*corev1.Secret{},
		Tokens:     map[translate.TokenKey]string{},
	}
	if err := collect(ctx, p.refs.configMaps, r.pod, namesOf(needs.ConfigMaps), found.ConfigMaps); err != nil {
		return found, err
	}
	if err := collect(ctx, p.refs.secrets, r.pod, namesOf(needs.Secrets), found.Secrets); err != nil {
		return found, err
	}
	p.freshTokens(ctx, r, needs, found.Tokens)
	return found, nil
}

func namesOf(references []translate.Reference) []string {
	var names []string
	for _, n := range references {
		names = append(names, n.Name)
	}
	return names
}
