package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const parallelOutput = `Will run 4 of 7355 specs
Running in parallel across 2 processes
------------------------------
[SynchronizedBeforeSuite] PASSED [0.020 seconds]
[SynchronizedBeforeSuite] 
k8s.io/kubernetes@v1.35.4/test/e2e/e2e.go:69
------------------------------
• [0.124 seconds]
[sig-node] Pods should be updated [Conformance] [sig-node, Conformance]
k8s.io/kubernetes@v1.35.4/test/e2e/common/node/pods.go:504

  Timeline >>
  • [1.0 seconds]
  [sig-node] Resize [Conformance]
  << Timeline
------------------------------
• [FAILED] [2.230 seconds]
[sig-node] Pods [It] should *not* | fail [Slow] [Conformance] [sig-node, Slow]
k8s.io/kubernetes@v1.35.4/test/e2e/common/node/pods.go:301
------------------------------
S [SKIPPED] [0.011 seconds]
[sig-apps] Deployment [Conformance] [sig-apps]
------------------------------
• [INTERRUPTED] [97.415 seconds]
[sig-storage] Secrets [Serial] [Conformance] [sig-storage]
------------------------------

Summarizing 1 Failure:
  [FAIL] [sig-node] Pods [It] should *not* | fail [Slow] [Conformance] [sig-node, Slow]
`

const serialOutput = `Will run 2 of 7355 specs
SSSSSSSSSSSS
------------------------------
[sig-node] Pods should be updated [Conformance] [sig-node, Conformance]
k8s.io/kubernetes@v1.35.4/test/e2e/common/node/pods.go:504
  STEP: creating the pod @ 11/21/26 23:06:09.083
• [0.124 seconds]
SSS
------------------------------
[sig-node] Resize [Conformance] [sig-node, Conformance]
  [FAILED] in [It] - k8s.io/kubernetes@v1.35.4/test/e2e/common/node/pods.go:301 @ 11/21/26 23:06:11.099
• [FAILED] [1.000 seconds]
[sig-node] Resize [It] [Conformance] [sig-node, Conformance]
`

type ending struct {
	Spec    string
	Outcome Outcome
}

func TestListener(t *testing.T) {
	tests := map[string]struct {
		reason, output string
		want           []ending
	}{
		"Parallel": {
			"what a test itself prints is indented, and being interrupted is no outcome",
			parallelOutput,
			[]ending{
				{"[sig-node] Pods should be updated [Conformance]", Passed},
				{"[sig-node] Pods should *not* | fail [Slow] [Conformance]", Failed},
				{"[sig-apps] Deployment [Conformance]", Skipped},
			},
		},
		"Serial": {
			"a test that passes was named when it began",
			serialOutput,
			[]ending{
				{"[sig-node] Pods should be updated [Conformance]", Passed},
				{"[sig-node] Resize [Conformance]", Failed},
			},
		},
	}
	c, _ := fixture(t)
	for name, tt := range tests {
		for _, size := range []int{1, 7, len(tt.output)} {
			t.Run(name, func(t *testing.T) {
				var log strings.Builder
				var got []ending
				l := newListener(&log, c, func(spec string, o Outcome) { got = append(got, ending{spec, o}) })
				for rest := tt.output; rest != ""; rest = rest[min(size, len(rest)):] {
					if _, err := l.Write([]byte(rest[:min(size, len(rest))])); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s, in pieces of %d bytes (-want +got):\n%s", tt.reason, size, diff)
				}
				if log.String() != tt.output {
					t.Error("the log is not what was written")
				}
			})
		}
	}
}

func FuzzListener(f *testing.F) {
	f.Add([]byte(parallelOutput), []byte(serialOutput))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var log strings.Builder
		l := newListener(&log, []Test{{Spec: "a"}}, func(spec string, o Outcome) {
			if spec != "a" || o == "" {
				t.Errorf("test %q ended with %q", spec, o)
			}
		})
		for _, piece := range [][]byte{one, two} {
			if _, err := l.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if log.String() != string(one)+string(two) || len(l.partial) > maxLine {
			t.Error("the log is not what was written, or too much of a line is kept")
		}
	})
}
