package translate

import corev1 "k8s.io/api/core/v1"

// configMap finds a ConfigMap. One that is missing is recorded unless it is
// optional; where says who needs it.
func (t *translation) configMap(name string, optional bool, where MissingReference) *corev1.ConfigMap {
	if cm := t.refs.ConfigMaps[name]; cm != nil {
		return cm
	}
	if !optional {
		where.Kind, where.Name = KindConfigMap, name
		t.miss(where)
	}
	return nil
}

// secret finds a Secret, as configMap does.
func (t *translation) secret(name string, optional bool, where MissingReference) *corev1.Secret {
	if s := t.refs.Secrets[name]; s != nil {
		return s
	}
	if !optional {
		where.Kind, where.Name = KindSecret, name
		t.miss(where)
	}
	return nil
}

// missKey records a key that is not there.
func (t *translation) missKey(kind ReferenceKind, name, key string, where MissingReference) {
	where.Kind, where.Name, where.Key = kind, name, key
	t.miss(where)
}
