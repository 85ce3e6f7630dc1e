package manifest

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/translate"
)

// bindClaims does what a cluster's controller does: each claim gets the volume
// that it names, or that names it, or the smallest that fits. Claims for which
// there is none stay as they are: a cluster would make the volume.
func (m *Manifests) bindClaims() {
	keys := slices.SortedFunc(maps.Keys(m.claims), func(a, b types.NamespacedName) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	taken := map[string]bool{}
	for _, key := range keys {
		claim := m.claims[key]
		if claim.UID == "" {
			claim.UID = uidOf(key.Namespace, "claim/"+key.Name)
		}
		pv := m.volumeFor(claim, taken)
		if pv == nil {
			continue
		}
		taken[pv.Name] = true
		claim.Spec.VolumeName, claim.Status.Phase = pv.Name, corev1.ClaimBound
		pv.Spec.ClaimRef = &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: key.Namespace, Name: key.Name, UID: claim.UID}
	}
}

func (m *Manifests) volumeFor(claim *corev1.PersistentVolumeClaim, taken map[string]bool) *corev1.PersistentVolume {
	if name := claim.Spec.VolumeName; name != "" {
		return m.volumes[name]
	}
	var best *corev1.PersistentVolume
	for _, name := range slices.Sorted(maps.Keys(m.volumes)) {
		pv := m.volumes[name]
		if r := pv.Spec.ClaimRef; r != nil {
			if r.Namespace == claim.Namespace && r.Name == claim.Name {
				return pv
			}
			continue
		}
		if !taken[name] && fits(pv, claim) && (best == nil || capacityOf(pv) < capacityOf(best)) {
			best = pv
		}
	}
	return best
}

func capacityOf(pv *corev1.PersistentVolume) int64 { return pv.Spec.Capacity.Storage().Value() }

// fits tells whether a volume is what a claim asks for.
func fits(pv *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	class := ""
	if claim.Spec.StorageClassName != nil {
		class = *claim.Spec.StorageClassName
	}
	for _, mode := range claim.Spec.AccessModes {
		if !slices.Contains(pv.Spec.AccessModes, mode) {
			return false
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(claim.Spec.Selector)
	if claim.Spec.Selector == nil {
		selector, err = labels.Everything(), nil
	}
	return err == nil && selector.Matches(labels.Set(pv.Labels)) &&
		class == pv.Spec.StorageClassName && pv.Spec.Capacity.Storage().Cmp(*claim.Spec.Resources.Requests.Storage()) >= 0
}

// storage finds the claims of a pod, their volumes and the Secrets of those, and
// tells what of them is missing.
func (m *Manifests) storage(namespace string, claims []string, found *translate.References) (missing []Missing) {
	lack := func(kind string, name types.NamespacedName) {
		missing = append(missing, Missing{Kind: kind, Namespace: name.Namespace, Name: name.Name})
	}
	for _, name := range claims {
		key := types.NamespacedName{Namespace: namespace, Name: name}
		claim := m.claims[key]
		if claim == nil {
			lack("PersistentVolumeClaim", key)
			continue
		}
		found.Claims[name] = claim
		pv := m.volumes[claim.Spec.VolumeName]
		if pv == nil {
			missing = append(missing, Missing{Kind: "PersistentVolume", Namespace: namespace, Name: claim.Spec.VolumeName, Claim: name})
			continue
		}
		found.Volumes[pv.Name] = pv
		secret, needed := translate.VolumeSecret(pv)
		switch {
		case !needed:
		case m.secrets[secret] == nil:
			lack("Secret", secret)
		default:
			found.VolumeSecrets[secret] = m.secrets[secret]
		}
	}
	return missing
}
