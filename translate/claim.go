package translate

import (
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// claimName is the name of the PersistentVolumeClaim behind a volume; empty if
// there is none. The cluster's ephemeral volume controller names those that it
// makes (k8s.io/component-helpers/storage/ephemeral).
func claimName(pod *corev1.Pod, v *corev1.Volume) string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName
	case v.Ephemeral != nil:
		return pod.Name + "-" + v.Name
	default:
		return ""
	}
}

// ClaimOf is the name of the PersistentVolumeClaim behind one of the pod's
// volumes; empty if there is none.
func ClaimOf(pod *corev1.Pod, volume string) string {
	if v := findVolume(pod, volume); v != nil {
		return claimName(pod, v)
	}
	return ""
}

// claimed translates a volume of a claim: by the PersistentVolume that the claim
// is bound to. Until it is bound the pod waits, as under a kubelet.
func (t *translation) claimed(v *corev1.Volume, path *field.Path) (cloudapi.Volume, bool) {
	pv, cause := t.boundVolume(v)
	if cause != "" {
		t.miss(MissingReference{Kind: KindClaim, Name: claimName(t.pod, v), Key: cause, Volume: v.Name})
		return cloudapi.Volume{}, false
	}
	s := &stored{name: v.Name, path: path, mountOptions: slices.Clone(pv.Spec.MountOptions)}
	if old := pv.Annotations[corev1.MountOptionAnnotation]; old != "" {
		s.mountOptions = append(s.mountOptions, old)
	}
	s.readOnly = v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ReadOnly
	s.origin = fmt.Sprintf("PersistentVolume %s (%s): ", pv.Name, sourceOf(&pv.Spec.PersistentVolumeSource))
	if mode := pv.Spec.VolumeMode; mode != nil && *mode != corev1.PersistentVolumeFilesystem {
		t.rejectf(s, "volumeMode %s: the cloud attaches no raw devices", *mode)
		return cloudapi.Volume{}, false
	}
	return t.persistent(s, &pv.Spec.PersistentVolumeSource)
}

// persistent translates the source of a PersistentVolume.
func (t *translation) persistent(s *stored, source *corev1.PersistentVolumeSource) (cloudapi.Volume, bool) {
	switch {
	case source.CSI != nil:
		s.driver, s.handle, s.fsType = source.CSI.Driver, source.CSI.VolumeHandle, source.CSI.FSType
		s.readOnly = s.readOnly || source.CSI.ReadOnly
		s.attributes = newAttributes(source.CSI.VolumeAttributes)
		s.secret = secretName(source.CSI.NodePublishSecretRef, "")
		return t.driven(s)
	case source.FlexVolume != nil:
		s.driver, s.fsType = source.FlexVolume.Driver, source.FlexVolume.FSType
		s.readOnly = s.readOnly || source.FlexVolume.ReadOnly
		s.attributes = newAttributes(source.FlexVolume.Options)
		s.secret = secretName(source.FlexVolume.SecretRef, t.pod.Namespace)
		return t.driven(s)
	case source.NFS != nil:
		return t.nfsOf(s, source.NFS)
	case source.HostPath != nil:
		return t.machinePath(s, source.HostPath)
	case source.Local != nil:
		return t.machinePath(s, &corev1.HostPathVolumeSource{Path: source.Local.Path})
	default:
		t.rejectf(s, "container groups do not mount this kind of volume")
		return cloudapi.Volume{}, false
	}
}

// machinePath translates a PersistentVolume that is a path of the machine.
func (t *translation) machinePath(s *stored, h *corev1.HostPathVolumeSource) (cloudapi.Volume, bool) {
	if !t.plainMount(s) {
		return cloudapi.Volume{}, false
	}
	if s.readOnly {
		t.readOnlyPaths = append(t.readOnlyPaths, s.name)
	}
	return t.hostPath(s.name, h, s.path, s.origin)
}

// boundVolume is the PersistentVolume of a volume's claim, or why there is none
// yet in the words of a kubelet (pkg/kubelet/volumemanager/populator).
func (t *translation) boundVolume(v *corev1.Volume) (_ *corev1.PersistentVolume, cause string) {
	name := claimName(t.pod, v)
	claim := t.refs.Claims[name]
	var fault string
	switch {
	case claim == nil:
		fault = fmt.Sprintf("failed to fetch PVC from API server: persistentvolumeclaims %q not found", name)
	case claim.DeletionTimestamp != nil && !slices.Contains(claim.Finalizers, pvcProtection):
		fault = "PVC is being deleted"
	case claim.Status.Phase != corev1.ClaimBound:
		fault = "PVC is not bound"
	case claim.Spec.VolumeName == "":
		fault = "PVC has empty pvc.Spec.VolumeName"
	case v.Ephemeral != nil && !metav1.IsControlledBy(claim, t.pod):
		return nil, fmt.Sprintf("PVC %s/%s was not created for pod %s/%s (pod is not owner)",
			t.pod.Namespace, name, t.pod.Namespace, t.pod.Name)
	default:
		pv := t.refs.Volumes[claim.Spec.VolumeName]
		if fault = faultOf(pv, claim); fault == "" {
			return pv, ""
		}
	}
	return nil, fmt.Sprintf("error processing PVC %s/%s: %s", t.pod.Namespace, name, fault)
}

// pvcProtection is the finalizer of claims that some pod uses
// (kubernetes/pkg/volume/util).
const pvcProtection = "kubernetes.io/pvc-protection"

func faultOf(pv *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) string {
	switch name := claim.Spec.VolumeName; {
	case pv == nil:
		return fmt.Sprintf("failed to fetch PV %s from API server: persistentvolumes %q not found", name, name)
	case pv.Spec.ClaimRef == nil:
		return fmt.Sprintf("found PV object %s but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim", name)
	case pv.Spec.ClaimRef.UID != claim.UID:
		return fmt.Sprintf("found PV object %s but its pv.Spec.ClaimRef.UID %s does not point to claim.UID %s",
			name, pv.Spec.ClaimRef.UID, claim.UID)
	default:
		return ""
	}
}

// VolumeSecret names the Secret with the credentials of a PersistentVolume's
// driver, which may be in any namespace; ok is false if there is none. The
// claim's namespace stands in where a FlexVolume names none.
func VolumeSecret(pv *corev1.PersistentVolume) (name types.NamespacedName, ok bool) {
	switch {
	case pv.Spec.CSI != nil:
		name = secretName(pv.Spec.CSI.NodePublishSecretRef, "")
	case pv.Spec.FlexVolume != nil && pv.Spec.ClaimRef != nil:
		name = secretName(pv.Spec.FlexVolume.SecretRef, pv.Spec.ClaimRef.Namespace)
	}
	return name, name.Name != ""
}

func secretName(r *corev1.SecretReference, namespace string) types.NamespacedName {
	if r == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: orDefault(r.Namespace, namespace), Name: r.Name}
}

// sourceOf names the kind of a PersistentVolume as manifests do; with a driver
// it is that as well.
func sourceOf(source *corev1.PersistentVolumeSource) string {
	v := reflect.ValueOf(source).Elem()
	for i := range v.NumField() {
		if name, _ := jsonName(v.Type().Field(i)); !v.Field(i).IsNil() {
			switch {
			case source.CSI != nil:
				return name + " " + source.CSI.Driver
			case source.FlexVolume != nil:
				return name + " " + source.FlexVolume.Driver
			}
			return name
		}
	}
	return "without a source"
}
