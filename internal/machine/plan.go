package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// plan is what the machine's first process needs to know. It comes to it over
// its standard input, which stays open as long as there is somebody to run for.
type plan struct {
	// Dir and BinDir are Options', absolute.
	Dir, BinDir string
	Node        string
	// Files are to be written before anything starts, by absolute path.
	Files      map[string][]byte
	Containerd containerdSettings
	// Proxy is the URL of an HTTP proxy for containerd.
	Proxy   string
	Kubelet []string
	// Beside are the programs that run beside containerd and the kubelet.
	Beside []program
}

// program is a program of the machine's.
type program struct {
	// Name is that of its log, too.
	Name string
	// Argv and Env are as for execve(2).
	Argv, Env []string
}

// The names of the programs.
const (
	machineProgram    = "machine"
	containerdProgram = "containerd"
	kubeletProgram    = "kubelet"
	proxyProgram      = "kube-proxy"
	dnsProgram        = "coredns"
)

// programNames lists the programs of a machine in the order of their logs'
// descriptors, the first process being the first.
func programNames(o Options) []string {
	names := []string{machineProgram, containerdProgram, kubeletProgram}
	for _, p := range beside(o) {
		names = append(names, p.Name)
	}
	return names
}

// beside are the programs that Services take.
func beside(o Options) []program {
	if o.Services == nil {
		return nil
	}
	return []program{coreDNS(), kubeProxy(o)}
}

// report is what the first process tells, one after the other.
type report struct {
	// Step is what it does now.
	Step string `json:",omitempty"`
	// Ready says that the kubelet runs.
	Ready bool `json:",omitempty"`
	// Error is why it ends, Ended the program that ended before, if one did.
	Error string `json:",omitempty"`
	Ended string `json:",omitempty"`
}

// proxyAddress is where the machine reaches the proxy of newProxy.
var proxyAddress = netip.AddrPortFrom(netip.MustParseAddr(ownLoopback), proxyPort)

// newPlan reads what the options name and writes the programs' configuration.
func newPlan(o Options) (plan, error) {
	p := plan{
		Dir: o.Dir, BinDir: o.BinDir, Node: o.Node,
		Files:      map[string][]byte{},
		Containerd: containerdSettings{PauseImage: o.PauseImage},
		Proxy:      "http://" + proxyAddress.String(),
		Kubelet:    kubeletArguments(o),
		Beside:     beside(o),
	}
	if err := errors.Join(p.copyFiles(o), p.copyKubeconfigs(o)); err != nil {
		return plan{}, err
	}
	if o.Services != nil {
		p.Files[corefile] = renderCorefile(o)
	}
	hosts, err := registryHosts(o.Mirrors)
	if err != nil {
		return plan{}, err
	}
	for name, content := range hosts {
		p.Files[registriesFolder+"/"+name] = content
	}
	var errs [2]error
	p.Files[kubeletConfig], errs[0] = kubeletYAML(o)
	p.Files[networksFolder+"/pods.conflist"], errs[1] = podNetwork(o.Network)
	p.Files[resolverFile] = resolver(o.ClusterDNS)
	p.Files[hostsFile] = []byte("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
		o.Network.Address().String() + "\t" + o.Node + "\n")
	return p, errors.Join(errs[:]...)
}

// copyFiles takes in the keys and certificates: their paths may mean nothing
// inside the machine.
func (p plan) copyFiles(o Options) error {
	for inside, outside := range map[string]string{clientCAFile: o.ClientCAFile, certFile: o.CertFile, keyFile: o.KeyFile} {
		content, err := os.ReadFile(outside)
		if err != nil {
			return fmt.Errorf("reading the machine's credentials: %w", err)
		}
		p.Files[inside] = content
	}
	return nil
}

// kubeconfigs are the paths of the programs' kubeconfigs on the host, by those
// inside.
func (o Options) kubeconfigs() map[string]string {
	all := map[string]string{kubeconfigFile: o.Kubeconfig}
	if o.Services != nil {
		all[proxyKubeconfigFile], all[dnsKubeconfigFile] = o.Services.ProxyKubeconfig, o.Services.DNSKubeconfig
	}
	return all
}

// copyKubeconfigs takes in the kubeconfigs, for the same reason.
func (p plan) copyKubeconfigs(o Options) error {
	for inside, outside := range o.kubeconfigs() {
		config, err := readKubeconfig(outside)
		if err != nil {
			return err
		}
		if p.Files[inside], err = clientcmd.Write(*config); err != nil {
			return fmt.Errorf("encoding kubeconfig %s: %w", outside, err)
		}
	}
	return nil
}

// readKubeconfig reads a kubeconfig's current context, with everything that it
// names in other files.
func readKubeconfig(path string) (*clientcmdapi.Config, error) {
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a kubeconfig of the machine's: %w", err)
	}
	if err := clientcmdapi.MinifyConfig(config); err != nil {
		return nil, fmt.Errorf("reading kubeconfig %s: %w", path, err)
	}
	if err := clientcmdapi.FlattenConfig(config); err != nil {
		return nil, fmt.Errorf("reading kubeconfig %s: %w", path, err)
	}
	return config, nil
}

// resolver is the resolv.conf of pods with the DNS policy Default: the machine
// has no other name servers than the cluster's.
func resolver(servers []string) []byte {
	var b strings.Builder
	for _, server := range servers {
		b.WriteString("nameserver " + server + "\n")
	}
	return []byte(b.String())
}

// encode returns the plan as it travels: JSON.
func (p plan) encode() ([]byte, error) {
	content, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encoding the machine's plan: %w", err)
	}
	return append(content, '\n'), nil
}
