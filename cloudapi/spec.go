package cloudapi

// GroupSpec is what we ask a cloud for: one container group, complete and
// resolved. Nothing in it refers to anything in Kubernetes any more. A pointer
// stands only where absent differs from zero.
type GroupSpec struct {
	// Name is the group's name in the cloud, already within Limits.Name.
	Name string
	// Identity says whose group it is. Clouds with tags carry it in tags.
	Identity Identity
	// Placement is where the group runs; it comes from the node's
	// configuration, never from the pod.
	Placement Placement

	// CPU (cores) and Memory (GiB) are the size that is sold and billed,
	// already rounded up to a size in Limits.Sizes.
	CPU, Memory float64

	RestartPolicy  RestartPolicy
	InitContainers []Container
	Containers     []Container
	Volumes        []Volume

	// Hostname is set only where the cloud can express it.
	Hostname string
	// DNS is the resolver configuration; nil leaves the cloud's default.
	DNS             *DNS
	HostAliases     []HostAlias
	PullCredentials []PullCredential

	// TerminationGraceSeconds and ActiveDeadlineSeconds are nil when the
	// cloud has no word for them; the provider then keeps them itself.
	TerminationGraceSeconds *int64
	ActiveDeadlineSeconds   *int64

	// Sysctls are kernel settings of the group, each in Limits.Sysctls.
	Sysctls []Sysctl
	// ShareProcesses lets the containers see each other's processes.
	ShareProcesses bool

	// Options are the cloud's own settings of a group.
	Options Options
}

// Sysctl is a kernel setting by its dotted name, such as
// net.ipv4.ip_unprivileged_port_start.
type Sysctl struct {
	Name, Value string
}

// Identity ties a group to one pod of one node of one cluster. The UID
// decides; the names are for people.
type Identity struct {
	Cluster, Node, Namespace, PodName, PodUID string
}

// Placement is the part of the cloud's network in which a group runs.
type Placement struct {
	// Zone may be empty: the cloud chooses.
	Zone string
	// SubnetIDs are vSwitches on ECI and subnets on KCI, in order of
	// preference.
	SubnetIDs []string
	// SecurityGroupIDs apply to the group's network interface.
	SecurityGroupIDs []string
}

// RestartPolicy says when the cloud starts an ended container again.
type RestartPolicy string

// The restart policies, spelt as both clouds and Kubernetes spell them.
const (
	RestartAlways    RestartPolicy = "Always"
	RestartOnFailure RestartPolicy = "OnFailure"
	RestartNever     RestartPolicy = "Never"
)

// Container is one container or init container of a group.
type Container struct {
	Name  string
	Image string
	// PullPolicy is Always, IfNotPresent or Never; empty where the cloud
	// has no word for it.
	PullPolicy string
	Command    []string
	Args       []string
	WorkingDir string
	Env        []EnvVar
	Ports      []Port
	Mounts     []Mount
	// CPU (cores) and Memory (GiB) are the container's share; 0 means none
	// was asked for. GPU counts cards.
	CPU, Memory float64
	GPU         int
	Liveness    *Probe
	Readiness   *Probe
	// PostStart and PreStop are nil where there is no hook or the cloud has
	// no word for hooks.
	PostStart *Handler
	PreStop   *Handler
	Security  Security
	// Sidecar makes the container one that starts before the others, ends
	// after them, and does not keep the group from ending. Of several the
	// first in the list starts first. With a Readiness probe the others wait
	// until it has succeeded once.
	Sidecar bool
	// Stdin, StdinOnce and TTY are Kubernetes' fields of these names, false where
	// the cloud has no word for them.
	Stdin     bool
	StdinOnce bool
	TTY       bool
	// TerminationMessagePath and TerminationMessagePolicy are empty where
	// they are Kubernetes' defaults or the cloud has no word for them.
	TerminationMessagePath   string
	TerminationMessagePolicy string
}

