package translate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/cumulet/cumulet/cloudapi"
)

// OptionRule lets pods of some namespaces have what gives power. What no rule
// allows is denied.
type OptionRule struct {
	// Namespaces are names of namespaces; AnyValue stands for all.
	Namespaces []string
	// Allow gives for each option the values that a pod may ask for; AnyValue
	// stands for all. Of an option that is a list each element must be allowed.
	// The options are the guarded ones of the vocabulary, by their names without
	// cumulet.dev/, and the fields of a pod in PolicyFields.
	Allow map[string][]string
}

// The fields of a pod that the policy guards beside the options.
const (
	// PolicyPrivileged is securityContext.privileged of a container; its one
	// value is true.
	PolicyPrivileged = "privileged"
	// PolicyHostPath is a volume's hostPath; its values are paths.
	PolicyHostPath = "hostPath"
	// PolicyDisk is a disk that a pod names itself, in csi or flexVolume, or a
	// snapshot that a new one is made of; its values are ids. What a
	// PersistentVolume names is the administrator's.
	PolicyDisk = "disk"
)

// PolicyFields lists the guarded fields of a pod, sorted.
func PolicyFields() []string { return []string{PolicyDisk, PolicyHostPath, PolicyPrivileged} }

// allows tells whether the policy lets pods of a namespace have a value of a
// guarded option or field.
func (o Options) allows(namespace, option, value string) bool {
	return slices.ContainsFunc(o.Rules, func(r OptionRule) bool {
		return among(r.Namespaces, namespace) && among(r.Allow[option], value)
	})
}

func among(list []string, text string) bool {
	return slices.Contains(list, text) || slices.Contains(list, AnyValue)
}

// allowed returns "" when the node's policy lets the pod have a value of a
// guarded option or field, and else why not, in the words of a refusal.
func (t *translation) allowed(option, value string) string {
	if t.opts.allows(t.pod.Namespace, option, value) {
		return ""
	}
	return fmt.Sprintf("the node's policy (policy.options) does not allow %s %q in namespace %s", option, value, t.pod.Namespace)
}

// checkRules tells the first mistake in rules: a rule that could never mean
// anything must not look as if it did.
func checkRules(rules []OptionRule) error {
	for i, r := range rules {
		at := fmt.Sprintf("policy.options[%d]", i)
		if len(r.Namespaces) == 0 || len(r.Allow) == 0 {
			return fmt.Errorf("%s: a rule needs namespaces and allow", at)
		}
		for _, n := range r.Namespaces {
			if faults := validation.IsDNS1123Label(n); n != AnyValue && len(faults) > 0 {
				return fmt.Errorf("%s.namespaces: %q is neither * nor the name of a namespace: %s", at, n, faults[0])
			}
		}
		for _, option := range slices.Sorted(maps.Keys(r.Allow)) {
			if fault := ruleFault(option, r.Allow[option]); fault != "" {
				return fmt.Errorf("%s.allow[%s]: %s", at, option, fault)
			}
		}
	}
	return nil
}

func ruleFault(option string, values []string) string {
	switch {
	case !slices.Contains(guardedNames(), option):
		return "the policy guards no such option; it guards " + strings.Join(guardedNames(), ", ")
	case len(values) == 0:
		return "it allows no value; name values, or * for all"
	case slices.Contains(values, ""):
		return "an empty value cannot be asked for"
	}
	for _, value := range values {
		if fault := valueFault(option, value); value != AnyValue && fault != "" {
			return fmt.Sprintf("%q can never be asked for: %s", value, fault)
		}
	}
	return ""
}

// valueFault tells why no pod can ask for a value, on whatever cloud.
func valueFault(option, value string) string {
	switch option {
	case PolicyPrivileged:
		return unless(value == "true", "it must be true")
	case PolicyHostPath, PolicyDisk, "host-sysctls": // of any form, or asked for in JSON
		return ""
	}
	row, _ := optionNamed(option) // ruleFault has looked for it
	switch s, fault := row.parse(value, cloudapi.OptionLimits{}); {
	case fault != "":
		return "it must be " + fault
	default:
		return unless(len(s.items) == 1, "name each element by itself")
	}
}

func unless(holds bool, fault string) string {
	if holds {
		return ""
	}
	return fault
}

// guardedNames are all that rules may name, sorted.
func guardedNames() []string {
	names := PolicyFields()
	for i := range optionTable {
		if optionTable[i].Guarded {
			names = append(names, optionTable[i].Name)
		}
	}
	slices.Sort(names)
	return names
}
