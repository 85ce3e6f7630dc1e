package conformance

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
)

// suiteLabel marks the namespaces that the suite makes.
const suiteLabel = "e2e-run"

// withoutFinalizers is a patch that lets an object go.
const withoutFinalizers = `{"metadata":{"finalizers":null}}`

// reset removes what a suite that was broken off has left behind: its
// namespaces, and the pods that keep them from ending.
func (t testedCluster) reset(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, resetTimeout)
	defer cancel()
	left := ""
	gone := func(ctx context.Context) (bool, error) {
		namespaces, err := t.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: suiteLabel})
		if err != nil {
			return false, fmt.Errorf("listing the suite's namespaces: %w", err)
		}
		names := make([]string, len(namespaces.Items))
		for i := range namespaces.Items {
			names[i] = namespaces.Items[i].Name
			if err := t.removeNamespace(ctx, names[i]); err != nil {
				return false, err
			}
		}
		left = strings.Join(names, ", ")
		return len(names) == 0, nil
	}
	if err := wait.PollUntilContextCancel(ctx, poll, true, gone); err != nil {
		return fmt.Errorf("removing the suite's namespaces (left: %s): %w", left, err)
	}
	return nil
}

func (t testedCluster) removeNamespace(ctx context.Context, name string) error {
	err := t.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) { // a conflict: it is ending
		return fmt.Errorf("deleting namespace %s: %w", name, err)
	}
	pods := t.client.CoreV1().Pods(name)
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing pods of namespace %s: %w", name, err)
	}
	for i := range list.Items {
		p := &list.Items[i]
		if len(p.Finalizers) > 0 {
			_, err = pods.Patch(ctx, p.Name, types.MergePatchType, []byte(withoutFinalizers), metav1.PatchOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("releasing pod %s/%s: %w", name, p.Name, err)
			}
		}
		// Without grace, which asks no node: a test hung, perhaps because the
		// node does not end this pod.
		err = pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("deleting pod %s/%s: %w", name, p.Name, err)
		}
	}
	return nil
}
