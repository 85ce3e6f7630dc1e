package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// execute runs the command line and returns what it printed.
func execute(t *testing.T, o CommandOptions, arguments ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	command := NewCommand(o)
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs(arguments)
	command.SetOut(&out)
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

func TestCommandList(t *testing.T) {
	got, err := execute(t, CommandOptions{}, "--list", "--focus", focusTwo, "--class", "A,B")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("B "+deleted+"\nB "+nonExistent+"\n", got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCommandErrors(t *testing.T) {
	tests := map[string]struct {
		arguments []string
		err       string
	}{
		"Cloud":    {[]string{"--cloud", "ecs"}, `reading --cloud: cloud "ecs" is not known, must be one of [eci kci control]`},
		"Class":    {[]string{"--list", "--class", "Z"}, `class "Z" is not known`},
		"Argument": {[]string{"eci"}, `unknown command "eci"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := execute(t, CommandOptions{}, tt.arguments...); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

// TestCommandUpdate runs the command as make does, over a script in place of
// ginkgo, and looks at what it leaves in a copy of the repository.
func TestCommandUpdate(t *testing.T) {
	s := newScene(t, `report '`+passed(deleted)+failed(nonExistent, "failed", "[FAILED] it was admitted")+`'; exit 1`)
	source, results := t.TempDir(), t.TempDir()
	for _, dir := range []string{resultsDir, "docs"} {
		if err := os.MkdirAll(filepath.Join(source, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, cloud := range Clouds {
		if _, err := (Expected{Release: Release}).write(source, cloud); err != nil {
			t.Fatal(err)
		}
	}
	o := CommandOptions{Start: s.options.Start, BinDir: func() (string, error) { return s.options.BinDir, nil }}
	out, err := execute(t, o, "--cloud", "kci", "--focus", focusTwo, "--dir", results, "--update", "--source", source)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadExpected(source, KCI)
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Area: "sig-node", Name: "RuntimeClass should reject a Pod requesting a deleted RuntimeClass", Result: Passed},
		{Area: "sig-node", Name: "RuntimeClass should reject a Pod requesting a non-existent RuntimeClass", Result: Failed, Said: "it was admitted"},
	}
	if diff := cmp.Diff(want, got.Entries); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	for file, words := range map[string]string{
		filepath.Join(source, docsFile):       "| RuntimeClass should reject a Pod requesting a non-existent RuntimeClass | not run | fail | not run | KCI: it was admitted |",
		filepath.Join(results, "summary.txt"): "FAIL  [sig-node B] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass\n      it was admitted\n",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), words) {
			t.Errorf("%s does not say %q", file, words)
		}
	}
	if !strings.Contains(out, "Wrote "+filepath.Join(source, resultsDir, "kci.yaml")) {
		t.Errorf("it did not tell what it wrote:\n%s", out)
	}
}

func TestCommandWorse(t *testing.T) {
	c, e := fixture(t)
	results := map[string]Result{c[0].Spec: {Outcome: Failed}}
	o := Outcomes{Tests: c[:1], Results: results, Expected: e, Comparison: Compare(c[:1], results, e), Took: time.Second}
	err := commandFlags{dir: t.TempDir()}.conclude(o, ECI, &bytes.Buffer{})
	if want := `1 conformance tests do worse than expected of eci; the first is "[sig-node] Pods should be updated [Conformance]"`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
