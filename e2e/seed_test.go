package e2e

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/controlplane/process"
	"github.com/cumulet/cumulet/internal/local"
)

// TestSeedDialect runs a node on a KCI that knows only what the published
// document lists: what the document has works, everything else is refused.
func TestSeedDialect(t *testing.T) {
	c := newTarget(t, "kci", local.NodeKCI)
	const node = "kci-seed"
	dir := t.TempDir()
	cloud := startSeedCloud(t, dir)
	c.startAgent(t, dir, config.Config{
		ClusterID: "seed", StateDir: filepath.Join(dir, "state"), HealthAddress: "0", MetricsAddress: "0",
		Nodes: []config.Node{seedNode(t, dir, node, cloud)},
	})
	c.mustKubectl(t, "", "create", "configmap", "text", "--from-literal=line=from a file\n")
	c.create(t, c.pod("plain", "cat /config/line; sleep infinity", func(p *corev1.Pod) {
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "config", MountPath: "/config"}}
		p.Spec.Volumes = []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "text"}}}}}
	}))
	c.awaitPod(t, "plain", "ready", isReady)
	if out := c.mustKubectl(t, "", "logs", "plain"); out != "from a file\n" {
		t.Errorf("log is %q", out)
	}
	_, mistakes, code := c.kubectl(t, "", "exec", "plain", "--", "true")
	if code == 0 || !strings.Contains(mistakes, "exec is not possible") {
		t.Errorf("exec ends with %d and says %q, want a refusal", code, mistakes)
	}
	c.create(t, c.pod("modern", "true", func(p *corev1.Pod) {
		p.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "busybox"}}
		p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
	}))
	refused := c.awaitPod(t, "modern", "failed", hasPhase(corev1.PodFailed))
	for _, field := range []string{"spec.initContainers", "spec.containers[0].readinessProbe"} {
		if !strings.Contains(refused.Status.Message, field) {
			t.Errorf("message does not name %s: %s", field, refused.Status.Message)
		}
	}
	c.remove(t, "plain")
	c.remove(t, "modern")
}

// startSeedCloud starts emulators of which KCI speaks dialect seed.
func startSeedCloud(t *testing.T, dir string) local.Cloud {
	t.Helper()
	out := filepath.Join(dir, "clouds.json")
	emulator, err := process.Start(process.Command{
		Name: "cloud-emulator", Path: filepath.Join(binDir(), "cloud-emulator"),
		Args: []string{"--config-out", out, "--kci-dialect", "seed"}, Log: filepath.Join(dir, "clouds.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emulator.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
	})
	awaitFile(t, out)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var clouds local.Clouds
	if err := json.Unmarshal(data, &clouds); err != nil {
		t.Fatal(err)
	}
	return clouds.KCI
}

func seedNode(t *testing.T, dir, name string, cloud local.Cloud) config.Node {
	t.Helper()
	key, err := json.Marshal(map[string]string{"accessKeyId": cloud.AccessKeyID, "accessKeySecret": cloud.AccessKeySecret})
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(dir, "key.json")
	if err := os.WriteFile(keyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := system.Cluster.UserKubeconfig(name, "system:node:"+name, []string{"system:nodes"})
	if err != nil {
		t.Fatal(err)
	}
	loopback := net.IPv4(127, 0, 0, 1)
	cert, certKey, err := system.Cluster.ServingCert(name, []string{"system:nodes"}, []string{name}, []net.IP{loopback})
	if err != nil {
		t.Fatal(err)
	}
	return config.Node{
		Name: name, Cloud: config.CloudKCI, Dialect: config.DialectSeed, Region: cloud.Region, Endpoint: cloud.Endpoint,
		Subnets: []string{"subnet-local"}, SecurityGroups: []string{"sg-local"}, Credentials: config.Credentials{File: keyFile},
		Kubeconfig: kubeconfig, Address: loopback.String(),
		Serving: config.Serving{CertFile: cert, KeyFile: certKey, ClientCAFile: system.Cluster.CAFile()},
	}
}
