package translate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// choice is an option with the value that it has for a pod.
type choice struct {
	setting
	option *Option
	// key is the annotation that says so; empty for a default of the node.
	key string
}

// choices are the options of a pod by name.
type choices map[string]*choice

// takes says that an option is set to anything but that it is not wanted.
func (c choices) takes(name string) bool {
	at, found := c[name]
	return found && !at.declines
}

func annotationPath(key string) *field.Path { return field.NewPath("metadata", "annotations").Key(key) }

// readChoices puts together the node's defaults and what the pod's annotations
// ask for.
func (t *translation) readChoices() choices {
	chosen := defaultChoices(t.opts.Defaults, t.limits.Options)
	t.addNetwork(chosen)
	for _, key := range slices.Sorted(maps.Keys(t.pod.Annotations)) {
		t.readAnnotation(chosen, key, t.pod.Annotations[key])
	}
	for _, f := range settle(chosen) {
		t.refusef(annotationPath(chosen[f.option].key), "%s", f.reason)
	}
	return chosen
}

// defaultChoices reads defaults that checkDefaults has found good.
func defaultChoices(defaults map[string]string, take map[string]cloudapi.OptionLimits) choices {
	chosen := choices{}
	for name, text := range defaults {
		option, _ := optionNamed(name)
		s, _ := option.parse(text, take[name])
		chosen[name] = &choice{setting: s, option: option}
	}
	return chosen
}

// addNetwork adds where the node is in the network, which its configuration has
// fields for: a pod may name that without a rule.
func (t *translation) addNetwork(chosen choices) {
	for name, ids := range map[string][]string{"subnets": t.opts.Placement.SubnetIDs, "security-groups": t.opts.Placement.SecurityGroupIDs} {
		if option, _ := optionNamed(name); len(ids) > 0 {
			chosen[name] = &choice{setting: setting{items: ids, apply: func(target) {}}, option: option}
		}
	}
}

// readAnnotation decides one annotation; those of others are passed over.
func (t *translation) readAnnotation(chosen choices, key, text string) {
	if name, own := strings.CutPrefix(key, OptionPrefix); own {
		t.readOption(chosen, key, name, text)
		return
	}
	row, known := vendorKeys[key]
	switch {
	case hasPrefixFold(key, OptionPrefix):
		t.refusef(annotationPath(key), "there is no such option%s", nearest(key, prefixed(optionNames())))
	case !known:
		t.readUnknown(key)
	case t.isForeign(key) && row.Decision != DecisionIgnored:
		t.refusef(annotationPath(key), "it is for another cloud's virtual node; %s", t.advice(row))
	case t.isForeign(key) || among(row.Harmless, text):
	case row.Decision == DecisionRefused:
		t.refusef(annotationPath(key), "%q: %s", text, row.Reason)
	case row.Decision == DecisionIgnored:
		t.notef(annotationPath(key), DecisionIgnored, "%s", row.Reason)
	case row.beside != "":
		t.readHalf(chosen, row, key, text)
	case row.split != nil:
		t.readParts(chosen, row, key, text)
	default:
		t.choose(chosen, row.Option, key, text)
	}
}

// hasPrefixFold is strings.HasPrefix whatever the case: Kubernetes takes keys of
// annotations in any, and what was meant for a virtual node must not be lost.
func hasPrefixFold(key, prefix string) bool {
	return len(key) >= len(prefix) && strings.EqualFold(key[:len(prefix)], prefix)
}

func prefixed(names []string) []string {
	for i := range names {
		names[i] = OptionPrefix + names[i]
	}
	return names
}

// advice says what to write in place of a foreign annotation.
func (t *translation) advice(row *Annotation) string {
	first, _, _ := strings.Cut(row.Option, ",")
	if _, has := t.limits.Options[first]; !has {
		return "this one has nothing like it"
	}
	return "here " + OptionPrefix + strings.ReplaceAll(row.Option, ", ", " or "+OptionPrefix) + " says the same"
}

// isForeign tells whether a customary annotation speaks to another vendor's
// virtual node. Those of Kubernetes speak to all.
func (t *translation) isForeign(key string) bool {
	return (strings.HasPrefix(key, ackPrefix) || strings.HasPrefix(key, ksyunPrefix)) && !t.isVendor(key)
}

func (t *translation) isVendor(key string) bool {
	return t.limits.VendorPrefix != "" && hasPrefixFold(key, t.limits.VendorPrefix)
}

