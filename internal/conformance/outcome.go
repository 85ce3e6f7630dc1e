package conformance

import "time"

// Outcome is what became of a test.
type Outcome string

// The outcomes of tests.
const (
	// Passed tests did all that they should.
	Passed Outcome = "pass"
	// Failed tests did not, or were broken off.
	Failed Outcome = "fail"
	// Skipped tests found by themselves that the cluster lacks what they need.
	Skipped Outcome = "skipped"
	// NotExpressible tests fail because the cloud's API has no words for what
	// they ask. A person says so in the file of results; no run does.
	NotExpressible Outcome = "not-expressible"
	// NotRun tests have no result yet.
	NotRun Outcome = "not-run"
)

// outcomes are in the order of tables.
var outcomes = []Outcome{Passed, Failed, NotExpressible, Skipped, NotRun}

// rank says which of two outcomes is the better one. A test that is known not
// to pass is none the worse for how it does not.
func (o Outcome) rank() int {
	switch o {
	case Passed:
		return 2
	case Skipped:
		return 1
	default:
		return 0
	}
}

// Result is what became of one test in one run.
type Result struct {
	Outcome Outcome
	// Cause is the first line of why it did not pass.
	Cause string
	// Took is the time the test took.
	Took time.Duration
}

// Finding is a test whose result is not the expected one.
type Finding struct {
	Test     Test
	Expected Outcome
	Result   Result
}

// Comparison says how a run did against what is expected.
type Comparison struct {
	// Worse are tests that did worse than their entry.
	Worse []Finding
	// Better are tests that did better than their entry.
	Better []Finding
	// Unknown are tests without an entry, whatever they did.
	Unknown []Finding
}

// Compare compares the results of the tests that were to run, by Test.Spec,
// with the expected ones. A test without an entry can't do worse. Tests without
// a result are left out: a run that leaves some over fails by itself.
func Compare(tests []Test, results map[string]Result, expected Expected) Comparison {
	var c Comparison
	for _, t := range tests {
		r, ok := results[t.Spec]
		if !ok {
			continue
		}
		entry, ok := expected.entry(t)
		f := Finding{Test: t, Expected: entry.Result, Result: r}
		switch {
		case !ok:
			f.Expected = NotRun
			c.Unknown = append(c.Unknown, f)
		case r.Outcome.rank() < entry.Result.rank():
			c.Worse = append(c.Worse, f)
		case r.Outcome.rank() > entry.Result.rank():
			c.Better = append(c.Better, f)
		}
	}
	return c
}
