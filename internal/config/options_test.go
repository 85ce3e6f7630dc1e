package config

import (
	"strings"
	"testing"
)

// TestOptionMistakes states the whole message for each mistake in a node's
// options or rules.
func TestOptionMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		reason, node, want string
	}{
		"NameOfOption": {"a name is words with hyphens", "options: {Spot_Strategy: x}",
			`nodes[0].options[Spot_Strategy]: Invalid value: "Spot_Strategy": must be the name of an option, such as spot-strategy`},
		"EmptyOption": {"nothing is said by leaving it out", `options: {size: ""}`,
			`nodes[0].options[size]: Required value: leave the option out to ask for nothing`},
		"MapAsValue": {"values are texts, as annotations are", `options: {dns-config: {nameservers: []}}`,
			`json: cannot unmarshal object into Go struct field Node.nodes.options of type string`},
		"OtherArchitecture": {"the scheduler goes by the node's label", `options: {architecture: ARM64}`,
			`nodes[0].options[architecture]: Invalid value: "ARM64": must be AMD64, as the node's architecture is amd64`},
		"EmptyRule": {"a rule names both", "policy: {options: [{}]}",
			`[nodes[0].policy.options[0].namespaces: Required value: names of namespaces, or "*" for all, ` +
				`nodes[0].policy.options[0].allow: Required value: options with the values that are allowed]`},
		"Namespace": {"a name of a namespace or a star, no pattern", `policy: {options: [{namespaces: [shop-*], allow: {eip: [a]}}]}`,
			`nodes[0].policy.options[0].namespaces[0]: Invalid value: "shop-*": a lowercase RFC 1123 label must consist of`},
		"NoValues": {"no value would allow nothing", `policy: {options: [{namespaces: ["*"], allow: {eip: []}}]}`,
			`nodes[0].policy.options[0].allow[eip]: Required value: values, or "*" for all`},
		"EmptyValue": {"nobody can ask for an empty value", `policy: {options: [{namespaces: ["*"], allow: {eip: [""]}}]}`,
			`nodes[0].policy.options[0].allow[eip]: Invalid value: [""]: must have no empty value`},
		"UnknownField": {"a typo is a mistake", `policy: {options: [{namespaces: ["*"], allows: {eip: [a]}}]}`, `unknown field "allows"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(minimal+"  "+c.node), keys)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", c.reason, err, c.want)
			}
		})
	}
}
