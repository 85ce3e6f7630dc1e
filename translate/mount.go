package translate

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// mounts translates a container's volumeMounts. Files and volumes that are
// read-only themselves are mounted read-only, whatever the mount says.
func (t *translation) mounts(c *corev1.Container, env *environment, base *field.Path) []cloudapi.Mount {
	var out []cloudapi.Mount
	var picked picks
	for i := range c.VolumeMounts {
		m, at := &c.VolumeMounts[i], base.Index(i)
		volume := findVolume(t.pod, m.Name)
		if volume == nil {
			t.refusef(at.Child("name"), "the pod has no volume %q", m.Name)
			continue
		}
		sub, subAt, ok := t.subPath(c, m, env, at)
		if !ok {
			continue
		}
		mount := cloudapi.Mount{
			Volume:   m.Name,
			Path:     path.Join("/", m.MountPath),
			SubPath:  sub,
			ReadOnly: m.ReadOnly || t.isReadOnly(volume),

			Propagation: t.propagation(m),
		}
		t.recursive(m, at)
		if sub != "" && !t.limits.Can.SubPath {
			mount, ok = t.pick(&picked, mount, volume, subAt)
		}
		if ok {
			out = append(out, mount)
		}
	}
	out = t.mountPicks(picked, c.Name, out)
	t.atMost(base, t.limits.MaxMounts, len(out), "volume mounts")
	return out
}

// subPath is a mount's sub-path with subPathExpr expanded, and the field that
// it comes from. An expression may only use variables that have a value.
func (t *translation) subPath(
	c *corev1.Container, m *corev1.VolumeMount, env *environment, at *field.Path,
) (sub string, from *field.Path, ok bool) {
	sub, from = m.SubPath, at.Child("subPath")
	if m.SubPathExpr != "" {
		from = at.Child("subPathExpr")
		missing := map[string]bool{}
		sub = expand(m.SubPathExpr, func(name string) (string, bool) {
			v, _ := env.find(name)
			if v.FieldPath != "" {
				t.refusef(from, "$(%s) is the group's address, which only the cloud knows", name)
			} else if v.Value == "" {
				missing[name] = true
			}
			return v.Value, true
		})
		if len(missing) > 0 {
			t.miss(MissingReference{Kind: KindVariable, Name: c.Name, Key: strings.Join(sortedKeys(missing), ", "), Container: c.Name})
			return "", from, false
		}
	}
	switch {
	case m.SubPathExpr == "" && leavesVolume(sub):
		t.refusef(from, "%q must be a relative path without ..", sub)
	case path.IsAbs(sub):
		t.miss(MissingReference{Kind: KindSubPath, Name: sub, Key: "must not be an absolute path", Container: c.Name})
	case leavesVolume(sub):
		t.miss(MissingReference{Kind: KindSubPath, Name: sub, Key: "must not contain '..'", Container: c.Name})
	default:
		return sub, from, true
	}
	return "", from, false
}

// propagation is how mounts below this one are passed on, where the cloud has
// a word for it.
func (t *translation) propagation(m *corev1.VolumeMount) cloudapi.Propagation {
	if m.MountPropagation == nil || *m.MountPropagation == corev1.MountPropagationNone || !t.limits.Can.MountPropagation {
		return ""
	}
	return cloudapi.Propagation(*m.MountPropagation)
}

func findVolume(pod *corev1.Pod, name string) *corev1.Volume {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].Name == name {
			return &pod.Spec.Volumes[i]
		}
	}
	return nil
}

// isReadOnly tells whether a kubelet mounts the volume read-only always.
func (t *translation) isReadOnly(v *corev1.Volume) bool {
	if isFiles(v) || slices.Contains(t.readOnlyPaths, v.Name) {
		return true
	}
	for _, seen := range t.volumesSeen {
		if seen.Name == v.Name {
			return seen.NFS != nil && seen.NFS.ReadOnly || seen.Disk != nil && seen.Disk.ReadOnly ||
				seen.Bucket != nil && seen.Bucket.ReadOnly
		}
	}
	return false
}

// isFiles tells whether a volume is made of files that are known beforehand.
func isFiles(v *corev1.Volume) bool {
	return v.ConfigMap != nil || v.Secret != nil || v.DownwardAPI != nil || v.Projected != nil
}

// leavesVolume tells whether a relative path is absolute or goes up.
func leavesVolume(p string) bool {
	return path.IsAbs(p) || slices.Contains(strings.Split(p, "/"), "..")
}
