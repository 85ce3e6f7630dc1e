package manifest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func checkVolumes(volumes []corev1.Volume, path *field.Path) (errs field.ErrorList) {
	seen := sets.New[string]()
	for i := range volumes {
		v, at := &volumes[i], path.Index(i)
		switch {
		case v.Name == "":
			errs = append(errs, field.Required(at.Child("name"), ""))
		case seen.Has(v.Name):
			errs = append(errs, field.Duplicate(at.Child("name"), v.Name))
		default:
			errs = append(errs, label1123(at.Child("name"), v.Name)...)
		}
		seen.Insert(v.Name)
		if set(v.VolumeSource) > 1 {
			errs = append(errs, field.Forbidden(at, "may not specify more than 1 volume type"))
		}
	}
	return errs
}

// set counts the fields of a struct of pointers that are there.
func set(of any) (n int) {
	for _, f := range reflect.ValueOf(of).Fields() {
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			n++
		}
	}
	return n
}

func checkPorts(ports []corev1.ContainerPort, path *field.Path) (errs field.ErrorList) {
	names := sets.New[string]()
	for i := range ports {
		p, at := &ports[i], path.Index(i)
		for _, fault := range validation.IsValidPortNum(int(p.ContainerPort)) {
			errs = append(errs, field.Invalid(at.Child("containerPort"), p.ContainerPort, fault))
		}
		errs = append(errs, word(at.Child("protocol"), p.Protocol, protocols)...)
		if p.Name == "" {
			continue
		}
		for _, fault := range validation.IsValidPortName(p.Name) {
			errs = append(errs, field.Invalid(at.Child("name"), p.Name, fault))
		}
		if names.Has(p.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), p.Name))
		}
		names.Insert(p.Name)
	}
	return errs
}

// checkEnv shows no value: it may be secret.
func checkEnv(env []corev1.EnvVar, path *field.Path) (errs field.ErrorList) {
	for i := range env {
		e, at := &env[i], path.Index(i)
		if e.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		} else {
			for _, fault := range validation.IsRelaxedEnvVarName(e.Name) {
				errs = append(errs, field.Invalid(at.Child("name"), e.Name, fault))
			}
		}
		switch from := at.Child("valueFrom"); {
		case e.ValueFrom == nil:
		case e.Value != "":
			errs = append(errs, field.Invalid(from, "", "may not be specified when `value` is not empty"))
		case set(*e.ValueFrom) != 1:
			errs = append(errs, field.Invalid(from, "", "must specify exactly one of its fields"))
		}
	}
	return errs
}

func checkResources(r *corev1.ResourceRequirements, path *field.Path) (errs field.ErrorList) {
	for _, l := range []struct {
		name string
		list corev1.ResourceList
	}{{"limits", r.Limits}, {"requests", r.Requests}} {
		for _, name := range slices.Sorted(maps.Keys(l.list)) {
			if q := l.list[name]; q.Sign() < 0 {
				errs = append(errs, field.Invalid(path.Child(l.name).Key(string(name)), q.String(), "must be greater than or equal to 0"))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Requests)) {
		asked := r.Requests[name]
		if limit, limited := r.Limits[name]; limited && asked.Cmp(limit) > 0 {
			errs = append(errs, field.Invalid(path.Child("requests").Key(string(name)), asked.String(),
				fmt.Sprintf("must be less than or equal to %s limit of %s", name, limit.String())))
		}
	}
	return errs
}

func checkMounts(mounts []corev1.VolumeMount, path *field.Path) (errs field.ErrorList) {
	seen := sets.New[string]()
	for i := range mounts {
		m, at := &mounts[i], path.Index(i)
		switch {
		case m.MountPath == "":
			errs = append(errs, field.Required(at.Child("mountPath"), ""))
		case seen.Has(m.MountPath):
			errs = append(errs, field.Invalid(at.Child("mountPath"), m.MountPath, "must be unique"))
		}
		seen.Insert(m.MountPath)
		if m.SubPath != "" && m.SubPathExpr != "" {
			errs = append(errs, field.Invalid(at.Child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive"))
		}
	}
	return errs
}

func checkProbe(p *corev1.Probe, path *field.Path) (errs field.ErrorList) {
	if p == nil {
		return nil
	}
	errs = checkHandler(set(p.ProbeHandler), path)
	for _, n := range []struct {
		name  string
		value int32
	}{
		{"initialDelaySeconds", p.InitialDelaySeconds}, {"timeoutSeconds", p.TimeoutSeconds}, {"periodSeconds", p.PeriodSeconds},
		{"successThreshold", p.SuccessThreshold}, {"failureThreshold", p.FailureThreshold},
	} {
		if n.value < 0 {
			errs = append(errs, field.Invalid(path.Child(n.name), n.value, "must be greater than or equal to 0"))
		}
	}
	return errs
}

func checkHook(h *corev1.LifecycleHandler, path *field.Path) field.ErrorList {
	if h == nil {
		return nil
	}
	return checkHandler(set(*h), path)
}

// checkHandler holds a probe or hook to one of its kinds.
func checkHandler(kinds int, path *field.Path) field.ErrorList {
	switch {
	case kinds == 0:
		return field.ErrorList{field.Required(path, "must specify a handler type")}
	case kinds > 1:
		return field.ErrorList{field.Forbidden(path, "may not specify more than 1 handler type")}
	default:
		return nil
	}
}
