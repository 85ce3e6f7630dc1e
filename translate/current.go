package translate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// FileVolume is one of a pod's volumes of files, as a kubelet would have it now.
type FileVolume struct {
	// Name is the volume's name, in the pod and in the group.
	Name string
	// Files are its files, of which there may be none.
	Files cloudapi.Files
	// Fingerprint tells contents apart. It is for memory only: a weak secret
	// could be guessed from it.
	Fingerprint [sha256.Size]byte
	// Version may be shown: 12 hexadecimal digits of a sha256 over the files'
	// paths, modes and contents, with the uid and resourceVersion of a Secret
	// in the place of what is in it, and nothing of tokens. So it changes with
	// the content, and nobody can try out contents against it.
	Version string
	// HasToken tells that a service-account token is among the files.
	HasToken bool
	// Err is a *MissingReference or a *Refused: then Files are not known, and
	// what the group has stays, as under a kubelet.
	Err error
}

// ChangingVolumes lists the volumes of files of a pod whose content may become
// another while the pod runs, and which a container, not only an init container,
// mounts as a whole: what a subPath has picked never changes under a kubelet
// either.
func ChangingVolumes(pod *corev1.Pod) []string {
	var names []string
	for i := range pod.Spec.Volumes {
		if v := &pod.Spec.Volumes[i]; isFiles(v) && mayChange(v) && len(mountedWhole(pod, v.Name)) > 0 {
			names = append(names, v.Name)
		}
	}
	return names
}

// mayChange tells whether a volume has a source other than the fields of a pod
// that stay.
func mayChange(v *corev1.Volume) bool {
	switch {
	case v.ConfigMap != nil, v.Secret != nil:
		return true
	case v.DownwardAPI != nil:
		return changingFields(v.DownwardAPI.Items)
	case v.Projected == nil:
		return false
	}
	for _, s := range v.Projected.Sources {
		if s.ConfigMap != nil || s.Secret != nil || s.ServiceAccountToken != nil || s.DownwardAPI != nil && changingFields(s.DownwardAPI.Items) {
			return true
		}
	}
	return false
}

func hasToken(v *corev1.Volume) bool {
	return v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool {
		return s.ServiceAccountToken != nil
	})
}

// changingFields tells whether files show labels or annotations.
func changingFields(items []corev1.DownwardAPIVolumeFile) bool {
	for _, item := range items {
		if f := item.FieldRef; f != nil &&
			(strings.HasPrefix(f.FieldPath, "metadata.labels") || strings.HasPrefix(f.FieldPath, "metadata.annotations")) {
			return true
		}
	}
	return false
}

// mountedWhole lists the containers, sidecars among them, that mount a volume
// without a sub-path.
func mountedWhole(pod *corev1.Pod, volume string) []*corev1.Container {
	var found []*corev1.Container
	for _, c := range lasting(pod) {
		for _, m := range c.VolumeMounts {
			if m.Name == volume && m.SubPath == "" && m.SubPathExpr == "" {
				found = append(found, c)
				break
			}
		}
	}
	return found
}

// lasting lists the containers that run as long as the pod does.
func lasting(pod *corev1.Pod) []*corev1.Container {
	var found []*corev1.Container
	for i := range pod.Spec.Containers {
		found = append(found, &pod.Spec.Containers[i])
	}
	for i := range pod.Spec.InitContainers {
		if isSidecar(pod, pod.Spec.InitContainers[i].Name) {
			found = append(found, &pod.Spec.InitContainers[i])
		}
	}
	return found
}

// FileNeeds is the part of Needs that ChangingVolumes are made of.
func FileNeeds(pod *corev1.Pod) Requirements {
	n := needs{configMaps: map[string]bool{}, secrets: map[string]bool{}}
	for _, name := range ChangingVolumes(pod) {
		n.volume(findVolume(pod, name))
	}
	return Requirements{
		ConfigMaps:     sortedReferences(n.configMaps),
		Secrets:        sortedReferences(n.secrets),
		Tokens:         n.tokens,
		ServiceAccount: pod.Spec.ServiceAccountName,
	}
}

// CurrentFiles is what ChangingVolumes hold now, made as Group makes it.
func CurrentFiles(pod *corev1.Pod, refs References, opts Options) []FileVolume {
	var out []FileVolume
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if !isFiles(v) || !mayChange(v) || len(mountedWhole(pod, v.Name)) == 0 {
			continue
		}
		at := field.NewPath("spec", "volumes").Index(i)
		now := FileVolume{Name: v.Name, HasToken: hasToken(v)}
		var files *cloudapi.Files
		if files, now.Err = filesNow(pod, refs, &opts, v, at); now.Err == nil {
			now.Files, now.Fingerprint = *files, FingerprintOf(files)
			if shown, err := filesNow(pod, veiled(refs), &opts, v, at); err == nil {
				sum := FingerprintOf(shown)
				now.Version = hex.EncodeToString(sum[:6])
			}
		}
		out = append(out, now)
	}
	return out
}

