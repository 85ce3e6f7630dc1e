// Package controlplane runs a real Kubernetes control plane on this machine:
// etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes
// of their own, listening on loopback only and talking over TLS, with
// everything they keep in one directory. The programs come from
// hack/controlplane; `make controlplane` builds them.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/cumulet/cumulet/internal/controlplane/process"
	"github.com/cumulet/cumulet/internal/lockfile"
)

// startTimeout bounds Start, whatever its context allows. It takes some 8 s on
// an idle machine with two cores.
const startTimeout = 2 * time.Minute

// startAttempts is how often Start chooses ports when another process takes
// one of them before it is listened on.
const startAttempts = 3

// errPortTaken is why a start is tried again.
var errPortTaken = errors.New("a port was taken meanwhile")

// Options say what to start. Dir and BinDir are required.
type Options struct {
	// Dir is the directory of the cluster's data, keys, kubeconfigs and logs.
	// It is made if need be. A second Start in it continues the same cluster.
	Dir string
	// BinDir is the folder with the programs, bin/ of the repository.
	BinDir string
	// ServiceCIDR is the network of service addresses, 10.96.0.0/16 if empty
	// (as kubeadm's, but smaller). Nothing on this machine routes it.
	ServiceCIDR string
	// AdvertiseAddress is an IP address at which pods can reach the API server
	// at its port (something must forward it: the API server listens on
	// 127.0.0.1). It becomes the endpoint of the service "kubernetes". If it
	// is empty that service has no endpoints.
	AdvertiseAddress string
	// ServingNames are further DNS names and IP addresses under which the API
	// server is reached, for its certificate.
	ServingNames []string
	// WithoutControllerManager leaves kube-controller-manager out. Then nobody
	// makes service accounts, without which kube-apiserver refuses pods that
	// do not name one that was made by hand.
	WithoutControllerManager bool
	// WithoutScheduler leaves kube-scheduler out, for pods that name a node.
	WithoutScheduler bool
	// EtcdOf is another cluster whose etcd this one uses, so that two clusters
	// need one database. It must outlive this one, and EtcdPrefix must differ
	// from its own.
	EtcdOf *Cluster
	// EtcdPrefix is below which key all objects are kept; kube-apiserver's
	// own default is /registry.
	EtcdPrefix string
	// ExtraFlags are added to the command line of a component by its name
	// ("kube-apiserver"), where they win over the same flags set before.
	ExtraFlags map[string][]string
	// Progress, if set, is told in a few words what Start and Stop are doing.
	// It is called by the goroutine that called these.
	Progress func(string)
}

// Cluster is a running control plane. Its methods may be called from several
// goroutines.
type Cluster struct {
	options     Options
	dir         directory
	unlock      func()
	ports       ports
	credentials *credentials
	admin       *rest.Config
	components  []component
	// processes run the components of the same index.
	processes []*process.Process
	watch     sync.WaitGroup
	stopping  chan struct{}
	failed    chan error
	stop      func() error
}

// Start starts a control plane and returns when a pod can be created in the
// namespace default. ctx bounds the start only: after it, the cluster runs
// until Stop, or until this process ends in whatever way. The error of a
// component that ended carries the last lines of its log; whatever was started
// is stopped again.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c, err := open(options)
	if err != nil {
		return nil, fmt.Errorf("starting a control plane: %w", err)
	}
	if err := c.startRetrying(ctx); err != nil {
		c.unlock()
		return nil, fmt.Errorf("starting a control plane: %w", err)
	}
	c.watchProcesses()
	return c, nil
}

// open prepares a cluster's directory: all that does not depend on ports.
func open(options Options) (*Cluster, error) {
	if options.ServiceCIDR == "" {
		options.ServiceCIDR = "10.96.0.0/16"
	}
	if options.Progress == nil {
		options.Progress = func(string) {}
	}
	names, err := options.servingNames()
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(options.Dir)
	if err != nil || options.Dir == "" {
		return nil, fmt.Errorf("finding the cluster's directory %q: %w", options.Dir, errors.Join(err, os.ErrInvalid))
	}
	c := &Cluster{
		options:  options,
		dir:      directory(absolute),
		stopping: make(chan struct{}),
	}
	c.stop = sync.OnceValue(c.stopAll)
	if err := c.dir.create(); err != nil {
		return nil, err
	}
	if c.unlock, err = lockfile.Acquire(absolute); err != nil {
		return nil, fmt.Errorf("keeping another cluster out: %w", err)
	}
	if c.credentials, err = openCredentials(c.dir, names, time.Now); err != nil {
		c.unlock()
		return nil, err
	}
	return c, nil
}

