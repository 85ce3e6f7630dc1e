package machine

// Paths inside the machine. They are the programs' usual ones, below file
// systems of the machine's own.
const (
	// ownFolder is where the machine keeps what Start gave it, in memory.
	ownFolder = "/run/machine"

	binFolder        = ownFolder + "/bin"
	programsFolder   = binFolder + "/machine"
	networksFolder   = ownFolder + "/cni"
	registriesFolder = ownFolder + "/certs.d"
	containerdConfig = ownFolder + "/containerd.toml"
	kubeletConfig    = ownFolder + "/kubelet.yaml"
	kubeconfigFile   = ownFolder + "/kubeconfig"
	clientCAFile     = ownFolder + "/client-ca.crt"
	certFile         = ownFolder + "/kubelet.crt"
	keyFile          = ownFolder + "/kubelet.key"
	resolverFile     = ownFolder + "/resolv.conf"
	hostsFile        = ownFolder + "/hosts"

	proxyKubeconfigFile = ownFolder + "/kube-proxy.kubeconfig"
	dnsKubeconfigFile   = ownFolder + "/coredns.kubeconfig"
	corefile            = ownFolder + "/Corefile"

	containerdRoot   = "/var/lib/containerd"
	containerdSocket = "/run/containerd/containerd.sock"
	kubeletRoot      = "/var/lib/kubelet"
	podLogs          = "/var/log/pods"
	networkData      = "/var/lib/cni/networks"
)

// programPath is where the programs look for others: containerd for its shim,
// kubelet for mount and umount, kube-proxy for nft.
const programPath = programsFolder + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ownLoopback is the loopback address at which the machine's own programs serve
// each other. At the usual one are those of the host that are forwarded.
const ownLoopback = "127.0.0.2"

// kubeletPort and healthPort are the kubelet's usual ports.
const (
	kubeletPort = 10250
	healthPort  = 10248
	// proxyPort is where containerd finds the host's way to registries.
	proxyPort = 3128
)
