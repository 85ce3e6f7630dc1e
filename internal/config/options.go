package config

import (
	"maps"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// anyValue stands for every namespace or value in a rule.
const anyValue = "*"

// optionName is how options are called: small letters, digits and hyphens, and
// the fields of a pod by their own names. Which there are, and what values they
// take on a cloud, is known to package translate alone and checked when the
// program starts.
var optionName = regexp.MustCompile(`^[a-z][A-Za-z0-9]*(-[a-z0-9]+)*$`)

// validateOptions checks the form of options and of the rules about them.
func (n *Node) validateOptions(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(n.Options)) {
		at := path.Child("options").Key(name)
		if !optionName.MatchString(name) {
			errs = append(errs, field.Invalid(at, name, "must be the name of an option, such as spot-strategy"))
		}
		if n.Options[name] == "" {
			errs = append(errs, field.Required(at, "leave the option out to ask for nothing"))
		}
	}
	for i := range n.Policy.Options {
		errs = append(errs, n.Policy.Options[i].validate(path.Child("policy", "options").Index(i))...)
	}
	return errs
}

func (r *OptionRule) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(r.Namespaces) == 0 {
		errs = append(errs, field.Required(path.Child("namespaces"), `names of namespaces, or "*" for all`))
	}
	for i, namespace := range r.Namespaces {
		if faults := validation.IsDNS1123Label(namespace); namespace != anyValue && len(faults) > 0 {
			errs = append(errs, field.Invalid(path.Child("namespaces").Index(i), namespace, faults[0]))
		}
	}
	if len(r.Allow) == 0 {
		errs = append(errs, field.Required(path.Child("allow"), "options with the values that are allowed"))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Allow)) {
		at := path.Child("allow").Key(name)
		if !optionName.MatchString(name) {
			errs = append(errs, field.Invalid(at, name, "must be the name of an option, such as ram-role"))
		}
		if len(r.Allow[name]) == 0 {
			errs = append(errs, field.Required(at, `values, or "*" for all`))
		}
		if slices.Contains(r.Allow[name], "") {
			errs = append(errs, field.Invalid(at, r.Allow[name], "must have no empty value"))
		}
	}
	return errs
}
