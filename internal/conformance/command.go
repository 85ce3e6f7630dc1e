package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/utils/clock"
)

// CommandOptions are what the command is made from.
type CommandOptions struct {
	// BinDir tells where the programs are.
	BinDir func() (string, error)
	// Start starts the clusters to be tested.
	Start StartCluster
}

// commandFlags are the command line.
type commandFlags struct {
	cloud, dir, kubeconfig, source string
	areas, classes                 []string
	focus, skip                    string
	procs                          int
	timeout, patience              time.Duration
	dumpLogs, update, list         bool
}

// NewCommand makes the command "conformance". It fails if a test does worse
// than expected, or if the run did not come to its end.
func NewCommand(o CommandOptions) *cobra.Command {
	var f commandFlags
	command := &cobra.Command{
		Use:   "conformance --cloud eci|kci|control",
		Short: "Run Kubernetes' own conformance tests against a virtual node",
		Long: `conformance starts a cluster whose only node is a virtual node of one emulated
cloud, without the taint, and runs Kubernetes' own conformance tests in it: those
of sig-node and sig-storage, and of sig-auth those about tokens in pods; with
--area others too. It compares the results with the committed ones and fails if a
test does worse.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.cloud, "cloud", string(ECI), "what the node stands for: eci, kci, or control, the emulated clouds' own kubelet")
	flags.StringSliceVar(&f.areas, "area", nil, "areas to test, such as sig-apps or apps, or all; instead of those of a node")
	flags.StringSliceVar(&f.classes, "class", nil, "classes to test, of A, B, C and other; all if not given")
	flags.StringVar(&f.focus, "focus", "", "run only the tests whose name this regular expression matches")
	flags.StringVar(&f.skip, "skip", "", "leave out the tests whose name this regular expression matches")
	flags.IntVar(&f.procs, "procs", defaultProcs, "how many tests to run at a time")
	flags.DurationVar(&f.timeout, "timeout", defaultTimeout, "end of the whole run")
	flags.DurationVar(&f.patience, "patience", defaultPatience, "break off the tests that run when none has ended for so long")
	flags.BoolVar(&f.dumpLogs, "dump-logs", true, "have the suite log the events and pods of a failed test's namespace; causes are found there")
	flags.StringVar(&f.dir, "dir", "", "folder for reports and logs; bin/conformance/results/CLOUD if not given")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "test this running cluster, instead of starting one")
	flags.BoolVar(&f.update, "update", false, "make the results the expected ones, and write docs/conformance.md")
	flags.StringVar(&f.source, "source", ".", "the repository's folder, for --update")
	flags.BoolVar(&f.list, "list", false, "only list the tests that would run")
	return command
}

func (f commandFlags) selection() Selection {
	s := Selection{Areas: f.areas, Focus: f.focus, Skip: f.skip}
	for _, class := range f.classes {
		s.Classes = append(s.Classes, Class(class))
	}
	return s
}

func (f commandFlags) run(ctx context.Context, o CommandOptions, out io.Writer) error {
	cloud, err := ParseCloud(f.cloud)
	if err != nil {
		return fmt.Errorf("reading --cloud: %w", err)
	}
	if f.list {
		return f.listTests(out)
	}
	bin, err := o.BinDir()
	if err != nil {
		return err
	}
	if f.dir == "" {
		f.dir = filepath.Join(bin, "conformance", "results", string(cloud))
	}
	outcomes, runErr := Run(ctx, Options{
		Cloud: cloud, Selection: f.selection(), Dir: f.dir, BinDir: bin, Start: o.Start, Kubeconfig: f.kubeconfig,
		Procs: f.procs, Timeout: f.timeout, Patience: f.patience, DumpLogs: f.dumpLogs,
		Out: out, Live: isTerminal(out), Clock: clock.RealClock{},
	})
	if len(outcomes.Results) == 0 {
		return runErr
	}
	return errors.Join(f.conclude(outcomes, cloud, out), runErr)
}

func (f commandFlags) listTests(out io.Writer) error {
	catalog, err := LoadCatalog()
	if err != nil {
		return err
	}
	tests, err := catalog.Select(f.selection())
	if err != nil {
		return err
	}
	for _, t := range tests {
		if _, err := fmt.Fprintln(out, t.Class, t.Spec); err != nil {
			return fmt.Errorf("listing tests: %w", err)
		}
	}
	return nil
}

// conclude tells the results and keeps them.
func (f commandFlags) conclude(o Outcomes, cloud Cloud, out io.Writer) error {
	file, err := os.OpenFile(filepath.Join(f.dir, "summary.txt"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("opening summary: %w", err)
	}
	err = o.Summary(io.MultiWriter(out, file), cloud)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing summary: %w", err)
	}
	if f.update {
		return f.writeResults(o, cloud, out)
	}
	if n := len(o.Comparison.Worse); n > 0 {
		return fmt.Errorf("%d conformance tests do worse than expected of %s; the first is %q", n, cloud, o.Comparison.Worse[0].Test.Spec)
	}
	return nil
}

func (f commandFlags) writeResults(o Outcomes, cloud Cloud, out io.Writer) error {
	catalog, err := LoadCatalog()
	if err != nil {
		return err
	}
	before, err := ReadExpected(f.source, cloud)
	if err != nil {
		return err
	}
	results, err := before.Update(catalog, o.Results).write(f.source, cloud)
	if err != nil {
		return err
	}
	docs, err := writeDocs(f.source, catalog)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nWrote %s and %s.\n", results, docs)
	return err
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
