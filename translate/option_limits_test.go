package translate_test

import "github.com/cumulet/cumulet/cloudapi"

// eciOptions mirrors the options of ECI's CreateContainerGroup.
func eciOptions() map[string]cloudapi.OptionLimits {
	options := map[string]cloudapi.OptionLimits{
		"instance-types": {Max: 5}, "compute-categories": {Words: []string{"economy", "general"}},
		"architecture": {Words: []string{"AMD64", "ARM64"}}, "gpu-driver": {Words: []string{"tesla=470.82.01", "tesla=525.85.12"}},
		"cpu-cores": {Max: 1000}, "cpu-threads-per-core": {Max: 1000},
		"spot-strategy":     {Words: []string{"NoSpot", "SpotAsPriceGo", "SpotWithPriceLimit"}},
		"ephemeral-storage": {Max: 5000}, "schedule-strategy": {Words: []string{"VSwitchOrdered", "VSwitchRandom"}},
		"subnets": {Max: 10}, "security-groups": {Max: 5}, "tags": {Max: 10}, "ntp-servers": {Max: 20},
		"max-pending-minutes": {Min: 10, Max: 1440},
		"host-sysctls": {Max: 100, Words: []string{
			"kernel.shm*", "kernel.msg*", "kernel.sem", "fs.mqueue.*", "net.*", "vm.min_free_kbytes"}},
		"image-accelerate": {Words: []string{"dadi", "imc", "nydus", "p2p"}},
		"acr-instances":    {Max: 20}, "acr-service-arns": {Max: 20}, "acr-user-arns": {Max: 20},
		"data-cache-level": {Words: []string{"PL0", "PL1", "PL2", "PL3"}}, "data-cache-iops": {Max: 50000},
		"eip": {Max: 1}, "eip-bandwidth": {Max: 1_000_000}, "eip-isp": {Words: []string{"BGP", "BGP_PRO"}}, "ipv6-bandwidth": {Max: 2000},
	}
	for _, name := range []string{
		"size", "spot-price-limit", "spot-duration", "ingress-bandwidth", "egress-bandwidth", "host-aliases", "dns-config", "ram-role",
		"resource-group", "core-pattern", "container-resource-view", "image-cache", "image-cache-auto", "plain-http-registries",
		"insecure-registries", "data-cache-bucket", "data-cache-bursting", "eip-create", "eip-bandwidth-package", "ipv6", "ipv6-internet",
		"private-ip", "retain-ip", "retain-ip-hours",
	} {
		options[name] = cloudapi.OptionLimits{}
	}
	return options
}

// kciOptions mirrors the options of KCI's dialect extended, kciSeedOptions those
// of its document.
func kciOptions() map[string]cloudapi.OptionLimits {
	return map[string]cloudapi.OptionLimits{
		"size": {}, "subnets": {Max: 5}, "security-groups": {Max: 3}, "dns-config": {}, "host-aliases": {},
		"instance-types": {Max: 1}, "instance-families": {}, "spot-strategy": {Words: []string{"NoSpot", "SpotAsPriceGo"}},
		"project": {Max: 1<<53 - 1}, "eip": {},
		"image-cache": {}, "image-cache-auto": {}, "system-disk-size": {Min: 20, Max: 500},
		"system-disk-type": {Words: []string{"EHDD", "ESSD_SYSTEM_PL0", "ESSD_SYSTEM_PL1", "ESSD_SYSTEM_PL2", "Local_SSD", "SSD3.0"}},
	}
}

func kciSeedOptions() map[string]cloudapi.OptionLimits {
	const megabit = 1_000_000
	return map[string]cloudapi.OptionLimits{
		"size": {}, "subnets": {Max: 1}, "security-groups": {Max: 3}, "dns-config": {}, "host-aliases": {},
		"ingress-bandwidth": {Min: megabit, Max: 1024 * megabit, Step: megabit},
		"egress-bandwidth":  {Min: megabit, Max: 1024 * megabit, Step: megabit},
	}
}