// startRetrying starts the components, again on other ports if one was taken.
func (c *Cluster) startRetrying(ctx context.Context) error {
	chosen, err := choosePorts(ctx, c.dir)
	for attempt := 1; err == nil; attempt++ {
		c.ports = chosen
		err = c.start(ctx)
		if err == nil {
			return nil
		}
		if killErr := c.killProcesses(); killErr != nil {
			return errors.Join(err, killErr)
		}
		if !errors.Is(err, errPortTaken) || attempt == startAttempts {
			return err
		}
		c.options.Progress("trying other ports")
		chosen, err = newPorts(ctx, c.dir)
	}
	return err
}

// start starts the components on the ports chosen. If it fails, some may run.
func (c *Cluster) start(ctx context.Context) error {
	if err := c.writeKubeconfigs(); err != nil {
		return err
	}
	c.components = c.options.components(c.dir, c.ports)
	c.processes = nil
	pending := c.components
	if c.options.EtcdOf == nil {
		c.options.Progress("starting etcd")
		if err := c.launch(pending[:1]); err != nil {
			return err
		}
		if err := c.await(ctx, "etcd", listening(loopback(c.ports.Etcd))); err != nil {
			return err
		}
		pending = pending[1:]
	}
	c.options.Progress("starting kube-apiserver")
	if err := c.launch(pending[:1]); err != nil {
		return err
	}
	if err := c.awaitAPIServer(ctx); err != nil {
		return err
	}
	if pending = pending[1:]; len(pending) > 0 {
		c.options.Progress("starting the controllers")
		if err := c.launch(pending); err != nil {
			return err
		}
	}
	if err := c.bindUsual(ctx); err != nil {
		return err
	}
	return c.awaitControllers(ctx)
}

func (c *Cluster) launch(components []component) error {
	for _, next := range components {
		started, err := process.Start(process.Command{
			Name: next.name,
			Path: filepath.Join(c.options.BinDir, next.name),
			Args: next.args,
			Env:  environment(),
			Log:  c.dir.log(next.name),
		})
		if err != nil {
			return err
		}
		c.processes = append(c.processes, started)
	}
	return nil
}

// environment is what of this process's environment concerns the components.
// The rest stays out, above all proxy settings and kubeconfigs of the user.
func environment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

func (c *Cluster) writeKubeconfigs() error {
	admin, err := c.credentials.clientConfig(c.URL(), adminUser, adminGroup)
	if err != nil {
		return err
	}
	c.admin = admin
	if err := writeKubeconfig(c.dir.adminKubeconfig(), adminUser, admin); err != nil {
		return err
	}
	if _, err := c.UserKubeconfig("kube-controller-manager", controllerManagerUser, nil); err != nil {
		return err
	}
	_, err = c.UserKubeconfig("kube-scheduler", schedulerUser, nil)
	return err
}

// watchProcesses tells Failed of processes that end unasked.
func (c *Cluster) watchProcesses() {
	c.failed = make(chan error, len(c.processes))
	for _, p := range c.processes {
		c.watch.Go(func() {
			<-p.Done()
			select {
			case <-c.stopping:
			default:
				c.failed <- p.EndError()
			}
		})
	}
}

// servingNames sorts the names of the API server into DNS names and addresses.
func (o Options) servingNames() (request, error) {
	if _, _, err := net.ParseCIDR(o.ServiceCIDR); err != nil {
		return request{}, fmt.Errorf("reading the service network: %w", err)
	}
	names := request{
		dnsNames: []string{
			"kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local",
		},
		ips: []net.IP{o.serviceAddress(apiOffset)},
	}
	for _, name := range append([]string{o.AdvertiseAddress}, o.ServingNames...) {
		if ip := net.ParseIP(name); ip != nil {
			names.ips = append(names.ips, ip)
		} else if strings.TrimSpace(name) != "" {
			names.dnsNames = append(names.dnsNames, name)
		}
	}
	return names, nil
}

// Where the addresses of services that have the same in every cluster of kubeadm
// are in the service network.
const (
	apiOffset = 1  // the service "kubernetes"
	dnsOffset = 10 // the cluster's DNS
)

// serviceAddress returns an address of the service network; servingNames has
// checked that it is one.
func (o Options) serviceAddress(offset byte) net.IP {
	_, network, err := net.ParseCIDR(o.ServiceCIDR)
	if err != nil {
		return nil
	}
	address := append(net.IP(nil), network.IP...)
	address[len(address)-1] += offset
	return address
}
