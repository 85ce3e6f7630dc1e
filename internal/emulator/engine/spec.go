package engine

import "time"

// Spec is what one accepted create request asked for, in the emulator's own
// words. Times are durations, sizes are cores and GiB.
type Spec struct {
	Name   string
	Region string
	Zone   string
	// Subnet and VPC are where the group's address comes from.
	Subnet, VPC    string
	SecurityGroups []string
	// Address is the group's IP address when the engine hands addresses out
	// (Options.Addresses); a front leaves it empty. A runtime that has a
	// network of its own ignores it and reports the address it gave.
	Address string
	// CPU and Memory are as sold, after rounding.
	CPU, Memory   float64
	InstanceType  string
	RestartPolicy string // Always, OnFailure, Never

	InitContainers []Container
	Containers     []Container
	Volumes        []Volume

	Hostname        string
	DNS             *DNS
	HostAliases     []HostAlias
	PullCredentials []PullCredential
	Sysctls         []NameValue
	ShareProcesses  bool
	HostPID         bool

	// Grace is how long containers may take to end on delete.
	Grace time.Duration
	// Deadline ends the group that long after its start; 0 means never.
	Deadline time.Duration

	// Tags are the group's tags (ECI) or labels (KCI).
	Tags []NameValue
	// Wire is the front's own decoded request, for what it echoes. The
	// engine and the runtimes never look into it.
	Wire any
}

// NameValue is a name with a value.
type NameValue struct{ Name, Value string }

// Container is one container or init container.
type Container struct {
	Name, Image, PullPolicy, WorkingDir string
	Command, Args                       []string
	Env                                 []EnvVar
	Ports                               []Port
	Mounts                              []Mount
	// CPU and Memory in cores and GiB; 0 when not given.
	CPU, Memory         float64
	GPU                 float64
	Liveness, Readiness *Probe
	PostStart, PreStop  *Handler
	Security            Security
	Stdin, StdinOnce    bool
	TTY                 bool
	MessagePath         string
	MessagePolicy       string
	// Sidecar is a container that is ended when all others have ended and are
	// not started again.
	Sidecar bool
	// Launch orders the start of containers, after the init containers: those
	// with a lower one wait until those with a higher one are ready.
	Launch int
}

// EnvVar is an environment variable; FieldPath, if set, is status.podIP.
type EnvVar struct{ Name, Value, FieldPath string }

// Port is a declared port.
type Port struct {
	Port     int
	Protocol string // TCP, UDP
}

// Mount is a volume seen from a container.
type Mount struct {
	Volume, Path, SubPath, Propagation string
	ReadOnly                           bool
}

// Probe is a liveness or readiness probe with every number filled in.
type Probe struct {
	Handler
	InitialDelay, Period, Timeout time.Duration
	Success, Failure              int
}

// Handler is what a probe or hook does; exactly one of the three is set.
type Handler struct {
	HTTP *HTTPGet
	TCP  *TCPSocket
	Exec []string
}

// HTTPGet asks over HTTP or HTTPS.
type HTTPGet struct {
	Scheme, Host, Path string
	Port               int
	Headers            []NameValue
}

// TCPSocket opens a connection.
type TCPSocket struct {
	Host string
	Port int
}

// Security is a container's security context.
type Security struct {
	AddCapabilities []string
	ReadOnlyRoot    bool
	Privileged      bool
	RunAsNonRoot    bool
	RunAsUser       *int64
	RunAsGroup      *int64
}

// Volume is a volume; the source that Type names is set.
type Volume struct {
	Name     string
	Type     string // EmptyDirVolume, ConfigFileVolume, NFSVolume, …
	EmptyDir *EmptyDir
	Files    *Files
	NFS      *NFS
	HostPath string
	// HostPathType is Directory or File; empty where nothing is checked.
	HostPathType string
	Flex         *Flex
}

// EmptyDir is scratch space.
type EmptyDir struct{ Medium, SizeLimit string }

// Files is a directory of files from the request.
type Files struct {
	DefaultMode int32
	Items       []File
}

// File is one file; Content is decoded.
type File struct {
	Path    string
	Content []byte
	Mode    int32
}

// NFS is a network file system.
type NFS struct {
	Server, Path string
	ReadOnly     bool
}

// Flex is a disk or file system of the cloud.
type Flex struct {
	Driver, FSType string
	Options        map[string]string
}

// DNS is a resolver configuration.
type DNS struct {
	NameServers, Searches []string
	Options               []NameValue
}

// HostAlias is a line of the hosts file.
type HostAlias struct {
	IP    string
	Names []string
}

// PullCredential is a login to a registry.
type PullCredential struct{ Server, Username, Password string }
