package provider

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/virtual-kubelet/virtual-kubelet/node"
)

// ConditionCloudAvailable is the node condition that tells whether the cloud
// answers. The node stays Ready when it does not: its pods run on.
const ConditionCloudAvailable corev1.NodeConditionType = "CloudAvailable"

// TaintProvider is the key of the taint that keeps ordinary pods away from a
// virtual node; its value is the cloud's name.
const TaintProvider = "virtual-kubelet.io/provider"

// NodeOptions describe the node object.
type NodeOptions struct {
	// Zone may be empty; Architecture is amd64 or arm64.
	Name, Cloud, Region, Zone, Architecture string
	// Version is cumulet's own; KubernetesVersion the kubelet API's.
	Version, KubernetesVersion string
	// Address is the InternalIP at which the API server reaches KubeletPort.
	Address     string
	KubeletPort int32
	// Capacity is what the scheduler may place, all of it allocatable.
	Capacity corev1.ResourceList
	// Labels and Taints are added to those that every virtual node has;
	// DisableTaint leaves out TaintProvider.
	Labels       map[string]string
	Taints       []corev1.Taint
	DisableTaint bool
}

// NewNode makes the node object as it is registered.
func NewNode(o NodeOptions, now time.Time) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: nodeLabels(o), Annotations: map[string]string{}},
		Spec: corev1.NodeSpec{
			Taints:     slices.Clone(o.Taints),
			ProviderID: o.Cloud + "://" + o.Region + "/" + o.Name,
		},
		Status: corev1.NodeStatus{
			Capacity:    o.Capacity,
			Allocatable: o.Capacity,
			Conditions:  nodeConditions(CloudHealth{}, nil, now),
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: o.Address},
				{Type: corev1.NodeHostName, Address: o.Name},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: o.KubeletPort}},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion:          o.KubernetesVersion + "-cumulet-" + o.Version,
				OperatingSystem:         "linux",
				Architecture:            o.Architecture,
				OSImage:                 o.Cloud + " container groups in " + o.Region,
				KernelVersion:           "unknown",
				ContainerRuntimeVersion: o.Cloud + "://" + runtime.Version(),
			},
		},
	}
	if !o.DisableTaint {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: TaintProvider, Value: o.Cloud, Effect: corev1.TaintEffectNoSchedule})
	}
	return n
}

// nodeLabels are the well-known labels, which NodeRestriction lets a node set
// on itself, and the configured ones.
func nodeLabels(o NodeOptions) map[string]string {
	labels := map[string]string{
		"type":                         "virtual-kubelet",
		corev1.LabelHostname:           o.Name,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         o.Architecture,
		corev1.LabelTopologyRegion:     o.Region,
		corev1.LabelInstanceTypeStable: o.Cloud,
	}
	if o.Zone != "" {
		labels[corev1.LabelTopologyZone] = o.Zone
	}
	maps.Copy(labels, o.Labels)
	return labels
}

// nodeConditions are the conditions now; a condition that says what it said
// before keeps its transition time.
func nodeConditions(h CloudHealth, before []corev1.NodeCondition, now time.Time) []corev1.NodeCondition {
	cloud := corev1.NodeCondition{
		Type: ConditionCloudAvailable, Status: corev1.ConditionUnknown, Reason: "NotAskedYet", Message: "the cloud has not been asked yet",
	}
	switch {
	case !h.Known:
	case h.Err == nil:
		cloud.Status, cloud.Reason, cloud.Message = corev1.ConditionTrue, reason(nil), "the cloud lists the node's container groups"
	default:
		cloud.Status, cloud.Reason, cloud.Message = corev1.ConditionFalse, reason(h.Err), stableText(h.Err)
	}
	conditions := []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "cumulet is posting ready status"},
		{
			Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse,
			Reason: "KubeletHasSufficientMemory", Message: "each pod has memory of its own in the cloud",
		},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "each pod has a disk of its own in the cloud"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "each pod has a machine of its own in the cloud"},
		cloud,
	}
	for i := range conditions {
		conditions[i].LastHeartbeatTime = metav1.NewTime(now)
		conditions[i].LastTransitionTime = metav1.NewTime(now)
		for _, b := range before {
			if b.Type == conditions[i].Type && b.Status == conditions[i].Status {
				conditions[i].LastTransitionTime = b.LastTransitionTime
			}
		}
	}
	return conditions
}

// nodeStatus feeds virtual-kubelet's NodeController. Ping checks this process
// only: a node that stopped its lease because the cloud is down would have all
// its pods evicted while they run.
type nodeStatus struct {
	p    *Provider
	node *corev1.Node
}

var _ node.NodeProvider = (*nodeStatus)(nil)

// NodeProvider returns the provider's side of virtual-kubelet's
// NodeController for this node object.
func (p *Provider) NodeProvider(n *corev1.Node) node.NodeProvider {
	return &nodeStatus{p: p, node: n.DeepCopy()}
}

// Ping tells whether this process still works.
func (s *nodeStatus) Ping(ctx context.Context) error { return ctx.Err() }

// NotifyNodeStatus tells the node controller when a condition changes.
func (s *nodeStatus) NotifyNodeStatus(ctx context.Context, tell func(*corev1.Node)) {
	changed := make(chan struct{}, 1)
	s.p.OnCloudHealth(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	if s.p.CloudHealth().Known {
		select { // the first sweep may have ended before anybody listened
		case changed <- struct{}{}:
		default:
		}
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			s.node.Status.Conditions = nodeConditions(s.p.CloudHealth(), s.node.Status.Conditions, s.p.Clock.Now())
			tell(s.node.DeepCopy())
		}
	}()
}
