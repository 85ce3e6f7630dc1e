package agent

import (
	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/translate"
)

// OptionRules are a configuration's rules in the words of package translate.
func OptionRules(rules []config.OptionRule) []translate.OptionRule {
	var out []translate.OptionRule
	for _, r := range rules {
		out = append(out, translate.OptionRule(r))
	}
	return out
}
