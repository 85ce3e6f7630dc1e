// Package podfield sets fields of a pod by the paths of translate.Fields. It is
// for tests that go through that table.
package podfield

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// Set makes the field at a path other than zero, and with it all that leads to
// it: [*] is a list's first element, or a map's key x. What is there stays. Its
// value asks for something: it is none of the harmless ones.
func Set(pod *corev1.Pod, f translate.Field) error {
	path := split(strings.TrimPrefix(f.Path, "spec."))
	if !set(reflect.ValueOf(&pod.Spec).Elem(), path, slices.Contains(f.Harmless, "true")) {
		return fmt.Errorf("setting %s: it is of a kind that cannot be set", f.Path)
	}
	return nil
}

// Refused sets every field that is refused on a cloud with these abilities, and
// returns the paths at which the refusals must be: those of fields that are
// part of another one that is refused are not looked at.
func Refused(pod *corev1.Pod, can cloudapi.Abilities) (paths []string, err error) {
	var whole []string
	for _, f := range translate.Fields() { // sorted: what holds others comes first
		if f.On(can) != translate.DecisionRefused {
			continue
		}
		if slices.ContainsFunc(whole, func(w string) bool { return strings.HasPrefix(f.Path, w+".") || strings.HasPrefix(f.Path, w+"[") }) {
			continue
		}
		if err := Set(pod, f); err != nil {
			return nil, err
		}
		whole = append(whole, f.Path)
		paths = append(paths, At(f.Path))
	}
	return paths, nil
}

// At is a path as a report names it once Set has set it.
func At(path string) string {
	for _, list := range []string{"limits", "requests"} {
		path = strings.ReplaceAll(path, list+"[*]", list+"[x]")
	}
	return strings.ReplaceAll(path, "[*]", "[0]")
}

// split cuts a path at its dots, but for those within brackets.
func split(path string) []string {
	depth := 0
	return strings.FieldsFunc(path, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == '.' && depth == 0
	})
}

func set(v reflect.Value, path []string, leaveFalse bool) bool {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if len(path) == 0 {
		return setAny(v, leaveFalse)
	}
	name, key, _ := strings.Cut(path[0], "[")
	f, ok := fieldNamed(v, name)
	switch {
	case !ok:
		return false
	case key == "":
		return set(f, path[1:], leaveFalse)
	case f.Kind() == reflect.Map:
		return setKey(f, strings.TrimSuffix(key, "]"))
	case f.Kind() != reflect.Slice:
		return false
	case f.Len() == 0:
		f.Set(reflect.MakeSlice(f.Type(), 1, 1))
	}
	return set(f.Index(0), path[1:], leaveFalse)
}

// setAny makes a value non-zero; a bool behind a pointer may be left false.
func setAny(v reflect.Value, leaveFalse bool) bool {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!leaveFalse)
	case reflect.String:
		v.SetString("odd")
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
	case reflect.Map:
		return setKey(v, "*")
	case reflect.Struct:
		if one := reflect.ValueOf(resource.MustParse("1")); v.Type() == one.Type() {
			v.Set(one)
		}
	default:
		return false
	}
	return true
}

func setKey(v reflect.Value, key string) bool {
	if key == "*" {
		key = "x"
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	quantity := reflect.ValueOf(resource.MustParse("1"))
	if !quantity.Type().AssignableTo(v.Type().Elem()) {
		return false
	}
	v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), quantity)
	return true
}

func fieldNamed(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		tag, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if tag == name {
			return v.Field(i), true
		}
		if tag == "" && strings.Contains(options, "inline") {
			if f, ok := fieldNamed(v.Field(i), name); ok {
				return f, true
			}
		}
	}
	return reflect.Value{}, false
}