// EnvVar is one environment variable, resolved.
type EnvVar struct {
	Name  string
	Value string
	// FieldPath, when set, replaces Value by a field that only the cloud
	// knows. The one such field is FieldPodIP.
	FieldPath string
	// Secret marks a value that came from a Secret.
	Secret bool
}

// FieldPodIP is the field path of the group's own address.
const FieldPodIP = "status.podIP"

// Port is a port that a container declares.
type Port struct {
	Port     int32
	Protocol Protocol
}

// Protocol is a transport protocol.
type Protocol string

// The protocols that both clouds know.
const (
	ProtocolTCP Protocol = "TCP"
	ProtocolUDP Protocol = "UDP"
)

// Mount is a volume seen from a container.
type Mount struct {
	// Volume is the name of an entry in GroupSpec.Volumes.
	Volume string
	// Path is absolute, in the container. SubPath is the part of the volume
	// that is mounted, relative and without "..", where the cloud knows that.
	Path     string
	SubPath  string
	ReadOnly bool
	// Propagation tells which way mounts made later are passed on; empty
	// means not at all.
	Propagation Propagation
}

// Propagation is a way in which mounts made below a mount are passed on.
type Propagation string

// The ways of propagation, spelt as Kubernetes spells them.
const (
	// PropagationHostToContainer: the container sees what the machine mounts.
	PropagationHostToContainer Propagation = "HostToContainer"
	// PropagationBidirectional: the machine sees what the container mounts too.
	PropagationBidirectional Propagation = "Bidirectional"
)

// Volume is a volume of a group; exactly one source is set.
type Volume struct {
	Name     string
	EmptyDir *EmptyDir
	Files    *Files
	NFS      *NFS
	Disk     *Disk
	Bucket   *Bucket
	HostPath *HostPath
}

// EmptyDir is scratch space that lives as long as the group.
type EmptyDir struct {
	// Memory puts it into memory instead of on disk.
	Memory bool
	// SizeLimitMiB caps its size; 0 means no cap.
	SizeLimitMiB int64
}

// Files is a directory of files given in the request.
type Files struct {
	// DefaultMode is the volume's permission for files; 0 leaves it to the
	// cloud. Every item has a mode of its own all the same.
	DefaultMode int32
	Items       []File
}

// File is one file in Files.
type File struct {
	// Path is relative to the mount point and may contain slashes.
	Path    string
	Content []byte
	// Mode is the file's permission bits; 0 is no permission at all.
	Mode int32
	// Secret marks content that came from a Secret or is a token.
	Secret bool
}

// NFS is a network file system that the group mounts.
type NFS struct {
	Server, Path string
	ReadOnly     bool
	// Version is the protocol's, such as 3 or 4.0, and Options are those of
	// mount.nfs beside it, comma-separated, such as nolock,noresvport. Both
	// are empty where the cloud may choose, and where Abilities.NFSOptions is
	// not set.
	Version, Options string
}

// Disk is a block device of the cloud, one group's at a time.
type Disk struct {
	// ID is the cloud's id of a disk that exists: d-… on ECI, a UUID on KCI.
	// Without one a new disk is made of Category and SizeGiB.
	ID string
	// FsType is the file system, such as ext4; empty leaves it to the cloud.
	FsType   string
	ReadOnly bool
	// Category is the kind of a new disk in the cloud's words, such as
	// cloud_essd or ESSD_PL0.
	Category string
	// PerformanceLevel is PL0 to PL3 where the category knows levels.
	PerformanceLevel string
	// SizeGiB is a new disk's size, within Limits.Disk.Categories.
	SizeGiB int
	// DeleteWithGroup ends a new disk together with the group.
	DeleteWithGroup bool
	// Encrypted makes a new disk encrypted, with the key KMSKeyID of the
	// account, or the cloud's own if that is empty.
	Encrypted bool
	KMSKeyID  string
	// SnapshotID is what a new disk starts with; empty makes an empty disk.
	SnapshotID string
}

