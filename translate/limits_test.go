package translate_test

import "github.com/cumulet/cumulet/cloudapi"

// eciLimits mirrors what Alibaba Cloud documents for ECI: the parameters of
// CreateContainerGroup, the limits page and the sizes that all regions sell.
func eciLimits() cloudapi.Limits {
	return cloudapi.Limits{
		Cloud: "eci", Provider: "eci",
		Name: cloudapi.NameLimits{Max: 128}, Tags: true, MaxTagValue: 256,
		MaxContainers: 20, MaxInit: 20, MaxVolumes: 20,
		MaxEnv: 240, MaxEnvKey: 128, EnvKey: `^[A-Za-z_][0-9A-Za-z_]*$`, MaxEnvValue: 256,
		MaxCommand: 30, MaxArgs: 29, MaxProbeCommand: 20,
		Words:    cloudapi.WordLimits{MaxShort: 20, MaxShortCharacters: 256, MaxRest: 10},
		MaxFiles: 90, MaxFileBytes: 32 << 10, MaxCredentials: 10, MaxHostAliases: 100, MaxHostnames: 50,
		MaxImage: 255, EphemeralStorageGiB: 30, ReservedPorts: []int32{111, 10250, 10255},
		MaxNameServers: 20, MaxSearches: 20, MaxDNSOptions: 20,
		Sizes: []cloudapi.Size{
			{CPU: 0.25, Memory: []float64{0.5, 1}},
			{CPU: 0.5, Memory: []float64{1, 2}},
			{CPU: 1, Memory: []float64{2, 4, 8}},
			{CPU: 2, Memory: []float64{1, 2, 4, 8, 16}},
			{CPU: 4, Memory: []float64{2, 4, 8, 16, 32}},
			{CPU: 8, Memory: []float64{4, 8, 16, 32, 64}},
			{CPU: 12, Memory: []float64{12, 24, 48, 96}},
			{CPU: 16, Memory: []float64{16, 32, 64, 128}},
			{CPU: 24, Memory: []float64{24, 48, 96, 192}},
			{CPU: 32, Memory: []float64{32, 64, 128, 256}},
			{CPU: 52, Memory: []float64{96, 192, 384}},
			{CPU: 56, Memory: []float64{224}},
			{CPU: 64, Memory: []float64{128, 256, 512}},
		},
		DefaultSize: cloudapi.Size{CPU: 2, Memory: []float64{4}},
		Can: cloudapi.Abilities{
			InitContainers: true, LivenessProbe: true, ReadinessProbe: true, PullPolicy: true, Ports: true,
			EnvPodIP: true, NFS: true, EphemeralStorage: true, EmptyDirMemory: true, EmptyDirSizeLimit: true, FileMode: true,
			BinaryFiles: true, NestedFilePaths: true, SubPath: true, Hostname: true, Stdin: true,
			TerminationMessage: true, TerminationGrace: true, ActiveDeadline: true, Exec: true, Metrics: true, GPU: true,
			Hooks: true, RunAsUser: true, Sysctls: true, Capabilities: true, RunAsGroup: true, ReadOnlyRoot: true, ShareProcesses: true, MountPropagation: true,
			Sidecars: true, Privileged: true, Restart: true,
			NFSOptions: true, Disks: true, NewDisks: true, Buckets: true, HostPath: true, HostPathType: true,
		},
		VolumeDrivers: []string{
			"diskplugin.csi.alibabacloud.com", "nasplugin.csi.alibabacloud.com", "ossplugin.csi.alibabacloud.com",
			"alicloud/disk", "alicloud/nas", "alicloud/oss",
		},
		Disk: cloudapi.DiskLimits{
			Max: 6, ID: `^d-[0-9a-z]{1,60}$`, FsTypes: []string{"ext4", "ext3", "xfs", "vfat"},
			Categories:        []cloudapi.DiskCategory{{Name: "cloud_essd", MinGiB: 20, MaxGiB: 32768}},
			PerformanceLevels: []string{"PL0", "PL1", "PL2", "PL3"}, Encryption: true, Snapshots: true,
		},
		MaxHookCommand: 100, MaxHookHeaders: 100,
		Options: eciOptions(), VendorPrefix: "k8s.aliyun.com/",
		Capabilities: []string{"NET_ADMIN", "NET_RAW"},
		Sysctls: []string{
			"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
			"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout",
			"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
			"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
		},
		Exec: cloudapi.ExecLimits{MaxElements: 20, MaxElementCharacters: 256, MaxCharacters: 2048},
	}
}

// kciLimits mirrors KCI with the fields that Kingsoft's own SDKs have beside
// the documented ones. The sizes are an assumption: which are sold is what
// DescribeKciPackages answers.
func kciLimits() cloudapi.Limits {
	return cloudapi.Limits{
		Cloud: "kci", Provider: "kci",
		Name:      cloudapi.NameLimits{Max: 63, Dots: true},
		MaxEnvKey: 63, EnvKey: `^[-._a-zA-Z][-._a-zA-Z0-9]*$`,
		MaxFileBytes: 18 << 10,
		Options:      kciOptions(), VendorPrefix: "k8s.ksyun.com/",
		Sizes: []cloudapi.Size{
			{CPU: 1, Memory: []float64{1, 2, 4}},
			{CPU: 2, Memory: []float64{2, 4, 8, 16}},
			{CPU: 4, Memory: []float64{4, 8, 16, 32}},
			{CPU: 8, Memory: []float64{8, 16, 32, 64}},
			{CPU: 16, Memory: []float64{16, 32, 64, 128}},
			{CPU: 32, Memory: []float64{32, 64, 128, 256}},
			{CPU: 64, Memory: []float64{64, 128, 256, 512}},
			{CPU: 128, Memory: []float64{128, 256, 512}},
			{CPU: 256, Memory: []float64{256, 512}},
		},
		DefaultSize:   cloudapi.Size{CPU: 2, Memory: []float64{4}},
		VolumeDrivers: []string{"com.ksc.csi.diskplugin", "com.ksc.csi.nfsplugin"},
		Disk: cloudapi.DiskLimits{
			ID: `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, FsTypes: []string{"ext3", "ext4", "xfs"},
			Categories: []cloudapi.DiskCategory{
				{Name: "SSD3.0", MinGiB: 10, MaxGiB: 32000}, {Name: "EHDD", MinGiB: 10, MaxGiB: 32000},
				{Name: "ESSD_PL0", MinGiB: 40, MaxGiB: 32000}, {Name: "ESSD_PL1", MinGiB: 40, MaxGiB: 32000},
				{Name: "ESSD_PL2", MinGiB: 461, MaxGiB: 32000},
			},
			Snapshots: true,
		},
		Can: cloudapi.Abilities{
			InitContainers: true, LivenessProbe: true, PullPolicy: true, Ports: true,
			EnvPodIP: true, NFS: true, FileMode: true, BinaryFiles: true, NestedFilePaths: true, GPU: true, Exec: true,
			Privileged: true, InitPrivileged: true,
			Disks: true, NewDisks: true, HostPath: true,
		},
	}
}

// kciSeedLimits mirrors KCI with the documented fields alone.
func kciSeedLimits() cloudapi.Limits {
	l := kciLimits()
	l.Can = cloudapi.Abilities{Ports: true, Disks: true}
	l.Options = kciSeedOptions()
	l.Disk.Categories, l.Disk.Snapshots = nil, false
	return l
}
