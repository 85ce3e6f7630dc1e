package controlplane

import (
	"slices"
	"strconv"
	"time"
)

// component is one program of the control plane.
type component struct {
	name string
	args []string
	// grace is how long it may take to end by itself before it is killed.
	grace time.Duration
}

const (
	// etcdGrace is ample for closing a database that does not sync.
	etcdGrace = 10 * time.Second
	// apiserverGrace is short: kube-apiserver waits up to a minute for clients
	// that keep connections open, and has no state to lose.
	apiserverGrace = 3 * time.Second
	// controllerGrace is for the controller manager and the scheduler, which
	// have no state either.
	controllerGrace = 3 * time.Second
)

// unreachableAddress is what kube-apiserver advertises when nobody is to use
// it: it refuses to run without an address, and loopback as one. RFC 5737
// keeps this network for documentation.
const unreachableAddress = "192.0.2.1"

// flags is a command line under construction.
type flags []string

func (f *flags) set(name, value string) { *f = append(*f, "--"+name+"="+value) }

func (f *flags) setInt(name string, value int) { f.set(name, strconv.Itoa(value)) }

// components returns what is to run, in the order of starting.
func (o Options) components(dir directory, p ports) []component {
	var all []component
	if o.EtcdOf == nil {
		all = append(all, component{name: "etcd", args: etcdFlags(dir, p), grace: etcdGrace})
	}
	all = append(all, component{name: "kube-apiserver", args: apiserverFlags(dir, p, o), grace: apiserverGrace})
	if !o.WithoutControllerManager {
		all = append(all, component{name: "kube-controller-manager", args: controllerManagerFlags(dir, p, o), grace: controllerGrace})
	}
	if !o.WithoutScheduler {
		all = append(all, component{name: "kube-scheduler", args: schedulerFlags(dir, p), grace: controllerGrace})
	}
	for i := range all {
		all[i].args = append(slices.Clip(all[i].args), o.ExtraFlags[all[i].name]...)
	}
	return all
}

func etcdFlags(dir directory, p ports) flags {
	var f flags
	url := "https://" + loopback(p.Etcd)
	f.set("data-dir", dir.path("etcd"))
	f.set("listen-client-urls", url)
	f.set("advertise-client-urls", url)
	f.set("cert-file", dir.pki("etcd.crt"))
	f.set("key-file", dir.pki("etcd.key"))
	f.set("client-cert-auth", "true")
	f.set("trusted-ca-file", dir.pki("etcd-ca.crt"))
	// There are no peers. etcd insists on listening for them all the same.
	f.set("listen-peer-urls", "https://"+loopback(0))
	f.set("peer-cert-file", dir.pki("etcd.crt"))
	f.set("peer-key-file", dir.pki("etcd.key"))
	f.set("peer-client-cert-auth", "true")
	f.set("peer-trusted-ca-file", dir.pki("etcd-ca.crt"))
	// A killed process loses nothing by it, only a crash of the machine does.
	f.set("unsafe-no-fsync", "true")
	// Room for the history of ten thousand pods between two compactions,
	// which are five minutes apart. It is the most that etcd recommends.
	f.setInt("quota-backend-bytes", 8<<30)
	f.set("log-level", "warn")
	return f
}

func apiserverFlags(dir directory, p ports, o Options) flags {
	var f flags
	f.set("bind-address", "127.0.0.1")
	f.setInt("secure-port", p.APIServer)
	f.set("tls-cert-file", dir.pki("kube-apiserver.crt"))
	f.set("tls-private-key-file", dir.pki("kube-apiserver.key"))
	f.set("service-cluster-ip-range", o.ServiceCIDR)
	f.set("allow-privileged", "true")
	f.set("enable-admission-plugins", "NodeRestriction")
	// Twice the defaults, for many nodes and watchers on one machine.
	f.setInt("max-requests-inflight", 800)
	f.setInt("max-mutating-requests-inflight", 400)
	// Calls webhooks and aggregated servers at their pods' addresses: no
	// kube-proxy gives service addresses a meaning on this machine.
	f.set("enable-aggregator-routing", "true")
	f.advertise(o)
	f.authenticate(dir)
	f.store(dir, p, o)
	f.connect(dir)
	return f
}

// advertise sets the address in the endpoints of the service "kubernetes".
func (f *flags) advertise(o Options) {
	if o.AdvertiseAddress == "" {
		f.set("advertise-address", unreachableAddress)
		f.set("endpoint-reconciler-type", "none")
		return
	}
	f.set("advertise-address", o.AdvertiseAddress)
}

