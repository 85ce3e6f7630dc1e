package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// CanRestart tells whether a cloud restarts the containers of a running group.
func CanRestart(cloud cloudapi.Client) bool {
	_, can := cloud.(restarter)
	return can
}

// WithUnrestartable adds to the error of a translation what the provider itself
// refuses: liveness probes that the node would have to run, for whose failure
// nothing could be done that comes to what a kubelet does, which is to restart
// that container and no other. What must be killed in such a pod all the same,
// because a startup probe or a postStart hook has failed, takes the pod along:
// it has not begun to work yet. restarts is CanRestart of the cloud.
func WithUnrestartable(pod *corev1.Pod, limits cloudapi.Limits, restarts bool, err error) error {
	more := unrestartable(pod, limits, restarts)
	if len(more) == 0 {
		return err
	}
	if refused, ok := errors.AsType[*translate.Refused](err); ok {
		more = slices.DeleteFunc(more, func(r translate.Refusal) bool {
			return slices.ContainsFunc(refused.Refusals, func(o translate.Refusal) bool {
				return o.Field == r.Field || strings.HasPrefix(o.Field, r.Field+".")
			})
		})
		more = append(more, refused.Refusals...)
	}
	return translate.NewRefused(more)
}

func unrestartable(pod *corev1.Pod, limits cloudapi.Limits, restarts bool) []translate.Refusal {
	if single(pod) && (restarts || pod.Spec.RestartPolicy == corev1.RestartPolicyNever) {
		return nil
	}
	var refusals []translate.Refusal
	for _, probe := range translate.NodeProbes(pod, limits) {
		if probe.Kind != translate.ProbeLiveness {
			continue
		}
		refusals = append(refusals, translate.Refusal{
			Field:  pathOf(pod, probe.Container) + ".livenessProbe",
			Reason: fmt.Sprintf("%s cannot run this probe, and when the node runs it, it cannot restart the container alone", limits.Cloud),
		})
	}
	return refusals
}
