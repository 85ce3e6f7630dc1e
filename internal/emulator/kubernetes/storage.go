package kubernetes

import (
	"net/url"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// volumeRoot is the machine's folder of what outlives a group: disks, shares and
// buckets, each a folder by its id. It lasts as long as the machine; on a backing
// cluster of several nodes each has its own.
const volumeRoot = "/var/lib/cloud-volumes"

// stored is the source of a volume of the cloud's storage, or of the group's own
// machine; ok is false if it is something else.
func (b *builder) stored(id string, v *engine.Volume) (source corev1.VolumeSource, ok bool) {
	switch {
	case v.NFS != nil:
		return b.lasting("shares", v.NFS.Server, v.NFS.Path), true
	case v.Flex != nil:
		return b.flex(id, v.Name, v.Flex), true
	case v.HostPath != "":
		// Each group has a machine of its own on a cloud, and nothing is on it
		// that anybody could know. For a file see hindrancesOf.
		return corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, true
	default:
		return source, false
	}
}

// flex is a volume of a driver of either cloud. A new disk that ends with its
// group is scratch space; one that stays has an id that nobody knows.
func (b *builder) flex(id, name string, f *engine.Flex) corev1.VolumeSource {
	o := f.Options
	switch {
	case o["bucket"] != "":
		return b.lasting("buckets", o["bucket"], o["path"])
	case o["server"] != "":
		return b.lasting("shares", o["server"], o["path"])
	case o["volumeId"] != "":
		return b.lasting("disks", o["volumeId"], "")
	case o["deleteWithInstance"] == "false":
		return b.lasting("disks", "new-"+id+"-"+name, "")
	default:
		return corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
	}
}

// lasting is a folder of the machine that is there for the next group too. No
// name leaves the folder of its kind.
func (b *builder) lasting(kind, name, below string) corev1.VolumeSource {
	return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
		Path: path.Join(volumeRoot, b.cloud, kind, "id-"+url.PathEscape(name), path.Join("/", below)),
		Type: ptr.To(corev1.HostPathDirectoryOrCreate),
	}}
}

// keepReadOnly makes the mounts of shares read-only that are so as a whole.
func keepReadOnly(s *corev1.PodSpec, spec *engine.Spec) {
	readOnly := map[string]bool{}
	for i := range spec.Volumes {
		readOnly[spec.Volumes[i].Name] = spec.Volumes[i].NFS != nil && spec.Volumes[i].NFS.ReadOnly
	}
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			for j := range list[i].VolumeMounts {
				m := &list[i].VolumeMounts[j]
				m.ReadOnly = m.ReadOnly || readOnly[m.Name]
			}
		}
	}
}
