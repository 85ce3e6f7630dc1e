package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The classes of tests.
const (
	// podSemantics is what one pod has to do on any node.
	podSemantics = "A"
	// cloudDependent is what a virtual node can do if its cloud offers it.
	cloudDependent = "B"
	// apiOnly asks nothing of the node, or what no virtual node has.
	apiOnly = "C"
	// otherAreas are tests of the control plane and of the whole cluster.
	otherAreas = "other"
)

// rule gives a class to the tests of one file, or to those of them whose name
// has one of some words in it.
type rule struct {
	area, file string
	words      []string
	class      string
}

// rules are asked in order; the first that fits decides.
var rules = []rule{
	{area: "sig-auth", file: "auth/service_accounts.go", class: podSemantics, words: []string{
		"OIDC discovery", "opting out of API token automount", "mount an API token", "mount projected service account token",
	}},

	{area: "sig-node", file: "common/node/ephemeral_containers.go", class: cloudDependent},
	{area: "sig-node", file: "common/node/lease.go", class: cloudDependent},
	{area: "sig-node", file: "common/node/pod_resize.go", class: cloudDependent},
	{area: "sig-node", file: "common/node/runtimeclass.go", class: cloudDependent},
	{area: "sig-node", file: "node/node_lifecycle.go", class: cloudDependent},
	{area: "sig-node", file: "node/taints.go", class: cloudDependent},
	// Files that change while the pod runs.
	{area: "sig-storage", file: "common/storage/", class: cloudDependent, words: []string{
		"updates should be reflected in volume", "should update annotations on modification", "should update labels on modification",
	}},

	{area: "sig-node", file: "common/node/configmap.go", class: apiOnly, words: []string{
		"fail to create ConfigMap with empty key", "run through a ConfigMap lifecycle", "should update ConfigMap",
	}},
	{area: "sig-node", file: "common/node/secrets.go", class: apiOnly, words: []string{"empty secret key", "should patch a secret"}},
	{area: "sig-node", file: "common/node/podtemplates.go", class: apiOnly},
	{area: "sig-node", file: "dra/dra.go", class: apiOnly},
	{area: "sig-storage", file: "storage/csi_inline.go", class: apiOnly},
	{area: "sig-storage", file: "storage/csi_node.go", class: apiOnly},
	{area: "sig-storage", file: "storage/csistoragecapacity.go", class: apiOnly},
	{area: "sig-storage", file: "storage/persistent_volumes.go", class: apiOnly},
	{area: "sig-storage", file: "storage/storageclass.go", class: apiOnly},
	{area: "sig-storage", file: "storage/volume_attachment.go", class: apiOnly},
	{area: "sig-storage", file: "storage/volumeattributesclass.go", class: apiOnly},

	{area: "sig-node", class: podSemantics},
	{area: "sig-storage", class: podSemantics},
	{class: otherAreas},
}

func (r rule) fits(t test) bool {
	switch {
	case r.area != "" && r.area != t.Area, !strings.HasPrefix(t.File, r.file):
		return false
	case len(r.words) == 0:
		return true
	}
	return slices.ContainsFunc(r.words, func(words string) bool { return strings.Contains(t.Name, words) })
}

// unmatched is an error if a rule decides about no test: then upstream has
// renamed or dropped what the rule is about.
func unmatched(tests []test) error {
	var errs []error
	for _, r := range rules {
		if !slices.ContainsFunc(tests, r.fits) {
			errs = append(errs, fmt.Errorf("the rule for class %s of %s %q fits no test", r.class, r.file, r.words))
		}
	}
	return errors.Join(errs...)
}

// test is a conformance test as the runner reads it.
type test struct {
	// Name is without area and tags; within a file it is unique.
	Name string `json:"name"`
	// Spec is the full text by which ginkgo knows the test.
	Spec string `json:"spec"`
	// Area is the special interest group: sig-node.
	Area string `json:"area"`
	// File is below test/e2e.
	File       string `json:"file"`
	Class      string `json:"class"`
	Serial     bool   `json:"serial,omitempty"`
	Slow       bool   `json:"slow,omitempty"`
	Disruptive bool   `json:"disruptive,omitempty"`
}

var (
	areaTag = regexp.MustCompile(`^\[(sig-[a-z-]+)\] `)
	tags    = regexp.MustCompile(` ?\[[A-Z][^\]]*\]`)
)

func newTest(e upstream) (test, error) {
	area := areaTag.FindStringSubmatch(e.Codename)
	file, ok := strings.CutPrefix(e.File, "test/e2e/")
	if area == nil || !ok {
		return test{}, fmt.Errorf("test %q in %q: want [sig-AREA] at the begin of its name, and a file below test/e2e", e.Codename, e.File)
	}
	name := tags.ReplaceAllString(strings.TrimPrefix(e.Codename, area[0]), "")
	t := test{
		Name: strings.TrimSpace(name), Spec: e.Codename, Area: area[1], File: file,
		Serial:     strings.Contains(e.Codename, "[Serial]"),
		Slow:       strings.Contains(e.Codename, "[Slow]"),
		Disruptive: strings.Contains(e.Codename, "[Disruptive]"),
	}
	t.Class = rules[slices.IndexFunc(rules, func(r rule) bool { return r.fits(t) })].class
	return t, nil
}
