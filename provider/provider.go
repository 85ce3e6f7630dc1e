package provider

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/virtual-kubelet/virtual-kubelet/errdefs"
	"github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	events "k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider/prober"
	"github.com/cumulet/cumulet/translate"
)

// Options are what one virtual node's provider needs. All fields are required
// but the intervals and those that say what they are when empty.
type Options struct {
	// Cluster and Node mark this node's groups in the cloud.
	Cluster, Node string
	// Cloud is the account and region the groups live in.
	Cloud cloudapi.Client
	// Kube is a client with the node's own identity.
	Kube kubernetes.Interface
	// Pods lists the pods of this node, Services those of the cluster.
	Pods     corelisters.PodLister
	Services corelisters.ServiceLister
	Recorder events.EventRecorder
	Clock    clock.WithTicker
	Log      logr.Logger
	Metrics  *Metrics

	Placement     cloudapi.Placement
	ClusterDNS    []string
	ClusterDomain string
	// HostIP is the node's address, told as the pods' host IP.
	HostIP      string
	Allocatable corev1.ResourceList
	// SecurityContext is what becomes of hardening that the cloud has no word
	// for; it may be empty and means translate.SecurityContextRefuse then.
	SecurityContext translate.SecurityContextPolicy
	// Hostname is what becomes of host names on a cloud that chooses them
	// itself; it may be empty and means translate.HostnameRefuse then.
	Hostname translate.HostnamePolicy
	// Report is what becomes of fields that are ignored; it may be empty and
	// means translate.ReportWarn then.
	Report translate.ReportPolicy
	// OptionDefaults and OptionRules are the node's options for pods that ask
	// for none, and what pods may ask for; see translate.Options.
	OptionDefaults map[string]string
	OptionRules    []translate.OptionRule

	// SweepInterval is the time between two sweeps over the cloud's groups.
	SweepInterval time.Duration
	// Consistency is how long a cloud may take to show a group that it just
	// made; default 10 s. Neither cloud publishes a figure.
	Consistency time.Duration
	// OrphanAge is how old a group without a pod must be before it is
	// deleted; default 30 s, Karpenter's figure for the same decision.
	OrphanAge time.Duration
	// Workers is the number of workers of each queue; default 32.
	Workers int
	// Dial connects to the groups' addresses, for probes, hooks and forwarded
	// ports; default this machine's network, so that this process must run
	// where the addresses are reachable.
	Dial prober.Dialer
}

// Provider keeps one virtual node's pods running as container groups. It
// implements virtual-kubelet's PodLifecycleHandler and PodNotifier.
type Provider struct {
	Options
	// limits are the cloud's, which do not change.
	limits   cloudapi.Limits
	owner    cloudapi.Owner
	refs     *references
	refusals refusals
	// promised are the disks of groups that are about to be asked for.
	promised promises
	store    *store

	creates, ends, publishes *queue
	// kills and updates are pods with something to be changed in a running
	// group; files are those whose files may have changed.
	kills, updates, files *queue
	// sidecars are pods that are over but for their sidecars.
	sidecars *queue

	runner     *prober.Runner
	prober     *prober.Prober
	background background

	started time.Time
	// sweeps is what the complete sweeps so far amount to; swept closes with
	// the first.
	sweeps    atomic.Pointer[sweeps]
	swept     chan struct{}
	sweptOnce sync.Once
	kicked    chan struct{}

	health  health
	orphans orphans
}

var (
	_ node.PodLifecycleHandler = (*Provider)(nil)
	_ node.PodNotifier         = (*Provider)(nil)
)

