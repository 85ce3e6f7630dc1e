package conformance

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadReport(t *testing.T) {
	got, err := readReport("testdata/junit")
	if err != nil {
		t.Fatal(err)
	}
	want := report{
		results: map[string]Result{
			"[sig-node] Pods should be updated [NodeConformance] [Conformance]": {Outcome: Passed, Took: 2250 * time.Millisecond},
			"[sig-node] Pods should get a host IP [NodeConformance] [Conformance]": {
				Outcome: Failed, Cause: "Unexpected error: Timed out after 300s (event UnsupportedPodSpec: spec.hostPID: no)", Took: 300500 * time.Millisecond,
			},
			"[sig-node] Pods that need two nodes": {Outcome: Skipped, Cause: "Requires at least 2 nodes (not 1)", Took: 100 * time.Millisecond},
			"[sig-node] Pods after one that failed": {
				Outcome: Failed, Cause: "Spec skipped because an earlier spec in an ordered container failed",
			},
			"[sig-node] Pods that hang": {
				Outcome: Failed, Cause: "interrupted: Interrupted by User, at step: wait for the container to reach Succeeded", Took: 90300 * time.Millisecond,
			},
			"[sig-node] Pods out of time":   {Outcome: Failed, Cause: "timedout: A suite timeout occurred", Took: time.Minute},
			"[sig-node] Pods that surprise": {Outcome: Failed, Cause: "panicked: runtime error: index out of range [1] with length 1", Took: time.Second},
		},
		interrupted: []string{"[sig-node] Pods that hang"},
		suite:       []string{"[SynchronizedAfterSuite]: the node is gone"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(report{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportErrors(t *testing.T) {
	if _, err := readReport(t.TempDir()); err == nil || !strings.Contains(err.Error(), "finding the suite's report") {
		t.Errorf("no report: error %v", err)
	}
	tests := map[string]struct{ junit, err string }{
		"Status":    {`<testcase name="[It] a" status="lost"></testcase>`, `testcase "[It] a" has status "lost"`},
		"Truncated": {`<testsuites><testcase name="[It] a" status="passed">`, "decoding JUnit testcase"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := report{results: map[string]Result{}}
			if err := r.decode(strings.NewReader(tt.junit)); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestReportInterrupted(t *testing.T) {
	const spec = "[sig-node] Pods that hang"
	hung := report{results: map[string]Result{spec: {Outcome: Failed, Cause: "interrupted"}}, interrupted: []string{spec}}
	hung.blameInterrupted(15 * time.Minute)
	if got, want := hung.results[spec].Cause, "it hung, no test had ended for 15m0s: interrupted"; got != want {
		t.Errorf("cause %q, want %q", got, want)
	}
	hung.forgetInterrupted()
	if len(hung.results) != 0 {
		t.Errorf("results %v, want none: it was broken off for no fault of its own", hung.results)
	}
}

func FuzzDecodeReport(f *testing.F) {
	data, err := os.ReadFile("testdata/junit/junit_01.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Fuzz(func(t *testing.T, junit string) {
		r := report{results: map[string]Result{}}
		if err := r.decode(strings.NewReader(junit)); err != nil {
			return
		}
		for spec, result := range r.results {
			if result.Outcome != Passed && result.Outcome != Failed && result.Outcome != Skipped {
				t.Errorf("%q has outcome %q", spec, result.Outcome)
			}
		}
	})
}
