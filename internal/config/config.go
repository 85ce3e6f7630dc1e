// Package config reads cumulet's configuration: one YAML file and the few
// environment variables that hold cloud credentials and the node's address. It
// is read once, whole, and every mistake in it is reported at once with the
// field's path, the value and what would be right. No other setting of cumulet
// is read from the environment.
package config

//go:generate go run ./docgen -source . -out ../../docs/reference/configuration.md

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Config is the whole configuration of one cumulet process.
type Config struct {
	// ClusterID tells this Kubernetes cluster from every other that uses the
	// same cloud account. It must never change while groups run: they would
	// no longer be recognised. The chart fills in the UID of the kube-system
	// namespace. Letters, digits, '-', '_' and '.', at most 63 characters.
	ClusterID string `json:"clusterID"`
	// StateDir is a folder for node certificates that were obtained by signing
	// request, and for a lock that keeps a second process out; default
	// /var/lib/cumulet.
	StateDir string `json:"stateDir,omitempty"`
	// BootstrapKubeconfig is the identity that requests certificates for
	// nodes without a kubeconfig of their own, and that holds the leader
	// lease. Empty means the pod's service account.
	BootstrapKubeconfig string `json:"bootstrapKubeconfig,omitempty"`
	// ClusterDNS are the addresses at which the cluster's DNS answers from the
	// nodes' subnets, as in the kubelet's clusterDNS: a ClusterIP leads nowhere
	// in a container group unless the network routes it. Without them dnsPolicy
	// ClusterFirst falls back to Default, as in the kubelet.
	ClusterDNS []string `json:"clusterDNS,omitempty"`
	// ClusterDomain is the cluster's DNS domain; default cluster.local.
	ClusterDomain string `json:"clusterDomain,omitempty"`
	// HealthAddress serves /healthz and /readyz; default 127.0.0.1:8081, "0"
	// turns it off.
	HealthAddress string `json:"healthAddress,omitempty"`
	// MetricsAddress serves /metrics; default 127.0.0.1:8080, "0" turns it off.
	MetricsAddress string `json:"metricsAddress,omitempty"`

	LeaderElection LeaderElection `json:"leaderElection,omitempty"`
	// Nodes are the virtual nodes; at least one.
	Nodes []Node `json:"nodes"`
}

// LeaderElection lets several replicas run of which one is active.
type LeaderElection struct {
	// Enabled turns it on (default off; the chart's is on); it is needed with
	// more than one replica.
	Enabled bool `json:"enabled,omitempty"`
	// Namespace is the lease's; default kube-system.
	Namespace string `json:"namespace,omitempty"`
	// Name is the lease's; default cumulet.
	Name string `json:"name,omitempty"`
}

