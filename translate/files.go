package translate

import (
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// defaultFileMode is Kubernetes' default for files of configMap, secret,
// downwardAPI and projected volumes.
const defaultFileMode = 0o644

// fileSet gathers the files of one volume by path. A later source wins.
type fileSet struct {
	mode  int32
	where MissingReference
	files map[string]cloudapi.File
	// secret: what is put now is secret.
	secret bool
}

func (s *fileSet) put(name string, content []byte, mode *int32) {
	f := cloudapi.File{Path: path.Clean(name), Content: slices.Clone(content), Mode: s.mode, Secret: s.secret}
	if mode != nil {
		f.Mode = *mode
	}
	s.files[f.Path] = f
}

// files makes the files of a volume, sorted by path.
func (t *translation) files(v *corev1.Volume, at *field.Path) *cloudapi.Files {
	set := &fileSet{files: map[string]cloudapi.File{}, where: MissingReference{Volume: v.Name}}
	switch {
	case v.ConfigMap != nil:
		at, set.mode = at.Child("configMap"), modeOf(v.ConfigMap.DefaultMode)
		t.configMapFiles(set, v.ConfigMap.Name, v.ConfigMap.Items, isTrue(v.ConfigMap.Optional))
	case v.Secret != nil:
		at, set.mode = at.Child("secret"), modeOf(v.Secret.DefaultMode)
		t.secretFiles(set, v.Secret.SecretName, v.Secret.Items, isTrue(v.Secret.Optional))
	case v.DownwardAPI != nil:
		at, set.mode = at.Child("downwardAPI"), modeOf(v.DownwardAPI.DefaultMode)
		t.downwardFiles(set, v.DownwardAPI.Items, at.Child("items"))
	case v.Projected != nil:
		at, set.mode = at.Child("projected"), modeOf(v.Projected.DefaultMode)
		t.projectedFiles(set, v.Projected.Sources, at.Child("sources"))
	}
	out := &cloudapi.Files{DefaultMode: set.mode}
	for _, name := range sortedKeys(set.files) {
		out.Items = append(out.Items, set.files[name])
	}
	t.checkFiles(set, out.Items, at)
	return out
}

func modeOf(mode *int32) int32 {
	if mode == nil {
		return defaultFileMode
	}
	return *mode
}

func (t *translation) projectedFiles(set *fileSet, sources []corev1.VolumeProjection, at *field.Path) {
	for i, s := range sources {
		switch {
		case s.Secret != nil:
			t.secretFiles(set, s.Secret.Name, s.Secret.Items, isTrue(s.Secret.Optional))
		case s.ConfigMap != nil:
			t.configMapFiles(set, s.ConfigMap.Name, s.ConfigMap.Items, isTrue(s.ConfigMap.Optional))
		case s.DownwardAPI != nil:
			t.downwardFiles(set, s.DownwardAPI.Items, at.Index(i).Child("downwardAPI", "items"))
		case s.ServiceAccountToken != nil:
			t.tokenFile(set, s.ServiceAccountToken)
		}
	}
}

func (t *translation) tokenFile(set *fileSet, p *corev1.ServiceAccountTokenProjection) {
	token, there := t.refs.Tokens[tokenKey(p)]
	if !there {
		where := set.where
		where.Kind, where.Name = KindToken, t.pod.Spec.ServiceAccountName
		t.miss(where)
		return
	}
	set.secret = true
	set.put(p.Path, []byte(token), nil)
	set.secret = false
}

func (t *translation) configMapFiles(set *fileSet, name string, items []corev1.KeyToPath, optional bool) {
	cm := t.configMap(name, optional, set.where)
	if cm == nil {
		return
	}
	content := maps.Clone(cm.BinaryData)
	if content == nil {
		content = map[string][]byte{}
	}
	for k, v := range cm.Data {
		content[k] = []byte(v)
	}
	missing := set.keys(content, items)
	if len(missing) > 0 && !optional {
		t.missKey(KindConfigMap, name, missing[0], set.where)
	}
}

func (t *translation) secretFiles(set *fileSet, name string, items []corev1.KeyToPath, optional bool) {
	s := t.secret(name, optional, set.where)
	if s == nil {
		return
	}
	set.secret = true
	missing := set.keys(s.Data, items)
	set.secret = false
	if len(missing) > 0 && !optional {
		t.missKey(KindSecret, name, missing[0], set.where)
	}
}

// keys puts every key, or those that items name, and tells which of those are
// missing.
func (s *fileSet) keys(content map[string][]byte, items []corev1.KeyToPath) (missing []string) {
	if len(items) == 0 {
		for _, key := range sortedKeys(content) {
			s.put(key, content[key], nil)
		}
	}
	for _, item := range items {
		value, there := content[item.Key]
		if there {
			s.put(item.Path, value, item.Mode)
		} else {
			missing = append(missing, item.Key)
		}
	}
	return missing
}

func (t *translation) downwardFiles(set *fileSet, items []corev1.DownwardAPIVolumeFile, at *field.Path) {
	for i, item := range items {
		value, ok := "", true
		switch {
		case item.FieldRef != nil:
			if value, ok = metadataField(t.pod, item.FieldRef.FieldPath); !ok {
				t.refusef(at.Index(i).Child("fieldRef", "fieldPath"), "unsupported fieldPath: %s", item.FieldRef.FieldPath)
			}
		case item.ResourceFieldRef != nil:
			value, ok = t.resourceField(item.ResourceFieldRef, "", at.Index(i).Child("resourceFieldRef"))
		}
		if ok {
			set.put(item.Path, []byte(value), item.Mode)
		}
	}
}

// checkFiles holds a volume's files against what the cloud takes.
func (t *translation) checkFiles(set *fileSet, files []cloudapi.File, at *field.Path) {
	t.atMost(at, t.limits.MaxFiles, len(files), "files in the volume")
	for _, f := range files {
		t.atMost(at, t.limits.MaxFileBytes, len(f.Content), "bytes in the file "+f.Path)
		if !t.limits.Can.BinaryFiles && !isText(string(f.Content)) {
			t.refusef(at, "the file %s is %s, and the cloud takes no other", f.Path, notText)
		}
		if !t.limits.Can.NestedFilePaths && strings.Contains(f.Path, "/") {
			t.refusef(at, "the file %s is in a directory of its own, and the cloud takes a flat list", f.Path)
		}
		if leavesVolume(f.Path) || f.Path == "." {
			t.refusef(at, "the file path %q is outside the volume", f.Path)
			continue
		}
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if _, clash := set.files[dir]; clash {
				t.refusef(at, "%s is both a file and a directory", dir)
			}
		}
	}
}
