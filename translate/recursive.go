package translate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	reasonRecursive = "a volume with nothing mounted below is read-only as a whole either way; where there may be something, " +
		"Enabled is refused and IfPossible makes the mount read-only, not what is below it"
	reasonBelow = "the cloud makes a mount read-only, not what is mounted below it, and there may be something: "
)

// recursive decides recursiveReadOnly. Below a volume something can be mounted
// only by a container that mounts the volume with Bidirectional propagation, or
// by the machine itself where the volume is one of its paths. With nothing
// below, a read-only mount is a recursive one; else a kubelet without support in
// its runtime refuses Enabled and passes over IfPossible (KEP-3857).
func (t *translation) recursive(m *corev1.VolumeMount, at *field.Path) {
	if m.RecursiveReadOnly == nil || *m.RecursiveReadOnly == corev1.RecursiveReadOnlyDisabled {
		return
	}
	at = at.Child("recursiveReadOnly")
	below := t.below(m.Name)
	switch {
	case below == "":
	case *m.RecursiveReadOnly == corev1.RecursiveReadOnlyIfPossible:
		t.notef(at, DecisionIgnored, "%s%s", reasonBelow, below)
	default:
		t.refusef(at, "%s%s", reasonBelow, below)
	}
}

// below says what may be mounted below a volume; empty if nothing.
func (t *translation) below(volume string) string {
	for _, seen := range t.volumesSeen {
		if seen.Name == volume && seen.HostPath != nil {
			return "the volume is a path of the machine"
		}
	}
	for _, list := range [][]corev1.Container{t.pod.Spec.InitContainers, t.pod.Spec.Containers} {
		for i := range list {
			for _, m := range list[i].VolumeMounts {
				if m.Name == volume && m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationBidirectional {
					return "container " + list[i].Name + " passes on what it mounts there"
				}
			}
		}
	}
	return ""
}
