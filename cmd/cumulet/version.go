package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cumulet/cumulet/internal/agent"
)

// version is set by the linker; see the Makefile.
var version = "0.1.0-dev"

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			cmd.Printf("cumulet %s (kubelet API %s, %s %s/%s)\n", version, agent.KubernetesVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
