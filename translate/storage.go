package translate

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// stored is a volume of a storage system, wherever it was declared: in the pod
// (csi, flexVolume) or in a PersistentVolume.
type stored struct {
	// name is the volume's in the pod.
	name string
	// path is the field that reasons are told at, and origin what stands
	// before each of them: which PersistentVolume, of what kind.
	path   *field.Path
	origin string
	// inPod tells that whoever wrote the pod chose the volume, not whoever
	// administers the cluster's PersistentVolumes.
	inPod bool

	driver, handle, fsType string
	readOnly               bool
	attributes             *attributes
	mountOptions           []string
	// secret is where the driver's credentials are; without a name nowhere.
	secret types.NamespacedName
}

// storage translates a volume that outlives the pod or belongs to a driver. A
// volume that no container mounts is not looked at, as on a kubelet.
func (t *translation) storage(v *corev1.Volume, path *field.Path) (cloudapi.Volume, bool) {
	if !isMounted(t.pod, v.Name) {
		return cloudapi.Volume{}, false
	}
	switch {
	case v.PersistentVolumeClaim != nil:
		return t.claimed(v, path.Child("persistentVolumeClaim"))
	case v.Ephemeral != nil:
		return t.claimed(v, path.Child("ephemeral"))
	case v.CSI != nil:
		return t.driven(csiInPod(t.pod.Namespace, v, path.Child("csi")))
	case v.FlexVolume != nil:
		return t.driven(flexInPod(t.pod.Namespace, v, path.Child("flexVolume")))
	case v.HostPath != nil:
		return t.hostPath(v.Name, v.HostPath, path.Child("hostPath"), "")
	default:
		return cloudapi.Volume{}, false // the table has refused it
	}
}

func csiInPod(namespace string, v *corev1.Volume, path *field.Path) *stored {
	s := &stored{
		name: v.Name, path: path, inPod: true, driver: v.CSI.Driver, readOnly: isTrue(v.CSI.ReadOnly),
		attributes: newAttributes(v.CSI.VolumeAttributes),
	}
	if v.CSI.FSType != nil {
		s.fsType = *v.CSI.FSType
	}
	if r := v.CSI.NodePublishSecretRef; r != nil {
		s.secret = types.NamespacedName{Namespace: namespace, Name: r.Name}
	}
	return s
}

func flexInPod(namespace string, v *corev1.Volume, path *field.Path) *stored {
	s := &stored{
		name: v.Name, path: path, inPod: true, driver: v.FlexVolume.Driver, fsType: v.FlexVolume.FSType,
		readOnly: v.FlexVolume.ReadOnly, attributes: newAttributes(v.FlexVolume.Options),
	}
	if r := v.FlexVolume.SecretRef; r != nil {
		s.secret = types.NamespacedName{Namespace: namespace, Name: r.Name}
	}
	return s
}

// driven translates a volume of a driver by the table of drivers.
func (t *translation) driven(s *stored) (cloudapi.Volume, bool) {
	row, known := driverTable[s.driver]
	if !known || !slices.Contains(t.limits.VolumeDrivers, s.driver) {
		t.rejectf(s, "driver %s: %s", s.driver, t.granted("the cloud mounts volumes of no driver",
			"the cloud mounts those of ", t.limits.VolumeDrivers))
		return cloudapi.Volume{}, false
	}
	volume, ok := row.translate(t, s)
	if !ok {
		return volume, false
	}
	if left := s.attributes.left(); len(left) > 0 {
		ok = false
		t.rejectf(s, "driver %s: the cloud has no word for %s", s.driver, strings.Join(left, ", "))
	}
	return volume, ok
}

// rejectf refuses a stored volume.
func (t *translation) rejectf(s *stored, format string, args ...any) {
	t.refusef(s.path, "%s%s", s.origin, fmt.Sprintf(format, args...))
}

// harmlessMountOptions ask for nothing, or for nothing but speed.
var harmlessMountOptions = []string{"defaults", "rw", "noatime", "nodiratime", "relatime", "lazytime", "discard"}

// plainMount takes the mount options of a volume for which the cloud takes none:
// ro becomes read-only, harmless ones are told, others refused.
func (t *translation) plainMount(s *stored) bool {
	var harmless, others []string
	for _, o := range splitOptions(s.mountOptions) {
		switch {
		case o == "ro":
			s.readOnly = true
		case slices.Contains(harmlessMountOptions, o):
			harmless = append(harmless, o)
		default:
			others = append(others, o)
		}
	}
	if len(harmless) > 0 {
		t.notef(s.path, DecisionIgnored, "%smount options %s: the cloud mounts the volume as it does", s.origin, strings.Join(harmless, ","))
	}
	if len(others) > 0 {
		t.rejectf(s, "mount options %s: the cloud takes none for such a volume", strings.Join(others, ","))
	}
	return len(others) == 0
}

// splitOptions makes one list of options that are lists with commas.
func splitOptions(lists []string) []string {
	var out []string
	for _, list := range lists {
		for o := range strings.SplitSeq(list, ",") {
			if o = strings.TrimSpace(o); o != "" {
				out = append(out, o)
			}
		}
	}
	return out
}
