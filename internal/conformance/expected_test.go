package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fixture is a catalog of four tests, and what is expected of three of them.
func fixture(t *testing.T) (Catalog, Expected) {
	t.Helper()
	c := Catalog{
		{Name: "Pods should be updated", Spec: "[sig-node] Pods should be updated [Conformance]", Area: "sig-node", Class: ClassA},
		{Name: "Pods should *not* | fail", Spec: "[sig-node] Pods should *not* | fail [Slow] [Conformance]", Area: "sig-node", Class: ClassA, Slow: true},
		{Name: "Resize", Spec: "[sig-node] Resize [Conformance]", Area: "sig-node", Class: ClassB},
		{Name: "Secrets", Spec: "[sig-storage] Secrets [Serial] [Conformance]", Area: "sig-storage", Class: ClassA, Serial: true},
		{Name: "Deployment", Spec: "[sig-apps] Deployment [Conformance]", Area: "sig-apps", Class: ClassOther},
		{Name: "Jobs", Spec: "[sig-apps] Jobs [Conformance]", Area: "sig-apps", Class: ClassOther},
	}
	e, err := decodeExpected([]byte(`
release: v1.35.4
tests:
- {area: sig-node, name: Pods should be updated, result: pass}
- {area: sig-node, name: Pods should *not* | fail, result: fail, said: context deadline exceeded, cause: the clock of <ECI> is late}
- {area: sig-node, name: Resize, result: not-expressible, field: spec.resize, cause: no call changes the size}
- {area: sig-apps, name: Deployment, result: skipped, said: Requires at least 2 nodes}
`))
	if err != nil {
		t.Fatal(err)
	}
	return c, e
}

func TestDecodeExpected(t *testing.T) {
	tests := map[string]struct{ reason, data, err string }{
		"Empty":        {"a cloud that was not run yet", "release: v1.35.4\ntests: []", ""},
		"UnknownField": {"a misspelt field would be lost", "tests: [{area: a, name: b, result: pass, why: c}]", `unknown field "why"`},
		"Result":       {"told with those there are", "tests: [{area: a, name: b, result: ok}]", `tests[0].result: "ok" must be one of [pass fail not-expressible skipped]`},
		"NotRun":       {"it is what the lack of an entry says", "tests: [{area: a, name: b, result: not-run}]", `tests[0].result: "not-run" must be`},
		"Twice":        {"one of them would be lost", "tests: [{area: a, name: b, result: pass}, {area: a, name: b, result: pass}]", `tests[1]: a "b" stands there twice`},
		"NoField":      {"a claim needs its reason", "tests: [{area: a, name: b, result: not-expressible, cause: c}]", "tests[0]: a test that is not-expressible must have a cause"},
		"PassCause":    {"left over", "tests: [{area: a, name: b, result: pass, cause: c}]", "tests[0]: a test that passes must have no cause"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := decodeExpected([]byte(tt.data))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%s: error %v, want %q", tt.reason, err, tt.err)
			}
		})
	}
}

func FuzzDecodeExpected(f *testing.F) {
	f.Add("release: v1.35.4\ntests: [{area: a, name: b, result: pass}]")
	f.Fuzz(func(t *testing.T, data string) {
		e, err := decodeExpected([]byte(data))
		if err == nil && len(e.index) != len(e.Entries) {
			t.Errorf("%d entries, %d indexed", len(e.Entries), len(e.index))
		}
	})
}

// TestCommitted checks the committed results: they are understood, and name
// tests that exist.
func TestCommitted(t *testing.T) {
	c := loadCatalog(t)
	for _, cloud := range Clouds {
		e, err := LoadExpected(cloud)
		if err != nil {
			t.Errorf("%s: %v", cloud, err)
		}
		if err := e.check(c); err != nil {
			t.Errorf("%s: %v", cloud, err)
		}
		if e.Release != Release {
			t.Errorf("results of %s are of Kubernetes %s, the tests of %s", cloud, e.Release, Release)
		}
	}
}

