package manifest

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/translate"
)

// keyFinder looks for keys in the ConfigMaps and Secrets that were found.
type keyFinder struct {
	namespace string
	found     *translate.References
	missing   []Missing
}

// missingKeys tells every key that a pod cannot do without and that the
// ConfigMap or Secret lacks, once; where that is missing as a whole it is told
// already.
func missingKeys(pod *corev1.Pod, found *translate.References) []Missing {
	f := &keyFinder{namespace: pod.Namespace, found: found}
	for i := range pod.Spec.Volumes {
		f.volume(&pod.Spec.Volumes[i])
	}
	for _, l := range containerLists(&pod.Spec) {
		for _, c := range l.containers {
			for i := range c.Env {
				f.variable(c.Env[i].ValueFrom)
			}
		}
	}
	return f.missing
}

func (f *keyFinder) volume(v *corev1.Volume) {
	if s := v.ConfigMap; s != nil {
		f.configMapFiles(s.Name, s.Items, s.Optional)
	}
	if s := v.Secret; s != nil {
		f.secretFiles(s.SecretName, s.Items, s.Optional)
	}
	if v.Projected == nil {
		return
	}
	for _, source := range v.Projected.Sources {
		if s := source.ConfigMap; s != nil {
			f.configMapFiles(s.Name, s.Items, s.Optional)
		}
		if s := source.Secret; s != nil {
			f.secretFiles(s.Name, s.Items, s.Optional)
		}
	}
}

// configMapFiles looks for the keys of files, which may be binary.
func (f *keyFinder) configMapFiles(name string, items []corev1.KeyToPath, optional *bool) {
	c := f.found.ConfigMaps[name]
	for _, item := range items {
		if c == nil {
			return
		}
		_, text := c.Data[item.Key]
		_, binary := c.BinaryData[item.Key]
		f.need(text || binary, optional, Missing{Kind: "ConfigMap", Name: name, Key: item.Key})
	}
}

func (f *keyFinder) secretFiles(name string, items []corev1.KeyToPath, optional *bool) {
	s := f.found.Secrets[name]
	for _, item := range items {
		if s == nil {
			return
		}
		_, there := s.Data[item.Key]
		f.need(there, optional, Missing{Kind: "Secret", Name: name, Key: item.Key})
	}
}

func (f *keyFinder) variable(from *corev1.EnvVarSource) {
	if from == nil {
		return
	}
	if r := from.ConfigMapKeyRef; r != nil && f.found.ConfigMaps[r.Name] != nil {
		_, there := f.found.ConfigMaps[r.Name].Data[r.Key]
		f.need(there, r.Optional, Missing{Kind: "ConfigMap", Name: r.Name, Key: r.Key})
	}
	if r := from.SecretKeyRef; r != nil && f.found.Secrets[r.Name] != nil {
		_, there := f.found.Secrets[r.Name].Data[r.Key]
		f.need(there, r.Optional, Missing{Kind: "Secret", Name: r.Name, Key: r.Key})
	}
}

func (f *keyFinder) need(there bool, optional *bool, lack Missing) {
	lack.Namespace = f.namespace
	if !there && !ptr.Deref(optional, false) && !slices.Contains(f.missing, lack) {
		f.missing = append(f.missing, lack)
	}
}
