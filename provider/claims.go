package provider

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/translate"
)

// resolveClaims reads the pod's PersistentVolumeClaims, the PersistentVolumes
// that they are bound to, and the Secrets that these name. What does not exist
// is missing from found.
//
// A node may get claims and volumes of its pods, one by one, and neither list nor
// watch them (Node authorizer, authorizeGet). So a pod that waits for its claim
// is looked at again after every referencePause, as a kubelet does, and nothing
// is kept. Secrets can be watched by name, and are.
func (p *Provider) resolveClaims(ctx context.Context, pod *corev1.Pod, names []string, found *translate.References) error {
	found.Claims = map[string]*corev1.PersistentVolumeClaim{}
	found.Volumes = map[string]*corev1.PersistentVolume{}
	found.VolumeSecrets = map[types.NamespacedName]*corev1.Secret{}
	for _, name := range names {
		claim, err := getOwn(ctx, p, name, p.Kube.CoreV1().PersistentVolumeClaims(pod.Namespace).Get)
		if err != nil {
			return fmt.Errorf("reading claim %s/%s: %w", pod.Namespace, name, err)
		}
		if claim == nil {
			continue
		}
		found.Claims[name] = claim
		if err := p.resolveVolume(ctx, pod, claim, found); err != nil {
			return err
		}
	}
	return nil
}

// resolveVolume reads the PersistentVolume of a claim that is bound. One that is
// not has none that the node may read.
func (p *Provider) resolveVolume(ctx context.Context, pod *corev1.Pod, claim *corev1.PersistentVolumeClaim, found *translate.References) error {
	name := claim.Spec.VolumeName
	if claim.Status.Phase != corev1.ClaimBound || name == "" {
		return nil
	}
	volume, err := getOwn(ctx, p, name, p.Kube.CoreV1().PersistentVolumes().Get)
	if err != nil {
		return fmt.Errorf("reading volume %s of claim %s/%s: %w", name, claim.Namespace, claim.Name, err)
	}
	if volume == nil {
		return nil
	}
	found.Volumes[name] = volume
	key, named := translate.VolumeSecret(volume)
	// A volume of another claim names secrets that are none of this pod's.
	if !named || volume.Spec.ClaimRef == nil || volume.Spec.ClaimRef.UID != claim.UID {
		return nil
	}
	return p.resolveVolumeSecret(ctx, pod, key, found)
}

func (p *Provider) resolveVolumeSecret(ctx context.Context, pod *corev1.Pod, key types.NamespacedName, found *translate.References) error {
	p.refs.secrets.acquire(key, pod.UID)
	object, err := p.refs.secrets.get(ctx, key)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return fmt.Errorf("reading secret %s: it is a %T", key, object)
	}
	found.VolumeSecrets[key] = secret
	return nil
}

// getOwn gets an object that belongs to one of the node's pods; nil if there is
// none. The API server's authorizer learns of a pod, and of a claim that was
// bound just now, some milliseconds after the node does.
func getOwn[T any](
	ctx context.Context, p *Provider, name string, get func(context.Context, string, metav1.GetOptions) (*T, error),
) (*T, error) {
	object, err := patiently(ctx, p.Clock, func(error) {}, func() (*T, error) { return get(ctx, name, metav1.GetOptions{}) })
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none
	}
	return object, err
}
