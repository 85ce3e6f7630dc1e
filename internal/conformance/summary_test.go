package conformance

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files and docs/conformance.md")

// golden compares a text with a file that a person has read.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestSummary(t *testing.T) {
	c, e := fixture(t)
	results := map[string]Result{
		c[0].Spec: {Outcome: Failed, Cause: "context deadline exceeded"},
		c[1].Spec: {Outcome: Passed},
		c[2].Spec: {Outcome: Failed, Cause: "the server could not find the requested resource"},
		c[3].Spec: {Outcome: Passed},
		c[4].Spec: {Outcome: Skipped, Cause: "Requires at least 2 nodes"},
	}
	o := Outcomes{
		Tests: c, Results: results, Expected: e, Control: e, Comparison: Compare(c, results, e),
		Took: 83*time.Second + 400*time.Millisecond, Testing: 70 * time.Second,
	}
	var b strings.Builder
	if err := o.Summary(&b, ECI); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/summary.golden", b.String())
}

func TestSummaryAsExpected(t *testing.T) {
	c, e := fixture(t)
	results := map[string]Result{c[0].Spec: {Outcome: Passed}}
	o := Outcomes{Tests: c[:1], Results: results, Expected: e, Control: e, Comparison: Compare(c[:1], results, e), Took: time.Minute, Testing: time.Second}
	var b strings.Builder
	if err := o.Summary(&b, KCI); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/summary-as-expected.golden", b.String())
}

func TestDocsPage(t *testing.T) {
	c, e := fixture(t)
	page, err := Docs(c, map[Cloud]Expected{ECI: e, KCI: {}, Control: e})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/page.golden", page)
}

func TestDocsUnknownTest(t *testing.T) {
	c, e := fixture(t)
	_, err := Docs(c[:1], map[Cloud]Expected{KCI: e})
	if err == nil || !strings.Contains(err.Error(), `checking the results of kci: tests[1]: sig-node has no conformance test "Pods should *not* | fail"`) {
		t.Errorf("error %v, want the entry that names no test", err)
	}
}

// TestDocs checks that docs/conformance.md says what the committed results say.
func TestDocs(t *testing.T) {
	expected := map[Cloud]Expected{}
	for _, cloud := range Clouds {
		e, err := LoadExpected(cloud)
		if err != nil {
			t.Fatal(err)
		}
		expected[cloud] = e
	}
	page, err := Docs(loadCatalog(t), expected)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "..", docsFile), page)
}
