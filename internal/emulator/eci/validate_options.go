package eci

import (
	"math"
	"net/netip"
	"regexp"
	"strings"
)

// The bounds of options that no struct tag can say.
const (
	maxInstanceTypes  = 5   // page of multiple specifications
	maxSecurityGroups = 5   // page of pod annotations
	maxAcrInstances   = 20  // metadata: 21
	maxNTPServers     = 20  // metadata: 21
	maxSpotHours      = 6   // ECS, RunInstances
	maxRoleName       = 64  // RAM, CreateRole
	maxCorePattern    = 127 // Linux, CORENAME_MAX_SIZE
)

var (
	roleName        = regexp.MustCompile(`^[A-Za-z0-9.@_-]+$`)
	eipID           = regexp.MustCompile(`^eip-[a-z0-9]+$`)
	resourceGroupID = regexp.MustCompile(`^rg-[A-Za-z0-9_-]+$`)
	acrInstanceID   = regexp.MustCompile(`^cri-[a-z0-9]+$`)
	roleARN         = regexp.MustCompile(`^acs:ram::\d+:role/.+$`)
	registryHost    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$`)
)

// checkOptions holds a request's options to the rules of CreateContainerGroup.
func checkOptions(r *createRequest) error {
	checks := []func(*createRequest) error{checkMachine, checkSpot, checkAddresses, checkRegistries, checkAccount}
	for _, check := range checks {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func checkMachine(r *createRequest) error {
	if n := len(r.types()); n > maxInstanceTypes {
		return fail(codeValueExceeded, "The parameter InstanceType has %d types; at most %d are allowed.", n, maxInstanceTypes)
	}
	cards := false
	for _, name := range r.types() {
		_, known := gpuTypes[name]
		cards = cards || known
	}
	switch {
	case cardsOf(r) > 0 && !cards:
		return fail(codeInvalidParameter, "Container.N.Gpu needs an InstanceType that has graphics cards.")
	case r.GpuDriverVersion != "" && !cards:
		return fail(codeInvalidParameter, "GpuDriverVersion needs an InstanceType that has graphics cards.")
	case r.InstanceType == "" && (r.CPUOptionsCore != nil || r.CPUThreads != nil):
		return fail(codeInvalidParameter, "CpuOptionsCore and CpuOptionsThreadsPerCore need an InstanceType.")
	case r.CPUThreads != nil && *r.CPUThreads > 2:
		return wrong("CpuOptionsThreadsPerCore", decimal(int(*r.CPUThreads)), "1 or 2")
	default:
		return nil
	}
}

func checkSpot(r *createRequest) error {
	spot := r.SpotStrategy != "" && r.SpotStrategy != "NoSpot"
	limited := r.SpotStrategy == "SpotWithPriceLimit"
	switch {
	case limited && r.SpotPriceLimit == nil:
		return missing("SpotPriceLimit")
	case !limited && r.SpotPriceLimit != nil:
		return fail(codeInvalidParameter, "The parameter SpotPriceLimit needs SpotStrategy SpotWithPriceLimit.")
	case limited && !isPrice(*r.SpotPriceLimit):
		return fail(codeInvalidParameter, "The parameter SpotPriceLimit must be above 0, with at most 3 decimals.")
	case r.SpotDuration != nil && !spot:
		return fail(codeInvalidParameter, "The parameter SpotDuration needs a SpotStrategy.")
	case value(r.SpotDuration) > maxSpotHours:
		return fail(codeInvalidParameter, "The parameter SpotDuration must be at most %d hours.", maxSpotHours)
	default:
		return nil
	}
}

func isPrice(price float64) bool {
	milli := price * 1000
	return price > 0 && math.Abs(milli-math.Round(milli)) < tolerance
}

func checkAddresses(r *createRequest) error {
	if err := checkEip(r); err != nil {
		return err
	}
	switch {
	case value(r.IPv6GatewayBandwidthEnable) && value(r.IPv6AddressCount) == 0:
		return fail(codeInvalidParameter, "The parameter Ipv6GatewayBandwidthEnable needs Ipv6AddressCount.")
	case r.IPv6GatewayBandwidth != nil && !value(r.IPv6GatewayBandwidthEnable):
		return fail(codeInvalidParameter, "The parameter Ipv6GatewayBandwidth needs Ipv6GatewayBandwidthEnable.")
	case r.FixedIPRetainHour != nil && r.FixedIP != "true":
		return fail(codeInvalidParameter, "The parameter FixedIpRetainHour needs FixedIp.")
	case r.FixedIPRetainHour != nil && *r.FixedIPRetainHour < 1:
		return wrong("FixedIpRetainHour", decimal(int(*r.FixedIPRetainHour)), "1 or more")
	}
	if a, err := netip.ParseAddr(r.PrivateIPAddress); r.PrivateIPAddress != "" && (err != nil || !a.Is4()) {
		return wrong("PrivateIpAddress", r.PrivateIPAddress, "an IPv4 address")
	}
	return nil
}

func checkEip(r *createRequest) error {
	created := value(r.AutoCreateEip)
	switch {
	case r.EipInstanceID != "" && !eipID.MatchString(r.EipInstanceID):
		return wrong("EipInstanceId", r.EipInstanceID, "the id of an EIP, such as eip-2zeabc")
	case r.EipInstanceID != "" && created:
		return fail(codeInvalidParameter, "The parameters EipInstanceId and AutoCreateEip exclude each other.")
	case !created && (r.EipBandwidth != nil || r.EipISP != "" || r.EipCommonBandwidthPackage != ""):
		return fail(codeInvalidParameter, "The parameters EipBandwidth, EipISP and EipCommonBandwidthPackage need AutoCreateEip.")
	default:
		return nil
	}
}

func checkRegistries(r *createRequest) error {
	for _, list := range []struct{ name, hosts string }{
		{"PlainHttpRegistry", r.PlainHTTPRegistry}, {"InsecureRegistry", r.InsecureRegistry},
	} {
		for _, host := range splitList(list.hosts) {
			if !registryHost.MatchString(host) {
				return wrong(list.name, host, "a host without scheme and path")
			}
		}
	}
	if n := len(r.AcrRegistryInfo); n > maxAcrInstances {
		return fail(codeValueExceeded, "The parameter AcrRegistryInfo has %d items; at most %d are allowed.", n, maxAcrInstances)
	}
	for i, acr := range r.AcrRegistryInfo {
		at := "AcrRegistryInfo." + decimal(i+1) + "."
		switch {
		case acr.InstanceID == "" && acr.InstanceName == "":
			return missing(at + "InstanceId")
		case acr.InstanceID != "" && !acrInstanceID.MatchString(acr.InstanceID):
			return wrong(at+"InstanceId", acr.InstanceID, "an id such as cri-abc")
		case acr.ArnService != "" && !roleARN.MatchString(acr.ArnService):
			return wrong(at+"ArnService", acr.ArnService, "the ARN of a role")
		case acr.ArnUser != "" && !roleARN.MatchString(acr.ArnUser):
			return wrong(at+"ArnUser", acr.ArnUser, "the ARN of a role")
		}
	}
	return nil
}

func checkAccount(r *createRequest) error {
	if n := len(splitList(r.SecurityGroupID)); n > maxSecurityGroups {
		return fail(codeValueExceeded, "The parameter SecurityGroupId has %d groups; at most %d are allowed.", n, maxSecurityGroups)
	}
	if r.RAMRoleName != "" && (len(r.RAMRoleName) > maxRoleName || !roleName.MatchString(r.RAMRoleName)) {
		return wrong("RamRoleName", r.RAMRoleName, "the name of a role: up to 64 letters, digits and . @ _ -")
	}
	if r.ResourceGroupID != "" && !resourceGroupID.MatchString(r.ResourceGroupID) {
		return wrong("ResourceGroupId", r.ResourceGroupID, "an id such as rg-acfmabc")
	}
	if strings.HasPrefix(r.CorePattern, "|") || len(r.CorePattern) > maxCorePattern {
		return wrong("CorePattern", r.CorePattern, "at most 127 characters that do not start with a pipe")
	}
	if n := len(r.NTPServer); n > maxNTPServers {
		return fail(codeValueExceeded, "The parameter NtpServer has %d items; at most %d are allowed.", n, maxNTPServers)
	}
	for i, server := range r.NTPServer {
		if !registryHost.MatchString(server) {
			return wrong("NtpServer."+decimal(i+1), server, "a host")
		}
	}
	return nil
}
