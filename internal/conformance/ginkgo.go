package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// suiteName is how the suite calls itself; ginkgo puts it before a spec's text
// where it looks for the focus.
const suiteName = "Kubernetes e2e suite"

// interruptGrace is how long the suite may take to clean up and to write its
// report once it was asked to end. Cleaning up deletes namespaces.
const interruptGrace = 2 * time.Minute

// pipeGrace is how long the suite's processes may keep its output open after
// ginkgo has ended.
const pipeGrace = 10 * time.Second

// suite is one call of ginkgo over a set of tests.
type suite struct {
	binDir     string // bin/conformance
	kubectl    string
	kubeconfig string
	dir        string // for everything it writes
	procs      int
	nodes      int
	timeout    time.Duration
	dumpLogs   bool
	// grace is how long it may take to end once it was asked to.
	grace time.Duration
	// ended is told of each test that has ended, by Test.Spec.
	ended func(string, Outcome)
}

// focus is a regular expression for exactly these tests. It is anchored: the
// suite matches it against 7,000 specs in each of its processes, which takes a
// fraction of a second this way and minutes otherwise. For all 441 tests it is
// some 50 KB long; Linux takes arguments of 128 KiB.
func focus(tests []Test) string {
	specs := make([]string, len(tests))
	for i, t := range tests {
		specs[i] = regexp.QuoteMeta(t.Spec)
	}
	return "^" + regexp.QuoteMeta(suiteName) + " (" + strings.Join(specs, "|") + ")$"
}

// arguments are ginkgo's command line for some tests. Serial tests need no call
// of their own: ginkgo runs them one by one after the parallel ones.
func (s suite) arguments(tests []Test) []string {
	return []string{
		"--procs=" + strconv.Itoa(s.procs),
		"--timeout=" + s.timeout.String(),
		"--grace-period=30s",
		"--poll-progress-after=3m", "--poll-progress-interval=2m",
		"-v", "--no-color",
		"--focus=" + focus(tests),
		filepath.Join(s.binDir, "e2e.test"),
		"--",
		"--kubeconfig=" + s.kubeconfig,
		"--kubectl-path=" + s.kubectl,
		"--provider=skeleton",
		"--report-dir=" + s.dir,
		"--e2e-output-dir=" + s.dir,
		"--num-nodes=" + strconv.Itoa(s.nodes),
		"--allowed-not-ready-nodes=0", "--minStartupPods=0",
		// A cluster that somebody else started may have the other virtual node
		// too.
		"--non-blocking-taints=virtual-kubelet.io/provider,node-role.kubernetes.io/control-plane",
		"--node-schedulable-timeout=2m", "--system-pods-startup-timeout=3m", "--system-daemonsets-startup-timeout=1m",
		"--disable-log-dump=true",
		"--dump-logs-on-failure=" + strconv.FormatBool(s.dumpLogs),
	}
}

// errInterrupted is the end of a suite that was asked to end.
var errInterrupted = errors.New("the suite was broken off")

// run runs the tests and returns when ginkgo has ended. That tests fail is no
// error: the report tells. When the context ends the suite is asked to end, and
// killed after the grace; the error is errInterrupted then.
func (s suite) run(ctx context.Context, tests []Test) error {
	if err := os.MkdirAll(filepath.Join(s.dir, "tmp"), 0o700); err != nil {
		return fmt.Errorf("making the suite's folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(filepath.Join(s.dir, "tmp")) }() // rubbish harms nobody, and goes with the next run
	log, err := os.OpenFile(filepath.Join(s.dir, "ginkgo.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("opening the suite's log: %w", err)
	}
	defer func() { _ = log.Close() }()                                            // it is for reading by people; the report counts
	cmd := exec.Command(filepath.Join(s.binDir, "ginkgo"), s.arguments(tests)...) //nolint:noctx // no context kills it: it has to write its report
	cmd.Env = []string{
		"HOME=" + s.dir, "TMPDIR=" + filepath.Join(s.dir, "tmp"),
		"PATH=" + filepath.Dir(s.kubectl) + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	heard := newListener(log, tests, s.ended)
	cmd.Stdout, cmd.Stderr = heard, heard
	cmd.WaitDelay = pipeGrace
	end, err := startGroup(cmd)
	if err != nil {
		return fmt.Errorf("starting ginkgo: %w", err)
	}
	defer end()
	return s.await(ctx, cmd)
}

// await waits for ginkgo, and for its end if the context ends before.
func (s suite) await(ctx context.Context, cmd *exec.Cmd) error {
	var status error
	ended := make(chan struct{})
	go func() { // ends with the process
		defer close(ended)
		status = cmd.Wait()
	}()
	select {
	case <-ended:
		return s.judge(status)
	case <-ctx.Done():
	}
	// The group, as a terminal's ^C: ginkgo passes no signal on.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("interrupting ginkgo: %w", err)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	select {
	case <-ended:
	case <-grace.Done():
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what can't be killed is gone
		<-ended
	}
	return errInterrupted
}

// judge tells a suite in which tests failed (exit status 1) from one that could
// not run: then there is no report either.
func (s suite) judge(err error) error {
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	return fmt.Errorf("running ginkgo (see %s): %w", filepath.Join(s.dir, "ginkgo.log"), err)
}

// startGroup starts a command in a process group of its own. end kills what is
// left of the group; it also happens by itself when this process is gone, even
// if that was killed: the suite's processes watch no parent, so a shell in
// their group does, at a pipe that ends when we do.
func startGroup(cmd *exec.Cmd) (end func(), err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making pipe: %w", err)
	}
	defer func() { _ = read.Close() }() // the watcher has its own
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close() // nobody reads it
		return nil, err
	}
	watcher := exec.Command("/bin/sh", "-c", "trap '' INT TERM; read -r _; kill -KILL 0") //nolint:noctx // the pipe ends it
	watcher.Stdin = read
	watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: cmd.Process.Pid}
	if err := watcher.Start(); err != nil {
		_ = write.Close() // nobody reads it
		err = errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		return nil, fmt.Errorf("starting its watcher: %w", err)
	}
	return func() {
		_ = write.Close()
		_ = watcher.Wait() // it ends by its own signal
	}, nil
}
