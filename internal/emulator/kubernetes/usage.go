package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const (
	// usageAge is how old statistics may be: many groups are asked for at once.
	usageAge = 2 * time.Second
	// usageRetry is when to ask again a node that gave none.
	usageRetry = 30 * time.Second
	// usageLimit is how long a node may take to answer.
	usageLimit = 5 * time.Second
)

// usageCache keeps the statistics of nodes for a short while.
type usageCache struct {
	mu    sync.Mutex
	nodes map[string]nodeUsage
}

// nodeUsage is what a node has told; nothing if it could not be asked.
type nodeUsage struct {
	expires time.Time
	pods    map[types.UID]*stats.PodStats
}

func (c *usageCache) get(node string, now time.Time) (nodeUsage, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.nodes[node]
	return n, ok && now.Before(n.expires)
}

func (c *usageCache) put(node string, n nodeUsage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil {
		c.nodes = map[string]nodeUsage{}
	}
	c.nodes[node] = n
}

// Usage implements engine.Instance. It is empty where the backing cluster does not
// tell: before the kubelet has measured, or if statistics are not to be had.
func (g *group) Usage() engine.Usage {
	in := g.look()
	usage := engine.Usage{Time: g.runtime.clock.Now()}
	if in.seen == nil || in.gone || in.over || in.seen.Spec.NodeName == "" {
		return usage
	}
	pod := g.runtime.podStats(in.seen.Spec.NodeName, in.seen.UID)
	if pod == nil {
		return usage
	}
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if status := statusOfContainer(in.seen, c.Name); status == nil || status.State.Running == nil {
			continue
		}
		usage.Containers = append(usage.Containers, containerUsage(c))
	}
	if pod.Network != nil {
		usage.RxBytes, usage.TxBytes = number(pod.Network.RxBytes), number(pod.Network.TxBytes)
	}
	return usage
}

func containerUsage(c *stats.ContainerStats) engine.ContainerUsage {
	u := engine.ContainerUsage{Name: c.Name}
	if c.CPU != nil {
		u.NanoCores, u.CoreNanoSeconds = number(c.CPU.UsageNanoCores), number(c.CPU.UsageCoreNanoSeconds)
	}
	if c.Memory != nil {
		u.UsageBytes, u.WorkingSetBytes, u.RSSBytes = number(c.Memory.UsageBytes), number(c.Memory.WorkingSetBytes), number(c.Memory.RSSBytes)
	}
	return u
}

func number(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}

// podStats are a pod's statistics; nil if there are none. However many groups
// ask, the node is asked once in a while.
func (r *Runtime) podStats(node string, pod types.UID) *stats.PodStats {
	if n, fresh := r.usage.get(node, r.clock.Now()); fresh {
		return n.pods[pod]
	}
	<-r.asking.DoChan(node, func() (any, error) { return struct{}{}, r.refreshStats(node) })
	n, _ := r.usage.get(node, r.clock.Now())
	return n.pods[pod]
}

// refreshStats asks a node, unless that has been done meanwhile. Its failure is
// told here, once for all who wait.
func (r *Runtime) refreshStats(node string) error {
	if _, fresh := r.usage.get(node, r.clock.Now()); fresh {
		return nil
	}
	pods, err := r.askStats(node)
	age := usageAge
	if err != nil {
		r.log.Info("A node tells no statistics", "error", err.Error(), "askedAgainIn", usageRetry.String())
		age = usageRetry
	}
	r.usage.put(node, nodeUsage{expires: r.clock.Now().Add(age), pods: pods})
	return err
}

// askStats asks a kubelet for the statistics of its pods. One that cannot tell the
// sizes of its file systems still tells processors and memory.
func (r *Runtime) askStats(node string) (map[types.UID]*stats.PodStats, error) {
	ctx, cancel := context.WithTimeout(r.closing, usageLimit)
	defer cancel()
	text, err := r.kubelet.summary(ctx, node, false)
	if apierrors.IsInternalError(err) {
		text, err = r.kubelet.summary(ctx, node, true)
	}
	if err != nil {
		return nil, fmt.Errorf("asking node %s: %w", node, err)
	}
	var summary stats.Summary
	if err := json.Unmarshal(text, &summary); err != nil {
		return nil, fmt.Errorf("reading the statistics of node %s: %w", node, err)
	}
	pods := make(map[types.UID]*stats.PodStats, len(summary.Pods))
	for i := range summary.Pods {
		pods[types.UID(summary.Pods[i].PodRef.UID)] = &summary.Pods[i]
	}
	return pods, nil
}
