package kubernetes

import (
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// failedCreate is Kubernetes' reason of a pod that could not be made.
const failedCreate = "FailedCreate"

// publicMessage is what of an error a client of the cloud may see: the answer of
// an API server, but no addresses of the backing cluster.
func publicMessage(err error) string {
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok && status.Status().Code < 500 {
		return status.Status().Message
	}
	return "the machine does not answer"
}

// uncertain tells whether a call that failed may have been carried out.
func uncertain(err error) bool {
	_, answered := errors.AsType[*apierrors.StatusError](err)
	return !answered || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsInternalError(err)
}

// refusesSize tells whether an API server objects to the size of a whole pod.
func refusesSize(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || !apierrors.IsInvalid(err) || status.Status().Details == nil {
		return false
	}
	for _, cause := range status.Status().Details.Causes {
		if strings.HasPrefix(cause.Field, podSizeField) {
			return true
		}
	}
	return false
}

const podSizeField = "spec.resources"

// deleteOptions are for deleting one pod and no other of its name.
func deleteOptions(uid types.UID, grace int64) metav1.DeleteOptions {
	options := metav1.DeleteOptions{GracePeriodSeconds: ptr.To(grace)}
	if uid != "" {
		options.Preconditions = &metav1.Preconditions{UID: ptr.To(uid)}
	}
	return options
}