func filesNow(pod *corev1.Pod, refs References, opts *Options, v *corev1.Volume, at *field.Path) (*cloudapi.Files, error) {
	t := &translation{pod: pod, refs: refs, opts: *opts, limits: &opts.Limits}
	files := t.files(v, at)
	switch {
	case len(t.refusals) > 0:
		return nil, newRefused(t.refusals)
	case len(t.report.Missing) > 0:
		return nil, &t.report.Missing[0]
	}
	return files, nil
}

// veiled are references with versions in the place of secret contents.
func veiled(refs References) References {
	out := References{ConfigMaps: refs.ConfigMaps, Secrets: map[string]*corev1.Secret{}, Tokens: map[TokenKey]string{}}
	for name, secret := range refs.Secrets {
		shown := &corev1.Secret{ObjectMeta: secret.ObjectMeta, Data: map[string][]byte{}}
		for key := range secret.Data {
			shown.Data[key] = []byte(string(secret.UID) + "@" + secret.ResourceVersion)
		}
		out.Secrets[name] = shown
	}
	for key := range refs.Tokens {
		out.Tokens[key] = ""
	}
	return out
}

// FingerprintOf tells files apart by their paths, modes and contents.
func FingerprintOf(files *cloudapi.Files) [sha256.Size]byte {
	h := sha256.New()
	for _, f := range files.Items {
		part(h, []byte(f.Path))
		part(h, f.Content)
		part(h, binary.BigEndian.AppendUint32(nil, uint32(f.Mode))) //nolint:gosec // as it is, bit by bit
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// part writes a part with its length before it, so that no two lists of parts
// are the same bytes.
func part(h hash.Hash, b []byte) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b)))) // a hash never fails
	_, _ = h.Write(b)
}

// carrierRoot is the folder below which containers have the volumes of
// ChangingVolumes once more, writable, for changes to be written through exec.
// Where the pod mounts them they are read-only, as under a kubelet.
const carrierRoot = "/.cumulet"

// CarrierPath is where a container of Carriers has the volume writable.
func CarrierPath(volume string) string { return path.Join(carrierRoot, volume) }

// Carriers lists the containers through which changes of a volume can be
// written, if they have a shell: they mount it as a whole, nothing says that they
// do not run as root, to whom the files belong, and the cloud takes as many mounts
// as that makes.
func Carriers(pod *corev1.Pod, volume string, limits cloudapi.Limits) []string {
	if !limits.Can.Exec {
		return nil
	}
	t := &translation{pod: pod, limits: &limits}
	var names []string
	for _, c := range mountedWhole(pod, volume) {
		as := t.runAs(c, nil)
		if as.nonRoot || as.user != nil && *as.user != 0 || mountsAt(c, CarrierPath(volume)) {
			continue
		}
		if limits.MaxMounts > 0 && len(c.VolumeMounts)+changing(pod, c) > limits.MaxMounts {
			continue
		}
		names = append(names, c.Name)
	}
	return names
}

// changing counts the volumes of ChangingVolumes that a container mounts.
func changing(pod *corev1.Pod, c *corev1.Container) int {
	count := 0
	for _, name := range ChangingVolumes(pod) {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == name }) {
			count++
		}
	}
	return count
}

func mountsAt(c *corev1.Container, dir string) bool {
	for _, m := range c.VolumeMounts {
		if path.Join("/", m.MountPath) == dir {
			return true
		}
	}
	return false
}

// carriers are the mounts through which changes can be written. A volume whose
// one object is immutable needs none.
func (t *translation) carriers(c *corev1.Container) []cloudapi.Mount {
	var out []cloudapi.Mount
	for _, name := range ChangingVolumes(t.pod) {
		if t.immutable(findVolume(t.pod, name)) {
			continue
		}
		for _, carrier := range Carriers(t.pod, name, *t.limits) {
			if carrier == c.Name {
				out = append(out, cloudapi.Mount{Volume: name, Path: CarrierPath(name)})
			}
		}
	}
	return out
}

func (t *translation) immutable(v *corev1.Volume) bool {
	switch {
	case v.ConfigMap != nil:
		cm := t.refs.ConfigMaps[v.ConfigMap.Name]
		return cm != nil && isTrue(cm.Immutable)
	case v.Secret != nil:
		s := t.refs.Secrets[v.Secret.SecretName]
		return s != nil && isTrue(s.Immutable)
	}
	return false
}