// Bucket is object storage that the group mounts.
type Bucket struct {
	// Name is the bucket's, Endpoint the service's host, Path the folder in
	// the bucket, with a slash in front.
	Name, Endpoint, Path string
	ReadOnly             bool
	// Options are the mount program's own, such as -o max_stat_cache_size=0.
	Options string
	// RAMRole is the role by which the mount program reads the bucket;
	// without one AccessKeyID and AccessKeySecret serve.
	RAMRole                      string
	AccessKeyID, AccessKeySecret string
}

// String names the bucket, never the key's secret.
func (b Bucket) String() string { return "bucket " + b.Name + b.Path }

// GoString is String, so that %#v shows no secret either.
func (b Bucket) GoString() string { return b.String() }

// HostPath is a path of the group's own machine in the cloud.
type HostPath struct {
	Path string
	// Type is Directory or File; empty checks nothing.
	Type string
}

// Probe is a check that the cloud runs. Every number is explicit: the clouds'
// defaults differ from Kubernetes'. Exactly one of HTTP, TCP and Exec is set.
type Probe struct {
	HTTP *HTTPProbe
	TCP  *TCPProbe
	Exec *ExecProbe

	InitialDelaySeconds, PeriodSeconds, TimeoutSeconds int32
	SuccessThreshold, FailureThreshold                 int32
}

// HTTPProbe asks with GET; a status from 200 to 399 is success.
type HTTPProbe struct {
	Scheme string // HTTP or HTTPS
	Path   string
	Port   int32
}

// TCPProbe opens a connection to the port.
type TCPProbe struct {
	Port int32
}

// ExecProbe runs a command; exit code 0 is success.
type ExecProbe struct {
	Command []string
}

// Handler is what a hook does. Exactly one of HTTP, TCP and Exec is set.
type Handler struct {
	HTTP *HTTPHandler
	TCP  *TCPHandler
	// Exec is a command as it is run; nothing in it is expanded.
	Exec []string
}

// HTTPHandler asks with GET. An empty Host is the group's own address.
type HTTPHandler struct {
	Scheme string // HTTP or HTTPS
	Host   string
	Path   string
	Port   int32
	// Headers are sent in this order; a name may repeat.
	Headers []Header
}

// Header is one header of an HTTP request.
type Header struct {
	Name, Value string
}

// TCPHandler opens a connection. An empty Host is the group's own address.
type TCPHandler struct {
	Host string
	Port int32
}

// Security is as whom and with which rights a container runs. Its zero value
// asks for nothing: the image's user, a writable root file system.
type Security struct {
	// RunAsUser and RunAsGroup are the numeric ids of the first process;
	// nil leaves the image's.
	RunAsUser, RunAsGroup *int64
	// RunAsNonRoot stops a container that would run as user 0.
	RunAsNonRoot bool
	// Privileged gives the container every right on the group's own machine.
	Privileged bool
	// ReadOnlyRoot makes the root file system read-only.
	ReadOnlyRoot bool
	// AddCapabilities are each in Limits.Capabilities, without CAP_.
	AddCapabilities []string
}

// DNS is a group's resolver configuration.
type DNS struct {
	NameServers, Searches []string
	Options               []DNSOption
}

// DNSOption is one resolver option; Value may be empty.
type DNSOption struct {
	Name, Value string
}

// HostAlias is a line of the group's hosts file.
type HostAlias struct {
	IP        string
	Hostnames []string
}

// PullCredential lets the cloud pull images from one registry. It formats
// itself without the password.
type PullCredential struct {
	// Server is the registry's host, without scheme.
	Server             string
	Username, Password string
}

// String names the registry and the user, never the password.
func (c PullCredential) String() string {
	return c.Server + " as " + c.Username
}

// GoString is String, so that %#v shows no password either.
func (c PullCredential) GoString() string { return c.String() }
