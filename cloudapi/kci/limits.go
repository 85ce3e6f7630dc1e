package kci

import "github.com/cumulet/cumulet/cloudapi"

// Dialect is the set of parameters that the client may use. Kingsoft's API
// document of 2020-07-02 names four actions; its SDKs name fifteen and spell
// two parameters otherwise.
type Dialect string

const (
	// Seed keeps to the API document: no init containers, probes, NFS, file
	// modes, exec or events of their own; files are plain text.
	Seed Dialect = "seed"
	// Extended uses what Kingsoft's SDKs (v2.2.122) know beyond it.
	Extended Dialect = "extended"
)

// Bounds that the API document states and cloudapi.Limits has no field for.
const (
	// maxPage is the greatest MaxResults of DescribeContainerGroup and the
	// greatest index of an id list (document, "Filter.N和ID.N规则").
	maxPage = 100
	// maxSecurityGroups per group (CreateContainerGroup, SecurityGroupId.N).
	maxSecurityGroups = 3
	// maxSubnets is the SDKs' bound of MultiSubnetId.N.
	maxSubnets = 5
	// maxTail is the greatest Tail of DescribeContainerLog. The SDKs' notes
	// say 2000; the document says 1000 and wins.
	maxTail = 1000
	// maxContent bounds one file's Content as sent: 24 KB (ConfigFileVolume).
	maxContent = 24 << 10
)

// Limits returns what KCI sells and can express in a dialect. It does not say
// that KCI runs readiness probes, though dialect Extended has words for them:
// no answer tells how they end. See Options.Readiness. All regions have
// the same sizes here: which sizes a region sells is not published.
func Limits(dialect Dialect, _ string) cloudapi.Limits {
	limits := cloudapi.Limits{
		Cloud:    "kci",
		Provider: "kci",
		// CreateContainerGroup, ContainerGroupName: at most 63 of a-z, 0-9,
		// hyphen and dot. The SDKs' notes say 128; the document wins.
		Name:      cloudapi.NameLimits{Max: 63, Dots: true},
		MaxEnvKey: 63, // EnvironmentVar, Key
		EnvKey:    `^[-._a-zA-Z][-._a-zA-Z0-9]*$`,
		// No source bounds the number of containers, volumes, variables,
		// files, credentials, aliases or DNS entries: they stay 0.
		MaxFileBytes:  maxContent,
		Sizes:         sizes(),
		DefaultSize:   cloudapi.Size{CPU: 2, Memory: []float64{4}}, // the document's own example
		Options:       optionLimits(dialect),
		VendorPrefix:  vendorPrefix,
		VolumeDrivers: volumeDrivers(dialect),
		Disk:          diskLimits(dialect),
		Can:           cloudapi.Abilities{Ports: true, Disks: true},
		Log:           cloudapi.LogLimits{MaxLines: maxTail},
	}
	if dialect == Seed {
		return limits
	}
	// Content is Base64 here, 4 bytes for 3: the raw file is kept so small
	// that either reading of "24 KB" holds.
	limits.MaxFileBytes = maxContent / 4 * 3
	limits.Can = cloudapi.Abilities{
		InitContainers:  true,
		LivenessProbe:   true,
		PullPolicy:      true,
		Ports:           true,
		EnvPodIP:        true,
		NFS:             true,
		Disks:           true,
		NewDisks:        true,
		HostPath:        true,
		FileMode:        true,
		BinaryFiles:     true,
		NestedFilePaths: true,
		Privileged:      true,
		InitPrivileged:  true,
		// Gpu is ignored on types without cards (SDKs' notes), so that it means
		// something only where Options.Machine names a type that has some.
		GPU:  true,
		Exec: true,
	}
	return limits
}

// sizes is an assumption. KCI rounds up to standard sizes that only
// DescribeKciPackages tells. What is public agrees with this table: 2 cores with
// 4 GiB exist (document) and are the fewest with 8 GiB (Kingsoft's page on the
// sizes of pods), 2.5 cores may become 4 and 3 GiB may become 4, 256 cores and
// 512 GiB are the ends (SDKs' notes), and the Go SDK reads sizes as integers.
// The emulator sells the same table; a test holds the two together.
func sizes() []cloudapi.Size {
	return []cloudapi.Size{
		{CPU: 1, Memory: []float64{1, 2, 4}},
		{CPU: 2, Memory: []float64{2, 4, 8, 16}},
		{CPU: 4, Memory: []float64{4, 8, 16, 32}},
		{CPU: 8, Memory: []float64{8, 16, 32, 64}},
		{CPU: 16, Memory: []float64{16, 32, 64, 128}},
		{CPU: 32, Memory: []float64{32, 64, 128, 256}},
		{CPU: 64, Memory: []float64{64, 128, 256, 512}},
		{CPU: 128, Memory: []float64{128, 256, 512}},
		{CPU: 256, Memory: []float64{256, 512}},
	}
}
