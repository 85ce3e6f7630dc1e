package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/controlplane/process"
	"github.com/cumulet/cumulet/internal/local"
)

// TestBootstrap starts cumulet as the chart does: with an identity that may
// only ask for certificates. It gets the node's client and serving
// certificates by itself, and then works as that node.
func TestBootstrap(t *testing.T) {
	c := newTarget(t, "eci", local.NodeECI)
	const user, node = "cumulet-bootstrap", "eci-bootstrapped"
	c.allowBootstrap(t, user)
	kubeconfig, err := system.Cluster.UserKubeconfig("bootstrap", user, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c.startAgent(t, dir, config.Config{
		ClusterID: "bootstrapped", StateDir: filepath.Join(dir, "state"), BootstrapKubeconfig: kubeconfig,
		HealthAddress: "0", MetricsAddress: "0",
		LeaderElection: config.LeaderElection{Enabled: true, Namespace: c.namespace},
		Nodes: []config.Node{{
			Name: node, Cloud: config.CloudECI, Region: system.Clouds.ECI.Region, Endpoint: system.Clouds.ECI.Endpoint,
			Address: "127.0.0.1", Credentials: config.Credentials{File: filepath.Join(system.Dir(), local.NodeECI+"-key.json")},
			Serving: config.Serving{Approve: true, ClientCAFile: system.Cluster.CAFile()},
		}},
	})
	c.create(t, c.pod("hello", "echo hello; sleep infinity"))
	c.awaitPod(t, "hello", "ready", isReady)
	// The serving certificate comes a few seconds after the node.
	c.eventually(t, "logs through the requested serving certificate", func(context.Context) (bool, error) {
		out, _, code := c.kubectl(t, "", "logs", "hello")
		return code == 0 && out == "hello\n", nil
	})
	c.remove(t, "hello")
}

// startAgent runs another cumulet with one node, which becomes the target's,
// until the test ends.
func (c *target) startAgent(t *testing.T, dir string, conf config.Config) {
	t.Helper()
	file := filepath.Join(dir, "cumulet.yaml")
	writeConfig(t, file, conf)
	agent, err := process.Start(process.Command{
		Name: "cumulet", Path: filepath.Join(binDir(), "cumulet"), Args: []string{"run", "--config", file}, Log: filepath.Join(dir, "log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.node = conf.Nodes[0].Name
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of cumulet's log:\n%s", agent.LogTail(30))
		}
		if err := agent.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
		if err := c.kube.CoreV1().Nodes().Delete(context.WithoutCancel(t.Context()), c.node, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	c.eventually(t, "the node to be Ready", c.nodeCondition(corev1.NodeReady, corev1.ConditionTrue))
}

// allowBootstrap gives a user the rights that the chart gives its service
// account.
func (c *target) allowBootstrap(t *testing.T, user string) {
	t.Helper()
	const certificates = "certificates.k8s.io"
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{certificates}, Resources: []string{"certificatesigningrequests"}, Verbs: []string{"create", "get", "list", "watch"}},
		{APIGroups: []string{certificates}, Resources: []string{"certificatesigningrequests/nodeclient"}, Verbs: []string{"create"}},
		{APIGroups: []string{certificates}, Resources: []string{"certificatesigningrequests/approval"}, Verbs: []string{"update"}},
		{APIGroups: []string{certificates}, Resources: []string{"signers"}, ResourceNames: []string{"kubernetes.io/kubelet-serving"}, Verbs: []string{"approve"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create", "get", "update"}},
		{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}}
	if _, err := c.kube.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: c.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	if _, err := c.kube.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func writeConfig(t *testing.T, path string, c config.Config) {
	t.Helper()
	data, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
