package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/manifest"
)

// runnable are the examples whose programs the simulated runtime can stand for,
// by the clouds that can run them: those with commands of their own making and
// those that the node probes over the network are left out. The CronJob is run at
// once, for it would wait for the night.
var runnable = map[string][]string{
	"eci": {
		"ack-annotations", "database", "job-indexed", "nonroot", "oss-bucket", "service-mesh", "shared-memory", "stateful-web",
	},
	"kci": nil,
	"both": {
		"autoscaled", "dns-config", "downward-api", "graceful-shutdown", "host-aliases", "init-migration", "job",
		"nfs-share", "private-registry", "projected-volume", "prometheus", "redis", "sidecar-logging", "spot-batch", "spread-nodes",
		"tls-files", "token-audience", "web-config", "web-server", "worker-queue",
	},
}

// TestExamples applies the examples as they are, but for the node that they are
// to run on, and waits until all their pods run or have ended well.
func TestExamples(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.mustKubectl(t, "", "create", "serviceaccount", "vault-client")
		c.mustKubectl(t, c.onNode(t, filepath.Join("..", "examples", "cronjob.yaml")), "apply", "-f", "-")
		c.mustKubectl(t, "", "create", "job", "now", "--from=cronjob/nightly-report")
		want := 1
		for _, name := range append(runnable["both"], runnable[c.cloud]...) {
			file := filepath.Join("..", "examples", name+".yaml")
			want += podsOf(t, file)
			c.mustKubectl(t, c.onNode(t, file), "apply", "-f", "-")
		}
		var last []corev1.Pod
		c.eventually(t, fmt.Sprintf("%d pods that run or have ended well", want), func(ctx context.Context) (bool, error) {
			pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return false, err
			}
			last = pods.Items
			well := 0
			for i := range last {
				if isReady(&last[i]) || last[i].Status.Phase == corev1.PodSucceeded {
					well++
				} else if last[i].Status.Phase == corev1.PodFailed {
					return false, fmt.Errorf("pod %s failed: %s", last[i].Name, statusText(&last[i]))
				}
			}
			// A Job with more completions than pods at a time goes on.
			return well >= want, nil
		})
		t.Logf("%d pods of %d examples run", len(last), 1+len(runnable["both"])+len(runnable[c.cloud]))
	})
}

// podsOf counts the pods that an example makes.
func podsOf(t *testing.T, file string) int {
	t.Helper()
	sources, err := manifest.Load([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read(sources, "default")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for i := range m.Pods {
		count += m.Pods[i].Count
	}
	return count
}

// onNode is an example whose pods go to the target's node: what an operator's
// admission would see to.
func (c *target) onNode(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		object := map[string]any{}
		if err := yaml.Unmarshal(doc, &object); err != nil {
			t.Fatal(err)
		}
		spec, _ := object["spec"].(map[string]any)
		for _, field := range []string{"jobTemplate", "template"} {
			if template, ok := spec[field].(map[string]any); ok {
				spec, _ = template["spec"].(map[string]any)
			}
		}
		if _, pod := spec["containers"]; pod {
			spec["nodeSelector"] = map[string]any{corev1.LabelHostname: c.node}
			spec["tolerations"] = []any{map[string]any{"key": "virtual-kubelet.io/provider", "operator": "Exists"}}
		}
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return strings.Join(out, "---\n")
}
