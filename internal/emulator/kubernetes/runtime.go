package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/singleflight"
	"k8s.io/client-go/informers"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Options configure a Runtime. Config, Namespace and Cloud are required.
type Options struct {
	// Config reaches the backing cluster, as one who may do everything in
	// Namespace and ask the nodes for their statistics. Its limit of requests
	// per second is not used: the runtime bounds its calls itself.
	Config *rest.Config
	// Namespace of the backing cluster is the runtime's own. It is made if need
	// be; what an earlier runtime of the same cloud left in it is deleted. No two
	// runtimes of one cloud may share it.
	Namespace string
	// Cloud names the cloud, eci or kci: it labels what belongs to the runtime,
	// and stands for the names of nodes.
	Cloud string
	// NodeName is the node that all pods are bound to. If it is empty, the
	// backing cluster's scheduler chooses.
	NodeName string
	// Files, if set, is where the contents of volumes of files are kept. Without
	// it they are Secrets, which no container can write to.
	Files *Folder
	// NameServers are the addresses of the resolvers of groups that name none,
	// at most three. By default they are those of Alibaba Cloud's instances.
	NameServers []string
	// Kill, if set, kills the processes of a pod's containers on their node at
	// once; the pod of that uid is being deleted already. Without it a stop by
	// force takes the kubelet's two seconds, and one that hurries a stop under way
	// does not, since a kubelet cannot be hurried.
	Kill func(ctx context.Context, uid string) error
	// Clock is where times and waits come from; nil is the real one. Deadlines of
	// calls to the backing cluster run on the machine's own clock.
	Clock clock.Clock
	// Log takes what goes wrong with the backing cluster; by default nothing.
	Log logr.Logger
}

const (
	// callLimit is how long one call to the backing cluster may take.
	callLimit = 20 * time.Second
	// callsAtOnce bounds the calls under way, below what an API server lets pass.
	callsAtOnce = 48
	// closeLimit is how long Close waits for containers to end.
	closeLimit = time.Minute
	// sweepLimit is how long Close may take to delete what is left.
	sweepLimit = 20 * time.Second
)

// Runtime implements engine.Runtime on a backing cluster. Use New, then Connect.
type Runtime struct {
	client  clientset.Interface
	kubelet kubelet
	builder builder
	clock   clock.Clock
	log     logr.Logger
	calls   chan struct{}
	follows chan struct{}
	kill    func(ctx context.Context, uid string) error
	usage   usageCache
	asking  singleflight.Group

	// closing ends all that runs.
	closing context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup
	close   sync.Once
	factory []informers.SharedInformerFactory
	pods    podStore

	mu     sync.Mutex
	ready  bool
	closed bool
	// groups have a goroutine that runs; routes are by the names of their pods.
	groups map[string]*group
	routes map[string]*group
}

var _ engine.Runtime = (*Runtime)(nil)

// New returns a runtime. It talks to nobody before Connect. Call Close when done.
func New(o Options) (*Runtime, error) {
	if o.Config == nil || o.Namespace == "" || o.Cloud == "" {
		return nil, errors.New("making a runtime: Options needs Config, Namespace and Cloud")
	}
	config := rest.CopyConfig(o.Config)
	config.QPS, config.Burst, config.RateLimiter = -1, 0, nil
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the backing cluster: %w", err)
	}
	if o.Files, err = o.Files.absolute(); err != nil {
		return nil, err
	}
	return newRuntime(o, client, remote{config: config, client: client.CoreV1().RESTClient(), namespace: o.Namespace}), nil
}

func newRuntime(o Options, client clientset.Interface, nodes kubelet) *Runtime {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	if len(o.NameServers) == 0 {
		o.NameServers = cloudNameServers
	}
	closing, cancel := context.WithCancel(context.Background())
	return &Runtime{
		client: client, kubelet: nodes, clock: o.Clock, log: o.Log.WithValues("cloud", o.Cloud),
		builder: builder{namespace: o.Namespace, cloud: o.Cloud, node: o.NodeName, nameServers: o.NameServers, folder: o.Files},
		kill:    o.Kill,
		calls:   make(chan struct{}, callsAtOnce), follows: make(chan struct{}, followsAtOnce),
		closing: closing, cancel: cancel,
		groups: map[string]*group{}, routes: map[string]*group{},
	}
}

// Start implements engine.Runtime. Before Connect has succeeded, groups wait;
// after Close nothing is started.
func (r *Runtime) Start(id string, spec *engine.Spec, report func(engine.Observation)) engine.Instance {
	g := newGroup(r, id, spec, report)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		g.inbox.over = true
		return g
	}
	r.groups[id] = g
	r.work.Go(func() {
		defer r.forget(g)
		g.live(r.closing)
	})
	return g
}

// Close ends all groups by force and waits until their containers have ended, but
// not much longer than a minute; then it deletes what is left of them. The error
// says that something was left behind. Later calls do nothing.
func (r *Runtime) Close() error {
	var err error
	r.close.Do(func() { err = r.shut() })
	return err
}

func (r *Runtime) shut() error {
	r.mu.Lock()
	r.closed = true
	groups := make([]*group, 0, len(r.groups))
	for _, g := range r.groups {
		groups = append(groups, g)
	}
	r.mu.Unlock()
	for _, g := range groups {
		g.Stop(true)
	}
	ended := make(chan struct{})
	go func() {
		r.work.Wait()
		close(ended)
	}()
	timer := r.clock.NewTimer(closeLimit)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C():
		r.log.Info("Containers have not ended in time", "limit", closeLimit.String())
	}
	r.cancel()
	<-ended
	err := r.sweepAtEnd()
	for _, f := range r.factory {
		f.Shutdown()
	}
	return err
}

// sweepAtEnd deletes what the groups have left, if they may have left anything.
func (r *Runtime) sweepAtEnd() error {
	if !r.isReady() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	if err := r.sweep(ctx); err != nil {
		return fmt.Errorf("closing the runtime: %w", err)
	}
	return nil
}

// background runs f in a goroutine that Close waits for; after Close not at all.
func (r *Runtime) background(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.work.Go(f)
	}
	return !r.closed
}

// forget drops a group that is over.
func (r *Runtime) forget(g *group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.groups[g.id] == g {
		delete(r.groups, g.id)
	}
	for n := 1; n <= g.made+1; n++ {
		if name := podName(g.id, n); r.routes[name] == g {
			delete(r.routes, name)
		}
	}
}

// route makes news of a pod go to a group.
func (r *Runtime) route(pod string, g *group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routes[pod] = g
}

// groupOf is the group that a pod belongs to; nil if there is none.
func (r *Runtime) groupOf(pod string) *group {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.routes[pod]
}

// isReady tells whether Connect has succeeded.
func (r *Runtime) isReady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// setReady lets the groups begin that wait for Connect.
func (r *Runtime) setReady() {
	r.mu.Lock()
	r.ready = true
	groups := make([]*group, 0, len(r.groups))
	for _, g := range r.groups {
		groups = append(groups, g)
	}
	r.mu.Unlock()
	for _, g := range groups {
		g.change(func(*inbox) {})
	}
}
