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
		sub, ok := t.subPath(c, m, env, at)
		if !ok {
			continue
		}
		mount := cloudapi.Mount{
			Volume:   m.Name,
			Path:     path.Join("/", m.MountPath),
			SubPath:  within(sub.path),
			ReadOnly: m.ReadOnly || t.isReadOnly(volume),

			Propagation: t.propagation(m),
		}
		t.recursive(m, at)
		if mount.SubPath != "" && !t.limits.Can.SubPath {
			mount, ok = t.pick(&picked, mount, volume, sub)
		}
		if ok {
			out = append(out, mount)
		}
	}
	out = t.mountPicks(picked, c.Name, out)
	t.atMost(base, t.limits.MaxMounts, len(out), "volume mounts")
	return out
}

// subPath is the place in a volume that is mounted.
type subPath struct {
	path string
	// shown is the path as people may see it: without what a Secret holds.
	shown string
	// at is the field that it comes from.
	at *field.Path
}

// subPath is a mount's sub-path with subPathExpr expanded. An expression may
// only use variables that have a value.
func (t *translation) subPath(c *corev1.Container, m *corev1.VolumeMount, env *environment, at *field.Path) (sub subPath, ok bool) {
	sub = subPath{path: m.SubPath, shown: m.SubPath, at: at.Child("subPath")}
	if m.SubPathExpr != "" {
		sub.at = at.Child("subPathExpr")
		if sub.path, sub.shown, ok = t.expanded(c, m.SubPathExpr, env, sub.at); !ok {
			return sub, false
		}
	}
	switch {
	case m.SubPathExpr == "" && leavesVolume(sub.path):
		t.refusef(sub.at, "%q must be a relative path without ..", sub.path)
	case path.IsAbs(sub.path):
		t.miss(MissingReference{Kind: KindSubPath, Name: sub.shown, Key: "must not be an absolute path", Container: c.Name})
	case leavesVolume(sub.path):
		t.miss(MissingReference{Kind: KindSubPath, Name: sub.shown, Key: "must not contain '..'", Container: c.Name})
	default:
		return sub, true
	}
	return sub, false
}

// expanded is an expression with its variables' values, and the same to be
// shown.
func (t *translation) expanded(c *corev1.Container, expression string, env *environment, at *field.Path) (text, shown string, ok bool) {
	missing := map[string]bool{}
	text = expand(expression, func(name string) (string, bool) {
		v, _ := env.find(name)
		if v.FieldPath != "" {
			t.refusef(at, "$(%s) is the group's address, which only the cloud knows", name)
		} else if v.Value == "" {
			missing[name] = true
		}
		return v.Value, true
	})
	shown = expand(expression, func(name string) (string, bool) {
		v, _ := env.find(name)
		if v.Secret {
			return "(secret)", true
		}
		return v.Value, true
	})
	if len(missing) > 0 {
		t.miss(MissingReference{Kind: KindVariable, Name: c.Name, Key: strings.Join(sortedKeys(missing), ", "), Container: c.Name})
	}
	return text, shown, len(missing) == 0
}

// within is a place in a volume as a kubelet finds it, which joins the two:
// without what says nothing, and empty for the volume itself.
func within(subPath string) string {
	if clean := path.Clean(subPath); clean != "." {
		return clean
	}
	return ""
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
