package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/conformance"
	"github.com/cumulet/cumulet/internal/local"
)

func newConformanceCommand() *cobra.Command {
	return conformance.NewCommand(conformance.CommandOptions{BinDir: binDir, Start: startTested})
}

// startTested starts the cluster whose one node Kubernetes' own tests judge.
// Many of their pods keep Pod Security "restricted" without looking at what it
// does to them.
func startTested(ctx context.Context, o conformance.ClusterOptions) (conformance.Cluster, error) {
	options := local.Options{
		Dir: o.Dir, BinDir: o.BinDir, Progress: o.Progress, Images: builtImages(o.BinDir),
		Runtime: local.RuntimeKubernetes, Untainted: []string{local.NodeECI, local.NodeKCI},
		SecurityContext: config.SecurityContextReport, Hostname: config.HostnameEmulate,
	}
	switch o.Cloud {
	case conformance.Control:
		return local.StartBare(ctx, options)
	case conformance.KCI:
		options.Nodes = []string{local.NodeKCI}
	default:
		options.Nodes = []string{local.NodeECI}
	}
	return local.Start(ctx, options)
}
