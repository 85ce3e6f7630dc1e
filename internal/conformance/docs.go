package conformance

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// docsFile is the page that is generated, below the repository.
var docsFile = filepath.Join("docs", "conformance.md")

//go:embed docs-head.md
var docsHead string

// columns are the clouds' names in the page, in the order of Clouds.
var columns = map[Cloud]string{ECI: "ECI", KCI: "KCI", Control: "control"}

// Docs returns docs/conformance.md: the results of every test per cloud.
func Docs(c Catalog, expected map[Cloud]Expected) (string, error) {
	for cloud, e := range expected {
		if err := e.check(c); err != nil {
			return "", fmt.Errorf("checking the results of %s: %w", cloud, err)
		}
	}
	p := page{catalog: c, expected: expected}
	p.linef("%s", strings.TrimSpace(strings.ReplaceAll(docsHead, "RELEASE", Release))+"\n")
	p.totals()
	p.areas()
	return p.String(), nil
}

// page is docs/conformance.md while it is written.
type page struct {
	strings.Builder

	catalog  Catalog
	expected map[Cloud]Expected
}

func (p *page) linef(format string, args ...any) {
	_, _ = fmt.Fprintf(p, format+"\n", args...) // a builder takes everything
}

func (p *page) outcome(cloud Cloud, t Test) Outcome {
	if entry, ok := p.expected[cloud].entry(t); ok {
		return entry.Result
	}
	return NotRun
}

// totals is the table by area and class: passed of all, for each cloud.
func (p *page) totals() {
	p.linef("## Totals\n")
	p.linef("Tests that pass, of those that were run; in brackets those the cloud's API has no words for.\n")
	p.linef("| area | class | tests | %s |", p.heads())
	p.linef("|---|---|--:|%s", strings.Repeat("--:|", len(Clouds)))
	groups, _ := tallyGroups(p.catalog, func(Test) Outcome { return NotRun })
	for _, g := range groups {
		p.total(g.area, string(g.class), func(t Test) bool { return t.Area == g.area && t.Class == g.class })
	}
	for _, class := range []Class{ClassA, ClassB, ClassC, ClassOther} {
		p.total("**all**", string(class), func(t Test) bool { return t.Class == class })
	}
	p.total("**all**", "all", func(Test) bool { return true })
}

func (p *page) heads() string {
	heads := make([]string, len(Clouds))
	for i, cloud := range Clouds {
		heads[i] = columns[cloud]
	}
	return strings.Join(heads, " | ")
}

func (p *page) total(area, class string, counts func(Test) bool) {
	tallies := map[Cloud]tally{}
	tests := 0
	for _, cloud := range Clouds {
		tallies[cloud] = tally{}
	}
	for _, t := range p.catalog {
		if !counts(t) {
			continue
		}
		tests++
		for _, cloud := range Clouds {
			tallies[cloud][p.outcome(cloud, t)]++
		}
	}
	if tests == 0 {
		return
	}
	cells := make([]string, len(Clouds))
	for i, cloud := range Clouds {
		cells[i] = tallies[cloud].cell()
	}
	p.linef("| %s | %s | %d | %s |", area, class, tests, strings.Join(cells, " | "))
}

// cell is "70 of 76 (4)".
func (t tally) cell() string {
	run := t.total() - t[NotRun]
	switch {
	case run == 0:
		return "not run"
	case t[NotExpressible] > 0:
		return fmt.Sprintf("%d of %d (%d)", t[Passed], run, t[NotExpressible])
	default:
		return fmt.Sprintf("%d of %d", t[Passed], run)
	}
}

// areas lists the tests. Those of a node stand there whether they were run or
// not; of the others those that were run on one of the clouds.
func (p *page) areas() {
	groups, _ := tallyGroups(p.catalog, func(Test) Outcome { return NotRun })
	for _, g := range groups {
		var tests []Test
		for _, t := range p.catalog {
			if t.Area == g.area && t.Class == g.class && (ofNode(t) || p.ran(t)) {
				tests = append(tests, t)
			}
		}
		if len(tests) > 0 {
			p.area(g, tests)
		}
	}
}

func (p *page) ran(t Test) bool {
	for _, cloud := range Clouds {
		if p.outcome(cloud, t) != NotRun {
			return true
		}
	}
	return false
}

func (p *page) area(g group, tests []Test) {
	title := g.area
	if g.class != ClassOther {
		title += ", class " + string(g.class)
	}
	p.linef("\n## %s\n", title)
	p.linef("| test | %s | why not |", p.heads())
	p.linef("|---|%s---|", strings.Repeat("---|", len(Clouds)))
	for _, t := range tests {
		cells := []string{escape(t.Name) + flags(t)}
		for _, cloud := range Clouds {
			cells = append(cells, strings.ReplaceAll(string(p.outcome(cloud, t)), "-", " "))
		}
		p.linef("| %s | %s |", strings.Join(cells, " | "), p.causes(t))
	}
}

// causes is "ECI, KCI: reason (`field`)", with one line per reason.
func (p *page) causes(t Test) string {
	var reasons []string
	clouds := map[string][]string{} // by reason
	for _, cloud := range Clouds {
		reason := p.cause(cloud, t)
		if reason == "" {
			continue
		}
		if clouds[reason] == nil {
			reasons = append(reasons, reason)
		}
		clouds[reason] = append(clouds[reason], columns[cloud])
	}
	lines := make([]string, len(reasons))
	for i, reason := range reasons {
		lines[i] = strings.Join(clouds[reason], ", ") + ": " + reason
	}
	return strings.Join(lines, "<br>")
}

// cause is "reason (`field`)"; a person's words come before the suite's.
func (p *page) cause(cloud Cloud, t Test) string {
	entry, _ := p.expected[cloud].entry(t)
	text := entry.Cause
	if text == "" {
		text = entry.Said
	}
	if text == "" {
		return ""
	}
	text = escape(text)
	if entry.Field != "" {
		text += " (`" + entry.Field + "`)"
	}
	return text
}

func flags(t Test) string {
	var words []string
	if t.Serial {
		words = append(words, "serial")
	}
	if t.Slow {
		words = append(words, "slow")
	}
	if t.Disruptive {
		words = append(words, "disruptive")
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// escape keeps a text within its cell of a Markdown table, as it is written.
var escape = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "\n", " ").Replace

// writeDocs generates the page anew from the results in a checkout of the
// repository.
func writeDocs(source string, c Catalog) (string, error) {
	expected := map[Cloud]Expected{}
	for _, cloud := range Clouds {
		e, err := ReadExpected(source, cloud)
		if err != nil {
			return "", err
		}
		expected[cloud] = e
	}
	text, err := Docs(c, expected)
	if err != nil {
		return "", err
	}
	file := filepath.Join(source, docsFile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("writing %s: %w", docsFile, err)
	}
	return file, nil
}
