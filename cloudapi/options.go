package cloudapi

// Options are settings of a group that Kubernetes has no field for: annotations
// of the pod and the node's configuration fill them in, within the operator's
// policy. The zero value asks for nothing. Limits.Options tells which of them a
// cloud knows, and by which parameter. Numbers and words are the cloud's: where
// a document bounds them, Limits.Options does.
type Options struct {
	Machine OptionsMachine
	Spot    OptionsSpot
	Address OptionsAddress
	Image   OptionsImage
	Data    OptionsDataCache

	// EphemeralStorageGiB is disk space beyond what every group has (ECI: 30
	// GiB); 0 adds none.
	EphemeralStorageGiB int
	// IngressBandwidth and EgressBandwidth cap the group's traffic, in bits a
	// second; 0 is no cap. Where a cloud counts otherwise its adapter converts.
	IngressBandwidth, EgressBandwidth int64

	// RAMRole is the role of the account that processes in the group can take
	// on through the machine's metadata service (ECI).
	RAMRole string
	// ResourceGroup (ECI) and Project (KCI) file the group in the account;
	// rights and bills are given by them. Project 0 is the account's default.
	ResourceGroup string
	Project       int64
	// Tags are beyond those that carry the group's identity.
	Tags []Tag

	// ScheduleStrategy tells how one of several subnets is chosen:
	// VSwitchOrdered or VSwitchRandom (ECI).
	ScheduleStrategy string
	// MaxPendingMinutes ends a group that has not started after so many
	// minutes; 0 leaves it to the cloud (ECI: 240).
	MaxPendingMinutes int

	// NTPServers are names or addresses of time servers.
	NTPServers []string
	// CorePattern is the kernel's pattern of core dumps, never a pipe.
	CorePattern string
	// HostSysctls are kernel settings of the whole machine.
	HostSysctls []Sysctl
	// ContainerResourceView shows a container its own resources instead of the
	// machine's in /proc.
	ContainerResourceView bool
}

// OptionsMachine is on what a group runs.
type OptionsMachine struct {
	// InstanceTypes are the cloud's names of machines, such as ecs.c6.xlarge or
	// N3.4B, in order of preference. With them the group's CPU and memory are
	// those of the machine.
	InstanceTypes []string
	// InstanceFamilies are tried in this order (KCI), such as S6.
	InstanceFamilies []string
	// ComputeCategories are economy and general, in order of preference (ECI).
	ComputeCategories []string
	// Architecture is AMD64 or ARM64; empty leaves it to the cloud (ECI: AMD64).
	Architecture string
	// GPUDriver is the version of the graphics driver, such as tesla=525.85.12.
	GPUDriver string
	// CPUCores and CPUThreadsPerCore shape the processor; 0 leaves them to the
	// machine. One thread per core turns hyper-threading off.
	CPUCores, CPUThreadsPerCore int
	// SystemDiskType and SystemDiskGiB are the machine's own disk (KCI); 0 is
	// the type's least size.
	SystemDiskType string
	SystemDiskGiB  int
}

// OptionsSpot are the terms of a group that the cloud may take back.
type OptionsSpot struct {
	// Strategy is SpotAsPriceGo or SpotWithPriceLimit; empty or NoSpot is none.
	Strategy string
	// PriceLimit is the most to be paid an hour, in the account's currency; 0
	// is no limit.
	PriceLimit float64
	// DurationHours is for how long the group is safe; nil leaves it to the
	// cloud (ECI: 1), 0 is not at all.
	DurationHours *int
}

// OptionsAddress are a group's addresses beyond the one that it always has.
type OptionsAddress struct {
	// EIPs are ids of elastic IP addresses that exist.
	EIPs []string
	// CreateEIP makes an elastic IP address that ends with the group;
	// EIPBandwidth is its bandwidth in Mbit/s (0: ECI's default, 5), EIPISP its
	// line (BGP, BGP_PRO), EIPBandwidthPackage the bandwidth that it shares.
	CreateEIP           bool
	EIPBandwidth        int
	EIPISP              string
	EIPBandwidthPackage string
	// IPv6 gives the group an IPv6 address of its subnet; IPv6Internet opens
	// it to the internet, with IPv6Bandwidth in Mbit/s (0: the gateway's most).
	IPv6, IPv6Internet bool
	IPv6Bandwidth      int
	// PrivateIP is the address wanted in the subnet.
	PrivateIP string
	// Retain keeps the address for a later group, for RetainHours (0: the
	// cloud's default; ECI 48). KCI would keep it for one of the same name, which
	// no other pod's group has.
	Retain      bool
	RetainHours int
}

// OptionsImage is how a group's images come to it.
type OptionsImage struct {
	// Cache is the id of an image cache; AutoCache lets the cloud choose one.
	Cache     string
	AutoCache bool
	// Accelerate is nydus, dadi, p2p or imc (ECI).
	Accelerate string
	// PlainHTTPRegistries are asked without TLS; InsecureRegistries may have
	// certificates that nobody vouches for. Both are hosts, with port if need be.
	PlainHTTPRegistries, InsecureRegistries []string
	// ACR are instances of Alibaba's Container Registry whose images the cloud
	// pulls with rights of the account.
	ACR []ACRInstance
}

// ACRInstance is an instance of Container Registry Enterprise Edition.
type ACRInstance struct {
	// ID is such as cri-abc, Region such as cn-beijing; an empty Region is the
	// group's own.
	ID, Region string
	// ServiceARN and UserARN are the roles for an instance of another account.
	ServiceARN, UserARN string
}

// OptionsDataCache is where a group's data caches lie (ECI).
type OptionsDataCache struct {
	// Bucket holds the caches; PL is the disk's performance level, PL0 to PL3.
	Bucket, PL string
	// IOPS are provisioned for the disk; 0 is none beyond its own.
	IOPS     int64
	Bursting bool
}

// Tag is a name with a value on a group.
type Tag struct {
	Key, Value string
}

// OptionLimits is what a cloud takes of one option.
type OptionLimits struct {
	// Parameter is where the API takes it, such as RamRoleName.
	Parameter string
	// Min and Max bound a number, and Max the elements of a list; 0 is no
	// known bound. Bandwidths are in bits a second.
	Min, Max int64
	// Step is what a number must be a multiple of; 0 is any.
	Step int64
	// Words are the values that it takes; none means any.
	Words []string
	// Pattern is the regular expression of a word, whole; empty means any. Like
	// is a word of that form.
	Pattern, Like string
}