// authenticate sets who may do what at kube-apiserver.
func (f *flags) authenticate(dir directory) {
	f.set("authorization-mode", "Node,RBAC")
	f.set("anonymous-auth", "false")
	f.set("client-ca-file", dir.pki("ca.crt"))
	f.set("service-account-issuer", "https://kubernetes.default.svc.cluster.local")
	f.set("service-account-key-file", dir.pki("service-account.pub"))
	f.set("service-account-signing-key-file", dir.pki("service-account.key"))
	f.set("requestheader-client-ca-file", dir.pki("front-proxy-ca.crt"))
	f.set("requestheader-allowed-names", frontProxyUser)
	f.set("requestheader-username-headers", "X-Remote-User")
	f.set("requestheader-group-headers", "X-Remote-Group")
	f.set("requestheader-extra-headers-prefix", "X-Remote-Extra-")
}

// store sets where kube-apiserver keeps everything.
func (f *flags) store(dir directory, p ports, o Options) {
	if o.EtcdOf != nil {
		dir, p = o.EtcdOf.dir, o.EtcdOf.ports
	}
	f.set("etcd-servers", "https://"+loopback(p.Etcd))
	f.set("etcd-cafile", dir.pki("etcd-ca.crt"))
	f.set("etcd-certfile", dir.pki("apiserver-etcd-client.crt"))
	f.set("etcd-keyfile", dir.pki("apiserver-etcd-client.key"))
	if o.EtcdPrefix != "" {
		f.set("etcd-prefix", o.EtcdPrefix)
	}
}

// connect sets how kube-apiserver proves who it is to others.
func (f *flags) connect(dir directory) {
	f.set("kubelet-certificate-authority", dir.pki("ca.crt"))
	f.set("kubelet-client-certificate", dir.pki("apiserver-kubelet-client.crt"))
	f.set("kubelet-client-key", dir.pki("apiserver-kubelet-client.key"))
	// Addresses before names: no DNS knows the nodes of this cluster.
	f.set("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname")
	f.set("proxy-client-cert-file", dir.pki("front-proxy-client.crt"))
	f.set("proxy-client-key-file", dir.pki("front-proxy-client.key"))
}

// controller sets what the controller manager and the scheduler have in common.
func (f *flags) controller(dir directory, name string, port int) {
	kubeconfig := dir.userKubeconfig(name)
	f.set("kubeconfig", kubeconfig)
	f.set("authentication-kubeconfig", kubeconfig)
	f.set("authorization-kubeconfig", kubeconfig)
	f.set("bind-address", "127.0.0.1")
	f.setInt("secure-port", port)
	f.set("tls-cert-file", dir.pki(name+".crt"))
	f.set("tls-private-key-file", dir.pki(name+".key"))
	f.set("client-ca-file", dir.pki("ca.crt"))
	// There is one of each, which need not wait for another's lease to end.
	f.set("leader-elect", "false")
	// The defaults (20/30 and 50/100) hold 300 pods of a Deployment to 44 s.
	f.setInt("kube-api-qps", 1000)
	f.setInt("kube-api-burst", 2000)
}

func controllerManagerFlags(dir directory, p ports, o Options) flags {
	var f flags
	f.controller(dir, "kube-controller-manager", p.ControllerManager)
	f.set("use-service-account-credentials", "true")
	f.set("service-account-private-key-file", dir.pki("service-account.key"))
	f.set("root-ca-file", dir.pki("ca.crt"))
	f.set("cluster-signing-cert-file", dir.pki("ca.crt"))
	f.set("cluster-signing-key-file", dir.pki("ca.key"))
	f.set("service-cluster-ip-range", o.ServiceCIDR)
	// By default a folder below /usr, which it would try to make.
	f.set("flex-volume-plugin-dir", dir.path("flexvolume"))
	// The defaults are 5, and 10 for namespaces; a sync mostly waits for the
	// API server, so that more of them bring many pods up sooner.
	for _, kind := range []string{"deployment", "replicaset", "job", "statefulset", "endpoint", "service-endpoint", "namespace"} {
		f.setInt("concurrent-"+kind+"-syncs", 30)
	}
	return f
}

func schedulerFlags(dir directory, p ports) flags {
	var f flags
	f.controller(dir, "kube-scheduler", p.Scheduler)
	return f
}
