package eci

import (
	"slices"

	"github.com/cumulet/cumulet/cloudapi"
)

// Bounds that cloudapi.Limits has no field for.
const (
	// maxIDs bounds ContainerGroupIds of every action, groupsPage and
	// statusPage bound Limit of DescribeContainerGroups and of
	// DescribeContainerGroupStatus (their parameter tables).
	maxIDs     = 20
	groupsPage = 20
	statusPage = 200
	// maxTail and maxLogBytes bound Tail and LimitBytes of
	// DescribeContainerLog.
	maxTail     = 2000
	maxLogBytes = 1 << 20
	// maxExecCommand and maxExecElement bound Command of
	// ExecContainerCommand in elements and in characters of each.
	maxExecCommand = 20
	maxExecElement = 256
	// maxExecTotal bounds the characters of all its elements. It stands in
	// no document; independent clients report it as enforced.
	maxExecTotal = 2048
	// maxUpdateFiles bounds the files of a volume in UpdateContainerGroup: the
	// metadata's maxItems is 16, one more than what is meant, as elsewhere.
	maxUpdateFiles = 15
)

// Limits returns what ECI sells in a region and can express. Sources: "limits"
// is the product's page document_detail/89138, "Create" the parameter table of
// CreateContainerGroup, "metadata" the gateway's machine-readable schema of it,
// whose maxItems are one more than what other pages allow.
func Limits(region string) cloudapi.Limits {
	return cloudapi.Limits{
		Cloud:    "eci",
		Provider: "eci",
		// Create: 2 to 128 of a-z, 0-9 and hyphen.
		Name:          cloudapi.NameLimits{Max: 128},
		Tags:          true,
		MaxTagValue:   2 * maxTagValue, // a longer value goes on in a second tag
		MaxContainers: 20,              // limits
		MaxInit:       20,              // limits: 20 containers; init containers are not told apart
		MaxVolumes:    20,              // limits
		MaxMounts:     100,             // metadata: 101
		MaxEnv:        240,             // metadata: 241
		MaxEnvKey:     128,             // Create
		EnvKey:        `^[A-Za-z_][0-9A-Za-z_]*$`,
		// Create: 0 to 256. Whether the gateway enforces it, is not known.
		MaxEnvValue: 256,
		// Create: 20 commands of at most 256 characters and 10 arguments.
		// The two are one list to a container, so createRequest moves the
		// border between them.
		MaxCommand:      maxCommand + maxArgs,
		MaxArgs:         maxCommand + maxArgs - 1,
		Words:           cloudapi.WordLimits{MaxShort: maxCommand, MaxShortCharacters: maxCommandElement, MaxRest: maxArgs},
		MaxProbeCommand: maxCommand, // Create, of a container and of its probes
		MaxFiles:        90,         // metadata and Create
		MaxFileBytes:    32 << 10,   // Create: 32 KB; taken as bytes before Base64
		MaxUpdateFiles:  maxUpdateFiles,
		MaxCredentials:  10,                         // metadata: 11
		MaxHostAliases:  100,                        // metadata: 101
		MaxHostnames:    50,                         // metadata: 51
		MaxImage:        255,                        // metadata
		ReservedPorts:   []int32{111, 10250, 10255}, // limits
		MaxNameServers:  20,                         // metadata
		MaxSearches:     20,                         // metadata
		MaxDNSOptions:   20,                         // metadata
		MaxHookCommand:  maxHookItems,
		MaxHookHeaders:  maxHookItems,
		// NET_RAW is granted to accounts that have asked for it.
		Capabilities:        slices.Clone(capabilities),
		Sysctls:             slices.Concat(podSysctls, hostSysctls),
		Sizes:               sizesIn(region),
		DefaultSize:         cloudapi.Size{CPU: 2, Memory: []float64{4}}, // page of specifications
		EphemeralStorageGiB: 30,                                          // page of specifications
		Options:             optionLimits(),
		VendorPrefix:        vendorPrefix,
		VolumeDrivers:       volumeDrivers(),
		Disk:                diskLimits(),
		Can:                 abilities(),
		Log: cloudapi.LogLimits{
			MaxLines: maxTail, MaxBytes: maxLogBytes,
			Since: true, Previous: true, Timestamps: true,
		},
		Exec: cloudapi.ExecLimits{
			MaxElements: maxExecCommand, MaxElementCharacters: maxExecElement, MaxCharacters: maxExecTotal,
		},
	}
}

