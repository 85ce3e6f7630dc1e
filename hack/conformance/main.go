// Command conformance writes the list of Kubernetes' conformance tests, as the
// pinned k8s.io/kubernetes has them, for the runner in internal/conformance:
// each test with its area and with the class that says what may be expected of
// a virtual node.
//
//	go run . -out ../../internal/conformance/tests.yaml
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	conformance "k8s.io/kubernetes/test/conformance/testdata"
	"sigs.k8s.io/yaml"
)

//go:generate go run . -out ../../internal/conformance/tests.yaml

const header = `# Kubernetes' conformance tests, of k8s.io/kubernetes/test/conformance/testdata.
# Written by go generate in hack/conformance. DO NOT EDIT.
`

func main() {
	out := flag.String("out", "", "the file to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	if out == "" {
		return errors.New("-out names no file")
	}
	data, err := conformance.GetConformanceTestdataFS().ReadTestFile("test/conformance/testdata/conformance.yaml")
	if err != nil {
		return fmt.Errorf("reading the conformance tests: %w", err)
	}
	tests, err := catalog(data)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(tests)
	if err != nil {
		return fmt.Errorf("encoding the list: %w", err)
	}
	if err := os.WriteFile(out, slices.Concat([]byte(header), text), 0o600); err != nil {
		return fmt.Errorf("writing the list: %w", err)
	}
	return nil
}

// upstream is an entry of conformance.yaml, as far as it is used.
type upstream struct {
	Codename string `json:"codename"`
	File     string `json:"file"`
}

// catalog sorts the tests by area, file and name.
func catalog(data []byte) ([]test, error) {
	var entries []upstream
	if err := yaml.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("decoding the conformance tests: %w", err)
	}
	tests := make([]test, 0, len(entries))
	for _, e := range entries {
		t, err := newTest(e)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	slices.SortFunc(tests, func(a, b test) int {
		return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.File, b.File), cmp.Compare(a.Spec, b.Spec))
	})
	return tests, unmatched(tests)
}
