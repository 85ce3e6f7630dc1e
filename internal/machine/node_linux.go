package machine

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// nodeInterval is the pause between two looks at the node.
const nodeInterval = 50 * time.Millisecond

// awaitNode waits until the node is Ready, as the kubelet has said since began.
func (m *Machine) awaitNode(ctx context.Context, began time.Time) error {
	kubeconfig, err := readKubeconfig(m.options.Kubeconfig)
	if err != nil {
		return err
	}
	config, err := clientcmd.NewDefaultClientConfig(*kubeconfig, nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("reading the kubelet's kubeconfig: %w", err)
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("reading the kubelet's kubeconfig: %w", err)
	}
	ticker := time.NewTicker(nodeInterval)
	defer ticker.Stop()
	for {
		node, err := api.CoreV1().Nodes().Get(ctx, m.options.Node, metav1.GetOptions{})
		if err == nil {
			err = nodeReady(node, began)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case r, more := <-m.process.reports:
			if !more {
				return fmt.Errorf("waiting for node %s: %w", m.options.Node, m.process.lost())
			}
			if r.Error != "" {
				return fmt.Errorf("waiting for node %s: %w", m.options.Node, m.process.explain(r))
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for node %s: %w; at last: %w; the end of the kubelet's log:\n%s",
				m.options.Node, context.Cause(ctx), err, m.process.logs[kubeletProgram].tail())
		}
	}
}

// nodeReady returns why a node is not Ready. What was said of it before began
// was said by an earlier kubelet; the API has whole seconds.
func nodeReady(node *corev1.Node, began time.Time) error {
	for _, condition := range node.Status.Conditions {
		if condition.Type != corev1.NodeReady {
			continue
		}
		if condition.LastHeartbeatTime.Time.Before(began.Truncate(time.Second)) {
			return fmt.Errorf("the kubelet has not said anything since %v", condition.LastHeartbeatTime)
		}
		if condition.Status != corev1.ConditionTrue {
			return fmt.Errorf("it is not Ready: %s: %s", condition.Reason, condition.Message)
		}
		return nil
	}
	return fmt.Errorf("it has no condition %s", corev1.NodeReady)
}
