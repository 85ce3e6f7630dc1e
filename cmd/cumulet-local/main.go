// Command cumulet-local runs all of cumulet on one machine: a real Kubernetes
// control plane, both clouds as emulators behind their real wire protocols, and
// cumulet with a virtual node for each.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cumulet/cumulet/internal/demo"
	"github.com/cumulet/cumulet/internal/local"
	"github.com/cumulet/cumulet/internal/machine"
)

func main() {
	machine.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "cumulet-local:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "cumulet-local",
		Short: "Run Kubernetes, two emulated clouds and cumulet on this machine",
		Long: `cumulet-local needs no cloud account and no container runtime. It starts etcd,
kube-apiserver, kube-scheduler and kube-controller-manager, emulators of Alibaba
Cloud ECI and Kingsoft Cloud KCI that speak the clouds' own protocols and check
their signatures, and cumulet with the virtual nodes eci-local and kci-local.
Everything listens on 127.0.0.1 and ends with this program.

On Linux as root the clouds' containers are real: a kubelet with containerd runs
them in namespaces of its own, which nothing but one network link and its routes
tie to this machine, and kube-proxy and CoreDNS give them Services. Elsewhere
they run in a cluster that you name with --backing-kubeconfig (kind, k3s, Docker
Desktop), or are simulated.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.AddCommand(newUpCommand(), newDemoCommand(), newConformanceCommand())
	return command
}

// binDir is where the other programs are: beside this one.
func binDir() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program's folder: %w", err)
	}
	return filepath.Dir(self), nil
}

// settings are the flags of up and demo.
type settings struct {
	dir, runtime, backing, images string
}

func (s *settings) register(set *pflag.FlagSet) {
	set.StringVar(&s.runtime, "runtime", string(local.RuntimeAuto),
		"how containers run: kubernetes (for real), simulated, or auto: for real where that is possible")
	set.StringVar(&s.backing, "backing-kubeconfig", "",
		"run containers as pods of the cluster that this `file` names, in the namespaces cumulet-eci and cumulet-kci, which are emptied first")
	set.StringVar(&s.images, "images", "",
		"OCI image `layout` whose images need not be pulled from anywhere (default: images/ beside this program, if it is there)")
}

// start starts the system and tells each step with the seconds it has taken.
func (s *settings) start(ctx context.Context) (*local.Stack, error) {
	bin, err := binDir()
	if err != nil {
		return nil, err
	}
	runtime, err := local.ParseRuntime(s.runtime)
	if err != nil {
		return nil, fmt.Errorf("reading --runtime: %w", err)
	}
	if s.images == "" {
		s.images = builtImages(bin)
	}
	return local.Start(ctx, local.Options{
		Dir: s.dir, BinDir: bin, Progress: progress(),
		Runtime: runtime, BackingKubeconfig: s.backing, Images: s.images,
		// There is no node of the usual kind here: pods without a toleration
		// need one, so that kubectl run works as anywhere.
		Untainted: []string{local.NodeECI},
	})
}

// builtImages is the layout that make images builds; empty if it is not there.
func builtImages(bin string) string {
	layout := filepath.Join(bin, "images")
	if _, err := os.Stat(filepath.Join(layout, "index.json")); err != nil {
		return ""
	}
	return layout
}

// progress tells each step with the seconds since now.
func progress() func(string) {
	begun := time.Now()
	return func(step string) {
		_, _ = fmt.Fprintf(os.Stderr, "[%5.1fs] %s\n", time.Since(begun).Seconds(), step)
	}
}

func newUpCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Start everything and keep it running until SIGINT or SIGTERM",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return up(cmd.Context(), &s) },
	}
	s.register(command.Flags())
	command.Flags().StringVar(&s.dir, "dir", "",
		"folder for data, logs, kubeconfig and clouds.json; made if need be, and used again on the next start")
	_ = command.MarkFlagRequired("dir") // it fails only for flags that do not exist
	return command
}

func up(ctx context.Context, settings *settings) error {
	stack, err := settings.start(ctx)
	if err != nil {
		return err
	}
	bin, err := binDir()
	if err != nil {
		return errors.Join(err, stack.Stop())
	}
	fmt.Print(nextSteps(stack, bin))
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(os.Stderr, "stopping")
	case err = <-stack.Failed():
	}
	return errors.Join(err, stack.Stop())
}

// nextSteps are the commands that a person wants to type now.
func nextSteps(s *local.Stack, bin string) string {
	return fmt.Sprintf(`
Ready. In another terminal:

  export KUBECONFIG=%[1]s
  export PATH=%[2]s:$PATH
  kubectl get nodes
  kubectl run hello --image=busybox -- sh -c 'while true; do date; sleep 1; done'
  kubectl logs -f hello
  kubectl exec -it hello -- sh
  kubectl describe pod hello
  kubectl delete pod hello

The clouds' addresses and keys:  %[3]s
What exists in them, as billed:  curl %[4]s/groups
cumulet's configuration and log: %[5]s, %[6]s

Stop with ^C.
`, s.Kubeconfig(), bin, filepath.Join(s.Dir(), "clouds.json"), s.Clouds.Admin.Endpoint,
		s.ConfigFile(), filepath.Join(s.Dir(), "logs", "cumulet.log"))
}

func newDemoCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "demo",
		Short: "Start everything, run one pod's whole life on each cloud, and stop",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), s) },
	}
	s.register(command.Flags())
	return command
}

func runDemo(ctx context.Context, settings settings) (err error) {
	dir, err := os.MkdirTemp("", "cumulet-demo-")
	if err != nil {
		return fmt.Errorf("making folder: %w", err)
	}
	settings.dir = dir
	stack, err := settings.start(ctx)
	if err != nil {
		return fmt.Errorf("%w\n(everything is kept in %s)", err, dir)
	}
	defer func() {
		err = errors.Join(err, stack.Stop())
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			err = fmt.Errorf("%w\n(logs are kept in %s)", err, filepath.Join(dir, "logs"))
		}
	}()
	bin, err := binDir()
	if err != nil {
		return err
	}
	return demo.Run(ctx, stack, demo.Options{Kubectl: filepath.Join(bin, "kubectl"), Out: os.Stdout})
}