func TestCompare(t *testing.T) {
	c, e := fixture(t)
	updated, failing, resize, secrets, deployment := c[0], c[1], c[2], c[3], c[4]
	tests := map[string]struct {
		reason  string
		results map[string]Result
		want    Comparison
	}{
		"AsExpected": {
			"a test that is not expressible fails",
			map[string]Result{
				updated.Spec: {Outcome: Passed}, failing.Spec: {Outcome: Failed}, resize.Spec: {Outcome: Failed}, deployment.Spec: {Outcome: Skipped},
			},
			Comparison{},
		},
		"Worse": {
			"neither failing nor being skipped is as good as passing",
			map[string]Result{updated.Spec: {Outcome: Skipped, Cause: "x"}, deployment.Spec: {Outcome: Failed}},
			Comparison{Worse: []Finding{
				{updated, Passed, Result{Outcome: Skipped, Cause: "x"}},
				{deployment, Skipped, Result{Outcome: Failed}},
			}},
		},
		"Better": {
			"also what was said to be impossible",
			map[string]Result{failing.Spec: {Outcome: Passed}, resize.Spec: {Outcome: Passed}, deployment.Spec: {Outcome: Passed}},
			Comparison{Better: []Finding{
				{failing, Failed, Result{Outcome: Passed}},
				{resize, NotExpressible, Result{Outcome: Passed}},
				{deployment, Skipped, Result{Outcome: Passed}},
			}},
		},
		"Unknown": {
			"without an entry nothing is worse",
			map[string]Result{secrets.Spec: {Outcome: Failed}},
			Comparison{Unknown: []Finding{{secrets, NotRun, Result{Outcome: Failed}}}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Compare(c, tt.results, e)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	c, e := fixture(t)
	got := e.Update(c, map[string]Result{
		c[0].Spec: {Outcome: Failed, Cause: "no longer"},
		c[1].Spec: {Outcome: Failed, Cause: "another deadline"},
		c[2].Spec: {Outcome: Failed, Cause: "resize refused"},
		c[3].Spec: {Outcome: Passed},
	})
	want := []Entry{
		{Area: "sig-node", Name: "Pods should be updated", Result: Failed, Said: "no longer"},
		{Area: "sig-node", Name: "Pods should *not* | fail", Result: Failed, Said: "another deadline", Cause: "the clock of <ECI> is late"},
		{Area: "sig-node", Name: "Resize", Result: NotExpressible, Said: "resize refused", Cause: "no call changes the size", Field: "spec.resize"},
		{Area: "sig-storage", Name: "Secrets", Result: Passed},
		{Area: "sig-apps", Name: "Deployment", Result: Skipped, Said: "Requires at least 2 nodes"},
	}
	if diff := cmp.Diff(want, got.Entries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	passed := got.Update(c, map[string]Result{c[1].Spec: {Outcome: Passed}, c[2].Spec: {Outcome: Passed}})
	for _, i := range []int{1, 2} {
		if diff := cmp.Diff(Entry{Area: "sig-node", Name: c[i].Name, Result: Passed}, passed.Entries[i]); diff != "" {
			t.Errorf("what was written about a test that passes now must go (-want +got):\n%s", diff)
		}
	}
}

func TestWriteExpected(t *testing.T) {
	_, e := fixture(t)
	source := t.TempDir()
	if err := os.MkdirAll(filepath.Join(source, resultsDir), 0o700); err != nil {
		t.Fatal(err)
	}
	file, err := e.write(source, KCI)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(source, "internal/conformance/results/kci.yaml"); file != want {
		t.Errorf("wrote %s, want %s", file, want)
	}
	got, err := ReadExpected(source, KCI)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, got, cmpopts.IgnoreUnexported(Expected{})); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if _, err := ReadExpected(source, ECI); err == nil {
		t.Error("a source without the file must be an error: it is not the repository")
	}
}
