package translate

import "github.com/cumulet/cumulet/cloudapi"

// What several rows are given to write into.
type (
	target    = *cloudapi.GroupSpec
	optionsOf = *cloudapi.Options
)

// machineOptions say on what a group runs.
func machineOptions() []Option {
	return []Option{
		{Name: "size", Meaning: "cores and memory of the group; never less than its containers ask for", Value: "cores-memory in Gi",
			Example: "4-8Gi", parse: parseSize},
		{Name: "instance-types", Meaning: "the machine by the cloud's own name, in order of preference; it decides the group's size and cards",
			Value: "list of names", Example: "ecs.c6.xlarge,ecs.c5.xlarge",
			parse: wordsOf(nameForm, func(o optionsOf, v []string) { o.Machine.InstanceTypes = v })},
		{Name: "instance-families", Meaning: "families of machines, in order of preference", Value: "list of names", Example: "S6,X7",
			parse: wordsOf(nameForm, func(o optionsOf, v []string) { o.Machine.InstanceFamilies = v })},
		{Name: "compute-categories", Meaning: "categories of machines, in order of preference", Value: "list of words", Example: "economy,general",
			parse: wordsOf(nameForm, func(o optionsOf, v []string) { o.Machine.ComputeCategories = v })},
		{Name: "architecture", Meaning: "the processor's architecture", Value: "word", Example: "AMD64",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Machine.Architecture = v })},
		{Name: "gpu-driver", Meaning: "version of the graphics driver; with instance-types", Value: "kind=version", Example: "tesla=525.85.12",
			parse: wordOf(driverForm, func(o optionsOf, v string) { o.Machine.GPUDriver = v })},
		{Name: "cpu-cores", Meaning: "cores of the processor, where the machine leaves a choice", Value: "whole number", Example: "2",
			parse: wholeNumber("cores", 1, func(o optionsOf, v int64) { o.Machine.CPUCores = int(v) })},
		{Name: "cpu-threads-per-core", Meaning: "threads on each core; 1 turns hyper-threading off", Value: "whole number", Example: "1",
			parse: wholeNumber("threads", 1, func(o optionsOf, v int64) { o.Machine.CPUThreadsPerCore = int(v) })},
		{Name: "system-disk-type", Meaning: "kind of the machine's own disk", Value: "word", Example: "SSD3.0",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Machine.SystemDiskType = v })},
		{Name: "system-disk-size", Meaning: "size of the machine's own disk; with system-disk-type", Value: "quantity of whole GiB", Example: "50Gi",
			parse: gibibytes(func(o optionsOf, v int) { o.Machine.SystemDiskGiB = v })},
		{Name: "ephemeral-storage", Meaning: "disk space beyond what every group has", Value: "quantity of whole GiB", Example: "50Gi",
			parse: gibibytes(func(o optionsOf, v int) { o.EphemeralStorageGiB = v })},
	}
}

// spotOptions are the terms of groups that the cloud may take back.
func spotOptions() []Option {
	return []Option{
		{Name: "spot-strategy", Meaning: "whether the cloud may take the group back, for a lower price", Value: "word", Example: "SpotAsPriceGo",
			parse: parseStrategy},
		{Name: "spot-price-limit", Meaning: "the most to be paid an hour; with spot-strategy SpotWithPriceLimit",
			Value: "number with at most 3 decimals", Example: "0.5", parse: parsePrice},
		{Name: "spot-duration", Meaning: "hours for which the group is safe; 0 for none; with spot-strategy", Value: "whole number", Example: "1",
			parse: wholeNumber("hours", 0, func(o optionsOf, v int64) { hours := int(v); o.Spot.DurationHours = &hours })},
	}
}

