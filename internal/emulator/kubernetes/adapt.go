package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// amendment is what has to be done to bring a pod to another plan.
type amendment struct {
	// anew tells that only another pod will do; else images are the containers
	// whose image changes, and secrets and files those whose content does.
	anew    bool
	images  map[string]string
	secrets []*corev1.Secret
	files   []folderFiles
}

// difference is how a pod that was made by one plan is brought to another, which
// is of the same name. Grace periods make no difference: they are told when they
// are needed.
func difference(old, next *plan) amendment {
	from, to := old.pod.Spec.DeepCopy(), next.pod.Spec.DeepCopy()
	from.TerminationGracePeriodSeconds = to.TerminationGracePeriodSeconds
	c := amendment{images: map[string]string{}, files: changedFiles(old.files, next.files)}
	if len(from.Containers) == len(to.Containers) {
		for i := range to.Containers {
			if from.Containers[i].Name == to.Containers[i].Name && from.Containers[i].Image != to.Containers[i].Image {
				c.images[to.Containers[i].Name] = to.Containers[i].Image
				from.Containers[i].Image = to.Containers[i].Image
			}
		}
	}
	if !equality.Semantic.DeepEqual(from, to) || len(old.secrets) != len(next.secrets) {
		return amendment{anew: true}
	}
	for i := range next.secrets {
		if old.secrets[i].Name != next.secrets[i].Name || old.secrets[i].Type != next.secrets[i].Type {
			return amendment{anew: true}
		}
		if !equality.Semantic.DeepEqual(old.secrets[i].Data, next.secrets[i].Data) {
			c.secrets = append(c.secrets, next.secrets[i])
		}
	}
	return c
}

// adapt brings the group's pod to a new spec.
func (g *group) adapt(ctx context.Context, in *inbox) time.Duration {
	if hindrances := hindrancesOf(in.spec); len(hindrances) > 0 {
		g.replace(in) // it ends, and then waits for what there is not
		return 0
	}
	next, err := g.plan(in.spec, g.made)
	if err != nil {
		g.settle(in) // it goes on as it is
		g.refuse(in, err)
		return 0
	}
	c := difference(g.pod.plan, next)
	if c.anew {
		g.replace(in)
		return 0
	}
	g.undisguise(c)
	if err := g.apply(ctx, in, c); err != nil {
		g.complain(in, "Error updating: ", err)
		return g.fail(in, err)
	}
	g.pod.plan, g.pod.spec = next, in.spec
	g.settle(in)
	g.succeed()
	return 0
}

// replace makes the group get another pod.
func (g *group) replace(in *inbox) {
	g.settle(in)
	g.replacing = true
}

// apply changes contents of files and images in place.
func (g *group) apply(ctx context.Context, in *inbox, c amendment) error {
	for _, secret := range c.secrets {
		if err := g.runtime.putSecret(ctx, secret); err != nil {
			return err
		}
	}
	if err := g.runtime.writeFiles(c.files); err != nil {
		return err
	}
	for name, image := range c.images {
		if imageOf(in.seen, name) == image { // spelled so already, by a restart
			delete(c.images, name)
		}
	}
	patch, err := c.patch(g.pod.plan.pod.Spec.Containers, g.runtime.clock.Now())
	if err != nil || patch == nil {
		return err
	}
	g.hold(in, c.images)
	err = g.runtime.patchPod(ctx, in.podName, patch)
	if apierrors.IsNotFound(err) {
		g.change(func(in *inbox) { in.doubted = true })
		return nil
	}
	return err
}

// hold keeps the group from counting as up to date while old images run.
func (g *group) hold(in *inbox, images map[string]string) {
	g.pod.held = map[string]string{}
	for name := range images {
		g.pod.held[name] = ""
		if status := statusOfContainer(in.seen, name); status != nil {
			g.pod.held[name] = status.ContainerID
		}
	}
}

// patch is a strategic merge patch of the pod; nil if it stays as it is. A change
// of files changes an annotation, whereupon the kubelet looks at the pod's volumes
// at once instead of within its minute. All containers are named, in their order:
// in that of a patch that names some, the API server would put them.
func (c *amendment) patch(containers []corev1.Container, now time.Time) ([]byte, error) {
	type container struct {
		Name  string `json:"name"`
		Image string `json:"image,omitempty"`
	}
	body := map[string]any{}
	if len(c.secrets) > 0 {
		body["metadata"] = map[string]any{"annotations": map[string]string{annotationFiles: now.UTC().Format(time.RFC3339Nano)}}
	}
	if len(c.images) > 0 {
		var list []container
		for i := range containers {
			list = append(list, container{containers[i].Name, c.images[containers[i].Name]})
		}
		body["spec"] = map[string]any{"containers": list}
	}
	if len(body) == 0 {
		return nil, nil
	}
	patch, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encoding a patch: %w", err)
	}
	return patch, nil
}

// statusOfContainer is what a pod says of one of its containers; nil if nothing.
func statusOfContainer(pod *corev1.Pod, name string) *corev1.ContainerStatus {
	if pod == nil {
		return nil
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// imageOf is the image that a pod has for one of its containers; "" if none.
func imageOf(pod *corev1.Pod, name string) string {
	if pod == nil {
		return ""
	}
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return pod.Spec.Containers[i].Image
		}
	}
	return ""
}

// nameOf is the container that a name means; an empty name means the only one.
func nameOf(spec *engine.Spec, name string) (string, error) {
	if name == "" && len(spec.Containers) == 1 {
		return spec.Containers[0].Name, nil
	}
	for _, list := range [][]engine.Container{spec.Containers, spec.InitContainers} {
		for i := range list {
			if list[i].Name == name {
				return name, nil
			}
		}
	}
	return "", engine.ErrNoContainer
}
