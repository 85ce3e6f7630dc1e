package translate

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// hostPath translates a path of the group's own machine, where the operator's
// policy allows it. origin stands before each reason.
func (t *translation) hostPath(name string, h *corev1.HostPathVolumeSource, at *field.Path, origin string) (cloudapi.Volume, bool) {
	if !t.limits.Can.HostPath {
		if origin != "" { // else the table has refused it
			t.refusef(at, "%s%s", origin, reasonNoHostPath)
		}
		return cloudapi.Volume{}, false
	}
	told, typeAt := len(t.refusals), at
	if origin == "" {
		typeAt = at.Child("type")
	}
	if !path.IsAbs(h.Path) || leavesVolume(strings.TrimLeft(h.Path, "/")) {
		t.refusef(at, "%spath %q must be absolute and without ..", origin, h.Path)
	}
	if reason := t.allowed(PolicyHostPath, h.Path); reason != "" {
		t.refusef(at, "%s%s", origin, reason)
	}
	out := &cloudapi.HostPath{Path: h.Path}
	switch kind := hostPathType(h); {
	case kind == corev1.HostPathUnset:
	case !t.limits.Can.HostPathType:
		t.refusef(typeAt, "%stype %s: the cloud does not look what is at a path of the machine", origin, kind)
	case kind == corev1.HostPathDirectory, kind == corev1.HostPathFile:
		out.Type = string(kind)
	default:
		t.refusef(typeAt, "%stype %s: the cloud knows Directory and File", origin, kind)
	}
	return cloudapi.Volume{Name: name, HostPath: out}, len(t.refusals) == told
}

func hostPathType(h *corev1.HostPathVolumeSource) corev1.HostPathType {
	if h.Type == nil {
		return corev1.HostPathUnset
	}
	return *h.Type
}
