package kubernetes

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// restart starts all containers of the group anew. A kubelet does not take such an
// order, but it starts a container anew whose image is another: so the images are
// spelled in another way. Where that does not do, the group gets another pod.
func (g *group) restart(ctx context.Context, in *inbox) time.Duration {
	images, ok := respelled(in.seen, g.restarts+1)
	if !ok {
		g.replace(in)
		return 0
	}
	g.disguise(in.seen, images)
	if err := g.apply(ctx, in, amendment{images: images}); err != nil {
		g.complain(in, "Error restarting: ", err)
		return g.fail(in, err)
	}
	g.restarts++
	g.pod.disguised = true
	g.mu.Lock()
	g.inbox.restart = false
	g.mu.Unlock()
	g.succeed()
	return 0
}

// disguise keeps the other spellings, and what the kubelet makes of them, out of
// what clients see.
func (g *group) disguise(pod *corev1.Pod, images map[string]string) {
	var disguises []string
	for _, c := range pod.Spec.Containers {
		for _, wanted := range g.pod.plan.pod.Spec.Containers {
			if wanted.Name == c.Name && images[c.Name] != wanted.Image {
				disguises = append(disguises, `"`+images[c.Name]+`"`, `"`+wanted.Image+`"`)
			}
		}
		disguises = append(disguises,
			"Container "+c.Name+" definition changed, will be restarted", "Stopping container "+c.Name)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inbox.disguises = disguises
}

// undisguise lets a change of images show as what it is.
func (g *group) undisguise(c amendment) {
	if len(c.images) == 0 {
		return
	}
	g.pod.disguised = false
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inbox.disguises = nil
}

// respelled are the images of a pod's containers in their n-th other spellings,
// which its node knows too. It is false if the kubelet would not start every container anew
// by them: before all have run, with init containers, which would not run again,
// and for containers that have ended for good.
func respelled(pod *corev1.Pod, n int) (map[string]string, bool) {
	if pod == nil || pod.Status.Phase != corev1.PodRunning || pod.DeletionTimestamp != nil || len(pod.Spec.InitContainers) > 0 {
		return nil, false
	}
	images := map[string]string{}
	for _, c := range pod.Spec.Containers {
		status := statusOfContainer(pod, c.Name)
		if status == nil || status.ContainerID == "" {
			return nil, false
		}
		if pod.Spec.RestartPolicy == corev1.RestartPolicyNever && status.State.Running == nil {
			return nil, false
		}
		image, ok := respell(c.Image, status.ImageID, n)
		if !ok {
			return nil, false
		}
		images[c.Name] = image
	}
	return images, true
}

// respell is another spelling of an image that a node has under imageID, which ends
// with its digest. Of a reference with tag and digest only the digest counts
// (github.com/distribution/reference), so the tag may be one that was never used:
// with an image that it had before, a kubelet would back off.
func respell(image, imageID string, n int) (string, bool) {
	_, digest, byDigest := strings.Cut(imageID, "@")
	name, _, _ := strings.Cut(image, "@")
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name = name[:at]
	}
	return name + ":again-" + strconv.Itoa(n) + "@" + digest, byDigest
}

// stuck tells whether a container cannot be restarted in place because its node
// does not find the image in the other spelling: an image that was loaded into the
// node, and not pulled, may have no digest in any registry.
func (p *incarnation) stuck(pod *corev1.Pod) bool {
	if !p.disguised || pod == nil {
		return false
	}
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool {
		_, held := p.held[status.Name]
		return held && status.State.Waiting != nil && slices.Contains(pullFailures, status.State.Waiting.Reason)
	})
}

// pullFailures are the kubelet's reasons of an image that is not to be had
// (pkg/kubelet/images/types.go).
var pullFailures = []string{"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable"}
