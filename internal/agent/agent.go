// Package agent assembles cumulet's process: controller-runtime's manager for
// signals, health, metrics and leader election, and under it one virtual node
// for each entry of the configuration. It decides nothing about pods; it only
// joins the rooms. Which cloud is which is its caller's knowledge.
package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/config"
)

// Options are what Run needs beside the configuration.
type Options struct {
	// NewCloud makes the client of a node's cloud.
	NewCloud func(config.Node, logr.Logger) (cloudapi.Client, error)
	// Version is cumulet's version, shown in the node's status.
	Version string
	Log     logr.Logger
	// NodeReady, if set, is told when a node has been registered and its
	// groups have been read once.
	NodeReady func(name string)
}

// KubernetesVersion is the version of the kubelet API that cumulet serves and
// of the libraries it is built from.
const KubernetesVersion = "v1.35.4"

// Run hosts the virtual nodes of the configuration until ctx ends.
func Run(ctx context.Context, c *config.Config, o Options) error {
	kube, err := processConfig(c)
	if err != nil {
		return err
	}
	mgr, err := manager.New(kube, manager.Options{
		Logger:                        o.Log,
		Metrics:                       metricsserver.Options{BindAddress: c.MetricsAddress},
		HealthProbeBindAddress:        c.HealthAddress,
		LeaderElection:                c.LeaderElection.Enabled,
		LeaderElectionID:              c.LeaderElection.Name,
		LeaderElectionNamespace:       c.LeaderElection.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return fmt.Errorf("setting up manager: %w", err)
	}
	ready := &atomic.Int32{}
	for i := range c.Nodes {
		n := &virtualNode{config: c, node: c.Nodes[i], options: o, registry: metrics.Registry, ready: ready}
		if err := mgr.Add(n); err != nil {
			return fmt.Errorf("adding node %s: %w", n.node.Name, err)
		}
	}
	if err := addChecks(mgr, ready, len(c.Nodes)); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running virtual nodes: %w", err)
	}
	return nil
}

// addChecks serves /healthz while the process works, and /readyz once every
// node is registered (or, in a standby, at once: it is ready to take over).
func addChecks(mgr manager.Manager, ready *atomic.Int32, nodes int) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding health check: %w", err)
	}
	check := func(*http.Request) error {
		select {
		case <-mgr.Elected():
			if int(ready.Load()) < nodes {
				return errors.New("not every virtual node is registered yet")
			}
		default:
		}
		return nil
	}
	if err := mgr.AddReadyzCheck("nodes", check); err != nil {
		return fmt.Errorf("adding readiness check: %w", err)
	}
	return nil
}

// processConfig is the identity of the process itself: it holds the leader
// lease and asks for node certificates, nothing more.
func processConfig(c *config.Config) (*rest.Config, error) {
	path := c.BootstrapKubeconfig
	if path == "" && c.Nodes[0].Kubeconfig != "" && !c.LeaderElection.Enabled {
		path = c.Nodes[0].Kubeconfig
	}
	return loadKubeconfig(path)
}

// loadKubeconfig reads a kubeconfig file; no path means the service account of
// the pod cumulet runs in.
func loadKubeconfig(path string) (*rest.Config, error) {
	if path == "" {
		kube, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("reading service account (no kubeconfig is configured): %w", err)
		}
		return kube, nil
	}
	kube, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("reading kubeconfig %s: %w", path, err)
	}
	return kube, nil
}
