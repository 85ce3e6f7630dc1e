package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/internal/lockfile"
)

// The two tests that the runs of these tests are about.
const (
	deleted     = "[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]"
	nonExistent = "[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]"
	focusTwo    = "RuntimeClass should reject"
)

// preamble gives the scripts that stand in for ginkgo what they need: $dir is
// the folder for the report, and
//
//	report 'TESTCASES'      writes one
//	block '• [1.0 seconds]' SPEC     tells that a test has ended
const preamble = `#!/bin/sh
for argument; do
	case $argument in --report-dir=*) dir=${argument#*=} ;; esac
done
report() { echo "<testsuites><testsuite>$1</testsuite></testsuites>" >"$dir/junit_01.xml"; }
block() { printf '%s\n' ------ "$1" "$2"; }
`

func passed(spec string) string {
	return fmt.Sprintf(`<testcase name="[It] %s" status="passed" time="1"></testcase>`, spec)
}

func failed(spec, status, text string) string {
	return fmt.Sprintf(`<testcase name="[It] %s" status="%s" time="1"><failure type="%s">%s</failure></testcase>`, spec, status, status, text)
}

// apiServer answers with one node that is Ready, and no namespaces.
func apiServer(t *testing.T) (kubeconfig string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := `{"kind":"NamespaceList","apiVersion":"v1"}`
		if r.URL.Path == "/api/v1/nodes" {
			answer = `{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"n"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}]}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"c","cluster":{"server":%q}}],`+
		`"contexts":[{"name":"c","context":{"cluster":"c"}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// startedCluster is what the runner is given.
type startedCluster struct {
	existing

	failed  chan error
	stopped int
}

func (c *startedCluster) Failed() <-chan error { return c.failed }
func (c *startedCluster) Stop() error          { c.stopped++; return nil }

// scene is a run with a script in place of ginkgo.
type scene struct {
	options Options
	cluster *startedCluster
	out     *screen
	// whenRunning is called when the script has made the file "runs" in its
	// first pass.
	whenRunning func()
}

type end struct {
	outcomes Outcomes
	err      error
}

func (s *scene) run(t *testing.T) (Outcomes, error) {
	t.Helper()
	ended := make(chan end, 1)
	go func() {
		outcomes, err := Run(t.Context(), s.options)
		ended <- end{outcomes, err}
	}()
	if s.whenRunning != nil {
		await(t, "the suite runs", func() bool {
			_, err := os.Stat(filepath.Join(s.options.Dir, "pass-1", "runs"))
			return err == nil
		})
		s.whenRunning()
	}
	e := <-ended
	return e.outcomes, e.err
}

func newScene(t *testing.T, script string) *scene {
	t.Helper()
	bin := t.TempDir()
	if err := os.Mkdir(filepath.Join(bin, "conformance"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"kubectl": "", "conformance/e2e.test": "", "conformance/ginkgo": preamble + script} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &scene{cluster: &startedCluster{existing: existing(apiServer(t)), failed: make(chan error, 1)}, out: &screen{}}
	s.options = Options{
		Cloud: ECI, Selection: Selection{Focus: focusTwo}, Dir: filepath.Join(t.TempDir(), "results"), BinDir: bin,
		Start: func(_ context.Context, o ClusterOptions) (Cluster, error) {
			o.Progress("starting a cluster of " + string(o.Cloud))
			return s.cluster, nil
		},
		Out: s.out, Clock: clock.RealClock{},
	}
	return s
}

func TestRun(t *testing.T) {
	s := newScene(t, `
block '• [1.000 seconds]' '`+deleted+` [sig-node]'
block '• [FAILED] [1.000 seconds]' '`+nonExistent+` [sig-node]'
report '`+passed(deleted)+failed(nonExistent, "failed", "[FAILED] it was admitted")+`'
exit 1
`)
	if err := os.MkdirAll(filepath.Join(s.options.Dir, "pass-3"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := Run(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Result{
		deleted:     {Outcome: Passed, Took: time.Second},
		nonExistent: {Outcome: Failed, Cause: "it was admitted", Took: time.Second},
	}
	if diff := cmp.Diff(want, got.Results); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.cluster.stopped != 1 {
		t.Errorf("the cluster was stopped %d times, want once", s.cluster.stopped)
	}
	if _, err := os.Stat(filepath.Join(s.options.Dir, "pass-3")); !os.IsNotExist(err) {
		t.Error("an earlier run's results are still there")
	}
	for _, words := range []string{"starting a cluster of eci", "running 2 conformance tests of Kubernetes v1.35.4 on eci, 8 at a time", "FAIL  " + nonExistent} {
		if !strings.Contains(s.out.String(), words) {
			t.Errorf("it did not tell %q but:\n%s", words, s.out)
		}
	}
}

// TestRunStalled has a test that hangs and one that had no turn before it was
// broken off: the second pass has only that.
func TestRunStalled(t *testing.T) {
	s := newScene(t, `
case $dir in
*/pass-1)
	trap 'report '\''`+failed(deleted, "interrupted", "[INTERRUPTED] by user")+`'\''; exit 1' INT
	echo >"$dir/runs"
	while :; do sleep 0.1; done ;;
esac
case $* in *'a\ deleted'* | *'a deleted'*) exit 3 ;; esac
report '`+passed(nonExistent)+`'
`)
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	s.options.Clock, s.options.Patience = clock, time.Minute
	s.whenRunning = func() {
		await(t, "it is watched", clock.HasWaiters)
		clock.Step(61 * time.Second)
	}
	got, err := s.run(t)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Result{
		deleted:     {Outcome: Failed, Cause: "it hung, no test had ended for 1m0s: interrupted: by user", Took: time.Second},
		nonExistent: {Outcome: Passed, Took: time.Second},
	}
	if diff := cmp.Diff(want, got.Results); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if words := "no test has ended for 1m0s: broke off those that ran; going on with the other 1"; !strings.Contains(s.out.String(), words) {
		t.Errorf("it did not tell %q but:\n%s", words, s.out)
	}
}

func TestRunFails(t *testing.T) {
	tests := map[string]struct {
		reason, script string
		change         func(*scene)
		results        int
		err            string
	}{
		"NoReport": {
			"ginkgo itself failed", `echo usage; exit 2`, nil, 0, "running ginkgo (see ",
		},
		"SuiteFailed": {
			"no test had its turn", `report '<testcase name="[SynchronizedBeforeSuite]" status="failed"><failure>[FAILED] no nodes</failure></testcase>'; exit 1`,
			nil, 0, `the suite itself failed: ["[SynchronizedBeforeSuite]: no nodes"]`,
		},
		"LeftOver": {
			"the suite does not know a test", `report '` + passed(deleted) + `'`,
			nil, 1, "the suite ended without having run 1 tests, the first being \"" + nonExistent,
		},
		"Killed": {
			"what it told before is kept", `block '• [1.000 seconds]' '` + deleted + `'; kill -KILL $$`,
			nil, 1, "signal: killed",
		},
		"ClusterFailed": {
			"nothing can be said about a test that was running", `trap 'report "` +
				strings.ReplaceAll(failed(deleted, "interrupted", "x")+passed(nonExistent), `"`, `\"`) + `"; exit 1' INT; echo >"$dir/runs"; while :; do sleep 0.1; done`,
			func(s *scene) {
				s.whenRunning = func() { s.cluster.failed <- errors.New("etcd ended") }
			},
			1, "the tested cluster failed: etcd ended",
		},
		"NoCluster": {
			"", ``, func(s *scene) {
				s.options.Start = func(context.Context, ClusterOptions) (Cluster, error) { return nil, errors.New("no root") }
			},
			0, "starting the cluster to be tested: no root",
		},
		"NoSuite": {
			"told how to get it", ``, func(s *scene) { s.options.BinDir = s.options.Dir }, 0, "hack/conformance/build.sh",
		},
		"NoTests": {
			"", ``, func(s *scene) { s.options.Selection.Focus = "nothing" }, 0, "no conformance test of",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, tt.script)
			if tt.change != nil {
				tt.change(s)
			}
			got, err := s.run(t)
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.reason, err, tt.err)
			}
			if len(got.Results) != tt.results {
				t.Errorf("%s: results %v, want %d", tt.reason, got.Results, tt.results)
			}
		})
	}
}

