package e2e

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestSubresources asks by the API server's subresources for what no cloud can do
// to a running group: it must be refused so that nobody waits, and the pod runs on.
func TestSubresources(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("web", "sleep 3600", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m")}
		}))
		c.awaitPod(t, "web", "ready", isReady)
		c.debug(t)
		c.resize(t)
		if pod := c.get(t, "web"); !isReady(pod) || pod.Status.ContainerStatuses[0].RestartCount != 0 {
			t.Errorf("the pod does not run on: %s", statusText(pod))
		}
	})
}

// debug adds a debug container, as people do, and is told at once that it does not
// run.
func (c *target) debug(t *testing.T) {
	t.Helper()
	out, mistakes, code := c.kubectl(t, "", "debug", "web", "--image=busybox", "--container=debugger", "--stdin", "--profile=general", "--", "sh")
	if code == 0 || !strings.Contains(out+mistakes, "cannot be added to a container group") {
		t.Errorf("kubectl debug ended with %d\n%s%s", code, out, mistakes)
	}
	c.awaitMessage(t, "web", "Failed", "ephemeral container debugger is not started")
}

// resize asks for another size, and takes that back.
func (c *target) resize(t *testing.T) {
	t.Helper()
	to := func(cores string) {
		c.mustKubectl(t, "", "patch", "pod", "web", "--subresource=resize", "--patch",
			`{"spec":{"containers":[{"name":"main","resources":{"limits":{"cpu":"`+cores+`"},"requests":{"cpu":"`+cores+`"}}}]}}`)
	}
	pending := func(p *corev1.Pod) *corev1.PodCondition {
		for i := range p.Status.Conditions {
			if p.Status.Conditions[i].Type == corev1.PodResizePending {
				return &p.Status.Conditions[i]
			}
		}
		return nil
	}
	to("1")
	pod := c.awaitPod(t, "web", "told that it keeps its size", func(p *corev1.Pod) bool { return pending(p) != nil })
	if condition := pending(pod); condition.Reason != corev1.PodReasonInfeasible || condition.ObservedGeneration != pod.Generation {
		t.Errorf("condition %+v of generation %d", condition, pod.Generation)
	}
	if got := pod.Status.ContainerStatuses[0].Resources.Limits.Cpu().String(); got != "500m" {
		t.Errorf("the status says %s cores, want 500m", got)
	}
	c.awaitMessage(t, "web", "ResizeInfeasible", "cannot change the size")
	to("500m")
	c.eventually(t, "the condition to go", func(context.Context) (bool, error) { return pending(c.get(t, "web")) == nil, nil })
}
