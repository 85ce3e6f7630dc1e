package eci

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// rules is the part of the account and region that decides what is valid.
type rules struct {
	zones    []string
	hostPath bool
}

// check holds a whole request, as created or as it is after an update, to every
// rule that a struct tag cannot say. It tells the first violation.
func (ru rules) check(r *createRequest) error {
	checks := []func() error{
		func() error { return checkNames(r) },
		func() error { return ru.checkPlace(r) },
		func() error { return checkOptions(r) },
		func() error { return checkFeatures(r) },
		func() error { return checkTags(r.Tags) },
		func() error { return checkCredentials(r.Credentials) },
		func() error { return checkNetwork(r) },
		func() error { return checkSysctls(r) },
		func() error { return ru.checkVolumes(r.Volumes) },
		func() error { return checkContainers(r) },
		func() error { return checkToken(r.ClientToken) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func checkNames(r *createRequest) error {
	if !groupName.MatchString(r.ContainerGroupName) {
		return fail(codeInvalidParameter, "The parameter ContainerGroupName must be 2 to 128 lower-case letters, "+
			"digits and hyphens, without a hyphen at either end.")
	}
	if r.HostName != "" && !hostName.MatchString(r.HostName) {
		return fail(codeInvalidParameter, "The parameter HostName must be at most 63 letters, digits, hyphens and dots.")
	}
	return nil
}

func (ru rules) checkPlace(r *createRequest) error {
	if r.ZoneID != "" && !slices.Contains(ru.zones, r.ZoneID) {
		return fail(codeZone, "The zone %q is not on sale; %s are.", r.ZoneID, strings.Join(ru.zones, ", "))
	}
	if n := len(splitList(r.VSwitchID)); n > maxVSwitches {
		return fail(codeValueExceeded, "The parameter VSwitchId has %d vSwitches; at most %d are allowed.", n, maxVSwitches)
	}
	return nil
}

// checkFeatures refuses what this cloud does not have; see the package comment.
func checkFeatures(r *createRequest) error {
	if r.OSType == "Windows" {
		return fail(codeInvitedOnly, "OsType Windows is for invited accounts only.")
	}
	if r.ImageSnapshotID != "" {
		return fail(codeSnapshotNotFound, "The specified image cache does not exist.")
	}
	refused := []struct {
		name  string
		asked bool
	}{
		{"PrivateIpAddress", r.PrivateIPAddress != ""},
		{"CpuArchitecture ARM64", r.CPUArchitecture == "ARM64"},
	}
	for _, f := range refused {
		if f.asked {
			return fail(codeRestricted, "The feature of %s is not available here.", f.name)
		}
	}
	return nil
}

func checkTags(tags []tag) error {
	if len(tags) > maxTags {
		return fail(codeTagCount, "A resource has at most %d tags; %d are given.", maxTags, len(tags))
	}
	seen := map[string]bool{}
	for i, t := range tags {
		if err := checkTag(t); err != "" {
			return fail(codeInvalidParameter, "The parameter Tag.%d.%s.", i+1, err)
		}
		if seen[t.Key] {
			return fail(codeInvalidParameter, "The parameter Tag.%d.Key is given twice.", i+1)
		}
		seen[t.Key] = true
	}
	return nil
}

// checkTag says what is wrong with a tag, starting with the name of the part.
func checkTag(t tag) string {
	key, val := strings.ToLower(t.Key), strings.ToLower(t.Value)
	switch n := utf8.RuneCountInString(t.Key); {
	case n < 1 || n > maxTagKey:
		return "Key must have 1 to 64 characters"
	case strings.HasPrefix(key, "aliyun"), strings.HasPrefix(key, "acs:"):
		return "Key must not start with aliyun or acs:"
	case strings.Contains(key, "http://"), strings.Contains(key, "https://"):
		return "Key must not contain http:// or https://"
	case utf8.RuneCountInString(t.Value) > maxTagValue:
		return "Value must have at most 128 characters"
	case strings.HasPrefix(val, "acs:"):
		return "Value must not start with acs:"
	default:
		return ""
	}
}

func checkCredentials(credentials []credential) error {
	if len(credentials) > maxCredentials {
		return fail(codeValueExceeded, "The parameter ImageRegistryCredential has %d items; at most %d are allowed.",
			len(credentials), maxCredentials)
	}
	for i, c := range credentials {
		if strings.Contains(c.Server, "://") {
			return fail(codeInvalidParameter, "The parameter ImageRegistryCredential.%d.Server must have no scheme.", i+1)
		}
	}
	return nil
}

func checkNetwork(r *createRequest) error {
	if r.DNSPolicy == "None" && (r.DNSConfig == nil || len(r.DNSConfig.NameServers) == 0) {
		return fail(codeMissingParameter, "The parameter DnsConfig.NameServer.1 is required with DnsPolicy None.")
	}
	for i, alias := range r.HostAliases {
		if _, err := netip.ParseAddr(alias.IP); err != nil {
			return fail(codeInvalidParameter, "The parameter HostAliase.%d.Ip must be an IP address.", i+1)
		}
	}
	if r.DNSConfig == nil {
		return nil
	}
	for i, server := range r.DNSConfig.NameServers {
		if _, err := netip.ParseAddr(server); err != nil {
			return fail(codeInvalidParameter, "The parameter DnsConfig.NameServer.%d must be an IP address.", i+1)
		}
	}
	for i, option := range r.DNSConfig.Options {
		if option.Name == "" {
			return missing("DnsConfig.Option." + decimal(i+1) + ".Name")
		}
	}
	return nil
}

func checkSysctls(r *createRequest) error {
	for i, s := range r.SecurityContext.Sysctls {
		if !safeSysctls.MatchString(s.Name) {
			return fail(codeInvalidParameter, "The parameter SecurityContext.Sysctl.%d.Name %q is not a safe sysctl; "+
				"net.ipv4.ping_group_range and net.ipv4.ip_unprivileged_port_start are.", i+1, s.Name)
		}
	}
	for i, s := range r.HostSecurityContext.Sysctls {
		if !unsafeSysctls.MatchString(s.Name) || neverSysctls.MatchString(s.Name) {
			return fail(codeInvalidParameter,
				"The parameter HostSecurityContext.Sysctl.%d.Name %q may not be changed.", i+1, s.Name)
		}
	}
	if n := max(len(r.SecurityContext.Sysctls), len(r.HostSecurityContext.Sysctls)); n > maxSysctls {
		return fail(codeValueExceeded, "At most %d sysctls are allowed.", maxSysctls)
	}
	return nil
}

func checkToken(token string) error {
	if len(token) > maxClientToken || !clientToken.MatchString(token) {
		return fail(codeInvalidParameter, "The parameter ClientToken must be at most %d ASCII characters.", maxClientToken)
	}
	return nil
}

// splitList splits a comma list, dropping empty items.
func splitList(list string) []string {
	var items []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
