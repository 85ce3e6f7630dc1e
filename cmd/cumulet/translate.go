package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/manifest"
	"github.com/cumulet/cumulet/internal/preview"
)

// The exit codes of translate beside 0 (every pod would run) and 1 (it could
// not be told).
const (
	exitRefused = 2
	exitMissing = 3
)

// The forms of translate's output.
const (
	formText    = "text"
	formJSON    = "json"
	formYAML    = "yaml"
	formRequest = "request"
)

// exitError is an error that ends the program with a code of its own.
type exitError struct {
	code int
	text string
}

// Error says what is wrong.
func (e *exitError) Error() string { return e.text }

// exitCode is the code by which an error ends the program.
func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return 1
}

// translateFlags are what the user asks of translate.
type translateFlags struct {
	files                []string
	cloud, dialect, form string
	configuration, node  string
	namespace            string
	allFields, secrets   bool
}

const translateHelp = `Show what the pods of manifests would be as container groups: whether they
would run, the request that would be sent with its secrets left out, the size
that would be billed, and every field that is emulated, changed, ignored or
refused, with the reason. It needs no cluster and speaks to no cloud.

Manifests are YAML or JSON as people have them: Pods, Deployments, StatefulSets,
DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs, PodTemplates,
Lists, what kubectl get -o yaml prints. The ConfigMaps, Secrets, Services,
ServiceAccounts, LimitRanges, claims and volumes among them are what the pods
refer to or get their limits from. -f may be given several times, names a
file, a folder or - for stdin.

Without --config a node in the clouds' usual regions is assumed, with made-up
ids of its network.

With -o request each request is printed as it goes over the wire but for what
signing adds; with --show-secrets, or where there is no secret, byte for byte.

Exit code: 0 when every pod would run, 1 when that could not be told, 2 when a
pod would be refused, 3 when none would be but one refers to something that is
not among the manifests.`

const translateExample = `  cumulet translate -f web.yaml
  cumulet translate -f manifests/ -f secrets.yaml --cloud eci -o request
  kubectl get pod web-0 -o yaml | cumulet translate -f - --config cumulet.yaml --node eci-1
  cumulet translate --all-fields`

