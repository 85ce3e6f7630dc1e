package conformance

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// report is what one call of the suite wrote about itself.
type report struct {
	// results of the specs that were run or skipped by themselves, by Test.Spec.
	// Those that the focus left out are not among them.
	results map[string]Result
	// interrupted are those of the results that were broken off.
	interrupted []string
	// suite are failures of the suite's own steps, such as waiting for nodes.
	suite []string
}

// junitCase is one testcase of a JUnit file, as the suite writes it.
type junitCase struct {
	Name    string        `xml:"name,attr"`
	Status  string        `xml:"status,attr"`
	Seconds float64       `xml:"time,attr"`
	Skipped *junitMessage `xml:"skipped"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	// Timeline is all that the test told. If the suite was asked to, the
	// events of the test's namespace are among it.
	Timeline string `xml:"system-err"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// readReport reads the JUnit files of a folder.
func readReport(dir string) (report, error) {
	r := report{results: map[string]Result{}}
	files, err := filepath.Glob(filepath.Join(dir, "junit_*.xml"))
	if err != nil {
		return r, fmt.Errorf("looking for reports: %w", err)
	}
	if len(files) == 0 {
		return r, fmt.Errorf("finding the suite's report in %s: %w", dir, os.ErrNotExist)
	}
	for _, file := range files {
		if err := r.read(file); err != nil {
			return r, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	return r, nil
}

func (r *report) read(file string) error {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("opening report: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	return r.decode(in)
}

// decode takes in a JUnit file one testcase after the other: the file has one
// for each of the suite's 7,000 specs.
func (r *report) decode(in io.Reader) error {
	decoder := xml.NewDecoder(in)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("decoding JUnit: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "testcase" {
			continue
		}
		var c junitCase
		if err := decoder.DecodeElement(&c, &start); err != nil {
			return fmt.Errorf("decoding JUnit testcase: %w", err)
		}
		if err := r.add(c); err != nil {
			return err
		}
	}
}

// itNode is how the name of a spec begins; other testcases are the suite's own.
const itNode = "[It] "

func (r *report) add(c junitCase) error {
	spec, isSpec := strings.CutPrefix(c.Name, itNode)
	result, err := c.result()
	switch {
	case err != nil:
		return err
	case !isSpec && result.Outcome == Failed:
		r.suite = append(r.suite, c.Name+": "+result.Cause)
	case isSpec && result.Outcome != NotRun:
		r.results[spec] = result
		if c.Status == interrupted {
			r.interrupted = append(r.interrupted, spec)
		}
	}
	return nil
}

// result tells what became of a spec. One that was left out by the focus, or
// because the run was broken off, counts as not run.
func (c junitCase) result() (Result, error) {
	r := Result{Took: time.Duration(c.Seconds * float64(time.Second)).Round(time.Millisecond)}
	switch c.Status {
	case "passed":
		r.Outcome = Passed
	case "pending":
		r.Outcome = NotRun
	case "skipped":
		r.Outcome = NotRun
		if c.Skipped == nil {
			break
		}
		switch reason, byItself := strings.CutPrefix(c.Skipped.Message, "skipped - "); {
		case byItself && afterFailure.MatchString(reason):
			r.Outcome, r.Cause = Failed, firstCause(reason)
		case byItself:
			r.Outcome, r.Cause = Skipped, firstCause(reason)
		}
	case "failed", "timedout", "panicked", interrupted, "aborted":
		r.Outcome, r.Cause = Failed, firstCause(c.message())
		if c.Status != "failed" {
			r.Cause = strings.TrimSpace(c.Status + ": " + r.Cause)
		}
		if step := lastStep.FindStringSubmatch(c.message()); step != nil {
			r.Cause += ", at step: " + firstCause(step[1])
		}
		r.Cause = withEvent(r.Cause, c.Timeline)
	default:
		return r, fmt.Errorf("testcase %q has status %q, which is not known", c.Name, c.Status)
	}
	return r, nil
}

// interrupted is the status of a spec that was broken off.
const interrupted = "interrupted"

// lastStep is where a spec was that did not come to its end.
var lastStep = regexp.MustCompile(`At \[By Step\] (.*) \(Step Runtime: `)

// afterFailure are ginkgo's words for a spec that could not run since what it
// builds on had failed.
var afterFailure = regexp.MustCompile(`^Spec skipped because (an earlier spec .* failed|a BeforeAll node failed)`)

func (c junitCase) message() string {
	for _, m := range []*junitMessage{c.Failure, c.Error} {
		if m != nil {
			return m.Message + "\n" + m.Text
		}
	}
	return ""
}

// merge adds the results of a later call: they win.
func (r *report) merge(later report) {
	maps.Copy(r.results, later.results)
	r.suite = slices.Concat(r.suite, later.suite)
}

// forgetInterrupted takes out the tests that were broken off for no fault of
// theirs.
func (r *report) forgetInterrupted() {
	for _, spec := range r.interrupted {
		delete(r.results, spec)
	}
}

// blameInterrupted adds to the tests that were broken off that they hung.
func (r *report) blameInterrupted(patience time.Duration) {
	for _, spec := range r.interrupted {
		result := r.results[spec]
		result.Cause = fmt.Sprintf("it hung, no test had ended for %s: %s", patience, result.Cause)
		r.results[spec] = result
	}
}
