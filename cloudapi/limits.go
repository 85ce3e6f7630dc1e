package cloudapi

// Limits is what a cloud sells and can express: data that translate reads, so
// that it needs to know no cloud by name. Each adapter states its own, with
// the source of each number. Zero in a Max… field means no known limit.
type Limits struct {
	// Cloud is the cloud's short name, eci or kci.
	Cloud string
	// Provider is the scheme of spec.providerID and of made-up container
	// ids, such as eci or kci.
	Provider string

	Name NameLimits
	// Tags tells whether groups carry tags; if not, identity goes into the
	// name.
	Tags            bool
	MaxTagValue     int // characters
	MaxContainers   int
	MaxInit         int
	MaxVolumes      int
	MaxEnv          int // per container
	MaxEnvKey       int // characters
	EnvKey          string
	MaxEnvValue     int // characters
	MaxCommand      int // elements
	MaxArgs         int // elements
	MaxCommandBytes int // per element
	MaxFiles        int // per volume
	MaxFileBytes    int // per file, raw
	MaxCredentials  int
	MaxHostAliases  int
	MaxNameServers  int
	MaxSearches     int
	MaxDNSOptions   int
	MaxHookCommand  int // elements
	MaxHookHeaders  int

	// Capabilities are the Linux capabilities that a container may be given,
	// without CAP_.
	Capabilities []string
	// Sysctls are the kernel settings that a group may be given.
	Sysctls []string

	// Sizes are the CPU and memory pairs sold, ascending by cores. A group
	// is rounded up to the smallest that holds both.
	Sizes []Size
	// DefaultSize is what a group gets when nothing is asked for.
	DefaultSize Size

	Can  Abilities
	Log  LogLimits
	Exec ExecLimits
}

// NameLimits bound a group's name.
type NameLimits struct {
	// Max is its greatest length in characters.
	Max int
	// Dots tells whether a dot may stand in it beside a-z, 0-9 and hyphen.
	Dots bool
}

// Size is one row of a price list: this many cores with any of these memory
// sizes in GiB, ascending.
type Size struct {
	CPU    float64
	Memory []float64
}

// Abilities are the pod features that a cloud has words for.
type Abilities struct {
	InitContainers     bool
	LivenessProbe      bool
	ReadinessProbe     bool
	PullPolicy         bool
	Ports              bool
	EnvPodIP           bool // environment from status.podIP
	NFS                bool
	EmptyDirMemory     bool
	EmptyDirSizeLimit  bool
	FileMode           bool
	BinaryFiles        bool
	NestedFilePaths    bool
	SubPath            bool
	GPU                bool
	Hostname           bool
	Stdin              bool
	TerminationMessage bool
	TerminationGrace   bool
	ActiveDeadline     bool
	// Hooks are postStart and preStop with exec, HTTP or TCP.
	Hooks bool
	// RunAsUser and ReadOnlyRoot hold for init containers too.
	RunAsUser    bool
	ReadOnlyRoot bool
	// RunAsGroup covers runAsGroup and runAsNonRoot of containers,
	// InitRunAsGroup those of init containers.
	RunAsGroup       bool
	InitRunAsGroup   bool
	ShareProcesses   bool
	MountPropagation bool
	Exec             bool
	Metrics          bool
	// Disks are block devices that exist already, NewDisks those made with
	// the group; Buckets is object storage.
	Disks, NewDisks, Buckets bool
	// HostPath are paths of the group's own machine.
	HostPath   bool
	Privileged bool
	// FileUpdates tells that a running group's files can be replaced through
	// the API.
	FileUpdates bool
}

// LogLimits are the bounds of the cloud's log call.
type LogLimits struct {
	// MaxLines and MaxBytes bound one answer.
	MaxLines int
	MaxBytes int64
	// Since, Previous and Timestamps tell which of LogOptions it knows.
	Since, Previous, Timestamps bool
}

// ExecLimits are the bounds of the command of one exec call, in characters.
type ExecLimits struct {
	MaxElements          int
	MaxElementCharacters int
	MaxCharacters        int // of all elements together
}
