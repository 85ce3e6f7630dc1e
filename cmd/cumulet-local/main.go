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

	"github.com/cumulet/cumulet/internal/demo"
	"github.com/cumulet/cumulet/internal/local"
)

func main() {
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
Everything listens on 127.0.0.1 and ends with this program.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.AddCommand(newUpCommand(), newDemoCommand())
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

// start starts the system and tells each step with the seconds it has taken.
func start(ctx context.Context, dir string) (*local.Stack, error) {
	bin, err := binDir()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	return local.Start(ctx, local.Options{Dir: dir, BinDir: bin, Progress: func(step string) {
		_, _ = fmt.Fprintf(os.Stderr, "[%5.1fs] %s\n", time.Since(begun).Seconds(), step)
	}})
}

func newUpCommand() *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Start everything and keep it running until SIGINT or SIGTERM",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return up(cmd.Context(), dir) },
	}
	command.Flags().StringVar(&dir, "dir", "",
		"folder for data, logs, kubeconfig and clouds.json; made if need be, and used again on the next start")
	_ = command.MarkFlagRequired("dir") // it fails only for flags that do not exist
	return command
}

func up(ctx context.Context, dir string) error {
	stack, err := start(ctx, dir)
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
  kubectl run hello --image=busybox --restart=Never --overrides='%[3]s' -- sh -c 'while true; do date; sleep 1; done'
  kubectl logs -f hello
  kubectl exec -it hello -- sh
  kubectl describe pod hello
  kubectl delete pod hello

The clouds' addresses and keys:  %[4]s
What exists in them, as billed:  curl %[5]s/groups
cumulet's configuration and log: %[6]s, %[7]s

Stop with ^C.
`, s.Kubeconfig(), bin, podOverrides, filepath.Join(s.Dir(), "clouds.json"), s.Clouds.Admin.Endpoint,
		s.ConfigFile(), filepath.Join(s.Dir(), "logs", "cumulet.log"))
}

// podOverrides put a pod of kubectl run onto the ECI node; kci-local goes the
// same way.
const podOverrides = `{"spec":{"nodeSelector":{"kubernetes.io/hostname":"eci-local"},` +
	`"tolerations":[{"key":"virtual-kubelet.io/provider","operator":"Exists"}]}}`

func newDemoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Start everything, run one pod's whole life on each cloud, and stop",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context()) },
	}
}

func runDemo(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "cumulet-demo-")
	if err != nil {
		return fmt.Errorf("making folder: %w", err)
	}
	stack, err := start(ctx, dir)
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