// TestFolderInUse: a run under way keeps what it has.
func TestFolderInUse(t *testing.T) {
	s := newScene(t, `exit 1`)
	release, err := lockfile.Acquire(s.options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	kept := filepath.Join(s.options.Dir, "pass-1")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s.options); err == nil || !strings.Contains(err.Error(), "is in use by process") {
		t.Errorf("error %v, want one that names the process", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("the other run's results: %v", err)
	}
}

// TestSuiteEnds has a suite that ignores being asked to end and leaves a process
// behind: nothing of it must be left.
func TestSuiteEnds(t *testing.T) {
	s := newScene(t, `
trap '' INT TERM
sleep 600 &
echo $! >"$dir/left.tmp" && mv "$dir/left.tmp" "$dir/left"
wait
sleep 600
`)
	dir := t.TempDir()
	run := suite{
		binDir: filepath.Join(s.options.BinDir, "conformance"), kubectl: filepath.Join(s.options.BinDir, "kubectl"),
		dir: dir, procs: 1, grace: 100 * time.Millisecond, ended: func(string, Outcome) {},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run.run(ctx, nil) }()
	var pid int
	await(t, "the suite runs", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "left"))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	cancel()
	if err := <-ended; !errors.Is(err, errInterrupted) {
		t.Errorf("error %v, want %v", err, errInterrupted)
	}
	await(t, "its process is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || isZombie(pid) })
}

// isZombie tells whether a process has ended and nobody has asked how.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// TestFocus checks that the expression finds its tests and no others, and that
// it fits into one argument of a command line whatever is selected.
func TestFocus(t *testing.T) {
	c := loadCatalog(t)
	all := focus(c)
	if len(all) > 100<<10 {
		t.Errorf("the focus on all tests has %d bytes, Linux takes 128 KiB", len(all))
	}
	half := map[string]bool{}
	var chosen []Test
	for i, test := range c {
		if i%2 == 0 {
			chosen = append(chosen, test)
			half[test.Spec] = true
		}
	}
	re := regexp.MustCompile(focus(chosen))
	for _, test := range c {
		if got := re.MatchString("Kubernetes e2e suite " + test.Spec); got != half[test.Spec] {
			t.Errorf("%q matches: %t, want %t", test.Spec, got, half[test.Spec])
		}
	}
	if re.MatchString("Kubernetes e2e suite " + chosen[0].Spec + " more") {
		t.Error("it matches a test whose name only begins alike")
	}
}
