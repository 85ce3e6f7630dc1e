package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster is a running cluster to be tested.
type Cluster interface {
	// Kubeconfig is the path of the administrator's kubeconfig. It is to be
	// reached from this machine.
	Kubeconfig() string
	// Failed tells when a part of it has ended by itself, so that the tests
	// can't go on. It may be nil.
	Failed() <-chan error
	// Stop ends the cluster. It is called once.
	Stop() error
}

// ClusterOptions say which cluster to start.
type ClusterOptions struct {
	// Cloud is what the cluster's only node stands for. Its node must carry
	// no taint, since the tests' pods tolerate none, and be big enough for
	// some dozen small pods at a time.
	Cloud Cloud
	// Dir is an empty folder for everything the cluster writes.
	Dir string
	// BinDir holds the programs.
	BinDir string
	// Progress is told, in a few words, what is being done.
	Progress func(string)
}

// StartCluster starts a cluster and returns when its node is Ready. On an error
// nothing is left running.
type StartCluster func(context.Context, ClusterOptions) (Cluster, error)

// existing is a cluster that somebody else started.
type existing string

func (e existing) Kubeconfig() string { return string(e) }
func (existing) Failed() <-chan error { return nil }
func (existing) Stop() error          { return nil }

// testedCluster is a cluster with what the runner needs of it.
type testedCluster struct {
	Cluster
	client kubernetes.Interface
	// nodes is how many nodes can take the tests' pods.
	nodes int
}

const (
	nodesTimeout = 2 * time.Minute
	resetTimeout = 2 * time.Minute
	poll         = 500 * time.Millisecond
)

// inspect finds the nodes that can take the tests' pods.
func inspect(ctx context.Context, c Cluster) (testedCluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return testedCluster{}, fmt.Errorf("reading kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return testedCluster{}, fmt.Errorf("making Kubernetes client: %w", err)
	}
	t := testedCluster{Cluster: c, client: client}
	t.nodes, err = usableNodes(ctx, client)
	return t, err
}

// usableNodes waits for a node that can take pods without tolerations.
func usableNodes(ctx context.Context, client kubernetes.Interface) (int, error) {
	count, why := 0, "there is no node"
	found := func(ctx context.Context) (bool, error) {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, fmt.Errorf("listing nodes: %w", err)
		}
		var unusable []string
		count = 0
		for i := range nodes.Items {
			if reason := unusableFor(&nodes.Items[i]); reason != "" {
				unusable = append(unusable, nodes.Items[i].Name+" "+reason)
				continue
			}
			count++
		}
		if len(unusable) > 0 {
			why = strings.Join(unusable, ", ")
		}
		return count > 0, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, poll, nodesTimeout, true, found); err != nil {
		return 0, fmt.Errorf("waiting for a node without taints that is Ready: %w: %s", err, why)
	}
	return count, nil
}

// unusableFor says why a node takes no pods of the tests; "" if it does.
func unusableFor(n *corev1.Node) string {
	if n.Spec.Unschedulable {
		return "is cordoned"
	}
	for _, t := range n.Spec.Taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule {
			return "has the taint " + t.ToString()
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return ""
		}
	}
	return "is not Ready"
}