// New returns a provider; it does no I/O. Run starts it.
func New(o Options) *Provider {
	setDuration(&o.SweepInterval, time.Second)
	setDuration(&o.Consistency, 10*time.Second)
	setDuration(&o.OrphanAge, 30*time.Second)
	if o.Workers == 0 {
		o.Workers = 32
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	limits := o.Cloud.Limits()
	p := &Provider{
		Options: o,
		limits:  limits,
		owner:   translate.OwnerOf(o.Cluster, o.Node, limits),
		store:   newStore(),
		started: o.Clock.Now(),
		swept:   make(chan struct{}),
		kicked:  make(chan struct{}, 1),
	}
	p.sweeps.Store(&sweeps{})
	p.creates = newQueue("create", o, createRetries, p.create)
	p.refs = newReferences(o.Kube, o.Clock, p.referenceChanged)
	p.ends = newQueue("end", o, endRetries, p.end)
	p.publishes = newQueue("publish", o, writeRetries, p.publish)
	p.kills = newQueue("kill", o, changeRetries, p.carryOutKill)
	p.updates = newQueue("update", o, changeRetries, p.updateImages)
	p.sidecars = newQueue("sidecar", o, changeRetries, p.endSidecars)
	p.files = newQueue("files", o, changeRetries, p.syncFiles)
	p.runner = prober.NewRunner(p.execIn, o.Dial)
	p.prober = p.newProber()
	return p
}

func setDuration(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Run works until ctx ends. It returns after every goroutine of it has ended.
func (p *Provider) Run(ctx context.Context) {
	var group sync.WaitGroup
	p.background.open(ctx)
	defer p.refs.close() // after the workers, who may still ask for more
	defer p.background.close()
	defer group.Wait()
	for _, q := range []*queue{p.creates, p.ends, p.publishes, p.kills, p.updates, p.sidecars} {
		group.Go(func() { q.run(ctx, p.Workers) })
	}
	group.Go(func() { p.files.run(ctx, min(p.Workers, fileWorkers)) })
	group.Go(func() { p.prober.Run(ctx) })
	group.Go(func() { p.watch(ctx) })
	<-ctx.Done()
}

// Swept is closed when the cloud has been listed completely once: from then on
// the provider knows which pods run already.
func (p *Provider) Swept() <-chan struct{} { return p.swept }

// Observe takes notice of a pod as the API server has it now. It never blocks.
func (p *Provider) Observe(pod *corev1.Pod) {
	p.store.observe(pod, record{firstSeen: p.Clock.Now()})
	p.route(pod.UID)
}

// Inherit takes notice of a pod that was the node's before this process watched it:
// an earlier one may have asked for its group. Times would not tell: the API
// server's clock is another. It never blocks.
func (p *Provider) Inherit(pod *corev1.Pod) {
	p.store.observe(pod, record{firstSeen: p.Clock.Now(), inherited: true})
	p.route(pod.UID)
}

// Forget takes notice that a pod is no longer in the API server. Its group, if
// there is one, is deleted.
func (p *Provider) Forget(uid types.UID) {
	p.store.update(uid, func(r *record) { r.gone = true })
	p.route(uid)
}

// route puts a pod into the queues that have something to do for it.
func (p *Provider) route(uid types.UID) {
	err := contained(func() error {
		p.dispatch(uid)
		return nil
	})
	if err != nil {
		p.Log.Error(err, "looking what there is to do for a pod", "uid", uid)
	}
}

func (p *Provider) dispatch(uid types.UID) {
	r, ok := p.store.get(uid)
	if !ok {
		return
	}
	if r.ending() || r.lingers() {
		p.ends.add(uid)
	}
	if r.wantsGroup() {
		p.creates.add(uid)
	}
	if len(r.newImages()) > 0 {
		p.updates.add(uid)
	}
	p.routeFiles(&r)
	if len(r.leftover()) > 0 {
		p.sidecars.add(uid)
	}
	p.postStart(&r)
	if now, ok := p.store.get(uid); ok { // with the hook that may have begun
		p.syncProbes(&now)
	}
	if !r.ending() || r.group != nil {
		p.publishes.add(uid)
	}
}

// CreatePod implements virtual-kubelet's contract. It never fails, because
// virtual-kubelet turns a failure into a failed pod, and it makes no pod known:
// only Observe does, which hears of every pod in order. virtual-kubelet may
// hold a pod that has been forgotten meanwhile.
func (p *Provider) CreatePod(_ context.Context, pod *corev1.Pod) error {
	p.route(pod.UID)
	return nil
}

// UpdatePod does what CreatePod does.
func (p *Provider) UpdatePod(_ context.Context, pod *corev1.Pod) error {
	p.route(pod.UID)
	return nil
}

// DeletePod does what CreatePod does: a pod ends when the API server says so,
// not because virtual-kubelet does not see it.
func (p *Provider) DeletePod(_ context.Context, pod *corev1.Pod) error {
	p.route(pod.UID)
	return nil
}

// GetPod answers from memory; unknown pods are errdefs.NotFound.
func (p *Provider) GetPod(_ context.Context, namespace, name string) (*corev1.Pod, error) {
	r, ok := p.store.byPodName(namespace, name)
	if !ok {
		return nil, errdefs.NotFound(fmt.Sprintf("pod %s/%s is not known to this node", namespace, name))
	}
	return r.pod.DeepCopy(), nil
}

// GetPodStatus answers from memory; unknown pods are errdefs.NotFound.
func (p *Provider) GetPodStatus(ctx context.Context, namespace, name string) (*corev1.PodStatus, error) {
	pod, err := p.GetPod(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	return &pod.Status, nil
}

// GetPods returns the pods of this node as last seen.
func (p *Provider) GetPods(context.Context) ([]*corev1.Pod, error) {
	return p.store.pods(), nil
}

// NotifyPods implements PodNotifier so that virtual-kubelet does not poll. The
// callback stays unused: status is patched by publish, which keeps foreign
// fields and checks the UID.
func (p *Provider) NotifyPods(context.Context, func(*corev1.Pod)) {}
