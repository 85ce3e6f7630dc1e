package kubernetes

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// call makes a call to the backing cluster in its turn and within its time.
func (r *Runtime) call(ctx context.Context, f func(context.Context) error) error {
	select {
	case r.calls <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-r.calls }()
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return f(ctx)
}

// createPod makes a pod. One that exists already was made by an earlier call whose
// answer was lost: nobody else makes pods of this name.
func (r *Runtime) createPod(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	var made *corev1.Pod
	err := r.call(ctx, func(ctx context.Context) (err error) {
		pods := r.client.CoreV1().Pods(r.builder.namespace)
		made, err = pods.Create(ctx, pod, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			made, err = pods.Get(ctx, pod.Name, metav1.GetOptions{})
		}
		return err
	})
	return made, err
}

func (r *Runtime) getPod(ctx context.Context, name string) (*corev1.Pod, error) {
	var pod *corev1.Pod
	err := r.call(ctx, func(ctx context.Context) (err error) {
		pod, err = r.client.CoreV1().Pods(r.builder.namespace).Get(ctx, name, metav1.GetOptions{})
		return err
	})
	return pod, err
}

// knows tells whether the informer knows a pod.
func (r *Runtime) knows(name string) bool {
	_, err := r.pods.Pods(r.builder.namespace).Get(name)
	return err == nil
}

// deletePod ends the pod of a name and uid, with a grace in seconds.
func (r *Runtime) deletePod(ctx context.Context, name string, uid types.UID, grace int64) error {
	return r.call(ctx, func(ctx context.Context) error {
		return r.client.CoreV1().Pods(r.builder.namespace).Delete(ctx, name, deleteOptions(uid, grace))
	})
}

// patchPod applies a strategic merge patch.
func (r *Runtime) patchPod(ctx context.Context, name string, patch []byte) error {
	return r.call(ctx, func(ctx context.Context) error {
		_, err := r.client.CoreV1().Pods(r.builder.namespace).
			Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		return err
	})
}

// putSecret makes a secret, or brings it to its content.
func (r *Runtime) putSecret(ctx context.Context, secret *corev1.Secret) error {
	err := r.call(ctx, func(ctx context.Context) error {
		secrets := r.client.CoreV1().Secrets(r.builder.namespace)
		_, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			_, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("storing files and logins: %w", err)
	}
	return nil
}

// deleteSecrets deletes the secrets of a group, or of all if group is empty.
func (r *Runtime) deleteSecrets(ctx context.Context, group string) error {
	return r.call(ctx, func(ctx context.Context) error {
		return r.client.CoreV1().Secrets(r.builder.namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, r.mine(group))
	})
}
