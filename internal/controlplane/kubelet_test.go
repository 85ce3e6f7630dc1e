package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestKubeletAPI checks what stands between kube-apiserver and the API of a
// node: the node's certificate is verified, and kube-apiserver shows its own.
func TestKubeletAPI(t *testing.T) {
	c := startCluster(t, Options{WithoutScheduler: true})
	api := clientFor(t, c.AdminConfig())
	for _, tt := range []struct {
		node string
		ip   net.IP // in the node's certificate
		good bool
	}{
		{node: "good", ip: net.IPv4(127, 0, 0, 1), good: true},
		{node: "bad", ip: net.IPv4(127, 0, 0, 2)},
	} {
		t.Run(tt.node, func(t *testing.T) {
			port := serveKubelet(t, c, tt.node, tt.ip)
			runPodOn(t, c, tt.node, port)
			logs, err := api.CoreV1().Pods("default").GetLogs(tt.node, &corev1.PodLogOptions{}).DoRaw(t.Context())
			if !tt.good {
				if err == nil {
					t.Errorf("logs = %q from a node whose certificate is for another address", logs)
				}
				return
			}
			want := "/containerLogs/default/good/c for kube-apiserver-kubelet-client"
			if err != nil || string(logs) != want {
				t.Errorf("logs = %q (%v), want %q", logs, err, want)
			}
		})
	}
}

// serveKubelet serves an API like a kubelet's, which tells what was asked by
// whom, and returns its port.
func serveKubelet(t *testing.T, c *Cluster, node string, ip net.IP) int {
	t.Helper()
	cert, key, err := c.ServingCert("system:node:"+node, []string{"system:nodes"}, nil, []net.IP{ip})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(c.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(ca)
	kubelet := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s for %s", r.URL.Path, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	kubelet.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientCAs:    clients,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
	kubelet.StartTLS()
	t.Cleanup(kubelet.Close)
	return kubelet.Listener.Addr().(*net.TCPAddr).Port
}

// runPodOn registers a node as its own user and binds a pod of the same name
// to it.
func runPodOn(t *testing.T, c *Cluster, name string, port int) {
	t.Helper()
	node := readyNode(name)
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(port)
	self := userClient(t, c, name, "system:node:"+name, "system:nodes")
	if _, err := self.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{NodeName: name, Containers: []corev1.Container{{Name: "c", Image: "image"}}},
	}
	admin := clientFor(t, c.AdminConfig())
	if _, err := admin.CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
