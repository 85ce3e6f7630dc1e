// Package machine runs the machine of the emulated clouds: a real kubelet over
// containerd and runc, in namespaces of its own on this host. Its processes,
// mounts and network are its own; the host gets one network link with routes to
// the pods and the nodes' addresses, and a cgroup in each hierarchy. When the process that started it is
// gone, killed even, so is the machine.
//
// The programs come from hack/machine and hack/controlplane. Only Linux and
// root can do this: Check tells what is missing.
package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
)

// Options say what to start. Dir, LogDir, BinDir, Network, Node, Kubeconfig,
// ClientCAFile, CertFile, KeyFile and PauseImage are required.
type Options struct {
	// Dir is the directory of what the machine keeps: containerd's images and
	// kubelet's volumes. It is made if need be. A second Start in it finds the
	// images again, but nothing of the pods. It needs a file system which can
	// hold an overlay (not one itself), else images are copied.
	Dir string
	// LogDir is the folder to whose files machine.log, containerd.log,
	// kubelet.log, kube-proxy.log and coredns.log the programs' output is
	// appended. It is made if need be.
	LogDir string
	// BinDir is the folder with kubelet, and machine/ with the other programs.
	BinDir string
	// Network is the machine's network; see ReserveNetwork.
	Network Network
	// Node is the name of the Node object.
	Node string
	// Labels and Taints are those of the Node object when it is registered.
	Labels map[string]string
	Taints []corev1.Taint
	// MaxPods is how many pods the node takes, 250 if 0.
	MaxPods int
	// Kubeconfig is the path of a kubeconfig of the user system:node:NODE in the
	// group system:nodes. Its server may be on the host's loopback address: the
	// machine reaches it at the same one.
	Kubeconfig string
	// ClientCAFile is the certificate of the authority whose clients the
	// kubelet's API accepts, if the API server allows them what they ask for.
	ClientCAFile string
	// CertFile and KeyFile are the kubelet's serving certificate, for
	// Network.Address.
	CertFile, KeyFile string
	// ClusterDNS are the name servers of pods with the DNS policy ClusterFirst,
	// ClusterDomain their search domain, "cluster.local" if empty.
	ClusterDNS    []string
	ClusterDomain string
	// PauseImage is the image of the process that holds a pod's namespaces.
	PauseImage string
	// Mirrors gives, for a registry's host as it stands in image names
	// ("docker.io", "registry.example.test:5000", or "*" for every other), the
	// base URLs that are tried before it. Those on the host's loopback address
	// are reached at the same one.
	Mirrors map[string][]string
	// Forward lists what else the machine and its pods reach on the host.
	Forward []Forward
	// Services, if set, gives the pods Services and cluster DNS, where
	// CheckServices finds nothing missing.
	Services *Services
	// Progress, if set, is told in a few words what Start and Stop are doing.
	// It is called by the goroutine that called these.
	Progress func(string) `json:"-"`
}

// Forward is a TCP port inside the machine whose connections end on the host.
type Forward struct {
	// Inside is where the machine listens: Network.Gateway or Network.Address
	// for the pods, a loopback address for the machine's own programs. Pods
	// cannot reach the latter.
	Inside netip.AddrPort
	// Host is where the host connects to, as HOST:PORT.
	Host string
}

// defaultMaxPods is what runs on one node without trouble of the kubelet's
// own; its default of 110 is for the pods' sake.
const defaultMaxPods = 250

// complete fills in the defaults and refuses what cannot be started.
func (o Options) complete() (Options, error) {
	required := []struct{ field, value string }{
		{"Dir", o.Dir}, {"LogDir", o.LogDir}, {"BinDir", o.BinDir}, {"Node", o.Node},
		{"Kubeconfig", o.Kubeconfig}, {"ClientCAFile", o.ClientCAFile},
		{"CertFile", o.CertFile}, {"KeyFile", o.KeyFile}, {"PauseImage", o.PauseImage},
	}
	for _, r := range required {
		if r.value == "" {
			return o, fmt.Errorf("%s is empty: it is required", r.field)
		}
	}
	if _, err := NewNetwork(o.Network.Prefix); err != nil {
		return o, fmt.Errorf("checking Network: %w", err)
	}
	if o.MaxPods < 0 || o.MaxPods > maxPodsOfNetwork {
		return o, fmt.Errorf("MaxPods is %d: a machine takes between 1 and %d", o.MaxPods, maxPodsOfNetwork)
	}
	for _, server := range o.ClusterDNS {
		if _, err := netip.ParseAddr(server); err != nil {
			return o, fmt.Errorf("ClusterDNS has %q: want IP addresses", server)
		}
	}
	if o.Services != nil {
		if err := o.Services.check(o.Network); err != nil {
			return o, err
		}
	}
	if o.MaxPods == 0 {
		o.MaxPods = defaultMaxPods
	}
	if o.ClusterDomain == "" {
		o.ClusterDomain = "cluster.local"
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	var errs [3]error
	o.Dir, errs[0] = filepath.Abs(o.Dir)
	o.LogDir, errs[1] = filepath.Abs(o.LogDir)
	o.BinDir, errs[2] = filepath.Abs(o.BinDir)
	return o, errors.Join(errs[:]...)
}