// addressOptions give a group addresses.
func addressOptions() []Option {
	return append(guarded(
		Option{Name: "eip", Meaning: "elastic IP addresses that exist; the pod's condition `cumulet.dev/PublicAddress` tells them",
			Value: "list of ids", Example: "eip-2zeabc",
			parse: wordsOf(nameForm, func(o optionsOf, v []string) { o.Address.EIPs = v })},
		Option{Name: "eip-create", Meaning: "an elastic IP address that lives as long as the group; the condition `cumulet.dev/PublicAddress` tells it",
			Value: "true or false", Example: "true",
			parse: onOff(func(o optionsOf) { o.Address.CreateEIP = true })},
		Option{Name: "eip-bandwidth", Meaning: "bandwidth of the address made by eip-create", Value: "whole number of Mbit/s", Example: "5",
			parse: wholeNumber("Mbit/s", 1, func(o optionsOf, v int64) { o.Address.EIPBandwidth = int(v) })},
		Option{Name: "eip-isp", Meaning: "line of the address made by eip-create", Value: "word", Example: "BGP",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Address.EIPISP = v })},
		Option{Name: "eip-bandwidth-package", Meaning: "bandwidth that the address made by eip-create shares", Value: "id", Example: "cbwp-2zeabc",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Address.EIPBandwidthPackage = v })},
		Option{Name: "ipv6-internet", Meaning: "opens the IPv6 address to the internet; with ipv6", Value: "true or false", Example: "true",
			parse: onOff(func(o optionsOf) { o.Address.IPv6Internet = true })},
		Option{Name: "ipv6-bandwidth", Meaning: "bandwidth to the internet; with ipv6-internet", Value: "whole number of Mbit/s", Example: "100",
			parse: wholeNumber("Mbit/s", 1, func(o optionsOf, v int64) { o.Address.IPv6Bandwidth = int(v) })},
		Option{Name: "private-ip", Meaning: "the group's address in its subnet", Value: "IPv4 address", Example: "192.168.0.10",
			parse: ipv4(func(o optionsOf, v string) { o.Address.PrivateIP = v })},
		Option{Name: "retain-ip", Meaning: "keeps the group's address for a later group", Value: "true or false", Example: "true",
			parse: onOff(func(o optionsOf) { o.Address.Retain = true })},
		Option{Name: "retain-ip-hours", Meaning: "for how long; with retain-ip", Value: "whole number", Example: "24",
			parse: wholeNumber("hours", 1, func(o optionsOf, v int64) { o.Address.RetainHours = int(v) })},
	), Option{Name: "ipv6", Meaning: "an IPv6 address of the subnet", Value: "true or false", Example: "true",
		parse: onOff(func(o optionsOf) { o.Address.IPv6 = true })})
}

// networkOptions say where a group is in the network and how it reaches others.
func networkOptions() []Option {
	return append(guarded(
		Option{Name: "subnets", Meaning: "vSwitches or subnets, in order of preference, in place of the node's", Value: "list of ids",
			Example: "vsw-a,vsw-b", parse: listOf(nameForm, func(g target, v []string) {
				// A subnet lies in a zone of its own, which need not be the node's.
				g.Placement.Zone, g.Placement.SubnetIDs = "", v
			})},
		Option{Name: "security-groups", Meaning: "security groups, in place of the node's", Value: "list of ids", Example: "sg-a,sg-b",
			parse: listOf(nameForm, func(g target, v []string) { g.Placement.SecurityGroupIDs = v })},
	), []Option{
		{Name: "schedule-strategy", Meaning: "how one of several subnets is chosen", Value: "word", Example: "VSwitchRandom",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.ScheduleStrategy = v })},
		{Name: "ingress-bandwidth", Meaning: "cap on what the group receives", Value: "quantity in bit/s", Example: "40M",
			parse: bitsPerSecond(func(o optionsOf, v int64) { o.IngressBandwidth = v })},
		{Name: "egress-bandwidth", Meaning: "cap on what the group sends", Value: "quantity in bit/s", Example: "40M",
			parse: bitsPerSecond(func(o optionsOf, v int64) { o.EgressBandwidth = v })},
		{Name: "host-aliases", Meaning: "lines of the hosts file, beside spec.hostAliases", Value: "JSON list of host and ip, or of hostnames and ip",
			Example: `[{"host":"db.example.com","ip":"192.0.2.1"}]`, parse: parseAliases},
		{Name: "dns-config", Meaning: "the resolver's configuration, in place of the pod's", Value: "JSON with nameservers, searches and options",
			Example: `{"nameservers":["192.0.2.53"],"searches":["example.com"],"options":[{"name":"ndots","value":"2"}]}`, parse: parseResolver},
	}...)
}

