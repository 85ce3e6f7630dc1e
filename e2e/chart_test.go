package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestChart lets a real API server judge what the chart renders.
func TestChart(t *testing.T) {
	cases := map[string]string{
		"Defaults": "",
		"TwoNodes": `
clusterID: 3b2a7c1e-5d4f-4a6b-8c9d-0e1f2a3b4c5d
nodes:
- {name: eci-one, cloud: eci, region: cn-hangzhou, zone: cn-hangzhou-k, subnets: [vsw-1], securityGroups: [sg-1]}
- {name: kci-one, cloud: kci, region: cn-beijing-6, subnets: [subnet-1], securityGroups: [sg-1]}
credentials:
  eci: {existingSecret: eci-key}
  kci: {existingSecret: kci-key}
serving: {approve: true}
replicas: 2
`,
	}
	for name, values := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "values.yaml")
			if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
				t.Fatal(err)
			}
			helm := exec.CommandContext(t.Context(), filepath.Join(binDir(), "helm"), "template", "../charts/cumulet", "--values", file)
			rendered, err := helm.Output()
			if err != nil {
				t.Fatalf("rendering the chart: %v", err)
			}
			c := &target{system: system, namespace: "default", kube: system.Kube}
			c.mustKubectl(t, string(rendered), "apply", "--dry-run=server", "-f", "-")
		})
	}
}
