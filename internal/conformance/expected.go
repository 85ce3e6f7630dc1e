package conformance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Cloud is what the virtual node of a run stands for.
type Cloud string

// The clouds, and the kubelet behind them.
const (
	// ECI and KCI are the two emulated clouds.
	ECI Cloud = "eci"
	KCI Cloud = "kci"
	// Control is the emulated clouds' own kubelet, joined to the cluster
	// without any cloud between: what fails there is the machine's fault.
	Control Cloud = "control"
)

// Clouds are all of them, in the order of tables.
var Clouds = []Cloud{ECI, KCI, Control}

// ParseCloud reads a cloud's name.
func ParseCloud(name string) (Cloud, error) {
	if c := Cloud(name); slices.Contains(Clouds, c) {
		return c, nil
	}
	return "", fmt.Errorf("cloud %q is not known, must be one of %v", name, Clouds)
}

// Entry is the expected result of one test on one cloud.
type Entry struct {
	// Area and Name are those of the Test.
	Area   string  `json:"area"`
	Name   string  `json:"name"`
	Result Outcome `json:"result"`
	// Said is the first line of the suite's own message.
	Said string `json:"said,omitempty"`
	// Cause is why the test does not pass, in the words of the person who
	// looked. For a test that is not expressible it is the cloud's reason.
	Cause string `json:"cause,omitempty"`
	// Field is the field of the pod for which the cloud has no words, for a
	// test that is not expressible.
	Field string `json:"field,omitempty"`
}

// Expected are the committed results of one cloud.
type Expected struct {
	// Release is the Kubernetes release whose tests were run.
	Release string  `json:"release"`
	Entries []Entry `json:"tests"`

	index map[[2]string]int
}

//go:embed results
var resultFiles embed.FS

// resultsDir is where the committed results are, below the repository.
var resultsDir = filepath.Join("internal", "conformance", "results")

// LoadExpected returns the committed results of a cloud as they were when this
// program was built.
func LoadExpected(cloud Cloud) (Expected, error) {
	return loadExpected(resultFiles, path.Join("results", string(cloud)+".yaml"))
}

// ReadExpected returns the results of a cloud that a checkout of the
// repository, at source, has now.
func ReadExpected(source string, cloud Cloud) (Expected, error) {
	return loadExpected(os.DirFS(filepath.Join(source, resultsDir)), string(cloud)+".yaml")
}

func loadExpected(from fs.FS, name string) (Expected, error) {
	data, err := fs.ReadFile(from, name)
	if err != nil {
		return Expected{}, fmt.Errorf("reading expected results: %w", err)
	}
	e, err := decodeExpected(data)
	if err != nil {
		return Expected{}, fmt.Errorf("reading expected results from %s: %w", name, err)
	}
	return e, nil
}

func decodeExpected(data []byte) (Expected, error) {
	var e Expected
	if err := yaml.UnmarshalStrict(data, &e); err != nil {
		return Expected{}, fmt.Errorf("decoding: %w", err)
	}
	e.index = make(map[[2]string]int, len(e.Entries))
	var errs []error
	for i, entry := range e.Entries {
		key := [2]string{entry.Area, entry.Name}
		if _, twice := e.index[key]; twice {
			errs = append(errs, fmt.Errorf("tests[%d]: %s %q stands there twice", i, entry.Area, entry.Name))
		}
		e.index[key] = i
		errs = append(errs, entry.check(i))
	}
	return e, errors.Join(errs...)
}

func (e Entry) check(i int) error {
	switch {
	case !slices.Contains(outcomes, e.Result) || e.Result == NotRun:
		return fmt.Errorf("tests[%d].result: %q must be one of %v", i, e.Result, []Outcome{Passed, Failed, NotExpressible, Skipped})
	case e.Result == NotExpressible && (e.Cause == "" || e.Field == ""):
		return fmt.Errorf("tests[%d]: a test that is %s must have a cause, the cloud's reason, and a field", i, NotExpressible)
	case e.Result == Passed && (e.Cause != "" || e.Said != "" || e.Field != ""):
		return fmt.Errorf("tests[%d]: a test that passes must have no cause, said or field", i)
	}
	return nil
}

// check finds entries for tests that do not exist.
func (e Expected) check(c Catalog) error {
	known := make(map[[2]string]bool, len(c))
	for _, t := range c {
		known[[2]string{t.Area, t.Name}] = true
	}
	var errs []error
	for i, entry := range e.Entries {
		if !known[[2]string{entry.Area, entry.Name}] {
			errs = append(errs, fmt.Errorf("tests[%d]: %s has no conformance test %q", i, entry.Area, entry.Name))
		}
	}
	return errors.Join(errs...)
}

func (e Expected) entry(t Test) (Entry, bool) {
	i, ok := e.index[[2]string{t.Area, t.Name}]
	if !ok {
		return Entry{}, false
	}
	return e.Entries[i], true
}

// Update returns the expected results with those of a run put in. What a person
// wrote about a test stays as long as it does not pass; a test that is not
// expressible stays so. Tests that did not run keep their entry.
func (e Expected) Update(c Catalog, results map[string]Result) Expected {
	updated := Expected{Release: Release, index: map[[2]string]int{}}
	for _, t := range c {
		entry, known := e.entry(t)
		r, ran := results[t.Spec]
		if ran && r.Outcome != NotRun {
			entry = updatedEntry(t, entry, r)
		} else if !known {
			continue
		}
		updated.index[[2]string{t.Area, t.Name}] = len(updated.Entries)
		updated.Entries = append(updated.Entries, entry)
	}
	return updated
}

func updatedEntry(t Test, old Entry, r Result) Entry {
	if r.Outcome == Passed {
		return Entry{Area: t.Area, Name: t.Name, Result: Passed}
	}
	entry := Entry{Area: t.Area, Name: t.Name, Result: r.Outcome, Said: r.Cause, Cause: old.Cause, Field: old.Field}
	if old.Result == NotExpressible {
		entry.Result = NotExpressible
	}
	return entry
}

// write writes the results of a cloud into a checkout of the repository.
func (e Expected) write(source string, cloud Cloud) (string, error) {
	data, err := yaml.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encoding expected results: %w", err)
	}
	file := filepath.Join(source, resultsDir, string(cloud)+".yaml")
	text := strings.ReplaceAll(resultsHeader, "CLOUD", string(cloud)) + string(data)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("writing expected results: %w", err)
	}
	return file, nil
}

const resultsHeader = `# What Kubernetes' conformance tests are expected to do on CLOUD. A test that
# does worse fails ` + "`make conformance`" + `. Its -update flag writes result and said;
# cause and field, and the result not-expressible, are written by people.
`
