// Package conformance runs Kubernetes' own conformance tests against a cluster
// whose only node is a virtual node of one cloud, compares the results with
// those that are expected of this cloud, and writes docs/conformance.md.
package conformance

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Class says what may be expected of a virtual node in a test.
type Class string

// The classes of tests. Every test of the areas sig-node and sig-storage has
// class A, B or C, and so do the tests of service account tokens in pods.
const (
	// ClassA are tests of what one pod does; any node must pass them.
	ClassA Class = "A"
	// ClassB are tests that a virtual node can pass if its cloud offers what
	// they ask for.
	ClassB Class = "B"
	// ClassC are tests of the API alone, and of what no virtual node has.
	ClassC Class = "C"
	// ClassOther are tests of the control plane and of the whole cluster.
	ClassOther Class = "other"
)

// Release is the Kubernetes release whose conformance tests these are.
const Release = "v1.35.4"

// The areas that are run if none is named, the last with class A only.
const (
	areaNode    = "sig-node"
	areaStorage = "sig-storage"
	areaAuth    = "sig-auth"
)

// AllAreas in Selection.Areas selects the tests of every area.
const AllAreas = "all"

// Test is one conformance test.
type Test struct {
	// Name is without area and tags; within its area it is unique.
	Name string `json:"name"`
	// Spec is the full text by which the suite knows the test.
	Spec string `json:"spec"`
	// Area is the special interest group, as in sig-node.
	Area string `json:"area"`
	// File is where the test stands, below test/e2e of Kubernetes.
	File  string `json:"file"`
	Class Class  `json:"class"`
	// Serial tests must run alone, which the suite sees to by itself. Slow
	// ones take minutes. Disruptive ones disturb others.
	Serial     bool `json:"serial,omitempty"`
	Slow       bool `json:"slow,omitempty"`
	Disruptive bool `json:"disruptive,omitempty"`
}

// Catalog are all conformance tests of Release, sorted by area, file and name.
type Catalog []Test

//go:embed tests.yaml
var catalogYAML []byte

// LoadCatalog reads the list of tests that hack/conformance generates.
func LoadCatalog() (Catalog, error) {
	var c Catalog
	if err := yaml.UnmarshalStrict(catalogYAML, &c); err != nil {
		return nil, fmt.Errorf("decoding the list of conformance tests: %w", err)
	}
	return c, nil
}

// Selection says which tests to run.
type Selection struct {
	// Areas are names such as sig-apps, or apps for short; AllAreas selects
	// all. Without any, it is what a node is asked for: sig-node, sig-storage
	// and class A of sig-auth.
	Areas []string
	// Classes limits the selection; empty means every class.
	Classes []Class
	// Focus and Skip are regular expressions over Test.Spec; empty means all
	// and none.
	Focus, Skip string
}

// Select returns the selected tests in the catalog's order. An area, class or
// expression that can't be understood is an error, and so is a selection
// without any test.
func (c Catalog) Select(s Selection) ([]Test, error) {
	areas, err := c.areas(s.Areas)
	if err != nil {
		return nil, err
	}
	if err := checkClasses(s.Classes); err != nil {
		return nil, err
	}
	focus, err := regexp.Compile(s.Focus)
	if err != nil {
		return nil, fmt.Errorf("focus %q is no regular expression: %w", s.Focus, err)
	}
	skip, err := regexp.Compile(s.Skip)
	if err != nil {
		return nil, fmt.Errorf("skip %q is no regular expression: %w", s.Skip, err)
	}
	var selected []Test
	for _, t := range c {
		switch {
		case areas == nil && !ofNode(t), areas != nil && !slices.Contains(areas, t.Area):
		case len(s.Classes) > 0 && !slices.Contains(s.Classes, t.Class):
		case !focus.MatchString(t.Spec), s.Skip != "" && skip.MatchString(t.Spec):
		default:
			selected = append(selected, t)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("no conformance test of %s has focus %q, skip %q, classes %v", describeAreas(areas), s.Focus, s.Skip, s.Classes)
	}
	return selected, nil
}

// ofNode tells whether a test is one of those that run if no area is named.
func ofNode(t Test) bool {
	return t.Area == areaNode || t.Area == areaStorage || t.Area == areaAuth && t.Class == ClassA
}

func describeAreas(areas []string) string {
	if areas == nil {
		return "sig-node, sig-storage and class A of sig-auth"
	}
	return strings.Join(areas, ", ")
}

// areas returns full names of areas; nil if none was named.
func (c Catalog) areas(names []string) ([]string, error) {
	known := c.knownAreas()
	var full []string
	for _, name := range names {
		if name == AllAreas {
			return known, nil
		}
		if !strings.HasPrefix(name, "sig-") {
			name = "sig-" + name
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("area %q is not known, must be one of %s or %s", name, strings.Join(known, ", "), AllAreas)
		}
		full = append(full, name)
	}
	return full, nil
}

func (c Catalog) knownAreas() []string {
	var known []string
	for _, t := range c {
		if !slices.Contains(known, t.Area) {
			known = append(known, t.Area)
		}
	}
	return known
}

func checkClasses(classes []Class) error {
	known := []Class{ClassA, ClassB, ClassC, ClassOther}
	for _, class := range classes {
		if !slices.Contains(known, class) {
			return fmt.Errorf("class %q is not known, must be one of %v", class, known)
		}
	}
	return nil
}
