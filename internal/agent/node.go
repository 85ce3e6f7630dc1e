package agent

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	vknode "github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/kubeletapi"
	"github.com/cumulet/cumulet/provider"
	"github.com/cumulet/cumulet/translate"
)

// virtualNode is one node under the manager.
type virtualNode struct {
	config   *config.Config
	node     config.Node
	options  Options
	registry prometheus.Registerer
	ready    *atomic.Int32
}

// parts are the running pieces of a node.
type parts struct {
	log       logr.Logger
	kube      kubernetes.Interface
	informers *nodeInformers
	events    record.EventBroadcaster
	recorder  record.EventRecorder
	provider  *provider.Provider
	server    *kubeletapi.Server
	listener  net.Listener
	object    *corev1.Node
}

// Start implements the manager's Runnable: it runs the node until ctx ends.
func (n *virtualNode) Start(ctx context.Context) error {
	p, err := n.assemble(ctx)
	if err != nil {
		return fmt.Errorf("starting node %s: %w", n.node.Name, err)
	}
	defer p.events.Shutdown()
	if err := n.run(ctx, p); err != nil {
		return fmt.Errorf("running node %s: %w", n.node.Name, err)
	}
	return nil
}

// NeedLeaderElection tells the manager that only one replica may run nodes.
func (n *virtualNode) NeedLeaderElection() bool { return true }

func (n *virtualNode) assemble(ctx context.Context) (*parts, error) {
	p := &parts{log: n.options.Log.WithValues("node", n.node.Name)}
	identity, err := n.identity(ctx, p.log)
	if err != nil {
		return nil, err
	}
	if p.kube, err = kubernetes.NewForConfig(identity); err != nil {
		return nil, fmt.Errorf("making Kubernetes client: %w", err)
	}
	cloud, err := n.options.NewCloud(n.node, p.log)
	if err != nil {
		return nil, fmt.Errorf("making client of %s: %w", n.node.Cloud, err)
	}
	p.informers = newInformers(p.kube, n.node.Name)
	p.events, p.recorder = newRecorder(ctx, p.kube, n.node.Name)
	p.provider = n.newProvider(p, cloud)
	if err := n.listen(ctx, p); err != nil {
		return nil, err
	}
	p.object = provider.NewNode(n.nodeOptions(p), clock.RealClock{}.Now())
	return p, nil
}

func (n *virtualNode) newProvider(p *parts, cloud cloudapi.Client) *provider.Provider {
	return provider.New(provider.Options{
		Cluster: n.config.ClusterID, Node: n.node.Name,
		Cloud: cloud, Kube: p.kube,
		Pods: p.informers.pods.Lister(), Services: p.informers.services.Lister(),
		Recorder: p.recorder, Clock: clock.RealClock{}, Log: p.log,
		Metrics: provider.NewMetrics(n.registry, n.node.Name, n.node.Cloud),
		Placement: cloudapi.Placement{
			Zone: n.node.Zone, SubnetIDs: n.node.Subnets, SecurityGroupIDs: n.node.SecurityGroups,
		},
		ClusterDNS: n.config.ClusterDNS, ClusterDomain: n.config.ClusterDomain,
		HostIP: n.node.AdvertiseAddress, Allocatable: n.node.Capacity,
		SecurityContext: translate.SecurityContextPolicy(n.node.Policy.SecurityContext),
		Hostname:        translate.HostnamePolicy(n.node.Policy.Hostname),
		Report:          translate.ReportPolicy(n.node.Policy.Report),
		OptionDefaults:  n.node.Options, OptionRules: OptionRules(n.node.Policy.Options),
		SweepInterval: n.node.StatusInterval.Duration,
	})
}

// listen opens the kubelet API's port and prepares its server.
func (n *virtualNode) listen(ctx context.Context, p *parts) error {
	certificate, authenticator, err := n.servingIdentity(ctx, p)
	if err != nil {
		return err
	}
	authorizer, err := kubeletapi.NewAuthorizer(p.kube)
	if err != nil {
		return err
	}
	p.server = kubeletapi.New(kubeletapi.Options{
		NodeName: n.node.Name, Pods: p.provider, Certificate: certificate,
		Authenticator: authenticator, Authorizer: authorizer, Clock: clock.RealClock{}, Log: p.log.WithName("kubelet-api"),
	})
	address := net.JoinHostPort(n.node.Address, strconv.Itoa(int(n.node.Port)))
	if p.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
		return fmt.Errorf("listening for the kubelet API: %w", err)
	}
	return nil
}

func (n *virtualNode) nodeOptions(p *parts) provider.NodeOptions {
	port := n.node.Port
	if address, ok := p.listener.Addr().(*net.TCPAddr); ok { // it chose the port if that was 0
		port = int32(address.Port) //nolint:gosec // a TCP port fits
	}
	return provider.NodeOptions{
		Name: n.node.Name, Cloud: n.node.Cloud, Region: n.node.Region, Zone: n.node.Zone,
		Architecture: n.node.Architecture, Version: n.options.Version, KubernetesVersion: KubernetesVersion,
		Address: n.node.AdvertiseAddress, KubeletPort: port,
		Capacity: n.node.Capacity, Labels: n.node.Labels, Taints: n.node.Taints, DisableTaint: n.node.DisableTaint,
	}
}

// run starts the pieces in order and returns when all have ended: the first
// that fails takes the others along.
func (n *virtualNode) run(ctx context.Context, p *parts) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	start := func(piece func(context.Context) error) {
		group.Go(func() {
			if err := piece(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	start(func(ctx context.Context) error { return p.server.Serve(ctx, p.listener) })
	start(func(ctx context.Context) error { return p.informers.run(ctx, p.provider) })
	start(func(ctx context.Context) error { p.provider.Run(ctx); return nil })
	start(func(ctx context.Context) error { return n.controllers(ctx, p) })
	group.Wait()
	if err := context.Cause(ctx); err != nil && err != context.Canceled { //nolint:errorlint // the parent's end is no failure
		return err
	}
	return nil
}

// controllers runs virtual-kubelet's two controllers: the node first, since
// NodeRestriction wants it to exist, then the pods.
func (n *virtualNode) controllers(ctx context.Context, p *parts) error {
	if !cache.WaitForCacheSync(ctx.Done(), p.informers.synced...) {
		return nil
	}
	nodes, err := n.nodeController(p)
	if err != nil {
		return err
	}
	pods, err := n.podController(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { _ = nodes.Run(ctx) }) // its error is read below
	select {
	case <-nodes.Ready():
	case <-nodes.Done():
		return fmt.Errorf("registering node: %w", nodes.Err())
	}
	group.Go(func() { _ = pods.Run(ctx, podWorkers) })
	go n.announce(ctx, p, pods)
	select {
	case <-nodes.Done():
		return nodes.Err()
	case <-pods.Done():
		return pods.Err()
	case <-ctx.Done():
		return nil
	}
}

// announce counts the node as ready once its pods are looked after.
func (n *virtualNode) announce(ctx context.Context, p *parts, pods *vknode.PodController) {
	for _, step := range []<-chan struct{}{pods.Ready(), p.provider.Swept()} {
		select {
		case <-step:
		case <-ctx.Done():
			return
		}
	}
	n.ready.Add(1)
	p.log.Info("virtual node is ready", "cloud", n.node.Cloud, "region", n.node.Region, "address", p.listener.Addr().String())
	if n.options.NodeReady != nil {
		n.options.NodeReady(n.node.Name)
	}
}