// readUnknown refuses what must be meant for a virtual node and is not known.
func (t *translation) readUnknown(key string) {
	switch {
	case hasPrefixFold(key, ackPrefix+"eci-"), hasPrefixFold(key, ksyunPrefix+"kci-"):
		t.refusef(annotationPath(key), "cumulet does not know this annotation%s", nearest(key, vendorNames()))
	case t.isVendor(key) && nearest(key, vendorNames()) != "":
		t.refusef(annotationPath(key), "cumulet does not know this annotation%s", nearest(key, vendorNames()))
	case t.isVendor(key):
		t.notef(annotationPath(key), DecisionIgnored, "it is none of the annotations of a virtual node")
	}
}

func vendorNames() []string { return slices.Sorted(maps.Keys(vendorKeys)) }

// readOption decides an annotation of cumulet's own.
func (t *translation) readOption(chosen choices, key, name, text string) {
	if _, known := optionNamed(name); !known {
		t.refusef(annotationPath(key), "there is no such option%s", nearest(name, optionNames()))
		return
	}
	t.choose(chosen, name, key, text)
}

func optionNames() []string {
	var names []string
	for i := range optionTable {
		names = append(names, optionTable[i].Name)
	}
	return names
}

// readParts decides an annotation whose value says several things.
func (t *translation) readParts(chosen choices, row *Annotation, key, text string) {
	parts, left, fault := row.split(text)
	if fault != "" {
		t.refusef(annotationPath(key), "%q: it must be %s", text, fault)
		return
	}
	for _, p := range parts {
		t.choose(chosen, p.option, key, p.text)
	}
	if left != "" {
		t.notef(annotationPath(key), DecisionIgnored, "%s: %s", left, row.Reason)
	}
}

// readHalf decides an annotation that says one half of a value.
func (t *translation) readHalf(chosen choices, row *Annotation, key, text string) {
	other, found := t.pod.Annotations[row.beside]
	if !found {
		t.refusef(annotationPath(key), "it needs %s beside it", row.beside)
		return
	}
	t.choose(chosen, row.Option, key, row.joined(text, other))
}

// choose sets an option for the pod if the cloud has it, the value is right and
// the policy allows it.
func (t *translation) choose(chosen choices, name, key, text string) {
	path := annotationPath(key)
	take, has := t.limits.Options[name]
	if !has {
		t.refusef(path, "the cloud has no parameter for %s", name)
		return
	}
	option, _ := optionNamed(name)
	s, fault := option.parse(text, take)
	if fault != "" {
		t.refusef(path, "%q: it must be %s", text, fault)
		return
	}
	before := chosen[name]
	if before != nil && before.key != "" && !slices.Equal(before.items, s.items) {
		t.refusef(path, "%q, but annotation %s, which says the same, has %q", text, before.key, t.pod.Annotations[before.key])
		return
	}
	if reason := t.denied(option, s, before); reason != "" {
		t.refusef(path, "%s", reason)
		return
	}
	if before != nil && slices.Equal(before.items, s.items) {
		s = before.setting // the node's own network is in its zone, too
	}
	chosen[name] = &choice{setting: s, option: option, key: key}
}

// denied tells why the policy does not let the pod have a value in place of the
// node's. What changes nothing needs no permission.
func (t *translation) denied(option *Option, s setting, before *choice) string {
	switch {
	case !option.Guarded, before == nil && s.declines, before != nil && slices.Equal(before.items, s.items):
		return ""
	}
	for _, item := range s.items {
		if reason := t.allowed(option.Name, item); reason != "" {
			return reason
		}
	}
	return ""
}

// CheckOptions tells the first mistake in a node's defaults and rules for a
// cloud.
func CheckOptions(defaults map[string]string, rules []OptionRule, limits cloudapi.Limits) error {
	if err := checkRules(rules); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(defaults)) {
		if fault := defaultFault(name, defaults[name], limits.Options); fault != "" {
			return fmt.Errorf("options[%s]: %s", name, fault)
		}
	}
	for _, f := range settle(defaultChoices(defaults, limits.Options)) {
		return fmt.Errorf("options[%s]: %s", f.option, f.reason)
	}
	return nil
}

func defaultFault(name, text string, takes map[string]cloudapi.OptionLimits) string {
	option, known := optionNamed(name)
	take, has := takes[name]
	switch {
	case !known:
		return "there is no such option" + nearest(name, optionNames())
	case name == "subnets" || name == "security-groups":
		return "the node has a field for it: subnets or securityGroups"
	case !has:
		return "the cloud has no parameter for it"
	}
	if _, fault := option.parse(text, take); fault != "" {
		return fmt.Sprintf("%q: it must be %s", text, fault)
	}
	return ""
}
