package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/lockfile"
)

// Options say what to run, where and with what. Those without a remark are
// required.
type Options struct {
	// Cloud is what the node stands for.
	Cloud Cloud
	// Selection says which tests; its zero value is those of a node.
	Selection Selection
	// Dir is the folder for reports, logs and the cluster. What an earlier run
	// left there is removed; while one is under way another is refused.
	Dir string
	// BinDir holds the programs: kubectl, and conformance/e2e.test and
	// conformance/ginkgo.
	BinDir string
	// Start starts the cluster. It is not called if Kubeconfig is set.
	Start StartCluster
	// Kubeconfig is that of a running cluster to be used; optional.
	Kubeconfig string
	// Procs is how many tests run at a time; 8 if zero.
	Procs int
	// Timeout bounds all tests together; 6 hours if zero.
	Timeout time.Duration
	// Patience is how long no test may end before those that still run are
	// broken off; 15 minutes if zero. A test that waits for a pod in vain
	// takes 5 minutes, or a multiple of that.
	Patience time.Duration
	// DumpLogs has the suite log the events of a failed test's namespace.
	DumpLogs bool
	// Out is where the run is told; Live says that it is a terminal.
	Out  io.Writer
	Live bool
	// Clock measures the run.
	Clock clock.WithTicker
}

const (
	defaultProcs    = 8
	defaultTimeout  = 6 * time.Hour
	defaultPatience = 15 * time.Minute
	// maxPasses bounds how often the suite is called: after one that stalled
	// the tests that had no turn yet are run.
	maxPasses = 5
)

// Outcomes is what a run found.
type Outcomes struct {
	// Tests are those that were to run; Results are by Test.Spec.
	Tests   []Test
	Results map[string]Result
	// Expected are the committed results, Comparison is with them. Control are
	// the committed results of the emulated clouds' own kubelet.
	Expected   Expected
	Control    Expected
	Comparison Comparison
	// Took is the time of the whole run, Testing that of the tests alone.
	Took, Testing time.Duration
}

// runner is one run.
type runner struct {
	Options

	tests    []Test
	progress *progress
	cluster  testedCluster
	report   report
}

// Run brings up a cluster, runs the selected tests in it, and stops it again.
// That tests fail is no error. It is one if no test could run; then nothing is
// known. If the context ends, the results so far are returned with its error.
func Run(ctx context.Context, o Options) (Outcomes, error) {
	o.setDefaults()
	catalog, err := LoadCatalog()
	if err != nil {
		return Outcomes{}, err
	}
	r := &runner{Options: o, report: report{results: map[string]Result{}}}
	if r.tests, err = catalog.Select(o.Selection); err != nil {
		return Outcomes{}, err
	}
	expected, errExpected := LoadExpected(o.Cloud)
	control, errControl := LoadExpected(Control)
	if err := errors.Join(errExpected, errControl); err != nil {
		return Outcomes{}, err
	}
	if err := r.checkPrograms(); err != nil {
		return Outcomes{}, err
	}
	unlock, err := r.takeDir()
	if err != nil {
		return Outcomes{}, err
	}
	defer unlock()
	begun := o.Clock.Now()
	testing, err := r.run(ctx)
	if len(r.report.results) == 0 {
		return Outcomes{}, err
	}
	return Outcomes{
		Tests: r.tests, Results: r.report.results,
		Expected: expected, Control: control, Comparison: Compare(r.tests, r.report.results, expected),
		Took: o.Clock.Since(begun), Testing: testing,
	}, err
}

func (o *Options) setDefaults() {
	if o.Procs == 0 {
		o.Procs = defaultProcs
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
}

// checkPrograms tells what has to be built first.
func (r *runner) checkPrograms() error {
	for _, name := range []string{"kubectl", "conformance/ginkgo", "conformance/e2e.test"} {
		if _, err := os.Stat(filepath.Join(r.BinDir, name)); err != nil {
			return fmt.Errorf("finding the suite's programs (hack/conformance/build.sh and hack/controlplane/build.sh make them): %w", err)
		}
	}
	return nil
}

// The names that a run has in its folder.
const (
	passPrefix = "pass-"
	clusterDir = "cluster"
)

// takeDir makes the results' folder ours, or says which run has it.
func (r *runner) takeDir() (release func(), err error) {
	if r.Dir, err = filepath.Abs(r.Dir); err != nil {
		return nil, fmt.Errorf("finding the results' folder: %w", err)
	}
	if r.BinDir, err = filepath.Abs(r.BinDir); err != nil {
		return nil, fmt.Errorf("finding the programs' folder: %w", err)
	}
	release, err = lockfile.Acquire(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("taking the results' folder: %w", err)
	}
	if err := r.clearDir(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// clearDir removes an earlier run's passes and cluster, and nothing else.
func (r *runner) clearDir() error {
	old, err := filepath.Glob(filepath.Join(r.Dir, passPrefix+"[0-9]"))
	if err != nil {
		return fmt.Errorf("looking for earlier results: %w", err)
	}
	for _, path := range append(old, filepath.Join(r.Dir, clusterDir)) {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing earlier results: %w", err)
		}
	}
	return nil
}

// run brings up the cluster, tests it and stops it.
func (r *runner) run(ctx context.Context) (testing time.Duration, err error) {
	cluster, err := r.start(ctx)
	if err != nil {
		return 0, fmt.Errorf("starting the cluster to be tested: %w", err)
	}
	defer func() {
		if stopErr := cluster.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("stopping the tested cluster: %w", stopErr))
		}
	}()
	if r.cluster, err = inspect(ctx, cluster); err != nil {
		return 0, err
	}
	r.progress = newProgress(r.Out, r.Live, r.Clock, len(r.tests))
	r.progress.tell(fmt.Sprintf("running %d conformance tests of Kubernetes %s on %s, %d at a time; reports and logs are in %s",
		len(r.tests), Release, r.Cloud, r.Procs, r.Dir))
	begun := r.Clock.Now()
	err = r.passes(ctx)
	return r.Clock.Since(begun), err
}

