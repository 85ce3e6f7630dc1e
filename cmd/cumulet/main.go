// Command cumulet runs virtual Kubernetes nodes whose pods are container
// groups on Alibaba Cloud ECI and Kingsoft Cloud KCI.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctx := ctrl.SetupSignalHandler()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "cumulet:", err)
		os.Exit(exitCode(err))
	}
}

func newCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "cumulet",
		Short: "Run pods as container groups on Alibaba Cloud ECI and Kingsoft Cloud KCI",
		Long: `cumulet is a virtual kubelet. Each entry of its configuration becomes a
Kubernetes node; a pod bound to it becomes one container group in the cloud,
and what the cloud tells of the group becomes the pod's status, events, logs.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.AddCommand(newRunCommand(), newTranslateCommand(), newVersionCommand())
	return command
}
