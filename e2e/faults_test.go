package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// faultPods is how many pods go through each fault.
const faultPods = 20

// TestFaults lets creating go wrong in the ways in which money is lost: in the
// end every pod runs, and there is exactly one group for each.
func TestFaults(t *testing.T) {
	faults := map[string][]map[string]any{
		"LostAnswer":  {{"kind": "lost", "times": faultPods / 2}},
		"ServerError": {{"kind": "error", "status": 500, "code": "ServiceUnavailable", "times": faultPods}},
		"MalformedBody": {
			{"kind": "malformed", "body": "truncated", "times": 5},
			{"kind": "malformed", "body": "html", "times": 5},
			{"kind": "malformed", "body": "empty", "times": 5},
		},
	}
	for name, set := range faults {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, c *target) {
				earlier := len(c.every(t))
				for _, f := range set {
					c.inject(t, "CreateContainerGroup", f)
				}
				for i := range faultPods {
					c.create(t, c.pod(fmt.Sprintf("p%02d", i), "sleep infinity", onNode(c.node)))
				}
				c.within(t, 3*patience, "pods to run", c.allRunning(faultPods))
				if alive, made := len(c.alive(t)), len(c.every(t))-earlier; alive != faultPods || made != faultPods {
					t.Errorf("%d groups live and %d were made, want %d of each", alive, made, faultPods)
				}
			})
		})
	}
}

// inject adds a fault to the target's cloud and takes all away at the end.
func (c *target) inject(t *testing.T, action string, fault map[string]any) {
	t.Helper()
	fault = maps.Clone(fault) // the other cloud's scenario has the same one
	fault["cloud"], fault["action"] = c.cloud, action
	body, err := json.Marshal(fault)
	if err != nil {
		t.Fatal(err)
	}
	c.admin(t, http.MethodPost, "/faults", body)
	t.Cleanup(func() { c.admin(t, http.MethodDelete, "/faults?cloud="+c.cloud, nil) })
}

// admin makes one call to the emulator's admin port.
func (c *target) admin(t *testing.T, method, path string, body []byte) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // clean-ups call it too
	request, err := http.NewRequestWithContext(ctx, method, system.Clouds.Admin.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= http.StatusBadRequest {
		var text bytes.Buffer
		_, _ = text.ReadFrom(answer.Body)
		t.Fatalf("%s %s: %s %s", method, path, answer.Status, text.String())
	}
}

// TestOutage makes the cloud unreachable: pods stay as they are, the node stays
// Ready and shows why.
func TestOutage(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("steady", "sleep infinity"))
		before := c.awaitPod(t, "steady", "ready", isReady)
		c.inject(t, "", map[string]any{"kind": "error", "status": 503, "code": "ServiceUnavailable"})
		c.eventually(t, "node to show the outage", c.nodeCondition("CloudAvailable", corev1.ConditionFalse))
		if ready := c.nodeCondition(corev1.NodeReady, corev1.ConditionTrue); !holds(t, ready) {
			t.Error("node is not Ready: its pods would be evicted")
		}
		after := c.get(t, "steady")
		if before.ResourceVersion != after.ResourceVersion {
			t.Errorf("the outage changed the pod: %+v", after.Status)
		}
		c.admin(t, http.MethodDelete, "/faults?cloud="+c.cloud, nil)
		c.eventually(t, "node to show that the cloud is back", c.nodeCondition("CloudAvailable", corev1.ConditionTrue))
		c.remove(t, "steady")
	})
}

func (c *target) nodeCondition(kind corev1.NodeConditionType, want corev1.ConditionStatus) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		node, err := c.kube.CoreV1().Nodes().Get(ctx, c.node, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == kind {
				return condition.Status == want, nil
			}
		}
		return false, nil
	}
}

func holds(t *testing.T, condition func(context.Context) (bool, error)) bool {
	t.Helper()
	ok, err := condition(t.Context())
	return err == nil && ok
}
