package translate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// environment is a container's environment while it is put together. Names are
// there once; a later definition replaces an earlier one.
type environment struct {
	order    []string
	vars     map[string]cloudapi.EnvVar
	services map[string]string
	// hostname is what HostnameVariable is set to unless the container sets it;
	// empty leaves that to the cloud.
	hostname string
}

func (e *environment) set(v cloudapi.EnvVar) {
	if _, known := e.vars[v.Name]; !known {
		e.order = append(e.order, v.Name)
	}
	e.vars[v.Name] = v
}

// find looks a variable up as $(NAME) does: the container's own first, then
// those of services.
func (e *environment) find(name string) (cloudapi.EnvVar, bool) {
	if v, known := e.vars[name]; known {
		return v, true
	}
	value, known := e.services[name]
	return cloudapi.EnvVar{Name: name, Value: value}, known
}

// list is the whole environment: services that nothing hides, sorted, then the
// container's own in order.
func (e *environment) list() []cloudapi.EnvVar {
	var out []cloudapi.EnvVar
	for _, name := range sortedKeys(e.services) {
		if _, hidden := e.vars[name]; !hidden {
			out = append(out, cloudapi.EnvVar{Name: name, Value: e.services[name]})
		}
	}
	for _, name := range e.order {
		out = append(out, e.vars[name])
	}
	if e.setsHostname() {
		out = append(out, cloudapi.EnvVar{Name: HostnameVariable, Value: e.hostname})
	}
	return out
}

// setsHostname tells whether the container gets HostnameVariable. $(HOSTNAME)
// does not find it, as it does not find what a container runtime sets.
func (e *environment) setsHostname() bool {
	_, own := e.vars[HostnameVariable]
	return e.hostname != "" && !own
}

// environment resolves envFrom, then env, over the services' variables.
func (t *translation) environment(c *corev1.Container, path *field.Path) *environment {
	e := &environment{vars: map[string]cloudapi.EnvVar{}, services: t.services, hostname: t.hostnameVariable()}
	for i := range c.EnvFrom {
		t.addSource(e, c, i, path.Child("envFrom").Index(i))
	}
	for i := range c.Env {
		t.addVariable(e, c, &c.Env[i], path.Child("env").Index(i))
	}
	t.atMost(path.Child("env"), t.limits.MaxEnv, len(e.list()),
		"environment variables, those of services included (enableServiceLinks: false leaves most of them out)")
	return e
}

// addSource adds the variables of one envFrom entry. Names that the cloud does
// not take are left out with the event that kubelets used for such names.
func (t *translation) addSource(e *environment, c *corev1.Container, index int, path *field.Path) {
	from := c.EnvFrom[index]
	values, kind, name := map[string]string{}, "configMap", ""
	switch {
	case from.ConfigMapRef != nil:
		name = from.ConfigMapRef.Name
		cm := t.configMap(name, isTrue(from.ConfigMapRef.Optional), MissingReference{Container: c.Name})
		if cm == nil {
			return
		}
		values = cm.Data
	case from.SecretRef != nil:
		kind, name = "secret", from.SecretRef.Name
		secret := t.secret(name, isTrue(from.SecretRef.Optional), MissingReference{Container: c.Name})
		if secret == nil {
			return
		}
		for k, v := range secret.Data {
			values[k] = string(v)
		}
	}
	var skipped []string
	for _, key := range sortedKeys(values) {
		full := from.Prefix + key
		if t.variableNameFault(full) != "" {
			skipped = append(skipped, full)
			continue
		}
		t.checkValue(path, full, values[key])
		e.set(cloudapi.EnvVar{Name: full, Value: values[key], Secret: from.SecretRef != nil})
	}
	if len(skipped) > 0 {
		t.eventf(EventInvalidVariables,
			"Keys [%s] from the EnvFrom %s %s/%s were skipped since they are considered invalid environment variable names.",
			strings.Join(skipped, ", "), kind, t.pod.Namespace, name)
		t.notef(path, DecisionIgnored, "keys [%s]: the cloud does not take them as names of variables", strings.Join(skipped, ", "))
	}
}

