package kubernetes

import (
	"errors"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// errOnlySidecars: a pod needs a container that it is for.
var errOnlySidecars = errors.New("every container is a sidecar; the emulated machine runs no such group")

// patience of a startup probe that only holds others back: practically for ever.
const noFailure = math.MaxInt32

func onlySidecars(spec *engine.Spec) bool {
	return len(spec.Containers) > 0 &&
		!slices.ContainsFunc(spec.Containers, func(c engine.Container) bool { return !c.Sidecar })
}

// sidecarsOf are a group's sidecars as restartable init containers, which a
// kubelet starts before the other containers and ends after them. Unlike the
// cloud, it starts them again whatever the group's restart policy is. Those with
// a higher launch priority come first, and with a readiness probe they hold back
// what follows until it succeeds.
func sidecarsOf(spec *engine.Spec) []corev1.Container {
	var sidecars []engine.Container
	for i := range spec.Containers {
		if spec.Containers[i].Sidecar {
			sidecars = append(sidecars, spec.Containers[i])
		}
	}
	slices.SortStableFunc(sidecars, func(a, b engine.Container) int { return b.Launch - a.Launch })
	var out []corev1.Container
	for i := range sidecars {
		c := containerOf(&sidecars[i])
		c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		if c.ReadinessProbe != nil && sidecars[i].Launch > 0 {
			c.StartupProbe = c.ReadinessProbe.DeepCopy()
			c.StartupProbe.SuccessThreshold = 1
			c.StartupProbe.FailureThreshold = noFailure
		}
		out = append(out, c)
	}
	return out
}

// sidecarFailed tells whether a sidecar ended badly, which counts for a cloud
// that takes it for one of the containers.
func sidecarFailed(spec *engine.Spec, states []engine.ContainerState) bool {
	for i := range spec.Containers {
		if spec.Containers[i].Sidecar && states[i].Current.Kind == engine.KindTerminated && states[i].Current.ExitCode != 0 {
			return true
		}
	}
	return false
}
