package translate

import "testing"

func TestExpand(t *testing.T) {
	vars := map[string]string{"A": "alpha", "B": "$(A)", "EMPTY": "", "with space": "odd", "A)": "never"}
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	cases := map[string]struct{ reason, in, want string }{
		"Plain":           {"text without references stays", "hello", "hello"},
		"Reference":       {"a reference is replaced", "x$(A)y", "xalphay"},
		"NoRecursion":     {"what comes out is not expanded again", "$(B)", "$(A)"},
		"Empty":           {"an empty value is a value", "[$(EMPTY)]", "[]"},
		"Unknown":         {"an unknown reference stays", "$(NOBODY)", "$(NOBODY)"},
		"Escaped":         {"$$ is a literal $", "$$(A)", "$(A)"},
		"EscapedTwice":    {"pairs are taken from the left", "$$$(A) $$$$(A)", "$alpha $$(A)"},
		"Unclosed":        {"an unclosed reference stays", "$(A", "$(A"},
		"UnclosedThenOne": {"the rest of it is still looked at", "$($(A)", "$($(A)"},
		"EmptyName":       {"an empty name is an unknown one", "$()", "$()"},
		"Lonely":          {"a $ before anything else stays", "$A ${A} 5$", "$A ${A} 5$"},
		"Space":           {"any name will do", "$(with space)", "odd"},
		"FirstBracket":    {"the first bracket closes", "$(A))", "alpha)"},
		"NotText":         {"bytes that are not UTF-8 stay", "$\xff$(A)", "$\xffalpha"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := expand(c.in, lookup); got != c.want {
				t.Errorf("%s: expand(%q) = %q, want %q", c.reason, c.in, got, c.want)
			}
		})
	}
}

func TestComparePaths(t *testing.T) {
	sorted := []string{
		"metadata.name",
		"spec.containers",
		"spec.containers[0]",
		"spec.containers[0].env[2].name",
		"spec.containers[0].env[02]",
		"spec.containers[0].env[10]",
		"spec.containers[2]",
		"spec.containers[10]",
		"spec.containers[100000000000000000000000000]",
		"spec.initContainers[0]",
	}
	for i := range sorted {
		for j := range sorted {
			got := comparePaths(sorted[i], sorted[j])
			if (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("comparePaths(%q, %q) = %d", sorted[i], sorted[j], got)
			}
		}
	}
}
