package conformance

import (
	"bytes"
	"cmp"
	"io"
	"regexp"
	"strings"
)

// listener passes ginkgo's verbose output on to a log, and hears from it which
// test has ended. Each has a block of output, which begins with how it ended
// ("• [FAILED] [2.230 seconds]") and in the next line names the test, its labels
// and the part that failed ("[sig-node] Pods [It] should be updated
// [Conformance] [sig-node, Conformance]"). A suite of one process names a test
// before, when it begins.
//
// The suite has a flag for an address to which it reports progress, but of single
// tests nothing arrives there.
type listener struct {
	log   io.Writer
	specs []string
	ended func(string, Outcome)

	// partial is the begin of a line that is not complete yet.
	partial []byte
	// outcome is that of the block whose first line was just read.
	outcome Outcome
	// begun is the last test that was named outside of such a block.
	begun string
}

func newListener(log io.Writer, tests []Test, ended func(string, Outcome)) *listener {
	l := &listener{log: log, ended: ended}
	for _, t := range tests {
		l.specs = append(l.specs, t.Spec)
	}
	return l
}

// maxLine is what is looked at of a line, in bytes.
const maxLine = 8 << 10

// Write takes a piece of output.
func (l *listener) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, complete := bytes.Cut(rest, []byte("\n"))
		rest = after
		l.partial = append(l.partial, line[:min(len(line), maxLine-min(maxLine, len(l.partial)))]...)
		if complete {
			l.line(string(l.partial))
			l.partial = l.partial[:0]
		}
	}
	return l.log.Write(p)
}

var (
	blockStart = regexp.MustCompile(`^(•|S) (?:\[([A-Z]+)\] )?(?:\[[A-Z ]+\] )*\[[0-9.]+ seconds\]$`)
	// nodeTag marks the part of a failed test in which it failed.
	nodeTag = regexp.MustCompile(`\[(It|BeforeEach|JustBeforeEach|AfterEach|JustAfterEach|BeforeAll|AfterAll|DeferCleanup[^\]]*)\] `)
)

func (l *listener) line(line string) {
	spec := l.spec(nodeTag.ReplaceAllString(line, ""))
	if l.outcome != "" {
		if spec = cmp.Or(spec, l.begun); spec != "" {
			l.ended(spec, l.outcome)
		}
		l.outcome, l.begun = "", ""
		return
	}
	l.begun = cmp.Or(spec, l.begun)
	start := blockStart.FindStringSubmatch(line)
	switch {
	case start == nil, start[2] == "INTERRUPTED": // whose fault that is, the runner knows
	case start[1] == "S":
		l.outcome = Skipped
	case start[2] == "":
		l.outcome = Passed
	default:
		l.outcome = Failed
	}
}

// spec finds the test that a line begins with; what follows are its labels.
func (l *listener) spec(line string) string {
	found := ""
	for _, spec := range l.specs {
		if len(spec) > len(found) && strings.HasPrefix(line, spec) {
			found = spec
		}
	}
	return found
}
