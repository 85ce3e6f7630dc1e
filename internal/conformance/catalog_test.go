package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func loadCatalog(t *testing.T) Catalog {
	t.Helper()
	c, err := LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCatalog states the numbers of Kubernetes 1.35: a generator that lost a
// test, or sorted one elsewhere, shows here.
func TestCatalog(t *testing.T) {
	c := loadCatalog(t)
	if len(c) != 441 {
		t.Errorf("%d tests, want 441", len(c))
	}
	got := map[group]int{}
	classes := map[Class]int{}
	serial, slow, disruptive := 0, 0, 0
	names := map[[2]string]bool{}
	for _, test := range c {
		got[group{test.Area, test.Class}]++
		classes[test.Class]++
		serial += count(test.Serial)
		slow += count(test.Slow)
		disruptive += count(test.Disruptive)
		key := [2]string{test.Area, test.Name}
		if names[key] {
			t.Errorf("%s has two tests %q", test.Area, test.Name)
		}
		names[key] = true
		if !strings.HasPrefix(test.Spec, "["+test.Area+"] ") || !strings.HasSuffix(test.Spec, "[Conformance]") {
			t.Errorf("spec %q of area %s", test.Spec, test.Area)
		}
	}
	want := map[group]int{
		{"sig-node", ClassA}: 76, {"sig-node", ClassB}: 17, {"sig-node", ClassC}: 12,
		{"sig-storage", ClassA}: 71, {"sig-storage", ClassB}: 10, {"sig-storage", ClassC}: 10,
		{"sig-auth", ClassA}: 4, {"sig-auth", ClassOther}: 6,
		{"sig-api-machinery", ClassOther}: 95, {"sig-apps", ClassOther}: 60, {"sig-network", ClassOther}: 47,
		{"sig-cli", ClassOther}: 17, {"sig-scheduling", ClassOther}: 11, {"sig-instrumentation", ClassOther}: 4,
		{"sig-architecture", ClassOther}: 1,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(group{})); diff != "" {
		t.Errorf("tests by area and class (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[Class]int{ClassA: 151, ClassB: 27, ClassC: 22, ClassOther: 241}, classes); diff != "" {
		t.Errorf("tests by class (-want +got):\n%s", diff)
	}
	if serial != 29 || slow != 6 || disruptive != 2 {
		t.Errorf("serial %d, slow %d, disruptive %d; want 29, 6, 2", serial, slow, disruptive)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSelect(t *testing.T) {
	c := loadCatalog(t)
	tests := map[string]struct {
		reason    string
		selection Selection
		want      int
		err       string
	}{
		"Default":     {"what a node is asked for: 105 + 91 + 4", Selection{}, 200, ""},
		"ClassA":      {"the classes limit the default", Selection{Classes: []Class{ClassA}}, 151, ""},
		"Short":       {"sig- may be left out", Selection{Areas: []string{"apps"}}, 60, ""},
		"Two":         {"areas add up, also with all of sig-auth", Selection{Areas: []string{"sig-auth", "cli"}}, 27, ""},
		"All":         {"every test", Selection{Areas: []string{AllAreas}}, 441, ""},
		"Focus":       {"a focus keeps to the areas", Selection{Focus: "RuntimeClass"}, 5, ""},
		"FocusSkip":   {"skip takes out of the focus", Selection{Focus: "RuntimeClass", Skip: "should reject"}, 3, ""},
		"UnknownArea": {"told with those there are", Selection{Areas: []string{"net"}}, 0, `area "sig-net" is not known, must be one of sig-api-machinery`},
		"UnknownClass": {"told", Selection{Classes: []Class{"D"}}, 0,
			`class "D" is not known, must be one of [A B C other]`},
		"BadFocus": {"told which one", Selection{Focus: "("}, 0, `focus "(" is no regular expression`},
		"BadSkip":  {"told which one", Selection{Skip: "["}, 0, `skip "[" is no regular expression`},
		"Nothing": {"a run of nothing would pass", Selection{Focus: "kubectl logs"}, 0,
			`no conformance test of sig-node, sig-storage and class A of sig-auth has focus "kubectl logs"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := c.Select(tt.selection)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("%s: error %v, want %q", tt.reason, err, tt.err)
			}
			if len(got) != tt.want {
				t.Errorf("%s: %d tests, want %d", tt.reason, len(got), tt.want)
			}
		})
	}
}