// Node is one virtual node.
type Node struct {
	// Name is the Kubernetes node's name, a DNS subdomain.
	Name string `json:"name"`
	// Cloud is eci or kci.
	Cloud string `json:"cloud"`
	// Region is the cloud's region id, such as cn-hangzhou or cn-beijing-6.
	Region string `json:"region"`
	// Zone is the availability zone; on ECI it may be empty.
	Zone string `json:"zone,omitempty"`
	// Endpoint is the API's URL; empty means the region's own, on ECI that of
	// Network. Plain http is accepted for loopback addresses only.
	Endpoint string `json:"endpoint,omitempty"`
	// Network chooses the default endpoints of ECI and of RRSA's STS: public
	// (default), or vpc, which works from inside a VPC of the region only.
	Network string `json:"network,omitempty"`
	// Dialect of KCI's API: extended (default) or seed.
	Dialect string `json:"dialect,omitempty"`
	// Readiness is node (default) or events, for KCI in dialect extended,
	// which runs readiness probes but does not tell how they end. node has
	// cumulet run them, as a kubelet does; it must reach the groups' addresses
	// for that. events leaves them to the cloud and infers their outcome from
	// its events: a container counts as unready from its first failure, and as
	// ready again when it fails for long, for agents such as a kubelet soon
	// stop telling of the same failure.
	Readiness string `json:"readiness,omitempty"`
	// Subnets are vSwitch ids on ECI (at most 10; without any the account's
	// default one is taken) and subnet ids on KCI (1 to 5; dialect seed 1), in
	// order of preference.
	Subnets []string `json:"subnets,omitempty"`
	// SecurityGroups are security group ids (ECI at most 5, without any the
	// account's default one; KCI 1 to 3).
	SecurityGroups []string    `json:"securityGroups,omitempty"`
	Credentials    Credentials `json:"credentials,omitempty"`

	// Capacity is what the node tells the scheduler. Defaults: cpu 1000,
	// memory 4Ti, pods 1000, ephemeral-storage 30Ti, and on ECI nvidia.com/gpu 100.
	// What is named replaces its default alone. Pods of a KCI node have cards
	// only where nvidia.com/gpu is named.
	Capacity corev1.ResourceList `json:"capacity,omitempty"`
	// Labels are added to the node's own. Below kubernetes.io and k8s.io the API
	// server takes from a node only those that a kubelet may set, such as
	// node.kubernetes.io/….
	Labels map[string]string `json:"labels,omitempty"`
	// Taints are added to the node when it is registered; those of a node that
	// exists are changed by kubectl taint.
	Taints []corev1.Taint `json:"taints,omitempty"`
	// DisableTaint leaves out the taint
	// virtual-kubelet.io/provider=<cloud>:NoSchedule, which is always there
	// otherwise.
	DisableTaint bool `json:"disableTaint,omitempty"`
	// Architecture is amd64 (default) or, on eci, arm64: what its node's label says
	// and its groups run on.
	Architecture string `json:"architecture,omitempty"`

	// Kubeconfig is the node's own identity, system:node:<name>. Empty means
	// that a client certificate is requested by BootstrapKubeconfig.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Address is the IP address on which the node's kubelet API listens;
	// default 0.0.0.0.
	Address string `json:"address,omitempty"`
	// Port is the kubelet API's; 0, the default, takes a free one.
	Port int32 `json:"port,omitempty"`
	// AdvertiseAddress is the InternalIP in the node's status, at which the API
	// server reaches the kubelet API. It defaults to Address, or where that is a
	// wildcard to the environment variable CUMULET_ADVERTISE_ADDRESS.
	AdvertiseAddress string  `json:"advertiseAddress,omitempty"`
	Serving          Serving `json:"serving,omitempty"`

	// StatusInterval is the time between two sweeps over the node's groups;
	// default 1s, at least 200ms.
	StatusInterval metav1.Duration `json:"statusInterval,omitempty"`
	// Options are what every pod of the node has unless it asks for something
	// else by an annotation: names and values of docs/reference/annotations.md,
	// without cumulet.dev/.
	Options map[string]string `json:"options,omitempty"`
	Policy  Policy            `json:"policy,omitempty"`
}

// Policy says what becomes of pods that ask for what the cloud cannot do, where
// that is the operator's choice.
type Policy struct {
	// SecurityContext is refuse (default) or report. It is for hardening that
	// neither cloud has a parameter for: capabilities.drop,
	// allowPrivilegeEscalation: false, and the type RuntimeDefault of
	// seccompProfile and appArmorProfile. refuse fails such a pod. report runs
	// it without them and tells so by an event on the pod: each container
	// group is a virtual machine of its own, with no neighbours to be
	// protected from. Inside its own group a process can then do what the
	// hardening would have kept it from. Everything else is refused as ever:
	// profiles and SELinux labels of one's own, privileged containers, as whom
	// a process runs, and capabilities to drop beside one to add that the
	// cloud cannot grant and container runtimes do not grant unasked.
	SecurityContext string `json:"securityContext,omitempty"`
	// Hostname is refuse (default) or emulate. It is for pods that name their
	// host name or subdomain, as those of a StatefulSet do, on a cloud that
	// chooses the host name itself (kci). refuse fails such a pod. emulate runs
	// it with the name in the variable HOSTNAME, and the cluster's DNS knows it;
	// the program hostname says the name that the cloud chose. On eci, which
	// takes host names, it makes no difference.
	Hostname string `json:"hostname,omitempty"`
	// Report is warn (default) or strict. warn tells on a pod, by one event and
	// the condition cumulet.dev/Translated, what of it is ignored, changed or
	// emulated. strict refuses pods of which something would be ignored. What
	// the scheduler or the API server has acted upon already is neither told
	// nor refused, nor is what securityContext: report leaves out refused.
	Report string `json:"report,omitempty"`
	// Options let pods ask for what gives power over the account, the network
	// or the machine. Without a rule that allows it such a pod is refused.
	Options []OptionRule `json:"options,omitempty"`
}