// imageOptions say how images come to a group.
func imageOptions() []Option {
	return append(guarded(
		Option{Name: "plain-http-registries", Meaning: "registries that are asked without TLS", Value: "list of hosts", Example: "192.168.0.2:5000",
			parse: wordsOf(hostForm, func(o optionsOf, v []string) { o.Image.PlainHTTPRegistries = v })},
		Option{Name: "insecure-registries", Meaning: "registries whose certificates are not verified", Value: "list of hosts",
			Example: "harbor.example.com", parse: wordsOf(hostForm, func(o optionsOf, v []string) { o.Image.InsecureRegistries = v })},
		Option{Name: "acr-instances", Meaning: "instances of Container Registry whose images the account's rights pull",
			Value: "list of ids, each with its region and a colon in front if it is another", Example: "cn-beijing:cri-abc",
			parse: wordsOf(instanceForm, setInstances)},
		Option{Name: "acr-service-arns", Meaning: "the service's role for each of acr-instances", Value: "list of ARNs",
			Example: "acs:ram::1234567890123456:role/role-acr",
			parse: wordsOf(arnForm, func(o optionsOf, v []string) {
				setARNs(o, v, func(a *cloudapi.ACRInstance, s string) { a.ServiceARN = s })
			})},
		Option{Name: "acr-user-arns", Meaning: "the user's role for each of acr-instances", Value: "list of ARNs",
			Example: "acs:ram::1234567890123456:role/role-user",
			parse: wordsOf(arnForm, func(o optionsOf, v []string) {
				setARNs(o, v, func(a *cloudapi.ACRInstance, s string) { a.UserARN = s })
			})},
	), []Option{
		{Name: "image-cache", Meaning: "the image cache that the group starts from", Value: "id", Example: "imc-2zeabc",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Image.Cache = v })},
		{Name: "image-cache-auto", Meaning: "the cloud chooses an image cache", Value: "true or false", Example: "true",
			parse: onOff(func(o optionsOf) { o.Image.AutoCache = true })},
		{Name: "image-accelerate", Meaning: "how images are loaded while the group starts", Value: "word", Example: "nydus",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Image.Accelerate = v })},
		{Name: "data-cache-bucket", Meaning: "bucket of the data caches that the group mounts", Value: "name", Example: "default",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Data.Bucket = v })},
		{Name: "data-cache-level", Meaning: "performance level of the data cache's disk; with data-cache-bucket", Value: "word", Example: "PL1",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.Data.PL = v })},
		{Name: "data-cache-iops", Meaning: "provisioned IOPS of the data cache's disk; with data-cache-bucket", Value: "whole number", Example: "40000",
			parse: wholeNumber("IOPS", 0, func(o optionsOf, v int64) { o.Data.IOPS = v })},
		{Name: "data-cache-bursting", Meaning: "bursts of the data cache's disk; with data-cache-bucket", Value: "true or false", Example: "true",
			parse: onOff(func(o optionsOf) { o.Data.Bursting = true })},
	}...)
}

// accountOptions file a group in the account and give it rights there.
func accountOptions() []Option {
	return guarded(
		Option{Name: "ram-role", Meaning: "role of the account that the group's processes can take on", Value: "name", Example: "reader",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.RAMRole = v })},
		Option{Name: "resource-group", Meaning: "resource group of the account", Value: "id", Example: "rg-2zeabc",
			parse: wordOf(nameForm, func(o optionsOf, v string) { o.ResourceGroup = v })},
		Option{Name: "project", Meaning: "project of the account", Value: "whole number", Example: "103800",
			parse: wholeNumber("project", 1, func(o optionsOf, v int64) { o.Project = v })},
		Option{Name: "tags", Meaning: "tags of the group beside cumulet's", Value: "list of key:value", Example: "env:test,team:shop", parse: parseTags},
	)
}

// systemOptions set up the machine under the containers.
func systemOptions() []Option {
	return append(guarded(
		Option{Name: "core-pattern", Meaning: "where core dumps go", Value: "path", Example: "/dumps/core", parse: parseCorePattern},
		Option{Name: "host-sysctls", Meaning: "kernel settings of the whole machine", Value: "JSON list of name and value",
			Example: `[{"name":"kernel.msgmax","value":"65536"}]`, parse: parseHostSysctls},
	), []Option{
		{Name: "ntp-servers", Meaning: "time servers", Value: "list of hosts", Example: "ntp.example.com",
			parse: wordsOf(hostForm, func(o optionsOf, v []string) { o.NTPServers = v })},
		{Name: "max-pending-minutes", Meaning: "minutes after which a group that has not started is ended; ECI's own are 240", Value: "whole number", Example: "60",
			parse: wholeNumber("minutes", 1, func(o optionsOf, v int64) { o.MaxPendingMinutes = int(v) })},
		{Name: "container-resource-view", Meaning: "a container sees its own resources in /proc, not the machine's", Value: "true or false",
			Example: "true", parse: onOff(func(o optionsOf) { o.ContainerResourceView = true })},
	}...)
}
