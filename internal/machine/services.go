package machine

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
)

// Services are what pods have of a cluster's network beside their addresses:
// kube-proxy, which makes the addresses of its Services lead to their endpoints,
// and CoreDNS, which knows their names. Both run in the machine's network and
// end with it. The cluster need not be the one that the machine is a node of.
//
// CoreDNS answers at Network.Gateway. It knows the cluster's names alone: from
// the machine there is no way to any other.
type Services struct {
	// Node is the Node object for which kube-proxy speaks: the endpoints on it
	// are those of traffic policy Local. Where several nodes of the cluster
	// have their pods on one machine it can only be one of them.
	Node string
	// NodeAddresses are those of the cluster's nodes, from Network.Nodes, at
	// which the machine then answers. At them Services of type NodePort are
	// reached; at Network.Address if there are none.
	NodeAddresses []netip.Addr
	// ProxyKubeconfig is the path of a kubeconfig of the user
	// system:kube-proxy, or of another with the role system:node-proxier.
	ProxyKubeconfig string
	// DNSKubeconfig is the path of a kubeconfig of a user who may list and watch
	// Services, EndpointSlices and Namespaces.
	//
	// The servers of both may be on the host's loopback address, as that of
	// Options.Kubeconfig.
	DNSKubeconfig string
}

// Ports of the machine's address at which kube-proxy and CoreDNS tell how they
// are: kube-proxy's and CoreDNS' usual ones.
const (
	proxyHealthPort = 10256
	proxyMetrics    = 10249
	dnsReadyPort    = 8181
	dnsPort         = 53
)

// ServiceChecks are the URLs that answer the host with status 200 once
// kube-proxy and CoreDNS know their cluster.
func (n Network) ServiceChecks() []string {
	at := func(port int, path string) string {
		return "http://" + net.JoinHostPort(n.Address().String(), strconv.Itoa(port)) + path
	}
	return []string{at(proxyHealthPort, "/healthz"), at(dnsReadyPort, "/ready")}
}

// check refuses what cannot be started.
func (s *Services) check(network Network) error {
	for _, r := range []struct{ field, value string }{
		{"Node", s.Node}, {"ProxyKubeconfig", s.ProxyKubeconfig}, {"DNSKubeconfig", s.DNSKubeconfig},
	} {
		if r.value == "" {
			return fmt.Errorf("field %s of Services is empty: it is required", r.field)
		}
	}
	for _, address := range s.NodeAddresses {
		if !network.Nodes().Contains(address) {
			return fmt.Errorf("field NodeAddresses of Services has %v: want addresses in %v", address, network.Nodes())
		}
	}
	return nil
}

// nodeAddresses are Services.NodeAddresses, if there are any.
func (o Options) nodeAddresses() []netip.Addr {
	if o.Services == nil {
		return nil
	}
	return o.Services.NodeAddresses
}

// nodePortAddresses is the list for kube-proxy of where NodePorts are reached.
func nodePortAddresses(o Options) string {
	addresses := o.nodeAddresses()
	if len(addresses) == 0 {
		addresses = []netip.Addr{o.Network.Address()}
	}
	prefixes := make([]string, len(addresses))
	for i, address := range addresses {
		prefixes[i] = single(address).String()
	}
	return strings.Join(prefixes, ",")
}

// single is the prefix of one address.
func single(address netip.Addr) netip.Prefix { return netip.PrefixFrom(address, address.BitLen()) }

// kubeProxy is how kube-proxy is run. What it would set for the whole host is
// left as it is. Pods are joined by routes, not by a bridge, so that answers
// pass the machine's connection tracking like requests, and only what a pod
// sends to itself by way of a Service need get another source address.
func kubeProxy(o Options) program {
	address := o.Network.Address().String()
	return program{
		Name: proxyProgram,
		Argv: []string{
			binFolder + "/kube-proxy",
			"--kubeconfig=" + proxyKubeconfigFile,
			"--hostname-override=" + o.Services.Node,
			"--proxy-mode=nftables",
			"--bind-address=" + address,
			"--cluster-cidr=" + o.Network.Pods().String(),
			"--nodeport-addresses=" + nodePortAddresses(o),
			"--healthz-bind-address=" + net.JoinHostPort(address, strconv.Itoa(proxyHealthPort)),
			"--metrics-bind-address=" + net.JoinHostPort(ownLoopback, strconv.Itoa(proxyMetrics)),
			"--conntrack-max-per-core=0",
			"--oom-score-adj=0",
			"--v=1",
		},
		Env: []string{"PATH=" + programPath, "HOME=/root", nftLibraries(programsFolder)},
	}
}