func newTranslateCommand() *cobra.Command {
	var flags translateFlags
	command := &cobra.Command{
		Use:     "translate -f FILE...",
		Short:   "Show what pods would be in the clouds, and what it would cost in size",
		Long:    translateHelp,
		Example: translateExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd.Flags()); err != nil {
				return err
			}
			return runTranslate(&flags, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := command.Flags()
	f.StringArrayVarP(&flags.files, "filename", "f", nil, "file or folder of manifests, - for stdin; may be given several times")
	f.StringVar(&flags.cloud, "cloud", "", "eci or kci; both by default")
	f.StringVar(&flags.dialect, "dialect", "", "of KCI's API: extended (default) or seed")
	f.StringVarP(&flags.form, "output", "o", formText, "text, yaml, json or request")
	f.StringVar(&flags.configuration, "config", "", "cumulet's configuration file, for the node's settings and policy")
	f.StringVar(&flags.node, "node", "", "the node of --config that the pods would be on; all of its nodes by default")
	f.StringVarP(&flags.namespace, "namespace", "n", "default", "namespace of objects that name none")
	f.BoolVar(&flags.allFields, "all-fields", false, "print what becomes of every field of a pod, on each cloud")
	f.BoolVar(&flags.secrets, "show-secrets", false, "print secrets as they are")
	return command
}

// check tells of flags that would be passed over, and of a namespace that can be
// none.
func (f *translateFlags) check(given *pflag.FlagSet) error {
	if faults := validation.IsDNS1123Label(f.namespace); len(faults) > 0 {
		return fmt.Errorf("--namespace is %q: %s", f.namespace, faults[0])
	}
	if !f.allFields {
		return nil
	}
	for _, name := range []string{"filename", "output", "namespace", "show-secrets"} {
		flag := given.Lookup(name)
		if !flag.Changed || name == "output" && f.form == formText {
			continue
		}
		if flag.Shorthand != "" {
			return fmt.Errorf("--all-fields takes no -%s", flag.Shorthand)
		}
		return fmt.Errorf("--all-fields takes no --%s", name)
	}
	return nil
}

func runTranslate(flags *translateFlags, in io.Reader, out io.Writer) error {
	clouds, err := flags.clouds()
	if err != nil {
		return err
	}
	if flags.allFields {
		if width := columns(out); width > 0 {
			return preview.WriteFieldsWithin(out, clouds, width)
		}
		return preview.WriteFields(out, clouds)
	}
	write, err := flags.writer()
	if err != nil {
		return err
	}
	if len(flags.files) == 0 {
		return errors.New("-f is missing: name a file, a folder or - for stdin")
	}
	manifests, err := flags.read(in)
	if err != nil {
		return err
	}
	output := preview.Output{Skipped: manifests.Skipped}
	for i := range manifests.Pods {
		for j := range clouds {
			output.Results = append(output.Results, clouds[j].Of(manifests, &manifests.Pods[i], flags.secrets))
		}
	}
	if err := write(out, output); err != nil {
		return err
	}
	return verdict(output.Results)
}

func (f *translateFlags) read(in io.Reader) (*manifest.Manifests, error) {
	sources, err := manifest.Load(f.files, in)
	if err != nil {
		return nil, err
	}
	manifests, err := manifest.Read(sources, f.namespace)
	if err != nil {
		return nil, err
	}
	if len(manifests.Pods) == 0 {
		faults := []string{"the files hold no pod and nothing that makes pods"}
		for _, s := range manifests.Skipped {
			faults = append(faults, fmt.Sprintf("skipped %s %s of %s: %s", s.Kind, s.Name, s.Source, s.Reason))
		}
		return nil, errors.New(strings.Join(faults, "; "))
	}
	return manifests, nil
}

// columns is the width of the terminal that is written to; 0 where there is none.
func columns(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func (f *translateFlags) writer() (func(io.Writer, preview.Output) error, error) {
	switch f.form {
	case formText:
		return preview.WriteText, nil
	case formJSON:
		return preview.WriteJSON, nil
	case formYAML:
		return preview.WriteYAML, nil
	case formRequest:
		return preview.WriteRequests, nil
	default:
		return nil, fmt.Errorf("--output is %q, must be %s, %s, %s or %s", f.form, formText, formYAML, formJSON, formRequest)
	}
}

// verdict is the error of pods that would not run.
func verdict(results []preview.Result) error {
	refused, missing := 0, 0
	for i := range results {
		switch results[i].Verdict {
		case preview.VerdictRefused:
			refused++
		case preview.VerdictMissing:
			missing++
		case preview.VerdictRuns:
		}
	}
	switch {
	case refused > 0:
		return &exitError{exitRefused, fmt.Sprintf("%d of %d would be refused", refused, len(results))}
	case missing > 0:
		return &exitError{exitMissing, fmt.Sprintf("%d of %d lack something that is not among the files", missing, len(results))}
	default:
		return nil
	}
}

// clouds are those to show the pods on.
func (f *translateFlags) clouds() ([]preview.Cloud, error) {
	if f.cloud != "" && f.cloud != config.CloudECI && f.cloud != config.CloudKCI {
		return nil, fmt.Errorf("--cloud is %q, must be %s or %s", f.cloud, config.CloudECI, config.CloudKCI)
	}
	if f.dialect != "" && f.dialect != config.DialectSeed && f.dialect != config.DialectExtended {
		return nil, fmt.Errorf("--dialect is %q, must be %s or %s", f.dialect, config.DialectExtended, config.DialectSeed)
	}
	if f.dialect != "" && f.cloud == config.CloudECI {
		return nil, errors.New("--dialect is for kci: eci has no dialects")
	}
	switch {
	case f.configuration != "":
		return f.configured()
	case f.node != "":
		return nil, errors.New("--node names a node of --config, which is missing")
	default:
		return f.assumed()
	}
}