// The sysctls that GroupSpec may hold: what Create lists for SecurityContext,
// and of what it lists for HostSecurityContext (kernel.shm*, kernel.msg*,
// kernel.sem, fs.mqueue.*, net.*) that which belongs to one pod alone.
// kernel.shm_rmid_forced and net.ipv4.tcp_syncookies are excepted there by name.
var (
	podSysctls = []string{
		"net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.ping_group_range",
	}
	hostSysctls = []string{
		"net.ipv4.ip_local_port_range",
		"net.ipv4.ip_local_reserved_ports",
		"net.ipv4.tcp_fin_timeout",
		"net.ipv4.tcp_keepalive_intvl",
		"net.ipv4.tcp_keepalive_probes",
		"net.ipv4.tcp_keepalive_time",
		"net.ipv4.tcp_rmem",
		"net.ipv4.tcp_wmem",
	}
)

// abilities lists what CreateContainerGroup has parameters for. GPU is
// Container.N.Gpu, which means something only where Options.Machine names an
// instance type that has cards.
func abilities() cloudapi.Abilities {
	return cloudapi.Abilities{
		InitContainers: true, LivenessProbe: true, ReadinessProbe: true,
		PullPolicy: true, Ports: true, EnvPodIP: true,
		NFS: true, NFSOptions: true, EmptyDirMemory: true, EmptyDirSizeLimit: true,
		Disks: true, NewDisks: true, Buckets: true, GPU: true,
		HostPath: true, HostPathType: true, // of invited accounts; the cloud tells others
		FileMode: true, BinaryFiles: true, NestedFilePaths: true, SubPath: true,
		Hostname: true, Stdin: true, TerminationMessage: true,
		TerminationGrace: true, EphemeralStorage: true, ActiveDeadline: true, Hooks: true,
		// InitContainer.N has no parameters for run-as-group and run-as-non-root.
		RunAsUser: true, RunAsGroup: true, ReadOnlyRoot: true, Sysctls: true, Capabilities: true,
		ShareProcesses: true, MountPropagation: true, Sidecars: true, Restart: true,
		Privileged: true, // of containers; InitContainer.N has no parameter for it
		Exec:       true, Metrics: true, FileUpdates: true,
	}
}

// sizeRow is a row of the table of sizes: memory in GiB that every region
// sells, and what the regions in moreRegions sell besides.
type sizeRow struct {
	cpu        float64
	everywhere []float64
	more       []float64
}

// sizeTable is the page "Specify the number of vCPUs and memory size"; the row
// of 56 cores stands on the page of multiple specifications only.
var sizeTable = []sizeRow{
	{cpu: 0.25, everywhere: []float64{0.5, 1}},
	{cpu: 0.5, everywhere: []float64{1, 2}},
	{cpu: 1, everywhere: []float64{2, 4, 8}},
	{cpu: 2, everywhere: []float64{1, 2, 4, 8, 16}, more: []float64{6, 10, 12, 14}},
	{cpu: 4, everywhere: []float64{2, 4, 8, 16, 32}, more: []float64{6, 10, 12, 14, 18, 20, 22, 24, 26, 28, 30}},
	{cpu: 6, more: []float64{6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48}},
	{cpu: 8, everywhere: []float64{4, 8, 16, 32, 64}, more: []float64{
		10, 12, 14, 18, 20, 22, 24, 26, 28, 30, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62}},
	{cpu: 12, everywhere: []float64{12, 24, 48, 96}},
	{cpu: 16, everywhere: []float64{16, 32, 64, 128}},
	{cpu: 24, everywhere: []float64{24, 48, 96, 192}},
	{cpu: 32, everywhere: []float64{32, 64, 128, 256}},
	{cpu: 52, everywhere: []float64{96, 192, 384}},
	{cpu: 56, everywhere: []float64{224}},
	{cpu: 64, everywhere: []float64{128, 256, 512}},
}

// moreRegions sell the sizes of the table's third column (same page).
var moreRegions = []string{
	"cn-hangzhou", "cn-shanghai", "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote",
	"cn-wulanchabu", "cn-shenzhen", "cn-heyuan", "cn-guangzhou", "cn-chengdu", "ap-southeast-1",
}

// sizesIn returns fresh slices: the caller may keep and change them.
func sizesIn(region string) []cloudapi.Size {
	var out []cloudapi.Size
	for _, row := range sizeTable {
		memory := slices.Clone(row.everywhere)
		if slices.Contains(moreRegions, region) {
			memory = append(memory, row.more...)
			slices.Sort(memory)
		}
		if len(memory) > 0 {
			out = append(out, cloudapi.Size{CPU: row.cpu, Memory: memory})
		}
	}
	return out
}
