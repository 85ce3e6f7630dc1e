package simulated

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseScript(t *testing.T) {
	second := time.Second
	base := func(change func(*script)) script {
		s := script{termExit: 143, cores: 0.01, memory: 16 << 20}
		change(&s)
		return s
	}
	cases := map[string]struct {
		reason string
		env    []string
		want   script
		err    string
	}{
		"None":     {reason: "other variables are no script", env: []string{"A=1", "SIMPLE=2"}, want: base(func(*script) {})},
		"Run":      {reason: "run time and code", env: []string{"SIM_RUN=1s", "SIM_EXIT=2"}, want: base(func(s *script) { s.ends, s.run, s.exitCodes = true, second, []int{2} })},
		"Sequence": {reason: "codes in a row", env: []string{"SIM_EXIT_SEQUENCE=1, 0"}, want: base(func(s *script) { s.ends, s.exitCodes = true, []int{1, 0} })},
		"NoCrash":  {reason: "false is no crash", env: []string{"SIM_CRASH=false"}, want: base(func(*script) {})},
		"Log": {reason: "log lines", env: []string{`SIM_LOG=a\nb`, "SIM_LOG_EVERY=1s", "SIM_LOG_COUNT=3"},
			want: base(func(s *script) { s.log, s.logEvery, s.logCount = []string{"a", "b"}, second, 3 })},
		"Health": {reason: "health", env: []string{"SIM_READY_AFTER=1s", "SIM_UNHEALTHY_AFTER=1s", "SIM_OOM_AFTER=1s"},
			want: base(func(s *script) { s.readyAfter, s.unhealthyAfter, s.oomAfter = second, second, second })},
		"Term": {reason: "termination", env: []string{"SIM_TERM_AFTER=1s", "SIM_TERM_EXIT=0"}, want: base(func(s *script) { s.termAfter, s.termExit = second, 0 })},
		"Pull": {reason: "pulls", env: []string{"SIM_PULL=1s", "SIM_PULL_ERROR=no"}, want: base(func(s *script) { s.pull, s.pullError = &second, "no" })},
		"Use":  {reason: "use", env: []string{"SIM_CPU=1.5", "SIM_MEMORY=2"}, want: base(func(s *script) { s.cores, s.memory = 1.5, 2<<20 })},

		"Unknown":    {reason: "a slip of the pen", env: []string{"SIM_RNU=1s"}, err: "environment variable SIM_RNU is no script variable of the simulated runtime"},
		"NoUnit":     {reason: "a number is no duration", env: []string{"SIM_RUN=3"}, err: `environment variable SIM_RUN="3": want a duration such as 300ms or 1m30s`},
		"Negative":   {reason: "time does not run backwards", env: []string{"SIM_RUN=-3s"}, err: `environment variable SIM_RUN="-3s": want a duration such as 300ms or 1m30s`},
		"ZeroPeriod": {reason: "a period is not zero", env: []string{"SIM_LOG_EVERY=0s"}, err: `environment variable SIM_LOG_EVERY="0s": want more than zero`},
		"BigCode":    {reason: "codes are bytes", env: []string{"SIM_EXIT=256"}, err: `environment variable SIM_EXIT="256": want an exit code between 0 and 255`},
		"Crash":      {reason: "a truth value", env: []string{"SIM_CRASH=maybe"}, err: `environment variable SIM_CRASH="maybe": want true or false`},
		"Cores":      {reason: "cores", env: []string{"SIM_CPU=lots"}, err: `environment variable SIM_CPU="lots": want a number of cores`},
		"Memory":     {reason: "memory", env: []string{"SIM_MEMORY=-1"}, err: `environment variable SIM_MEMORY="-1": want a number that is not negative`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseScript(env(tc.env...))
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != tc.err {
				t.Fatalf("%s: error %q, want %q", tc.reason, text, tc.err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(script{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// FuzzParseScript looks for values that crash the reader.
func FuzzParseScript(f *testing.F) {
	for _, seed := range [][2]string{{"SIM_RUN", "3s"}, {"SIM_EXIT_SEQUENCE", "1,0"}, {"SIM_LOG", `a\n`}, {"SIM_CPU", "NaN"}, {"SIM_MEMORY", "9"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		s, err := parseScript(env(name + "=" + value))
		if err == nil && (s.run < 0 || s.exitCode(3) < 0 || s.exitCode(0) > 255) {
			t.Errorf("%s=%q was accepted: %+v", name, value, s)
		}
	})
}

func TestLogIsBounded(t *testing.T) {
	l := &log{clock: clockAt{}}
	for range logLines + 10 {
		if _, err := l.Write([]byte("x\n")); err != nil {
			t.Fatalf("writing: %v", err)
		}
	}
	if got := len(l.all()); got != logLines {
		t.Errorf("%d lines, want %d", got, logLines)
	}
	for range 20 {
		l.line(string(make([]byte, 100<<10)))
	}
	total := 0
	for _, line := range l.all() {
		total += len(line.Text)
	}
	if total > logBytes {
		t.Errorf("%d bytes are kept, want at most %d", total, logBytes)
	}
}

// clockAt stands still.
type clockAt struct{}

func (clockAt) Now() time.Time                  { return epoch }
func (clockAt) Since(t time.Time) time.Duration { return epoch.Sub(t) }
