package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/controlplane"
	"github.com/cumulet/cumulet/internal/machine"
	"github.com/cumulet/cumulet/internal/registry"
)

// Runtime is how the containers of the emulated clouds run.
type Runtime string

// The runtimes.
const (
	// RuntimeAuto is RuntimeKubernetes where it works, else RuntimeSimulated.
	RuntimeAuto Runtime = "auto"
	// RuntimeKubernetes runs real containers: each container group is a pod of
	// a hidden cluster, on a machine of the emulator's own or in a cluster
	// that somebody has (Options.BackingKubeconfig).
	RuntimeKubernetes Runtime = "kubernetes"
	// RuntimeSimulated runs nothing; groups live as their commands say.
	RuntimeSimulated Runtime = "simulated"
)

// ParseRuntime reads a Runtime; the error names the three.
func ParseRuntime(text string) (Runtime, error) {
	switch r := Runtime(text); r {
	case RuntimeAuto, RuntimeKubernetes, RuntimeSimulated:
		return r, nil
	default:
		return "", fmt.Errorf("runtime %q is not known, must be %s, %s or %s", text, RuntimeAuto, RuntimeKubernetes, RuntimeSimulated)
	}
}

const (
	// machineNode is the name of the emulated clouds' machine in the hidden
	// cluster.
	machineNode = "machine"
	// pauseImage holds a pod's namespaces; containerd 2's own default.
	pauseImage = "registry.k8s.io/pause:3.10.1"
	// backingPrefix is where the hidden cluster's objects are in etcd.
	backingPrefix = "/backing"
)

// chooseRuntime decides what RuntimeAuto means here and says why.
func (s *Stack) chooseRuntime(ctx context.Context) error {
	o := &s.options
	if o.BackingKubeconfig != "" {
		if o.Runtime == RuntimeSimulated {
			return errors.New("a backing cluster was given, but the runtime is to be simulated: leave one of them out")
		}
		o.Runtime = RuntimeKubernetes
		o.Progress("containers run as pods of the cluster in " + o.BackingKubeconfig)
		o.Progress("pods have no Services and no cluster DNS: those of that cluster are not for them, and its network is not ours to change")
		return nil
	}
	if o.Runtime == RuntimeSimulated {
		o.Progress("containers are simulated, as asked for")
		return nil
	}
	why := machine.Check(o.BinDir)
	switch {
	case why == nil:
		o.Runtime = RuntimeKubernetes
		o.Progress("containers are real: a kubelet with containerd runs them in namespaces of its own")
		return s.prepareMachine(ctx, o.Nodes[0])
	case o.Runtime == RuntimeKubernetes:
		return fmt.Errorf("running containers: %w", why)
	default:
		o.Runtime = RuntimeSimulated
		o.Progress(fmt.Sprintf("containers are only simulated: %v; or name a cluster that runs them with --backing-kubeconfig", why))
		return nil
	}
}

// readiness is who runs KCI's readiness probes. Only on a machine of our own do
// the containers surely have addresses that cumulet reaches.
func (s *Stack) readiness() string {
	if s.network == nil {
		return config.ReadinessEvents
	}
	return config.ReadinessNode
}

// prepareMachine settles what the control plane must know of the machine
// before either starts. node is a node whose pods the machine runs.
func (s *Stack) prepareMachine(ctx context.Context, node string) error {
	network, release, err := machine.ReserveNetwork(ctx)
	if err != nil {
		return fmt.Errorf("choosing the machine's network: %w", err)
	}
	s.network, s.releaseNetwork = &network, release
	s.chooseServices(node)
	return nil
}

// startRegistry serves the images that were built here.
func (s *Stack) startRegistry(ctx context.Context) error {
	layout := s.options.Images
	if s.network == nil || layout == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(layout, "index.json")); err != nil {
		return fmt.Errorf("finding the images that `make images` builds: %w", err)
	}
	// It serves until Stop, long after the start that ctx bounds.
	r, err := registry.Start(context.WithoutCancel(ctx), registry.Options{Layout: layout})
	if err != nil {
		return fmt.Errorf("starting registry: %w", err)
	}
	s.registry = r
	return nil
}

// startBacking starts the hidden cluster, whose one node is the machine.
func (s *Stack) startBacking(ctx context.Context) error {
	if s.network == nil {
		return nil
	}
	s.options.Progress("starting the hidden API server of the clouds' machine")
	backing, err := controlplane.Start(ctx, controlplane.Options{
		Dir: s.path("backing"), BinDir: s.options.BinDir, EtcdOf: s.Cluster, EtcdPrefix: backingPrefix,
		WithoutControllerManager: true, WithoutScheduler: true,
	})
	if err != nil {
		return fmt.Errorf("starting hidden control plane: %w", err)
	}
	s.backing = backing
	return nil
}

// emulatorFlags are the flags that give cloud-emulator its runtime.
func (s *Stack) emulatorFlags() ([]string, error) {
	switch {
	case s.options.Runtime != RuntimeKubernetes:
		return nil, nil
	case s.network == nil:
		return []string{"--backing-kubeconfig", s.options.BackingKubeconfig}, nil
	}
	options, err := s.machineOptions(s.backing, machineNode)
	if err != nil {
		return nil, err
	}
	content, err := json.MarshalIndent(options, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding machine's settings: %w", err)
	}
	file := s.path("machine.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, fmt.Errorf("writing machine's settings: %w", err)
	}
	return []string{"--backing-kubeconfig", s.backing.AdminKubeconfig(), "--machine", file}, nil
}

// machineOptions are the settings of a machine that is a node of a cluster.
func (s *Stack) machineOptions(cluster *controlplane.Cluster, node string) (machine.Options, error) {
	o := machine.Options{
		Dir: s.path("machine"), BinDir: s.options.BinDir, LogDir: s.path("logs"), Network: *s.network, Node: node,
		ClientCAFile: cluster.CAFile(), PauseImage: pauseImage,
		ClusterDNS: []string{s.Cluster.DNSAddress()}, ClusterDomain: "cluster.local",
	}
	user := "system:node:" + node
	var err error
	if o.Services, err = s.machineServices(); err != nil {
		return o, err
	}
	if o.Kubeconfig, err = cluster.UserKubeconfig(node, user, []string{"system:nodes"}); err != nil {
		return o, fmt.Errorf("issuing identity of the machine: %w", err)
	}
	address := []net.IP{net.IP(s.network.Address().AsSlice())}
	if o.CertFile, o.KeyFile, err = cluster.ServingCert(user, []string{"system:nodes"}, []string{node}, address); err != nil {
		return o, fmt.Errorf("issuing serving certificate of the machine: %w", err)
	}
	if s.registry != nil {
		o.Mirrors = map[string][]string{}
		for _, host := range s.registry.Hosts() {
			o.Mirrors[host] = []string{s.registry.URL()}
		}
	}
	api, err := url.Parse(s.Cluster.URL())
	if err != nil {
		return o, fmt.Errorf("reading the API server's address: %w", err)
	}
	port, err := netip.ParseAddrPort(api.Host)
	if err != nil {
		return o, fmt.Errorf("reading the API server's address: %w", err)
	}
	o.Forward = []machine.Forward{{Inside: netip.AddrPortFrom(s.network.Gateway(), port.Port()), Host: api.Host}}
	for _, at := range s.nodeEndpoints {
		inside := netip.AddrPortFrom(at.address, at.listen.Port())
		o.Forward = append(o.Forward, machine.Forward{Inside: inside, Host: at.listen.String()})
	}
	return o, nil
}