// coreDNS is how CoreDNS is run.
func coreDNS() program {
	return program{
		Name: dnsProgram,
		Argv: []string{programsFolder + "/coredns", "-conf", corefile},
		Env:  []string{"PATH=" + programPath, "HOME=/root"},
	}
}

// corefileText is CoreDNS' configuration: the cluster's names, as kubeadm sets
// them up, and for all others that there are none. Without that resolvers would
// ask again for seconds.
const corefileText = `%[1]s in-addr.arpa ip6.arpa {
	bind %[2]s
	errors
	ready %[3]s
	kubernetes %[1]s in-addr.arpa ip6.arpa {
		kubeconfig %[4]s
		pods insecure
	}
	loadbalance
}

. {
	bind %[2]s
	errors
	template ANY ANY {
		rcode NXDOMAIN
	}
}
`

func renderCorefile(o Options) []byte {
	ready := net.JoinHostPort(o.Network.Address().String(), strconv.Itoa(dnsReadyPort))
	return fmt.Appendf(nil, corefileText, o.ClusterDomain, o.Network.Gateway(), ready, dnsKubeconfigFile)
}

// nftLibraries is the variable by which nft finds the libraries that
// hack/machine puts beside it. If it is the system's there are none.
func nftLibraries(folder string) string { return "LD_LIBRARY_PATH=" + folder + "/nft-lib" }

// servicePrograms are the files below BinDir that Services need.
var servicePrograms = []programFile{
	{"kube-proxy", "controlplane"}, {"machine/coredns", "machine"}, {nftProgram, "machine"},
}

// nftProgram is what kube-proxy calls.
const nftProgram = "machine/nft"

// checkServicePrograms says which programs are missing.
func checkServicePrograms(binDir string, exists func(file string) bool) error {
	err := checkPrograms(binDir, servicePrograms, exists)
	if err != nil && !exists(nftProgram) {
		return fmt.Errorf("%w; nft is the system's, 1.0.1 or newer (package nftables), or is fetched where there is apt-get", err)
	}
	return err
}

// oldestKernel is the oldest on which kube-proxy uses nftables
// (k8s.io/kubernetes/pkg/util/kernel, NFTablesKubeProxyKernelVersion).
const oldestKernel = "5.13"

// checkKernel says why a kernel's release is too old for kube-proxy.
func checkKernel(release string) error {
	have, err := version.ParseGeneric(release)
	if err != nil {
		return fmt.Errorf("reading the kernel's release: %w", err)
	}
	if have.LessThan(version.MustParseGeneric(oldestKernel)) {
		return fmt.Errorf("kube-proxy needs Linux %s for nftables, this is %s", oldestKernel, release)
	}
	return nil
}

// trialRules have of all that kube-proxy's rules need of the kernel one.
const trialRules = `table ip trial {
	set clients { type ipv4_addr; flags dynamic,timeout; timeout 10s; }
	map services { type ipv4_addr . inet_proto . inet_service : verdict; }
	chain hairpin { meta mark set meta mark or 0x4000; }
	chain endpoint {
		ip saddr 192.0.2.1 jump hairpin
		update @clients { ip saddr }
		meta l4proto tcp dnat to 192.0.2.1:80
	}
	chain prerouting {
		type nat hook prerouting priority -100
		ip daddr . meta l4proto . th dport vmap @services
		fib daddr type local numgen random mod 1 vmap { 0 : goto endpoint }
	}
	chain postrouting {
		type nat hook postrouting priority 100
		meta mark & 0x4000 == 0x4000 masquerade fully-random
	}
	chain forward {
		type filter hook forward priority -110
		ct state new reject
	}
}
`

// explainTrial makes an error of what nft said of trialRules.
func explainTrial(err error, output string) error {
	if err == nil {
		return nil
	}
	said, _, _ := strings.Cut(strings.TrimSpace(output), "\n")
	return fmt.Errorf("nft cannot make rules such as kube-proxy's here (kernel modules nf_tables, nf_nat, nf_conntrack, nft_fib): %w: %s", err, said)
}
