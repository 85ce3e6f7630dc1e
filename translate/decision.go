package translate

import "github.com/cumulet/cumulet/cloudapi"

// Decision is what becomes of a field of a pod.
type Decision string

// The decisions. DecisionChanged occurs in reports only, never in the table.
const (
	// DecisionHonoured: the cloud does what the field says.
	DecisionHonoured Decision = "Honoured"
	// DecisionEmulated: the cloud has no word for it; translate or the provider
	// comes close, and the reason says where it differs.
	DecisionEmulated Decision = "Emulated"
	// DecisionIgnored: leaving it out does no harm, for the reason given; or
	// the operator has said so, see SecurityContextPolicy.
	DecisionIgnored Decision = "Ignored"
	// DecisionChanged: the cloud gives something other than was asked, such as the
	// next larger size.
	DecisionChanged Decision = "Changed"
	// DecisionRefused: the pod is not run, because it would not be what was asked.
	DecisionRefused Decision = "Refused"
)

// AnyValue stands for every value in Field.Hardening.
const AnyValue = "*"

// Field is a row of the table of all fields of a PodSpec.
type Field struct {
	// Path is the field's path with [*] for any index, such as
	// spec.containers[*].env[*].name.
	Path string
	// Decision is what becomes of the field; on a cloud without Ability,
	// if one is named, it is Without.
	Decision Decision
	// Ability is the name of the field of cloudapi.Abilities that decides;
	// empty where all clouds are alike.
	Ability string
	Without Decision
	// Needs is the name of an ability that the node needs in the cloud's place: on
	// a cloud with neither that nor Ability the field is refused, for the reason
	// Lacks. Empty where there is no such thing.
	Needs, Lacks string
	// Harmless are the values that ask for nothing but Kubernetes' default
	// or its like. A field with such a value is passed over.
	Harmless []string
	// Hardening are the values that do nothing but narrow what a process may
	// do; AnyValue stands for all. With such a value a refused field is left
	// out and told instead, if the node's policy is SecurityContextReport.
	Hardening []string
	// Naming says that a refused field is emulated, if the node's policy is
	// HostnameEmulate.
	Naming bool
	// Unasked says that of a refused list what container runtimes grant unasked
	// is left out, if the node's policy is SecurityContextReport.
	Unasked bool
	// Parts says that the fields below this one have rows of their own.
	Parts bool
	// Reason says why the field is not simply honoured, or which of its
	// values are not.
	Reason string
}

// On is the field's decision on a cloud with these abilities.
func (f Field) On(can cloudapi.Abilities) Decision {
	switch {
	case f.Ability != "" && able(can, f.Ability):
		return f.Decision
	case f.lacks(can):
		return DecisionRefused
	case f.Ability == "":
		return f.Decision
	default:
		return f.Without
	}
}

// Why is the reason of the field's decision on a cloud with these abilities.
func (f Field) Why(can cloudapi.Abilities) string {
	if f.lacks(can) {
		return f.Lacks
	}
	return f.Reason
}

// lacks tells whether neither the cloud nor the node can do what the field says.
func (f Field) lacks(can cloudapi.Abilities) bool {
	return f.Needs != "" && !able(can, f.Needs) && (f.Ability == "" || !able(can, f.Ability))
}