// addVariable adds one entry of env, if it has a value.
func (t *translation) addVariable(e *environment, c *corev1.Container, env *corev1.EnvVar, path *field.Path) {
	if fault := t.variableNameFault(env.Name); fault != "" {
		t.refusef(path.Child("name"), "%s", fault)
	}
	v := cloudapi.EnvVar{Name: env.Name}
	switch {
	case env.Value != "":
		path = path.Child("value")
		v = t.expandVariable(e, v.Name, env.Value, path)
	case env.ValueFrom != nil:
		path = path.Child("valueFrom")
		var there bool
		if v, there = t.variableFrom(c, env, path); !there {
			return
		}
	}
	t.checkValue(path, v.Name, v.Value)
	e.set(v)
}

// variableFrom resolves valueFrom; there is false for a variable that is not
// set, be it optional, missing or refused.
func (t *translation) variableFrom(c *corev1.Container, env *corev1.EnvVar, path *field.Path) (v cloudapi.EnvVar, there bool) {
	v.Name = env.Name
	from := env.ValueFrom
	missing := MissingReference{Container: c.Name}
	switch {
	case from.FieldRef != nil:
		v.Value, v.FieldPath, there = t.podField(from.FieldRef, c.Name, path.Child("fieldRef", "fieldPath"))
	case from.ResourceFieldRef != nil:
		v.Value, there = t.resourceField(from.ResourceFieldRef, c.Name, path.Child("resourceFieldRef"))
	case from.ConfigMapKeyRef != nil:
		r := from.ConfigMapKeyRef
		if cm := t.configMap(r.Name, isTrue(r.Optional), missing); cm != nil {
			if v.Value, there = cm.Data[r.Key]; !there && !isTrue(r.Optional) {
				t.missKey(KindConfigMap, r.Name, r.Key, missing)
			}
		}
	case from.SecretKeyRef != nil:
		r := from.SecretKeyRef
		v.Secret = true
		if secret := t.secret(r.Name, isTrue(r.Optional), missing); secret != nil {
			var value []byte
			if value, there = secret.Data[r.Key]; !there && !isTrue(r.Optional) {
				t.missKey(KindSecret, r.Name, r.Key, missing)
			}
			v.Value = string(value)
		}
	default:
		// No source that we know: a kubelet sets an empty value. What is
		// refused (fileKeyRef) ends the translation anyway.
		there = true
	}
	return v, there
}

// expandVariable expands $(NAME) in a variable's value. A value that is only a
// reference to the group's address becomes one itself.
func (t *translation) expandVariable(e *environment, name, text string, path *field.Path) cloudapi.EnvVar {
	if ref, ok := strings.CutPrefix(text, "$("); ok && strings.IndexByte(ref, ')') == len(ref)-1 {
		if v, known := e.find(ref[:len(ref)-1]); known && v.FieldPath != "" {
			return cloudapi.EnvVar{Name: name, FieldPath: v.FieldPath}
		}
	}
	value, secret := t.expandText(e, text, path)
	return cloudapi.EnvVar{Name: name, Value: value, Secret: secret}
}

// expandText expands $(NAME) in text and tells whether a secret went into it.
func (t *translation) expandText(e *environment, text string, path *field.Path) (value string, secret bool) {
	value = expand(text, func(name string) (string, bool) {
		v, known := e.find(name)
		secret = secret || v.Secret
		if v.FieldPath != "" {
			t.refusef(path, "$(%s) is the group's address, which only the cloud knows, and it does not expand references", name)
		}
		return v.Value, known
	})
	return value, secret
}

// expandAll expands every element of a command.
func (t *translation) expandAll(e *environment, texts []string, path *field.Path) []string {
	var out []string
	for i, text := range texts {
		value, _ := t.expandText(e, text, path.Index(i))
		out = append(out, value)
	}
	return out
}

// variableNameFault says why the cloud does not take a name; empty if it does.
func (t *translation) variableNameFault(name string) string {
	if n := utf8.RuneCountInString(name); t.limits.MaxEnvKey > 0 && n > t.limits.MaxEnvKey {
		return fmt.Sprintf("the variable's name has %d characters; the cloud takes at most %d", n, t.limits.MaxEnvKey)
	}
	if !t.variableName.MatchString(name) {
		return "the cloud takes names of variables that match " + t.limits.EnvKey
	}
	return ""
}

func (t *translation) checkValue(path *field.Path, name, value string) {
	if !isText(value) {
		t.refusef(path, "the value of %s is %s", name, notText)
	}
	t.atMost(path, t.limits.MaxEnvValue, utf8.RuneCountInString(value), "characters in the value of "+name)
}
