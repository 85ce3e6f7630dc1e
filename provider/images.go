package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// imageUpdater is a cloud that can change the images of a running group's
// containers, by their names; it restarts what it changes.
type imageUpdater interface {
	UpdateImages(ctx context.Context, id string, images map[string]string, token string) error
}

// reasonNotUpdated is the reason of the event that says that a change of a pod
// was not carried out.
const reasonNotUpdated = "UpdateUnsupported"

// imagesAsked are the images that a request asks for, by container.
func imagesAsked(spec *cloudapi.GroupSpec) map[string]string {
	images := make(map[string]string, len(spec.Containers))
	for i := range spec.Containers {
		images[spec.Containers[i].Name] = spec.Containers[i].Image
	}
	return images
}

// imagesSeen are the images of a group that an earlier process asked for.
func imagesSeen(group *cloudapi.Group) map[string]string {
	images := make(map[string]string, len(group.Containers))
	for i := range group.Containers {
		images[group.Containers[i].Name] = group.Containers[i].Image
	}
	return images
}

// newImages are the images that have changed since the cloud was last asked. An
// init container's image is of no use any more once the group was made.
func (r *record) newImages() map[string]string {
	changed := map[string]string{}
	if r.group == nil || r.vanished || r.group.Status.Final() || r.ending() || r.finished() {
		return changed
	}
	for _, c := range translate.LongRunning(r.pod) {
		if asked, known := r.images[c.Name]; known && asked != "" && fullName(asked) != fullName(c.Image) {
			changed[c.Name] = c.Image
		}
	}
	return changed
}

// fullName spells an image as container runtimes do, so that two spellings of
// one image are no change.
func fullName(image string) string {
	image = strings.TrimPrefix(image, "docker.io/")
	image = strings.TrimPrefix(image, "library/")
	if last := image[strings.LastIndexByte(image, '/')+1:]; !strings.ContainsAny(last, ":@") {
		image += ":latest"
	}
	return image
}

// updateImages has the cloud change the images of a running group, or says on
// the pod why they stay.
func (p *Provider) updateImages(ctx context.Context, uid types.UID) (time.Duration, error) {
	r, ok := p.store.get(uid)
	if !ok {
		return 0, nil
	}
	changed := r.newImages()
	if len(changed) == 0 {
		return 0, nil
	}
	cloud, can := p.Cloud.(imageUpdater)
	switch {
	case !can:
		p.keepImages(&r, changed, p.limits.Cloud+" cannot change a running container group")
		return 0, nil
	case r.pod.Spec.RestartPolicy == corev1.RestartPolicyNever:
		p.keepImages(&r, changed, "containers that may not restart cannot be changed")
		return 0, nil
	case r.group.Status != cloudapi.StatusRunning && r.group.Status != cloudapi.StatusPending:
		return endPause, nil
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	// What was done already although the answer was lost needs no update.
	token := fmt.Sprintf("%s-%x", uid, p.Clock.Now().UnixMilli())
	err := cloud.UpdateImages(ctx, r.groupID, changed, token)
	if cloudapi.Terminal(err) {
		p.keepImages(&r, changed, stableText(err))
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("updating images of group %s of pod %s/%s: %w", r.groupID, r.pod.Namespace, r.pod.Name, err)
	}
	p.noteImages(&r, changed)
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		p.tellKill(&r, name, fmt.Sprintf("Container %s definition changed, will be restarted", name))
	}
	p.kick()
	return 0, nil
}

// keepImages says once that images are not changed.
func (p *Provider) keepImages(r *record, images map[string]string, reason string) {
	p.noteImages(r, images)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		p.tellOfContainer(r.pod, name, corev1.EventTypeWarning, reasonNotUpdated,
			fmt.Sprintf("Container %s keeps image %q: %s; delete the pod to run image %q", name, r.images[name], reason, images[name]))
	}
}

// noteImages remembers what the cloud was asked, or was not.
func (p *Provider) noteImages(r *record, images map[string]string) {
	p.store.update(r.uid, func(r *record) {
		noted := maps.Clone(r.images)
		maps.Copy(noted, images)
		r.images = noted
	})
}
