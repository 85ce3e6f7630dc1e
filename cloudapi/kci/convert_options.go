package kci

import (
	"strconv"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// vendorPrefix begins the annotations of Kingsoft's own virtual node.
const vendorPrefix = "k8s.ksyun.com/"

// The words of ways to pay (SDKs' notes).
const (
	chargeSpot    = "Spot"
	spotAsPriceGo = "SpotAsPriceGo"
	noSpot        = "NoSpot"
)

const (
	// megabit is the unit of bandwidths, and maxBandwidth their bound in it
	// (document, IngressBandwidth).
	megabit      = 1_000_000
	maxBandwidth = 1024
	// maxSystemDisk bounds the size of a system disk in GiB (SDKs' notes).
	maxSystemDisk = 500
)

// The forms of names of which the SDKs' notes give examples only: N3.4B is a
// type, S6 a family, and ids are UUIDs.
const (
	instanceTypeForm   = `^[A-Z][A-Za-z0-9]*\.[0-9]+[A-Z]$`
	instanceFamilyForm = `^[A-Z][A-Za-z0-9]*$`
	uuidForm           = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
)

// optionLimits are the options that CreateContainerGroup has parameters for in
// a dialect: the document knows bandwidths, the SDKs everything else and not
// these.
func optionLimits(dialect Dialect) map[string]cloudapi.OptionLimits {
	limits := map[string]cloudapi.OptionLimits{
		"size":            {Parameter: "Cpu, Memory"},
		"subnets":         {Parameter: "SubnetId", Max: 1},
		"security-groups": {Parameter: "SecurityGroupId.N", Max: maxSecurityGroups},
		"dns-config":      {Parameter: "DnsConfig"},
	}
	if dialect == Seed {
		limits["host-aliases"] = cloudapi.OptionLimits{Parameter: "HostAlias.N"}
		for name, parameter := range map[string]string{"ingress-bandwidth": "IngressBandwidth", "egress-bandwidth": "EgressBandwidth"} {
			limits[name] = cloudapi.OptionLimits{Parameter: parameter, Min: megabit, Max: maxBandwidth * megabit, Step: megabit}
		}
		return limits
	}
	limits["subnets"] = cloudapi.OptionLimits{Parameter: "SubnetId, MultiSubnetId.N", Max: maxSubnets}
	limits["host-aliases"] = cloudapi.OptionLimits{Parameter: "HostAliase.N"}
	limits["instance-types"] = cloudapi.OptionLimits{Parameter: "InstanceType", Max: 1, Pattern: instanceTypeForm, Like: "N3.4B"}
	limits["instance-families"] = cloudapi.OptionLimits{Parameter: "InstanceFamily", Pattern: instanceFamilyForm, Like: "S6"}
	limits["spot-strategy"] = cloudapi.OptionLimits{Parameter: "ChargeType, SpotStrategy", Words: []string{noSpot, spotAsPriceGo}}
	limits["project"] = cloudapi.OptionLimits{Parameter: "ProjectId", Max: 1<<53 - 1}
	limits["eip"] = cloudapi.OptionLimits{
		Parameter: "EipAllocationId, MultiEipAllocationId.N", Pattern: uuidForm, Like: "5f1c2b7e-0a3d-4c58-9e6f-1b2c3d4e5f60",
	}
	limits["image-cache"] = cloudapi.OptionLimits{Parameter: "ImageCacheId"}
	limits["image-cache-auto"] = cloudapi.OptionLimits{Parameter: "AutoMatchImageCache"}
	limits["system-disk-type"] = cloudapi.OptionLimits{Parameter: "AdvanceSettings.SystemDisk.Type",
		Words: []string{"EHDD", "ESSD_SYSTEM_PL0", "ESSD_SYSTEM_PL1", "ESSD_SYSTEM_PL2", "Local_SSD", "SSD3.0"}}
	limits["system-disk-size"] = cloudapi.OptionLimits{Parameter: "AdvanceSettings.SystemDisk.Size", Min: 20, Max: maxSystemDisk}
	return limits
}

// options writes a group's options.
func (w *specWriter) options(f form, o cloudapi.Options) {
	w.lackedOptions(o)
	w.bandwidth(f, "IngressBandwidth", o.IngressBandwidth)
	w.bandwidth(f, "EgressBandwidth", o.EgressBandwidth)
	w.extended(len(o.Machine.InstanceTypes) > 0, "options.machine.instanceTypes")
	w.extended(len(o.Machine.InstanceFamilies) > 0, "options.machine.instanceFamilies")
	w.extended(o.Machine.SystemDiskType != "" || o.Machine.SystemDiskGiB != 0, "options.machine.systemDisk")
	w.extended(isSpot(o), "options.spot.strategy")
	w.extended(o.Project != 0, "options.project")
	w.extended(len(o.Address.EIPs) > 0, "options.address.eips")
	w.extended(o.Image.Cache != "" || o.Image.AutoCache, "options.image.cache")
	if w.dialect == Extended {
		w.machine(f, o)
		w.account(f, o)
	}
}

// lackedOptions notes the options that KCI has no parameter for in any dialect.
func (w *specWriter) lackedOptions(o cloudapi.Options) {
	w.lacks(len(o.Machine.ComputeCategories) > 0, "options.machine.computeCategories")
	w.lacks(o.Machine.Architecture != "", "options.machine.architecture")
	w.lacks(o.Machine.GPUDriver != "", "options.machine.gpuDriver")
	w.lacks(o.Machine.CPUCores != 0 || o.Machine.CPUThreadsPerCore != 0, "options.machine.cpu")
	w.lacks(o.Spot.PriceLimit != 0 || o.Spot.DurationHours != nil, "options.spot.priceLimit, durationHours")
	w.lacks(isSpot(o) && o.Spot.Strategy != spotAsPriceGo, "options.spot.strategy "+o.Spot.Strategy)
	w.lacks(o.EphemeralStorageGiB != 0, "options.ephemeralStorageGiB")
	a := o.Address
	w.lacks(a.CreateEIP || a.EIPBandwidth != 0 || a.EIPISP != "" || a.EIPBandwidthPackage != "", "options.address.createEIP")
	w.lacks(a.IPv6 || a.IPv6Internet || a.IPv6Bandwidth != 0, "options.address.ipv6")
	w.lacks(a.PrivateIP != "", "options.address.privateIP")
	// RetainIp keeps an address for a later group of the same name (SDKs' notes):
	// a group's name holds its pod's UID, so that there is none.
	w.lacks(a.Retain || a.RetainHours != 0, "options.address.retain")
	i := o.Image
	w.lacks(i.Accelerate != "", "options.image.accelerate")
	w.lacks(len(i.PlainHTTPRegistries)+len(i.InsecureRegistries) > 0, "options.image.registries")
	w.lacks(len(i.ACR) > 0, "options.image.acr")
	w.lacks(o.Data != cloudapi.OptionsDataCache{}, "options.data")
	w.lacks(o.RAMRole != "", "options.ramRole")
	w.lacks(o.ResourceGroup != "", "options.resourceGroup")
	w.lacks(len(o.Tags) > 0, "options.tags")
	w.lacks(o.ScheduleStrategy != "", "options.scheduleStrategy")
	w.lacks(o.MaxPendingMinutes != 0, "options.maxPendingMinutes")
	w.lacks(len(o.NTPServers) > 0, "options.ntpServers")
	w.lacks(o.CorePattern != "", "options.corePattern")
	w.lacks(len(o.HostSysctls) > 0, "options.hostSysctls")
	w.lacks(o.ContainerResourceView, "options.containerResourceView")
}

func isSpot(o cloudapi.Options) bool { return o.Spot.Strategy != "" && o.Spot.Strategy != noSpot }

// bandwidth writes bits a second as Mbit/s. Kingsoft's SDKs do not have the
// parameters any more, so that only dialect Seed uses them.
func (w *specWriter) bandwidth(f form, name string, bits int64) {
	switch {
	case bits == 0:
	case w.dialect != Seed:
		w.unsupported = append(w.unsupported, name+" needs dialect "+string(Seed))
	case bits%megabit != 0 || bits < megabit || bits > maxBandwidth*megabit:
		w.rejectf("%s is %d bit/s; whole Mbit/s from 1 to %d are allowed", name, bits, maxBandwidth)
	default:
		f.set(name, strconv.FormatInt(bits/megabit, 10))
	}
}

// machine writes on what the group runs and how it is paid.
func (w *specWriter) machine(f form, o cloudapi.Options) {
	if n := len(o.Machine.InstanceTypes); n > 1 {
		w.rejectf("options.machine.instanceTypes has %d entries; 1 is allowed", n)
	}
	f.text("InstanceType", strings.Join(o.Machine.InstanceTypes, ","))
	f.text("InstanceFamily", strings.Join(o.Machine.InstanceFamilies, ","))
	if isSpot(o) {
		f.set("ChargeType", chargeSpot)
		f.set("SpotStrategy", o.Spot.Strategy)
	}
	disk := f.in("AdvanceSettings").in("SystemDisk")
	disk.text("Type", o.Machine.SystemDiskType)
	if o.Machine.SystemDiskGiB != 0 {
		disk.int("Size", o.Machine.SystemDiskGiB)
	}
}

// account writes what belongs to the account: project, addresses, image caches.
func (w *specWriter) account(f form, o cloudapi.Options) {
	if o.Project != 0 {
		f.set("ProjectId", strconv.FormatInt(o.Project, 10))
	}
	switch eips := o.Address.EIPs; len(eips) {
	case 0:
	case 1:
		f.set("EipAllocationId", eips[0])
	default:
		f.list("MultiEipAllocationId", eips)
	}
	f.text("ImageCacheId", o.Image.Cache)
	if o.Image.AutoCache {
		f.flag("AutoMatchImageCache", true)
	}
}