// OptionRule lets pods of some namespaces have values of guarded options.
type OptionRule struct {
	// Namespaces are names of namespaces; "*" stands for all.
	Namespaces []string `json:"namespaces"`
	// Allow gives for each option the values that may be asked for; "*" stands
	// for all. Options are the guarded ones of docs/reference/annotations.md,
	// privileged (containers; its value is "true"), hostPath (volumes; its
	// values are paths) and disk (disks and snapshots that a pod names itself, by
	// their ids).
	// Of a list each element must be allowed.
	Allow map[string][]string `json:"allow"`
}

// Serving is the kubelet API's TLS set-up.
type Serving struct {
	// CertFile and KeyFile are PEM files, read again when they change. Both
	// empty means a certificate requested from the cluster (signer
	// kubernetes.io/kubelet-serving), which somebody must approve.
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
	// ClientCAFile verifies client certificates, such as the API server's.
	// Callers without one need a bearer token.
	ClientCAFile string `json:"clientCAFile,omitempty"`
	// Approve lets the bootstrap identity approve the node's own serving
	// requests; it must be allowed to.
	Approve bool `json:"approve,omitempty"`
}

// Credentials say where the cloud account's keys come from. Exactly one
// source; none means the environment.
type Credentials struct {
	// File is a YAML or JSON file with accessKeyId, accessKeySecret and, for
	// temporary keys, securityToken; or a directory with one file per key.
	// It is read again when it changes.
	File string `json:"file,omitempty"`
	// ECSRAMRole is the RAM role of the ECS instance cumulet runs on (ECI).
	ECSRAMRole string `json:"ecsRAMRole,omitempty"`
	// RRSA takes a role through the pod's OIDC token (ECI).
	RRSA *RRSA `json:"rrsa,omitempty"`

	// FromEnvironment is filled in by Read, never from the file.
	FromEnvironment Keys `json:"-"`
}

// RRSA is ACK's RAM role for service accounts.
type RRSA struct {
	// RoleARN is the role, such as acs:ram::1234567890123456:role/cumulet.
	RoleARN string `json:"roleARN"`
	// OIDCProviderARN is the cluster's, such as
	// acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1a2b3.
	OIDCProviderARN string `json:"oidcProviderARN"`
	// TokenFile holds the service account's token; it is read at each renewal.
	TokenFile string `json:"tokenFile"`
	// SessionName shows in the cloud's audit log; default cumulet.
	SessionName string `json:"sessionName,omitempty"`
	// STSEndpoint is a host name; default sts.aliyuncs.com, or on network vpc
	// sts-vpc.REGION.aliyuncs.com.
	STSEndpoint string `json:"stsEndpoint,omitempty"`
}

// Keys are access keys taken from the environment. They print without the
// secret parts.
type Keys struct {
	ID, Secret, Token string
}

// String shows the key's id only.
func (k Keys) String() string { return k.ID }

// GoString is String, so that %#v shows no secret either.
func (k Keys) GoString() string { return k.String() }

// The clouds.
const (
	CloudECI = "eci"
	CloudKCI = "kci"
)

// The policies for security contexts.
const (
	SecurityContextRefuse = "refuse"
	SecurityContextReport = "report"
)

// The policies for host names.
const (
	HostnameRefuse  = "refuse"
	HostnameEmulate = "emulate"
)

// The policies for what is ignored.
const (
	ReportWarn   = "warn"
	ReportStrict = "strict"
)

// Who runs readiness probes on KCI.
const (
	ReadinessNode   = "node"
	ReadinessEvents = "events"
)

// The dialects of KCI's API.
const (
	DialectSeed     = "seed"
	DialectExtended = "extended"
)
