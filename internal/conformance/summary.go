package conformance

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// group are the tests of one area and class.
type group struct {
	area  string
	class Class
}

// tally counts outcomes.
type tally map[Outcome]int

func (t tally) total() int {
	sum := 0
	for o, n := range t {
		if o != onControl {
			sum += n
		}
	}
	return sum
}

// outcomeOf is what became of a test on a cloud where it is expected to do what
// its entry says: a test that failed as not expressible counts as that.
func outcomeOf(t Test, results map[string]Result, expected Expected) Outcome {
	r, ok := results[t.Spec]
	if !ok {
		return NotRun
	}
	if entry, _ := expected.entry(t); entry.Result == NotExpressible && r.Outcome == Failed {
		return NotExpressible
	}
	return r.Outcome
}

// onControl counts, in a tally, the tests that pass on the control column
// according to what is committed of it.
const onControl Outcome = "pass on control"

// table writes how many tests of each area and class had which outcome, and how
// many of them pass on the control column.
func table(out io.Writer, tests []Test, outcome func(Test) Outcome, control Expected) error {
	groups, tallies := tallyGroups(tests, outcome)
	for _, t := range tests {
		if entry, _ := control.entry(t); entry.Result == Passed {
			tallies[group{t.Area, t.Class}][onControl]++
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(area, class string, t tally) {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t", area, class, t.total()) // Flush tells
		for _, o := range append(slices.Clone(outcomes), onControl) {
			_, _ = fmt.Fprintf(w, "%d\t", t[o])
		}
		_, _ = fmt.Fprintln(w)
	}
	_, _ = fmt.Fprintln(w, "area\tclass\ttests\tpass\tfail\tnot expressible\tskipped\tnot run\tcontrol passes\t")
	all, byClass := tally{}, map[Class]tally{}
	for _, g := range groups {
		row(g.area, string(g.class), tallies[g])
		for o, n := range tallies[g] {
			all[o] += n
			if byClass[g.class] == nil {
				byClass[g.class] = tally{}
			}
			byClass[g.class][o] += n
		}
	}
	for _, class := range []Class{ClassA, ClassB, ClassC, ClassOther} {
		if t, ok := byClass[class]; ok && len(groups) > 1 {
			row("all", string(class), t)
		}
	}
	row("all", "all", all)
	return w.Flush()
}

// tallyGroups counts by area and class, in the order of the tests and classes.
func tallyGroups(tests []Test, outcome func(Test) Outcome) ([]group, map[group]tally) {
	tallies := map[group]tally{}
	var groups []group
	for _, t := range tests {
		g := group{t.Area, t.Class}
		if tallies[g] == nil {
			tallies[g] = tally{}
			groups = append(groups, g)
		}
		tallies[g][outcome(t)]++
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(
			cmp.Compare(areaOrder(a.area), areaOrder(b.area)), cmp.Compare(a.area, b.area), cmp.Compare(a.class, b.class))
	})
	return groups, tallies
}

// areaOrder puts the areas that a node is asked for first.
func areaOrder(area string) int {
	first := []string{areaNode, areaStorage, areaAuth}
	if i := slices.Index(first, area); i >= 0 {
		return i
	}
	return len(first)
}

// Summary writes what a run on a cloud found: the tests that did not pass with
// their causes, the table, and how this compares with what is expected.
func (o Outcomes) Summary(out io.Writer, cloud Cloud) error {
	expected := o.Expected
	var b strings.Builder
	for _, t := range o.Tests {
		r, ran := o.Results[t.Spec]
		if !ran || r.Outcome == Passed {
			continue
		}
		entry, _ := expected.entry(t)
		fmt.Fprintf(&b, "%s  [%s %s] %s\n", strings.ToUpper(string(outcomeOf(t, o.Results, expected))), t.Area, t.Class, t.Name)
		for _, line := range []string{r.Cause, entry.Cause} {
			if line != "" {
				fmt.Fprintf(&b, "      %s\n", line)
			}
		}
	}
	fmt.Fprintf(&b, "\nKubernetes %s conformance on %s: %s, of which %s for the tests\n\n",
		Release, cloud, o.Took.Round(time.Second), o.Testing.Round(time.Second))
	if err := table(&b, o.Tests, func(t Test) Outcome { return outcomeOf(t, o.Results, expected) }, o.Control); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	b.WriteString(o.Comparison.describe(cloud))
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// describe names the tests that did not do what was expected. Those without an
// entry are only counted: what did not pass of them was named before.
func (c Comparison) describe(cloud Cloud) string {
	var b strings.Builder
	list := func(title string, findings []Finding) {
		if len(findings) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s (%d):\n", title, len(findings))
		for _, f := range findings {
			fmt.Fprintf(&b, "  %s instead of %s: [%s %s] %s\n", f.Result.Outcome, f.Expected, f.Test.Area, f.Test.Class, f.Test.Name)
			if f.Result.Cause != "" {
				fmt.Fprintf(&b, "      %s\n", f.Result.Cause)
			}
		}
	}
	if n := len(c.Unknown); n > 0 {
		passed := 0
		for _, f := range c.Unknown {
			if f.Result.Outcome == Passed {
				passed++
			}
		}
		fmt.Fprintf(&b, "\nWithout an expected result yet: %d, of which %d passed; the update flag adds them.\n", n, passed)
	}
	list("Better than expected; the update flag makes it expected", c.Better)
	list("WORSE than expected", c.Worse)
	if len(c.Worse)+len(c.Better)+len(c.Unknown) == 0 {
		fmt.Fprintf(&b, "\nAll as expected of %s.\n", cloud)
	}
	return b.String()
}
