package eci

import (
	"slices"
	"strconv"
	"strings"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// vendorPrefix begins the annotations of ACK's virtual node.
const vendorPrefix = "k8s.aliyun.com/"

// The bounds of options. "Create" is the parameter table of
// CreateContainerGroup, "metadata" the gateway's schema of it, "annotations" the
// product's page on annotations of pods.
const (
	maxSubnets        = 10 // Create, VSwitchId
	maxSecurityGroups = 5  // annotations
	// maxTags is what is left of the 20 of a group (Create) beside five of our
	// own, each of which may take two.
	maxTags = 10
	// maxOtherSysctls is metadata's 101 without one.
	maxOtherSysctls = 100
)

// optionLimits are the options that CreateContainerGroup has parameters for.
func optionLimits() map[string]cloudapi.OptionLimits {
	limits := map[string]cloudapi.OptionLimits{
		"size":                    {Parameter: "Cpu, Memory"},
		"instance-types":          {Parameter: "InstanceType", Max: 5}, // page of multiple specifications
		"compute-categories":      {Parameter: "ComputeCategory.N", Words: []string{"economy", "general"}},
		"architecture":            {Parameter: "CpuArchitecture", Words: []string{"AMD64", "ARM64"}},
		"gpu-driver":              {Parameter: "GpuDriverVersion", Words: []string{"tesla=470.82.01", "tesla=525.85.12"}},
		"cpu-cores":               {Parameter: "CpuOptionsCore", Max: 1000},           // metadata
		"cpu-threads-per-core":    {Parameter: "CpuOptionsThreadsPerCore", Max: 1000}, // metadata
		"spot-strategy":           {Parameter: "SpotStrategy", Words: []string{"NoSpot", "SpotAsPriceGo", "SpotWithPriceLimit"}},
		"spot-price-limit":        {Parameter: "SpotPriceLimit"},
		"spot-duration":           {Parameter: "SpotDuration"},
		"ephemeral-storage":       {Parameter: "EphemeralStorage", Max: 5000}, // metadata
		"schedule-strategy":       {Parameter: "ScheduleStrategy", Words: []string{"VSwitchOrdered", "VSwitchRandom"}},
		"subnets":                 {Parameter: "VSwitchId", Max: maxSubnets},
		"security-groups":         {Parameter: "SecurityGroupId", Max: maxSecurityGroups},
		"ingress-bandwidth":       {Parameter: "IngressBandwidth"},
		"egress-bandwidth":        {Parameter: "EgressBandwidth"},
		"host-aliases":            {Parameter: "HostAliase.N"},
		"dns-config":              {Parameter: "DnsConfig"},
		"ram-role":                {Parameter: "RamRoleName"},
		"resource-group":          {Parameter: "ResourceGroupId"},
		"tags":                    {Parameter: "Tag.N", Max: maxTags},
		"ntp-servers":             {Parameter: "NtpServer.N", Max: 20},                    // metadata: 21
		"max-pending-minutes":     {Parameter: "MaxPendingMinute", Min: 10, Max: 24 * 60}, // annotations
		"core-pattern":            {Parameter: "CorePattern"},
		"container-resource-view": {Parameter: "ContainerResourceView"},
		"host-sysctls": {Parameter: "HostSecurityContext.Sysctl.N", Max: maxOtherSysctls, Words: []string{
			"kernel.shm*", "kernel.msg*", "kernel.sem", "fs.mqueue.*", "net.*", "vm.min_free_kbytes"}},
	}
	addImageLimits(limits)
	addAddressLimits(limits)
	return limits
}

func addImageLimits(limits map[string]cloudapi.OptionLimits) {
	limits["image-cache"] = cloudapi.OptionLimits{Parameter: "ImageSnapshotId"}
	limits["image-cache-auto"] = cloudapi.OptionLimits{Parameter: "AutoMatchImageCache"}
	limits["image-accelerate"] = cloudapi.OptionLimits{Parameter: "ImageAccelerateMode", Words: []string{"dadi", "imc", "nydus", "p2p"}}
	limits["plain-http-registries"] = cloudapi.OptionLimits{Parameter: "PlainHttpRegistry"}
	limits["insecure-registries"] = cloudapi.OptionLimits{Parameter: "InsecureRegistry"}
	limits["acr-instances"] = cloudapi.OptionLimits{Parameter: "AcrRegistryInfo.N", Max: 20} // metadata: 21
	limits["acr-service-arns"] = cloudapi.OptionLimits{Parameter: "AcrRegistryInfo.N.ArnService", Max: 20}
	limits["acr-user-arns"] = cloudapi.OptionLimits{Parameter: "AcrRegistryInfo.N.ArnUser", Max: 20}
	limits["data-cache-bucket"] = cloudapi.OptionLimits{Parameter: "DataCacheBucket"}
	limits["data-cache-level"] = cloudapi.OptionLimits{Parameter: "DataCachePL", Words: []string{"PL0", "PL1", "PL2", "PL3"}}
	limits["data-cache-iops"] = cloudapi.OptionLimits{Parameter: "DataCacheProvisionedIops", Max: 50000} // Create
	limits["data-cache-bursting"] = cloudapi.OptionLimits{Parameter: "DataCacheBurstingEnabled"}
}

func addAddressLimits(limits map[string]cloudapi.OptionLimits) {
	limits["eip"] = cloudapi.OptionLimits{Parameter: "EipInstanceId", Max: 1}
	limits["eip-create"] = cloudapi.OptionLimits{Parameter: "AutoCreateEip"}
	limits["eip-bandwidth"] = cloudapi.OptionLimits{Parameter: "EipBandwidth", Max: 1_000_000} // metadata
	limits["eip-isp"] = cloudapi.OptionLimits{Parameter: "EipISP", Words: []string{"BGP", "BGP_PRO"}}
	limits["eip-bandwidth-package"] = cloudapi.OptionLimits{Parameter: "EipCommonBandwidthPackage"}
	limits["ipv6"] = cloudapi.OptionLimits{Parameter: "Ipv6AddressCount"}
	limits["ipv6-internet"] = cloudapi.OptionLimits{Parameter: "Ipv6GatewayBandwidthEnable"}
	limits["ipv6-bandwidth"] = cloudapi.OptionLimits{Parameter: "Ipv6GatewayBandwidth", Max: 2000} // Create
	limits["private-ip"] = cloudapi.OptionLimits{Parameter: "PrivateIpAddress"}
	limits["retain-ip"] = cloudapi.OptionLimits{Parameter: "FixedIp"}
	limits["retain-ip-hours"] = cloudapi.OptionLimits{Parameter: "FixedIpRetainHour"}
}

// setOptions writes the options; what has no parameter is an error.
func setOptions(request *sdk.CreateContainerGroupRequest, o cloudapi.Options) error {
	if err := checkOptions(o); err != nil {
		return err
	}
	setMachine(request, o)
	setAddresses(request, o.Address)
	setImages(request, o.Image)
	request.DataCacheBucket, request.DataCachePL = text1(o.Data.Bucket), text1(o.Data.PL)
	request.DataCacheProvisionedIops, request.DataCacheBurstingEnabled = int64OrNil(o.Data.IOPS), yes(o.Data.Bursting)
	request.IngressBandwidth, request.EgressBandwidth = int64OrNil(o.IngressBandwidth), int64OrNil(o.EgressBandwidth)
	request.RamRoleName, request.ResourceGroupId = text1(o.RAMRole), text1(o.ResourceGroup)
	request.NtpServer, request.CorePattern = texts(o.NTPServers), text1(o.CorePattern)
	request.MaxPendingMinute = int32OrNil(o.MaxPendingMinutes)
	request.ContainerResourceView = yes(o.ContainerResourceView)
	if o.ScheduleStrategy != "" {
		request.ScheduleStrategy = text1(o.ScheduleStrategy)
	}
	for _, t := range o.Tags {
		request.Tag = append(request.Tag, &sdk.CreateContainerGroupRequestTag{Key: &t.Key, Value: &t.Value})
	}
	return addHostSysctls(request, o.HostSysctls)
}

// checkOptions refuses what CreateContainerGroup has no parameter for, and what
// would hide a group's identity.
func checkOptions(o cloudapi.Options) error {
	switch {
	case len(o.Machine.InstanceFamilies) > 0:
		return unsupported("Options.Machine.InstanceFamilies: the cloud takes instance types only")
	case o.Machine.SystemDiskType != "" || o.Machine.SystemDiskGiB != 0:
		return unsupported("Options.Machine.SystemDiskType: the cloud's machines have the disk that they have")
	case o.Project != 0:
		return unsupported("Options.Project: the cloud has resource groups")
	case len(o.Address.EIPs) > 1:
		return unsupported("Options.Address.EIPs: %d; the cloud takes 1", len(o.Address.EIPs))
	}
	for i, t := range o.Tags {
		if strings.HasPrefix(t.Key, "cumulet.dev/") {
			return invalid(opCreate, "Options.Tags[%d].Key: %s is a tag of a group's identity", i, t.Key)
		}
	}
	return nil
}

// setMachine sets what the group runs on and for what price. A machine that is
// named has a size of its own: Cpu and Memory would be a second word on it.
func setMachine(request *sdk.CreateContainerGroupRequest, o cloudapi.Options) {
	m := o.Machine
	if len(m.InstanceTypes) > 0 {
		request.InstanceType = text1(strings.Join(m.InstanceTypes, ","))
		request.Cpu, request.Memory = nil, nil
	}
	request.ComputeCategory = texts(m.ComputeCategories)
	request.CpuArchitecture, request.GpuDriverVersion = text1(m.Architecture), text1(m.GPUDriver)
	request.CpuOptionsCore, request.CpuOptionsThreadsPerCore = int32OrNil(m.CPUCores), int32OrNil(m.CPUThreadsPerCore)
	request.EphemeralStorage = int32OrNil(o.EphemeralStorageGiB)
	request.SpotStrategy, request.SpotPriceLimit = text1(o.Spot.Strategy), size(o.Spot.PriceLimit)
	if o.Spot.DurationHours != nil {
		hours := int64(*o.Spot.DurationHours)
		request.SpotDuration = &hours
	}
}

func setAddresses(request *sdk.CreateContainerGroupRequest, a cloudapi.OptionsAddress) {
	if len(a.EIPs) > 0 {
		request.EipInstanceId = text1(a.EIPs[0])
	}
	request.AutoCreateEip, request.EipBandwidth = yes(a.CreateEIP), int32OrNil(a.EIPBandwidth)
	request.EipISP, request.EipCommonBandwidthPackage = text1(a.EIPISP), text1(a.EIPBandwidthPackage)
	if a.IPv6 {
		request.Ipv6AddressCount = int32OrNil(1)
	}
	request.Ipv6GatewayBandwidthEnable = yes(a.IPv6Internet)
	if a.IPv6Bandwidth != 0 {
		request.Ipv6GatewayBandwidth = text1(strconv.Itoa(a.IPv6Bandwidth))
	}
	request.PrivateIpAddress = text1(a.PrivateIP)
	if a.Retain {
		request.FixedIp = text1("true")
	}
	request.FixedIpRetainHour = int32OrNil(a.RetainHours)
}

func setImages(request *sdk.CreateContainerGroupRequest, i cloudapi.OptionsImage) {
	request.ImageSnapshotId, request.AutoMatchImageCache = text1(i.Cache), yes(i.AutoCache)
	request.ImageAccelerateMode = text1(i.Accelerate)
	request.PlainHttpRegistry = text1(strings.Join(i.PlainHTTPRegistries, ","))
	request.InsecureRegistry = text1(strings.Join(i.InsecureRegistries, ","))
	for _, a := range i.ACR {
		request.AcrRegistryInfo = append(request.AcrRegistryInfo, &sdk.CreateContainerGroupRequestAcrRegistryInfo{
			InstanceId: text1(a.ID), RegionId: text1(a.Region), ArnService: text1(a.ServiceARN), ArnUser: text1(a.UserARN),
		})
	}
}

// addHostSysctls adds kernel settings of the machine to those of the pod. Two of
// the latter have a parameter of their own, and two may not be set at all (see
// hostSysctls).
func addHostSysctls(request *sdk.CreateContainerGroupRequest, sysctls []cloudapi.Sysctl) error {
	for i, s := range sysctls {
		if slices.Contains(podSysctls, s.Name) || s.Name == "kernel.shm_rmid_forced" || s.Name == "net.ipv4.tcp_syncookies" {
			return unsupported("Options.HostSysctls[%d].Name: the cloud does not take %s for the machine", i, s.Name)
		}
		if request.HostSecurityContext == nil {
			request.HostSecurityContext = &sdk.CreateContainerGroupRequestHostSecurityContext{}
		}
		request.HostSecurityContext.Sysctl = append(request.HostSecurityContext.Sysctl,
			&sdk.CreateContainerGroupRequestHostSecurityContextSysctl{Name: &s.Name, Value: &s.Value})
	}
	return nil
}

// int32OrNil leaves a parameter out that asks for nothing; numbers beyond 32
// bits are capped, and left for the cloud to refuse.
func int32OrNil(n int) *int32 {
	if n == 0 {
		return nil
	}
	out := int32(min(max(n, -1<<31), 1<<31-1))
	return &out
}

func int64OrNil(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
