// Package depcheck_test holds the repository to its architecture: who may
// import whom, who reads the environment, and what a package may be called. It
// looks at the code by go list and go/types only, needs no tool, and has no
// exported API.
package depcheck_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImports(t *testing.T) {
	packages := goList(t, "./...")
	for _, r := range rules {
		t.Run(strings.ReplaceAll(r.packages, "/", " "), func(t *testing.T) {
			matched, violations := r.check(packages)
			if matched == 0 {
				t.Errorf("no package matches %s: the rule would hold nothing; was it moved?", r.packages)
			}
			for _, violation := range violations {
				t.Error(violation)
			}
		})
	}
}

// check returns how many packages the rule is about and what breaks it: of each
// package the first import that a pattern forbids, since others follow from it.
func (r rule) check(packages map[string]goPackage) (matched int, violations []string) {
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		p := packages[name]
		if !matches(r.packages, name, p.Standard) || matchesAny(r.except, name, p.Standard) {
			continue
		}
		matched++
		imports := slices.Clone(p.Imports)
		if r.transitive {
			imports = append(imports, p.Deps...)
		}
		told := map[string]bool{}
		for _, imported := range imports {
			pattern, reason := r.objection(imported, packages[imported].Standard || imported == "C")
			if reason != "" && !told[pattern] {
				told[pattern] = true
				violations = append(violations, fmt.Sprintf("%s imports %s%s: %s", name, imported, chain(packages, name, imported), reason))
			}
		}
	}
	return matched, violations
}

// objection is the pattern that forbids an import and why, or nothing. What is
// merely not allowed is a pattern of its own.
func (r rule) objection(imported string, standard bool) (pattern, reason string) {
	for _, pattern := range slices.Sorted(maps.Keys(r.forbidden)) {
		if matches(pattern, imported, standard) {
			return pattern, r.forbidden[pattern]
		}
	}
	if r.allowed != nil && !matchesAny(r.allowed, imported, standard) {
		return imported, r.reason + " (allowed: " + strings.Join(r.allowed, ", ") + ")"
	}
	return "", ""
}

// chain shows by which way a package comes to another, if not directly.
func chain(packages map[string]goPackage, from, to string) string {
	came := map[string]string{from: ""}
	queue := []string{from}
	for len(queue) > 0 && came[to] == "" {
		next := queue[0]
		queue = queue[1:]
		for _, imported := range packages[next].Imports {
			if _, seen := came[imported]; !seen {
				came[imported] = next
				queue = append(queue, imported)
			}
		}
	}
	way := ""
	for at := came[to]; at != from && at != ""; at = came[at] {
		way = " > " + at + way
	}
	if way == "" {
		return ""
	}
	return " (by way of" + strings.TrimPrefix(way, " >") + ")"
}

// TestRuleSees checks on a made-up tree that a rule finds what it is there for.
func TestRuleSees(t *testing.T) {
	packages := map[string]goPackage{
		module + "/translate": {Imports: []string{"fmt", "os"}, Deps: []string{"fmt", "os"}},
		module + "/provider": {
			Imports: []string{module + "/wire"},
			Deps:    []string{module + "/wire", module + "/cloudapi/eci"},
		},
		module + "/wire":         {Imports: []string{module + "/cloudapi/eci"}},
		module + "/cloudapi/eci": {},
		"fmt":                    {Standard: true},
		"os":                     {Standard: true},
	}
	cases := map[string]struct {
		reason  string
		rule    rule
		matched int
		want    []string
	}{
		"Direct": {
			reason:  "A forbidden import declaration.",
			rule:    rule{packages: "./translate/...", forbidden: map[string]string{"os/...": "pure"}},
			matched: 1,
			want:    []string{module + "/translate imports os: pure"},
		},
		"Transitive": {
			reason:  "A forbidden package behind an allowed one.",
			rule:    rule{packages: "./provider", transitive: true, forbidden: map[string]string{"./cloudapi/eci": "no"}},
			matched: 1,
			want:    []string{module + "/provider imports " + module + "/cloudapi/eci (by way of " + module + "/wire): no"},
		},
		"NotAllowed": {
			reason:  "What the list of the allowed does not have.",
			rule:    rule{packages: "./provider", allowed: []string{"std"}, reason: "plain"},
			matched: 1,
			want:    []string{module + "/provider imports " + module + "/wire: plain (allowed: std)"},
		},
		"Excepted": {
			reason: "An exception is not looked at.",
			rule:   rule{packages: "./translate", except: []string{"./translate"}, allowed: []string{}},
		},
		"Nothing": {
			reason: "A rule for a folder that is gone matches nothing, which the test takes for a failure.",
			rule:   rule{packages: "./translation/..."},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			matched, got := c.rule.check(packages)
			if matched != c.matched {
				t.Errorf("%s %d packages matched, want %d", c.reason, matched, c.matched)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