func (r *runner) start(ctx context.Context) (Cluster, error) {
	if r.Kubeconfig != "" {
		path, err := filepath.Abs(r.Kubeconfig)
		return existing(path), err
	}
	begun := r.Clock.Now()
	return r.Start(ctx, ClusterOptions{
		Cloud: r.Cloud, Dir: filepath.Join(r.Dir, clusterDir), BinDir: r.BinDir,
		Progress: func(step string) {
			_, _ = fmt.Fprintf(r.Out, "[%5.1fs] %s\n", r.Clock.Since(begun).Seconds(), step) // as progress.printf
		},
	})
}

// passes calls the suite until every test had its turn.
func (r *runner) passes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	remaining := r.tests
	for pass := 1; ; pass++ {
		s := suite{
			binDir: filepath.Join(r.BinDir, "conformance"), kubectl: filepath.Join(r.BinDir, "kubectl"),
			kubeconfig: r.cluster.Kubeconfig(), dir: filepath.Join(r.Dir, passPrefix+strconv.Itoa(pass)),
			procs: min(r.Procs, len(remaining)), nodes: r.cluster.nodes, dumpLogs: r.DumpLogs, ended: r.progress.end, grace: interruptGrace,
			timeout: r.Timeout + interruptGrace, // ours comes first
		}
		err := r.pass(ctx, s, remaining)
		remaining = r.withoutResult(remaining)
		if !errors.Is(err, errStalled) || len(remaining) == 0 || pass == maxPasses {
			return r.conclude(err, remaining)
		}
		r.progress.tell(fmt.Sprintf("no test has ended for %s: broke off those that ran; going on with the other %d", r.Patience, len(remaining)))
		if err := r.cluster.reset(ctx); err != nil {
			return fmt.Errorf("going on after tests that hung: %w", err)
		}
	}
}

// conclude makes the end of the last pass that of the run. Tests that hung have
// failed, and that is all; tests without a turn are an error.
func (r *runner) conclude(err error, remaining []Test) error {
	if len(r.report.suite) > 0 {
		err = errors.Join(err, fmt.Errorf("the suite itself failed: %q", r.report.suite))
	}
	if len(remaining) == 0 && errors.Is(err, errStalled) {
		return nil
	}
	if len(remaining) > 0 && err == nil {
		return fmt.Errorf("the suite ended without having run %d tests, the first being %q", len(remaining), remaining[0].Spec)
	}
	return err
}

// pass calls the suite once. The error is errStalled if no test ended any more.
func (r *runner) pass(ctx context.Context, s suite, tests []Test) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched, endWatch := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.progress.watch(watched, r.Patience, func() { cancel(errStalled) })
	}()
	go r.watchCluster(watched, cancel) // ends with the watch
	err := s.run(ctx, tests)
	endWatch()
	<-done
	if errors.Is(err, errInterrupted) {
		err = context.Cause(ctx)
	}
	later, readErr := readReport(s.dir)
	if readErr != nil {
		// A suite that was killed: what it told while it ran is left.
		later = report{results: r.progress.heard()}
		err = errors.Join(err, readErr)
	}
	if errors.Is(err, errStalled) {
		later.blameInterrupted(r.Patience)
	} else {
		later.forgetInterrupted()
	}
	r.report.merge(later)
	return err
}

// watchCluster breaks the suite off when a part of the cluster has ended.
func (r *runner) watchCluster(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
	case err := <-r.cluster.Failed():
		cancel(fmt.Errorf("the tested cluster failed: %w", err))
	}
}

func (r *runner) withoutResult(tests []Test) []Test {
	var without []Test
	for _, t := range tests {
		if _, ok := r.report.results[t.Spec]; !ok {
			without = append(without, t)
		}
	}
	return without
}
