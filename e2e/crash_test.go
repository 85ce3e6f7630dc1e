package e2e

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/google/go-cmp/cmp"
)

// crashPods is how many pods run on each node when cumulet is killed.
const crashPods = 200

// TestKilled kills cumulet while pods run. When it is back they are the same
// groups, and no pod's status changed meanwhile.
func TestKilled(t *testing.T) {
	oneByOne(t, func(t *testing.T, c *target) {
		for i := range crashPods {
			c.create(t, c.pod(fmt.Sprintf("p%03d", i), "while true; do sleep 3600; done", onNode(c.node)))
		}
		c.within(t, 3*time.Minute, "pods to run", c.allRunning(crashPods))
		before := c.alive(t)
		if len(before) != crashPods {
			t.Fatalf("%d groups run for %d pods", len(before), crashPods)
		}
		changes := c.watchStatuses(t)

		old := system.AgentPID()
		if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		c.eventually(t, "cumulet to be back", func(context.Context) (bool, error) { return system.AgentPID() != old, nil })
		// It is back to work when a new pod runs.
		c.create(t, c.pod("after", "while true; do sleep 3600; done", onNode(c.node)))
		c.awaitPod(t, "after", "running", hasPhase(corev1.PodRunning))

		if got := changes(); len(got) != 0 {
			t.Errorf("%d statuses changed, want none; the first: %s", len(got), got[0])
		}
		c.remove(t, "after")
		if diff := cmp.Diff(before, c.alive(t)); diff != "" {
			t.Errorf("groups before and after (-before +after):\n%s", diff)
		}
	})
}

// onNode binds a pod without the scheduler.
func onNode(node string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeName, p.Spec.NodeSelector = node, nil }
}

func (c *target) allRunning(n int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
		return err == nil && len(pods.Items) == n, err
	}
}

// alive are the ids of the cloud's groups that still show.
func (c *target) alive(t *testing.T) []string {
	t.Helper()
	groups, err := c.system.Clouds.Alive(t.Context(), c.cloud)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	sort.Strings(ids)
	return ids
}

// watchStatuses records every change of a status from now on; calling what it
// returns ends that.
func (c *target) watchStatuses(t *testing.T) func() []string {
	t.Helper()
	list, err := c.kube.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i := range list.Items {
		known[list.Items[i].Name] = true
	}
	watcher, err := c.kube.CoreV1().Pods(c.namespace).Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	var group sync.WaitGroup
	group.Go(func() {
		for event := range watcher.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok && known[pod.Name] && event.Type != watch.Bookmark {
				changes = append(changes, fmt.Sprintf("%s %s: %+v", event.Type, pod.Name, pod.Status))
			}
		}
	})
	return func() []string {
		watcher.Stop()
		group.Wait()
		return changes
	}
}
