package translate

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Requirements is what a caller must fetch before it translates a pod. All
// names are in the pod's namespace, sorted, and there once each.
type Requirements struct {
	ConfigMaps []Reference
	Secrets    []Reference
	// PullSecrets are the names in spec.imagePullSecrets. One that cannot be
	// had is told as an event and does not stop the pod.
	PullSecrets []string
	// Claims are names of PersistentVolumeClaims, those of generic ephemeral
	// volumes included. With each goes the PersistentVolume that it is bound
	// to, and the Secret that VolumeSecret names.
	Claims []string
	// Tokens are the service-account tokens to request for ServiceAccount,
	// bound to the pod.
	Tokens         []TokenRequest
	ServiceAccount string
	// ServiceLinks is true when all services of the namespace are needed.
	// The master service is needed always.
	ServiceLinks bool
}

// Reference names a ConfigMap or a Secret.
type Reference struct {
	Name string
	// Optional is true when every use of it in the pod is optional.
	Optional bool
}

// TokenKey tells service-account tokens of one pod apart.
type TokenKey struct {
	// Audience is empty for the API server's own audience.
	Audience string
	// ExpirationSeconds is the lifetime to ask for, never 0.
	ExpirationSeconds int64
}

// TokenRequest is one projected token.
type TokenRequest struct {
	TokenKey
	// Volume and Source are the position: the volume's name and the index
	// in its projected.sources.
	Volume string
	Source int
}

// References are the things a pod refers to, as the caller found them. A name
// that is missing here is missing in the cluster.
type References struct {
	// ConfigMaps and Secrets of the pod's namespace by name, pull secrets
	// among them.
	ConfigMaps map[string]*corev1.ConfigMap
	Secrets    map[string]*corev1.Secret
	Tokens     map[TokenKey]string
	// Claims are PersistentVolumeClaims of the pod's namespace by name, Volumes
	// the PersistentVolumes that they are bound to, and VolumeSecrets the
	// Secrets that these name, of any namespace.
	Claims        map[string]*corev1.PersistentVolumeClaim
	Volumes       map[string]*corev1.PersistentVolume
	VolumeSecrets map[types.NamespacedName]*corev1.Secret
	// Services are those of the pod's namespace and the master service.
	Services []*corev1.Service
}

// defaultTokenSeconds is the API server's default of
// serviceAccountToken.expirationSeconds: one hour.
const defaultTokenSeconds = 60 * 60

func tokenKey(p *corev1.ServiceAccountTokenProjection) TokenKey {
	key := TokenKey{Audience: p.Audience, ExpirationSeconds: defaultTokenSeconds}
	if p.ExpirationSeconds != nil && *p.ExpirationSeconds != 0 {
		key.ExpirationSeconds = *p.ExpirationSeconds
	}
	return key
}

// Needs collects everything that a pod refers to and that Group looks at: not
// what volumes refer to that no container mounts.
func Needs(pod *corev1.Pod) Requirements {
	n := needs{configMaps: map[string]bool{}, secrets: map[string]bool{}, pull: map[string]bool{}, claims: map[string]bool{}}
	for i := range pod.Spec.InitContainers {
		n.container(&pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		n.container(&pod.Spec.Containers[i])
	}
	for i := range pod.Spec.Volumes {
		if v := &pod.Spec.Volumes[i]; isMounted(pod, v.Name) {
			n.volume(v)
			n.storage(pod, v)
		}
	}
	for _, s := range pod.Spec.ImagePullSecrets {
		if s.Name != "" { // the API lets empty names pass; a kubelet skips them
			n.pull[s.Name] = true
		}
	}
	return Requirements{
		ConfigMaps:     sortedReferences(n.configMaps),
		Secrets:        sortedReferences(n.secrets),
		PullSecrets:    sortedKeys(n.pull),
		Claims:         sortedKeys(n.claims),
		Tokens:         n.tokens,
		ServiceAccount: pod.Spec.ServiceAccountName,
		ServiceLinks:   serviceLinks(pod),
	}
}

// needs maps names to whether all uses so far are optional.
type needs struct {
	configMaps, secrets, pull, claims map[string]bool
	tokens                            []TokenRequest
}

func (n *needs) container(c *corev1.Container) {
	for _, from := range c.EnvFrom {
		if r := from.ConfigMapRef; r != nil {
			add(n.configMaps, r.Name, r.Optional)
		}
		if r := from.SecretRef; r != nil {
			add(n.secrets, r.Name, r.Optional)
		}
	}
	for _, env := range c.Env {
		if env.Value != "" || env.ValueFrom == nil {
			continue
		}
		if r := env.ValueFrom.ConfigMapKeyRef; r != nil {
			add(n.configMaps, r.Name, r.Optional)
		}
		if r := env.ValueFrom.SecretKeyRef; r != nil {
			add(n.secrets, r.Name, r.Optional)
		}
	}
}

func (n *needs) volume(v *corev1.Volume) {
	if s := v.ConfigMap; s != nil {
		add(n.configMaps, s.Name, s.Optional)
	}
	if s := v.Secret; s != nil {
		add(n.secrets, s.SecretName, s.Optional)
	}
	if v.Projected == nil {
		return
	}
	for i, source := range v.Projected.Sources {
		switch {
		case source.Secret != nil:
			add(n.secrets, source.Secret.Name, source.Secret.Optional)
		case source.ConfigMap != nil:
			add(n.configMaps, source.ConfigMap.Name, source.ConfigMap.Optional)
		case source.ServiceAccountToken != nil:
			key := tokenKey(source.ServiceAccountToken)
			n.tokens = append(n.tokens, TokenRequest{TokenKey: key, Volume: v.Name, Source: i})
		}
	}
}

// storage collects what volumes of storage systems refer to.
func (n *needs) storage(pod *corev1.Pod, v *corev1.Volume) {
	if name := claimName(pod, v); name != "" {
		n.claims[name] = true
	}
	if v.CSI != nil && v.CSI.NodePublishSecretRef != nil {
		add(n.secrets, v.CSI.NodePublishSecretRef.Name, nil)
	}
	if v.FlexVolume != nil && v.FlexVolume.SecretRef != nil {
		add(n.secrets, v.FlexVolume.SecretRef.Name, nil)
	}
}

func add(uses map[string]bool, name string, optional *bool) {
	all, seen := uses[name]
	uses[name] = isTrue(optional) && (all || !seen)
}

func serviceLinks(pod *corev1.Pod) bool {
	return pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks
}

func isTrue(b *bool) bool { return b != nil && *b }

func sortedReferences(uses map[string]bool) []Reference {
	var list []Reference
	for _, name := range sortedKeys(uses) {
		list = append(list, Reference{Name: name, Optional: uses[name]})
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
