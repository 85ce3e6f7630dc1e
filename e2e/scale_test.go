package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// scalePods is the number of pods on one node.
const scalePods = 1000

// TestScale runs a thousand pods. At no moment are there more groups than
// pods, in the end exactly as many, and after deleting them none.
func TestScale(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		earlier := len(c.every(t))
		stop := c.guard(t)
		c.createMany(t, scalePods)
		c.within(t, 4*time.Minute, "all pods to run", c.allRunning(scalePods))
		if got := len(c.alive(t)); got != scalePods {
			t.Errorf("%d groups for %d pods", got, scalePods)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		if err := c.deletePods(ctx, nil); err != nil {
			t.Fatal(err)
		}
		c.within(t, 4*time.Minute, "all pods to be gone", func(ctx context.Context) (bool, error) {
			left, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{Limit: 1})
			return err == nil && len(left.Items) == 0, err
		})
		stop()
		if left := c.alive(t); len(left) != 0 {
			t.Errorf("%d groups are left of %d", len(left), scalePods)
		}
		if made := len(c.every(t)) - earlier; made != scalePods {
			t.Errorf("%d groups were made for %d pods", made, scalePods)
		}
	})
}

// createMany creates pods as fast as the API server takes them.
func (c *target) createMany(t *testing.T, n int) {
	t.Helper()
	numbers := make(chan int)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := range numbers {
				pod := c.pod(fmt.Sprintf("p%04d", i), "sleep infinity", onNode(c.node))
				if _, err := c.kube.CoreV1().Pods(c.namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	group.Wait()
}

// guard checks all the time that no group is without a pod: counted first, the
// groups may never be more than the pods were before or are after.
func (c *target) guard(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		before := c.countPods(ctx)
		wait.UntilWithContext(ctx, func(ctx context.Context) {
			groups, err := c.system.Clouds.Alive(ctx, c.cloud)
			after := c.countPods(ctx)
			if err == nil && ctx.Err() == nil && before >= 0 && after >= 0 && len(groups) > max(before, after) {
				t.Errorf("%d groups while there were %d and then %d pods", len(groups), before, after)
			}
			before = after
		}, 200*time.Millisecond)
	})
	return func() {
		cancel()
		group.Wait()
	}
}

// countPods counts the node's pods; -1 when that failed.
func (c *target) countPods(ctx context.Context) int {
	list, err := c.kube.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + c.node, ResourceVersion: "0"})
	if err != nil {
		return -1
	}
	return len(list.Items)
}
