// Package local runs the whole system on one machine: a real Kubernetes
// control plane, the two emulated clouds, and cumulet with one virtual node for
// each cloud. Every part is a process of its own, as it would be anywhere
// else, and none outlives the process that started it.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/cumulet/cumulet/internal/controlplane"
	"github.com/cumulet/cumulet/internal/controlplane/process"
	"github.com/cumulet/cumulet/internal/machine"
	"github.com/cumulet/cumulet/internal/registry"
)

// The names of the two virtual nodes.
const (
	NodeECI = "eci-local"
	NodeKCI = "kci-local"
)

// stopGrace is how long a part may take to end.
const stopGrace = 10 * time.Second

// Options say where and with what to start.
type Options struct {
	// Dir holds everything the system writes; it is made if need be.
	Dir string
	// BinDir holds the programs: the control plane's, cloud-emulator, cumulet.
	BinDir string
	// Progress is told, in a few words, what is being done; nil is allowed.
	Progress func(string)
	// EmulatorFlags and CumuletFlags are added to the two command lines.
	EmulatorFlags, CumuletFlags []string
	// Nodes are the virtual nodes to run; empty means both.
	Nodes []string
	// Runtime is how containers run; empty means RuntimeSimulated.
	Runtime Runtime
	// BackingKubeconfig names a cluster whose pods the containers are to be.
	BackingKubeconfig string
	// Images is an OCI layout with images that the machine finds under their
	// own names without any network; empty means none.
	Images string
	// Untainted are the virtual nodes that take pods without a toleration, too.
	Untainted []string
	// SecurityContext is the virtual nodes' policy for security contexts;
	// empty is cumulet's own, config.SecurityContextRefuse.
	SecurityContext string
	// Hostname is their policy for host names; empty is cumulet's own,
	// config.HostnameRefuse.
	Hostname string
}

// Stack is the running system.
type Stack struct {
	Cluster *controlplane.Cluster
	Clouds  Clouds
	// Kube is a client with all rights.
	Kube kubernetes.Interface

	options  Options
	emulator *process.Process
	agent    *supervised

	// What real containers need on a machine of our own; nil otherwise.
	network *machine.Network
	// releaseNetwork lets others have the network.
	releaseNetwork func() error
	registry       *registry.Registry
	backing        *controlplane.Cluster
	// serviceNode is the node that kube-proxy speaks for; empty if pods have no
	// Services.
	serviceNode string
	// nodeEndpoints are where the nodes are reached from the pods, too; empty if
	// they are reached from this host alone.
	nodeEndpoints map[string]nodeEndpoint
}

// Start starts everything and returns when the virtual nodes are Ready. On an
// error nothing is left running.
func Start(ctx context.Context, o Options) (stack *Stack, err error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding directory: %w", err)
	}
	o.Dir = dir
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if len(o.Nodes) == 0 {
		o.Nodes = []string{NodeECI, NodeKCI}
	}
	if o.Runtime == "" {
		o.Runtime = RuntimeSimulated
	}
	s := &Stack{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	for _, step := range []func(context.Context) error{
		s.chooseRuntime, s.chooseNodeEndpoints, s.startCluster, s.startRegistry, s.startBacking, s.startServices, s.startClouds, s.startAgent,
		s.waitForNodes, s.awaitServices,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Stack) startCluster(ctx context.Context) error {
	o := controlplane.Options{Dir: s.options.Dir, BinDir: s.options.BinDir, Progress: s.options.Progress}
	if s.network != nil {
		o.AdvertiseAddress = s.network.Gateway().String()
	}
	cluster, err := controlplane.Start(ctx, o)
	if err != nil {
		return fmt.Errorf("starting control plane: %w", err)
	}
	s.Cluster = cluster
	if s.Kube, err = kubernetes.NewForConfig(cluster.AdminConfig()); err != nil {
		return fmt.Errorf("making Kubernetes client: %w", err)
	}
	return nil
}

func (s *Stack) startClouds(ctx context.Context) error {
	s.options.Progress("starting the two emulated clouds")
	out := s.path("clouds.json")
	if err := os.Remove(out); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing old %s: %w", out, err)
	}
	runtime, err := s.emulatorFlags()
	if err != nil {
		return err
	}
	p, err := process.Start(process.Command{
		Name: "cloud-emulator", Path: filepath.Join(s.options.BinDir, "cloud-emulator"),
		Args: slices.Concat([]string{"--config-out", out}, runtime, s.options.EmulatorFlags),
		Log:  s.path("logs", "cloud-emulator.log"),
	})
	if err != nil {
		return fmt.Errorf("starting clouds: %w", err)
	}
	s.emulator = p
	s.Clouds, err = waitForClouds(ctx, out, p)
	return err
}

func (s *Stack) path(elements ...string) string {
	return filepath.Join(append([]string{s.options.Dir}, elements...)...)
}

// Runtime is how the containers run; never RuntimeAuto.
func (s *Stack) Runtime() Runtime { return s.options.Runtime }

// PodsReachable tells whether this machine reaches the pods at their addresses:
// only where the clouds' machine runs here.
func (s *Stack) PodsReachable() bool { return s.network != nil }

// Dir is the directory the system lives in.
func (s *Stack) Dir() string { return s.options.Dir }

// Kubeconfig is the path of the administrator's kubeconfig.
func (s *Stack) Kubeconfig() string { return s.Cluster.AdminKubeconfig() }

// AgentPID is the process id of cumulet, which changes when it is restarted.
func (s *Stack) AgentPID() int { return s.agent.pid() }

// Failed tells when a part other than cumulet has ended by itself: the system
// cannot go on. cumulet itself is started again, as a cluster would.
func (s *Stack) Failed() <-chan error {
	failed := make(chan error, 1)
	var backing <-chan error // nil never sends
	if s.backing != nil {
		backing = s.backing.Failed()
	}
	go func() {
		select {
		case err := <-s.Cluster.Failed():
			failed <- err
		case err := <-backing:
			failed <- err
		case <-s.emulator.Done():
			failed <- s.emulator.EndError()
		}
	}()
	return failed
}

// Stop ends everything, cumulet first.
func (s *Stack) Stop() error {
	var errs []error
	if s.agent != nil {
		errs = append(errs, s.agent.stop())
	}
	if s.emulator != nil {
		errs = append(errs, s.emulator.Stop(stopGrace))
	}
	if s.backing != nil {
		errs = append(errs, s.backing.Stop())
	}
	if s.Cluster != nil {
		errs = append(errs, s.Cluster.Stop())
	}
	if s.registry != nil {
		errs = append(errs, s.registry.Close())
	}
	if s.releaseNetwork != nil {
		errs = append(errs, s.releaseNetwork())
	}
	return errors.Join(errs...)
}
