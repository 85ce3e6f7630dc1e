package kci

import (
	"fmt"
	"net"
	"slices"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// wire is what answers tell of a group and the engine has no use for; it is the
// Wire of its engine.Spec.
type wire struct {
	chargeType    string
	projectID     int
	retainIP      *bool
	retainIPHours *int
	gpu           *float64
	// eips are the ids of elastic IP addresses.
	eips []string
}

// createAnswer answers CreateContainerGroup.
type createAnswer struct {
	answerHead
	ContainerGroupID string `json:"ContainerGroupId"`
}

// readCreate reads CreateContainerGroup.
func readCreate(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	spec := engine.Spec{Region: s.options.Region, Grace: s.options.Grace}
	spec.Name = r.name(n, "ContainerGroupName", groupNamePattern)
	s.readNetwork(r, n, &spec)
	cpu, memory := r.size(n, "Cpu", maxCPU), r.size(n, "Memory", maxMemory)
	spec.CPU, spec.Memory = standardSize(cpu, memory)
	spec.RestartPolicy = r.oneOf(n, "RestartPolicy", "Always", restartPolicies...)
	echo := &wire{chargeType: readChargeType(r, n)}
	spec.Wire = echo
	spec.PullCredentials = readCredentials(r, n)
	spec.Volumes = readVolumes(r, n)
	readContainers(r, n, &spec)
	spec.DNS = readDNS(r, n.child("DnsConfig"))
	spec.HostAliases = readHostAliases(r, n, "HostAlias")
	for _, name := range []string{"IngressBandwidth", "EgressBandwidth"} {
		r.integer(n, name, whole{1, maxBandwidth, 0})
	}
	if r.extended() {
		readCreateExtras(r, n, &spec, echo)
	}
	return func(*call) (answer, *apiError) {
		return s.create(spec)
	}
}

// readCreateExtras reads what only the SDKs have at the top level.
func readCreateExtras(r *reader, n *node, spec *engine.Spec, echo *wire) {
	spec.HostAliases = append(spec.HostAliases, readHostAliases(r, n, "HostAliase")...)
	spec.HostPID = r.flag(n, "HostPID")
	readInstance(r, n, spec)
	readAddresses(r, n, echo)
	spec.Tags = readLabels(r, n)
	echo.projectID = r.integer(n, "ProjectId", whole{0, maxProjectID, 0})
	r.oneOf(n, "KciType", kciTypeRBKCI, kciTypeRBKCI)
	if _, ok := r.text(n, "Gpu"); ok {
		gpu := r.decimal(n, "Gpu", maxCPU)
		echo.gpu = &gpu
	}
	readRetainIP(r, n, echo)
	r.flag(n, "AutoMatchImageCache")
	readMachine(r, n)
	refuseForeign(r, n)
}

// readNetwork reads the subnet, which decides VPC and zone, and the security
// groups.
func (s *Server) readNetwork(r *reader, n *node, spec *engine.Spec) {
	spec.SecurityGroups = r.nonEmptyTexts(r.shortList(n, "SecurityGroupId"))
	switch count := len(spec.SecurityGroups); {
	case count == 0:
		r.fail(missingParameter.with("SecurityGroupId.1"))
	case count > maxSecurityGroups:
		r.fail(refuse("SecurityGroupId", fmt.Sprintf("%d were given, at most %d are allowed", count, maxSecurityGroups)))
	}
	path := "SubnetId"
	if several := readSeveralSubnets(r, n); len(several) > 0 && r.optional(n, path) == "" {
		path, spec.Subnet = several[0].path, several[0].text
	} else {
		spec.Subnet = r.required(n, path)
	}
	s.placeSubnet(r, path, spec)
}

// readSeveralSubnets reads MultiSubnetId.N of the SDKs, which stands in for
// SubnetId. The emulator never runs out of addresses, so the first is taken.
func readSeveralSubnets(r *reader, n *node) []*node {
	if !r.extended() {
		return nil
	}
	elements := r.shortList(n, "MultiSubnetId")
	r.nonEmptyTexts(elements)
	if len(elements) > maxSubnets {
		r.fail(refuse("MultiSubnetId", fmt.Sprintf("%d were given, at most %d are allowed", len(elements), maxSubnets)))
	}
	return elements
}

// placeSubnet fills in what the subnet decides.
func (s *Server) placeSubnet(r *reader, path string, spec *engine.Spec) {
	subnet, known := s.options.Subnets[spec.Subnet]
	if s.options.Subnets != nil && !known && spec.Subnet != "" {
		r.fail(refuse(path, "subnet "+quote(spec.Subnet)+" does not exist"))
	}
	spec.VPC, spec.Zone = subnet.VPC, subnet.Zone
	if spec.VPC == "" {
		spec.VPC = s.options.VPC
	}
	if spec.Zone == "" {
		spec.Zone = s.options.Zones[0]
	}
}

func readChargeType(r *reader, n *node) string {
	r.required(n, "ChargeType")
	if !r.extended() {
		return r.oneOf(n, "ChargeType", "", chargeHourly)
	}
	kind := r.oneOf(n, "ChargeType", "", chargeHourly, chargeSpot)
	if strategy := r.oneOf(n, "SpotStrategy", "", spotAsPriceGo); strategy != "" && kind != chargeSpot {
		r.fail(refuse("SpotStrategy", "it needs ChargeType "+chargeSpot))
	}
	return kind
}

// readCredentials reads the logins to registries. A password is never told.
func readCredentials(r *reader, n *node) []engine.PullCredential {
	var credentials []engine.PullCredential
	servers := map[string]bool{}
	for _, element := range r.list(n, "ImageRegistryCredential") {
		c := engine.PullCredential{
			Server:   r.required(element, "Server"),
			Username: r.required(element, "Username"),
			Password: r.required(element, "Password"),
		}
		if servers[c.Server] {
			r.fail(refuse(element.pathOf("Server"), quote(c.Server)+" has a credential already"))
		}
		servers[c.Server] = true
		credentials = append(credentials, c)
	}
	return credentials
}

// readDNS reads DnsConfig or MachineDnsConfig; nil if there is none.
func readDNS(r *reader, n *node) *engine.DNS {
	if n == nil {
		return nil
	}
	dns := &engine.DNS{Searches: r.nonEmptyTexts(r.list(n, "Search"))}
	for _, element := range r.list(n, "NameServer") {
		if element.leaf {
			dns.NameServers = append(dns.NameServers, r.address(element))
		}
	}
	for _, element := range r.list(n, "Option") {
		dns.Options = append(dns.Options, engine.NameValue{
			Name: r.required(element, "Name"), Value: r.optional(element, "Value"),
		})
	}
	return dns
}

// address reads an IP address from a list's element.
func (r *reader) address(element *node) string {
	element.read = true
	if net.ParseIP(element.text) == nil {
		r.fail(refuse(element.path, quote(element.text)+" must be an IP address"))
	}
	return element.text
}

// readHostAliases reads lines of a hosts file. The KCI document describes its
// two fields the wrong way round; here Ip is the address.
func readHostAliases(r *reader, n *node, list string) []engine.HostAlias {
	var aliases []engine.HostAlias
	for _, element := range r.list(n, list) {
		alias := engine.HostAlias{IP: r.required(element, "Ip"), Names: r.nonEmptyTexts(r.list(element, "Hostname"))}
		if net.ParseIP(alias.IP) == nil {
			r.fail(refuse(element.pathOf("Ip"), quote(alias.IP)+" must be an IP address"))
		}
		if len(alias.Names) == 0 {
			r.fail(missingParameter.with(element.pathOf("Hostname.1")))
		}
		aliases = append(aliases, alias)
	}
	return aliases
}

// readLabels reads the group's labels.
func readLabels(r *reader, n *node) []engine.NameValue {
	var labels []engine.NameValue
	seen := map[string]bool{}
	for _, element := range r.list(n, "Label") {
		r.required(element, "Key")
		label := engine.NameValue{
			Name:  r.oneOf(element, "Key", "", labelKeys...),
			Value: r.name(element, "Value", labelValuePattern),
		}
		if seen[label.Name] {
			r.fail(refuse(element.pathOf("Key"), quote(label.Name)+" was given already"))
		}
		seen[label.Name] = true
		labels = append(labels, label)
	}
	return labels
}

func readRetainIP(r *reader, n *node, echo *wire) {
	if retain, ok := r.boolean(n, "RetainIp"); ok {
		echo.retainIP = &retain
	}
	hours := r.integer(n, "RetainIpHours", whole{1, maxRetainIPHours, defaultRetainIP})
	if echo.retainIP != nil && *echo.retainIP {
		echo.retainIPHours = &hours
	} else if r.optional(n, "RetainIpHours") != "" {
		r.fail(refuse("RetainIpHours", "it needs RetainIp"))
	}
}

// readMachine checks the settings of the group's virtual machine, which the
// emulator does not have.
func readMachine(r *reader, n *node) {
	readDNS(r, n.child("MachineDnsConfig"))
	readHostAliases(r, n, "MachineHostAliase")
	advance := n.child("AdvanceSettings")
	if advance == nil {
		return
	}
	r.optional(advance, "ImageId")
	r.integer(advance, "DataDiskGb", whole{0, ebsSizes["SSD3.0"].max, 0})
	if disk := advance.child("SystemDisk"); disk != nil {
		r.disk(disk, systemDiskSizes)
	}
}

// disk reads Type and Size of a disk; a missing size is the type's smallest.
func (r *reader) disk(n *node, sizes map[string]sizeRange) (kind string, size int) {
	r.required(n, "Type")
	kinds := make([]string, 0, len(sizes))
	for name := range sizes {
		kinds = append(kinds, name)
	}
	slices.Sort(kinds)
	kind = r.oneOf(n, "Type", "", kinds...)
	limits := sizes[kind]
	return kind, r.integer(n, "Size", whole{limits.min, limits.max, limits.min})
}

// foreign are parameters of the SDKs for what the emulator does not have.
var foreign = []struct{ name, why string }{
	{"KubeConfig", "cluster mode is not emulated"},
	{"ClusterDns", "cluster mode is not emulated"},
	{"ClusterDomain", "cluster mode is not emulated"},
	{"DataDisk", "cluster mode is not emulated; use Volume.N.EBSVolume"},
	{"ContainerSpec", "cluster mode is not emulated; use Cpu and Memory"},
	{"ImageCacheId", "the image cache does not exist"},
}

// refuseForeign refuses them aloud; what switches such a thing off is fine.
func refuseForeign(r *reader, n *node) {
	for _, f := range foreign {
		if n.child(f.name) != nil {
			r.fail(refuse(f.name, f.why))
		}
	}
	if r.flag(n, "KlogEnabled") {
		r.fail(refuse("KlogEnabled", "cluster mode is not emulated"))
	}
	if proxy := n.child("KubeProxy"); proxy != nil && r.flag(proxy, "Enabled") {
		r.fail(refuse("KubeProxy.Enabled", "cluster mode is not emulated"))
	}
}
