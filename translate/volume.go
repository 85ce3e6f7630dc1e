package translate

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// volumes translates the pod's volumes. What the table refuses is left out.
func (t *translation) volumes() []cloudapi.Volume {
	base := field.NewPath("spec", "volumes")
	var out []cloudapi.Volume
	for i := range t.pod.Spec.Volumes {
		v, path := &t.pod.Spec.Volumes[i], base.Index(i)
		switch {
		case v.EmptyDir != nil:
			out = append(out, cloudapi.Volume{Name: v.Name, EmptyDir: t.emptyDir(v.EmptyDir, path.Child("emptyDir"))})
		case v.NFS != nil:
			out = append(out, cloudapi.Volume{Name: v.Name, NFS: &cloudapi.NFS{Server: v.NFS.Server, Path: v.NFS.Path, ReadOnly: v.NFS.ReadOnly}})
		case isFiles(v):
			if isMounted(t.pod, v.Name) { // a kubelet does not read what others refer to for nobody
				out = append(out, fileVolume(v.Name, t.files(v, path)))
			}
		case v.VolumeSource == (corev1.VolumeSource{}):
			// The API has no volume without a source; a kubelet takes it
			// for an emptyDir, as the API's defaults do.
			out = append(out, cloudapi.Volume{Name: v.Name, EmptyDir: &cloudapi.EmptyDir{}})
		default:
			if stored, ok := t.storage(v, path); ok {
				out = append(out, stored)
			}
		}
	}
	t.checkDisks(out)
	return out
}

// fileVolume is a volume of files; without files it is an empty directory,
// which no cloud takes as a volume of files.
func fileVolume(name string, files *cloudapi.Files) cloudapi.Volume {
	if len(files.Items) == 0 {
		return cloudapi.Volume{Name: name, EmptyDir: &cloudapi.EmptyDir{}}
	}
	return cloudapi.Volume{Name: name, Files: files}
}

func (t *translation) emptyDir(e *corev1.EmptyDirVolumeSource, path *field.Path) *cloudapi.EmptyDir {
	out := &cloudapi.EmptyDir{}
	switch e.Medium {
	case corev1.StorageMediumDefault:
	case corev1.StorageMediumMemory:
		out.Memory = true
	default:
		if !t.limits.Can.EmptyDirMemory {
			break // the table has refused every medium
		}
		t.refusef(path.Child("medium"), "%s: an emptyDir is on disk or in memory", e.Medium)
	}
	if e.SizeLimit != nil {
		out.SizeLimitMiB = ceilDivide(wholeBytes(*e.SizeLimit), mebibyte)
		if t.limits.Can.EmptyDirSizeLimit && e.SizeLimit.Sign() > 0 && e.SizeLimit.Cmp(mebibytes(out.SizeLimitMiB)) != 0 {
			t.changed(path.Child("sizeLimit"), "rounded up to a MiB", e.SizeLimit.String(), strconv.FormatInt(out.SizeLimitMiB, 10)+"Mi")
		}
	}
	return out
}

// mounted leaves out volumes that no container mounts: nobody can see them.
func (t *translation) mounted(volumes []cloudapi.Volume, containers ...[]cloudapi.Container) []cloudapi.Volume {
	used := map[string]bool{}
	for _, list := range containers {
		for _, c := range list {
			for _, m := range c.Mounts {
				used[m.Volume] = true
			}
		}
	}
	var out []cloudapi.Volume
	for _, v := range volumes {
		if used[v.Name] {
			out = append(out, v)
		}
	}
	base := field.NewPath("spec", "volumes")
	for i := range t.pod.Spec.Volumes {
		if !isMounted(t.pod, t.pod.Spec.Volumes[i].Name) {
			t.notef(base.Index(i), DecisionIgnored, reasonUnmounted)
		}
	}
	return out
}

// isMounted tells whether a container of the pod mounts a volume.
func isMounted(pod *corev1.Pod, volume string) bool {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			for _, m := range list[i].VolumeMounts {
				if m.Name == volume {
					return true
				}
			}
		}
	}
	return false
}
