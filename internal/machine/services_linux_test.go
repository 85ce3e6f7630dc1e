package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// serviceName is the Service of TestMachineServices.
const serviceName = "served"

// TestMachineServices goes once through what Services are for: pods reach each
// other and themselves by a Service's name, and this host by a node's address.
func TestMachineServices(t *testing.T) {
	if err := CheckServices(binDir); err != nil {
		t.Fatalf("pods can have no Services here: %v", err)
	}
	w := newWorld(t)
	options := w.options(t, "node-a")
	options.Services = w.services(t, "node-a")
	node := options.Network.Nodes().Addr().Next()
	options.Services.NodeAddresses = append(options.Services.NodeAddresses, node)
	before, rules := hostSettings(t), hostRules(t)
	m := w.start(t, options)
	for _, name := range []string{"server", "stranger"} {
		pod := appPod(name, "node-a")
		pod.Labels = map[string]string{"app": name}
		w.create(t, pod)
	}
	w.awaitReady(t, "server")
	w.awaitReady(t, "stranger")
	service := w.expose(t, "server")

	byName := "http://" + serviceName + ".default.svc.cluster.local/"
	for _, pod := range []string{"stranger", "server"} {
		for _, url := range []string{byName, "http://" + serviceName + "/", "http://" + service.Spec.ClusterIP + "/"} {
			w.reaches(t, pod, url)
		}
		w.reaches(t, pod, fmt.Sprintf("http://%v:%d/", node, service.Spec.Ports[0].NodePort))
	}
	if got := fetch(t, fmt.Sprintf("http://%v:%d/", node, service.Spec.Ports[0].NodePort)); got != "this is server" {
		t.Errorf("this host gets %q at the node's address", got)
	}
	if got, err := w.exec(t, "stranger", "fetch", "http://elsewhere.example.test/"); err == nil || !strings.Contains(got, "no such host") {
		t.Errorf("a name outside the cluster: %q, %v, want it to be unknown", got, err)
	}
	for what, now := range hostSettings(t) {
		if before[what] != now {
			t.Errorf("the machine changed %s on the host: %q, before %q", what, now, before[what])
		}
	}
	if now := hostRules(t); now != rules {
		t.Errorf("the machine changed the host's nftables:\n%s\nbefore:\n%s", now, rules)
	}
	checkProxyEnds(t, m, options)
}

// checkProxyEnds checks that a machine without its kube-proxy is none.
func checkProxyEnds(t *testing.T, m *Machine, options Options) {
	t.Helper()
	for _, pid := range processesOf(t, m) {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.HasPrefix(string(command), binFolder+"/kube-proxy\x00") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case err := <-m.Failed():
		if err == nil || !strings.Contains(err.Error(), "kube-proxy ended by signal killed; the end of "+filepath.Join(options.LogDir, "kube-proxy.log")) {
			t.Errorf("error = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("kube-proxy's end went unnoticed")
	}
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
	checkNothingLeft(t, options)
}

// services are Services of the world's cluster.
func (w *world) services(t *testing.T, node string) *Services {
	t.Helper()
	proxy, errProxy := w.cluster.UserKubeconfig("kube-proxy", "system:kube-proxy", nil)
	dns, errDNS := w.cluster.UserKubeconfig("coredns", "coredns", []string{"system:masters"})
	if err := errors.Join(errProxy, errDNS); err != nil {
		t.Fatal(err)
	}
	return &Services{Node: node, ProxyKubeconfig: proxy, DNSKubeconfig: dns}
}

// expose makes a Service of the pods with a label app.
func (w *world) expose(t *testing.T, app string) *corev1.Service {
	t.Helper()
	service, err := w.api.CoreV1().Services(metav1.NamespaceDefault).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: serviceName},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Selector: map[string]string{"app": app},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// reaches waits until the pod server answers a pod at a URL.
func (w *world) reaches(t *testing.T, pod, url string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		got, err := w.exec(t, pod, "fetch", url)
		if err != nil {
			return fmt.Errorf("pod %s gets %q: %w", pod, got, err)
		}
		if got != "this is server" {
			return fmt.Errorf("pod %s gets %q", pod, got)
		}
		return nil
	})
}

// hostRules are the nftables of this host.
func hostRules(t *testing.T) string {
	t.Helper()
	nft := exec.CommandContext(t.Context(), binDir+"/"+nftProgram, "list", "ruleset")
	nft.Env = []string{nftLibraries(binDir + "/machine")}
	output, err := nft.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}
