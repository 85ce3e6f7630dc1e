package kubernetes

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// errNoSource is why a volume cannot be made.
var errNoSource = errors.New("it names no source that this cloud has")

// volume is a volume with the secrets that hold its files.
func (b *builder) volume(id, pod string, v *engine.Volume) (corev1.Volume, []*corev1.Secret, error) {
	out := corev1.Volume{Name: v.Name}
	switch {
	case v.EmptyDir != nil:
		source := &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMedium(v.EmptyDir.Medium)}
		if v.EmptyDir.SizeLimit != "" {
			limit, err := resource.ParseQuantity(v.EmptyDir.SizeLimit)
			if err != nil {
				return out, nil, fmt.Errorf("reading its size limit %q: %w", v.EmptyDir.SizeLimit, err)
			}
			source.SizeLimit = &limit
		}
		out.EmptyDir = source
	case v.Files != nil && b.folder != nil:
		out.VolumeSource = b.folder.source(place(id, pod, v.Name))
	case v.Files != nil:
		projected, secrets := b.files(id, fileSecret(pod, v.Name), v.Files)
		out.Projected = projected
		return out, secrets, nil
	default:
		source, ok := b.stored(id, v)
		if !ok {
			return out, nil, errNoSource
		}
		out.VolumeSource = source
	}
	return out, nil, nil
}

// secretLimit is how many bytes of content go into one Secret; the API server
// allows a mebibyte (k8s.io/api/core/v1, MaxSecretSize).
const secretLimit = 1000 << 10

// defaultFileMode is the mode of a file for which the request has none.
const defaultFileMode = 0o644

// fileSecret is the name of the secret that holds the files of a volume, and the
// beginning of the names of further ones.
func fileSecret(pod, volume string) string { return pod + secretInfix + volume }

// secretInfix stands between a pod's name and its volume's.
const secretInfix = "-files-"

// files is a directory of files. One whose files need no path or mode of their
// own shows its secret as a whole, so that an update may add and remove files;
// else each file is named in the pod, where only its content can change.
func (b *builder) files(id, name string, f *engine.Files) (*corev1.ProjectedVolumeSource, []*corev1.Secret) {
	if mode, ok := flat(f); ok {
		secret := b.secret(id, name)
		for i := range f.Items {
			secret.Data[f.Items[i].Path] = f.Items[i].Content
		}
		return &corev1.ProjectedVolumeSource{
			DefaultMode: ptr.To(mode),
			Sources:     []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: reference(secret)}}},
		}, []*corev1.Secret{secret}
	}
	out := &corev1.ProjectedVolumeSource{DefaultMode: ptr.To(defaultMode(f))}
	var secrets []*corev1.Secret
	room := 0
	for i := range f.Items {
		item := &f.Items[i]
		if len(secrets) == 0 || len(item.Content) > room {
			next := b.secret(id, chunkName(name, len(secrets)))
			secrets = append(secrets, next)
			out.Sources = append(out.Sources, corev1.VolumeProjection{
				Secret: &corev1.SecretProjection{LocalObjectReference: reference(next)},
			})
			room = secretLimit
		}
		room -= len(item.Content)
		key := "file" + strconv.Itoa(i)
		secrets[len(secrets)-1].Data[key] = item.Content
		source := out.Sources[len(secrets)-1].Secret
		source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: path.Clean(item.Path), Mode: ptr.To(modeOf(f, item))})
	}
	return out, secrets
}

func chunkName(name string, n int) string {
	if n == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(n+1)
}

func reference(secret *corev1.Secret) corev1.LocalObjectReference {
	return corev1.LocalObjectReference{Name: secret.Name}
}

func (b *builder) secret(id, name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: b.meta(id, name), Type: corev1.SecretTypeOpaque, Data: map[string][]byte{}}
}

// flat tells whether a secret's keys can be the files, and which mode all have.
func flat(f *engine.Files) (int32, bool) {
	mode := defaultMode(f)
	if len(f.Items) > 0 {
		mode = modeOf(f, &f.Items[0])
	}
	size := 0
	odd := func(item engine.File) bool {
		size += len(item.Content)
		return len(validation.IsConfigMapKey(item.Path)) > 0 || modeOf(f, &item) != mode
	}
	return mode, !slices.ContainsFunc(f.Items, odd) && size <= secretLimit
}

func defaultMode(f *engine.Files) int32 {
	if f.DefaultMode == 0 {
		return defaultFileMode
	}
	return f.DefaultMode & permissions
}

func modeOf(f *engine.Files, item *engine.File) int32 {
	if item.Mode == 0 {
		return defaultMode(f)
	}
	return item.Mode & permissions
}

// permissions are the bits of a mode that a pod's volume may set.
const permissions = 0o777
