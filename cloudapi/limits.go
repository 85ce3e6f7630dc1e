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
	MaxTagValue     int // characters of a value of the identity
	MaxContainers   int
	MaxInit         int
	MaxVolumes      int
	MaxMounts       int // per container
	MaxEnv          int // per container
	MaxEnvKey       int // characters
	EnvKey          string
	MaxEnvValue     int // characters
	MaxCommand      int // elements
	MaxArgs         int // elements
	MaxCommandBytes int // per element
	MaxProbeCommand int // elements
	MaxFiles        int // per volume
	MaxFileBytes    int // per file, raw
	MaxUpdateFiles  int // per volume, in a change of a running group
	MaxCredentials  int
	MaxHostAliases  int
	MaxHostnames    int // per host alias
	MaxImage        int // characters of an image's name
	MaxNameServers  int
	MaxSearches     int
	MaxDNSOptions   int
	MaxHookCommand  int // elements
	MaxHookHeaders  int

	Words WordLimits

	// ReservedPorts are those on which the cloud's own agent listens beside the
	// group's containers.
	ReservedPorts []int32

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

	// EphemeralStorageGiB is the disk space that every group has; more of it is
	// Options' ephemeral-storage. 0 is not known.
	EphemeralStorageGiB int

	// Options are the options that groups can have, by their neutral names,
	// such as ram-role: what the API takes of each. translate refuses others.
	Options map[string]OptionLimits
	// VendorPrefix begins the keys of the annotations by which the vendor's own
	// virtual node takes options, such as k8s.aliyun.com/. They are understood
	// beside cumulet's; other vendors' are refused.
	VendorPrefix string

	// VolumeDrivers are the CSI and FlexVolume drivers whose volumes the cloud
	// mounts itself, by their names in Kubernetes.
	VolumeDrivers []string
	Disk          DiskLimits

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

// WordLimits bound a container's command and arguments where the cloud has two
// lists of unlike bounds for them. A container runs one after the other, so that
// with a command the border between the two may lie anywhere; without one the
// arguments are in the second list. Zero is no known limit.
type WordLimits struct {
	// MaxShort is how many elements the first list holds, and
	// MaxShortCharacters how long each may be.
	MaxShort, MaxShortCharacters int
	// MaxRest is how many elements of any length the second list holds.
	MaxRest int
}

// DiskLimits bound the disks of a group.
type DiskLimits struct {
	// Max is how many disks a group can have.
	Max int
	// ID is a regular expression for the ids of disks; empty allows any.
	ID string
	// FsTypes are the file systems that a disk can have; empty allows any.
	FsTypes []string
	// Categories are the kinds of disks that can be made with a group. If
	// there is one only, it need not be named.
	Categories []DiskCategory
	// PerformanceLevels are the words of Disk.PerformanceLevel; without any,
	// the category says it all.
	PerformanceLevels []string
	// Encryption and Snapshots tell whether a new disk can be encrypted, and
	// made of a snapshot.
	Encryption, Snapshots bool
}

// DiskCategory is a kind of disk with the sizes that are sold, in GiB.
type DiskCategory struct {
	Name           string
	MinGiB, MaxGiB int
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
	ReadinessProbe     bool // run by the cloud, and believed
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
	// EphemeralStorage tells that a group can have more disk space than every
	// group has.
	EphemeralStorage bool
	ActiveDeadline   bool
	// Hooks are postStart and preStop with exec, HTTP or TCP.
	Hooks bool
	// RunAsUser and ReadOnlyRoot hold for init containers too.
	RunAsUser    bool
	ReadOnlyRoot bool
	// Sysctls and Capabilities tell that Limits has a list of them.
	Sysctls, Capabilities bool
	// RunAsGroup covers runAsGroup and runAsNonRoot of containers,
	// InitRunAsGroup those of init containers.
	RunAsGroup     bool
	InitRunAsGroup bool
	ShareProcesses bool
	// Restart tells that the containers of a running group can be started anew
	// in place, all at once.
	Restart bool
	// Sidecars tells that the cloud knows Container.Sidecar.
	Sidecars         bool
	MountPropagation bool
	Exec             bool
	Metrics          bool
	// Disks are block devices that exist already, NewDisks those made with
	// the group; Buckets is object storage.
	Disks, NewDisks, Buckets bool
	// NFSOptions are a protocol version and mount options of NFS.
	NFSOptions bool
	// HostPath are paths of the group's own machine; HostPathType tells that
	// the cloud checks whether there is a file or a directory.
	HostPath, HostPathType bool

	// Privileged is that of containers, InitPrivileged that of init containers.
	Privileged     bool
	InitPrivileged bool
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
