package translate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// inspect walks every field of the pod's spec that is set and asks the table
// what becomes of it.
func (t *translation) inspect() {
	t.inspectParts(reflect.ValueOf(&t.pod.Spec), field.NewPath("spec"), "spec")
}

// inspectParts walks what lies below a field: v is a struct, a list or map of
// such, or a pointer to one of them.
func (t *translation) inspectParts(v reflect.Value, path *field.Path, pattern string) {
	switch v.Kind() {
	case reflect.Pointer:
		t.inspectParts(v.Elem(), path, pattern)
	case reflect.Struct:
		t.inspectStruct(v, path, pattern)
	case reflect.Slice:
		for i := range v.Len() {
			t.inspectParts(v.Index(i), path.Index(i), elementPattern(v.Index(i), pattern))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			if q, ok := reflect.TypeAssert[resource.Quantity](v.MapIndex(k)); ok && q.IsZero() {
				continue // none of a resource can be had everywhere
			}
			entry := fmt.Sprintf("%s[%s]", pattern, k.String())
			if _, known := byPath[entry]; !known {
				entry = pattern + "[*]"
			}
			t.inspectField(v.MapIndex(k), path.Key(k.String()), entry)
		}
	default: // a test holds that nothing else is said to have parts
	}
}

// inspectStruct walks the fields of a struct that are set.
func (t *translation) inspectStruct(v reflect.Value, path *field.Path, pattern string) {
	for i := range v.NumField() {
		name, inline := jsonName(v.Type().Field(i))
		switch {
		case inline:
			t.inspectParts(v.Field(i), path, pattern)
		case isUnset(v.Field(i)):
		case pattern == sidecarPattern && name == "restartPolicy":
			t.inspectField(v.Field(i), path.Child(name), initPattern+"."+name)
		case pattern == sidecarPattern:
			t.inspectField(v.Field(i), path.Child(name), containerPattern+"."+name)
		default:
			t.inspectField(v.Field(i), path.Child(name), pattern+"."+name)
		}
	}
}

// The patterns of containers. The rows of containers hold for sidecars too, but
// for the one that makes them so; sidecarPattern itself begins no row.
const (
	containerPattern = "spec.containers[*]"
	initPattern      = "spec.initContainers[*]"
	sidecarPattern   = "sidecar"
)

// elementPattern is under which rows the elements of a list are found.
func elementPattern(element reflect.Value, pattern string) string {
	out := pattern + "[*]"
	if c, ok := reflect.TypeAssert[corev1.Container](element); ok && out == initPattern && isRestartable(&c) {
		return sidecarPattern
	}
	return out
}

// inspectField decides one field that is set.
func (t *translation) inspectField(v reflect.Value, path *field.Path, pattern string) {
	f, known := byPath[pattern]
	if !known {
		// A test walks all types of a pod, so that this is a field which
		// is newer than this program.
		t.refusef(path, "cumulet does not know this field")
		return
	}
	if len(f.Harmless) > 0 && slices.Contains(f.Harmless, scalarText(v)) {
		return
	}
	decision := f.On(t.limits.Can)
	switch decision {
	case DecisionRefused:
		if !t.leftOut(f, v, path) {
			t.refusef(path, "%s", f.Why(t.limits.Can))
		}
		return
	case DecisionEmulated, DecisionIgnored:
		t.notef(path, decision, "%s", f.Reason)
	default:
	}
	if f.Parts {
		t.inspectParts(v, path, pattern)
	}
}

// isUnset tells whether a field asks for nothing: it is zero or an empty list.
func isUnset(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

// scalarText writes a scalar as it stands in a manifest.
func scalarText(v reflect.Value) string {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if q, ok := reflect.TypeAssert[resource.Quantity](v); ok {
		return q.String()
	}
	return fmt.Sprint(v.Interface())
}

// jsonName is the name of a field in a manifest; inline fields have none.
func jsonName(f reflect.StructField) (name string, inline bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, name == "" && (options == "inline" || f.Anonymous)
}
