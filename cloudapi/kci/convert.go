package kci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	// chargeType is the one way of paying that the document knows.
	chargeType = "HourlyInstantSettlement"
	// kciType is the one kind of instance that the SDKs' notes know.
	kciType = "RBKCI"
)

// specWriter writes a GroupSpec as request parameters and collects what the
// dialect cannot say: nothing is dropped in silence.
type specWriter struct {
	dialect     Dialect
	invalid     []string
	unsupported []string
}

// createForm is the CreateContainerGroup request for a spec. Its error, of
// code Invalid or Unsupported, names every field that is at fault.
func createForm(spec cloudapi.GroupSpec, dialect Dialect) (form, error) {
	w := &specWriter{dialect: dialect}
	f := newForm()
	w.group(f, spec)
	return f, w.err()
}

func (w *specWriter) err() error {
	code := cloudapi.CodeUnsupported
	if len(w.invalid) > 0 {
		code = cloudapi.CodeInvalid
	}
	faults := slices.Concat(w.invalid, w.unsupported)
	if len(faults) == 0 {
		return nil
	}
	return &cloudapi.Error{Op: actionCreate, Code: code, Message: strings.Join(faults, "; ")}
}

func (w *specWriter) rejectf(format string, args ...any) {
	w.invalid = append(w.invalid, fmt.Sprintf(format, args...))
}

// lacks notes that the cloud has no word for a field, if it is set.
func (w *specWriter) lacks(set bool, field string) {
	if set {
		w.unsupported = append(w.unsupported, field+" cannot be told to KCI")
	}
}

// extended notes that only dialect Extended has a word for a field, if it is
// set in the other.
func (w *specWriter) extended(set bool, field string) {
	if set && w.dialect == Seed {
		w.unsupported = append(w.unsupported, field+" needs dialect "+string(Extended))
	}
}

func (w *specWriter) group(f form, spec cloudapi.GroupSpec) {
	w.check(spec)
	f.set("ContainerGroupName", spec.Name)
	f.set("ChargeType", chargeType)
	f.float("Cpu", spec.CPU)
	f.float("Memory", spec.Memory)
	f.text("RestartPolicy", string(spec.RestartPolicy))
	w.placement(f, spec.Placement)
	w.network(f, spec)
	w.options(f, spec.Options)
	for i, credential := range spec.PullCredentials {
		item := f.at("ImageRegistryCredential", i)
		item.set("Server", credential.Server)
		item.set("Username", credential.Username)
		item.set("Password", credential.Password)
	}
	for i, volume := range spec.Volumes {
		w.volume(f.at("Volume", i), volume)
	}
	for i, container := range spec.Containers {
		w.checkReadOnly("containers", container, spec.Volumes)
		w.container(f.at("Container", i), "containers", container)
	}
	if w.dialect == Extended {
		w.extras(f, spec)
	}
}

// check looks at what is the group's own.
func (w *specWriter) check(spec cloudapi.GroupSpec) {
	if spec.Name == "" || len(spec.Name) > 63 {
		w.rejectf("name %q has %d characters; 1 to 63 are allowed", spec.Name, len(spec.Name))
	}
	if !(spec.CPU > 0 && spec.Memory > 0) {
		w.rejectf("cpu %v and memory %v must both be above 0", spec.CPU, spec.Memory)
	}
	if len(spec.Containers) == 0 {
		w.rejectf("containers is empty; a group needs one at least")
	}
	w.lacks(spec.Hostname != "", "hostname")
	w.lacks(spec.TerminationGraceSeconds != nil, "terminationGraceSeconds")
	w.lacks(spec.ActiveDeadlineSeconds != nil, "activeDeadlineSeconds")
	w.lacks(len(spec.Sysctls) > 0, "sysctls")
	w.lacks(spec.ShareProcesses, "shareProcesses")
	w.extended(len(spec.InitContainers) > 0, "initContainers")
}

// extras writes what only the SDKs have at the top level.
func (w *specWriter) extras(f form, spec cloudapi.GroupSpec) {
	f.set("KciType", kciType)
	if cards := gpus(spec.Containers); cards > 0 {
		f.int("Gpu", cards)
	}
	for i, container := range spec.InitContainers {
		w.checkReadOnly("initContainers", container, spec.Volumes)
		w.lacks(container.Liveness != nil || container.Readiness != nil, "initContainers["+container.Name+"].probes")
		w.lacks(len(container.Ports) > 0, "initContainers["+container.Name+"].ports")
		w.container(f.at("InitContainer", i), "initContainers", container)
	}
}

func gpus(containers []cloudapi.Container) int {
	cards := 0
	for _, container := range containers {
		cards += container.GPU
	}
	return cards
}

// placement states where the group runs. A zone is not stated: KCI has no
// parameter for it, because a subnet lies in one zone.
func (w *specWriter) placement(f form, p cloudapi.Placement) {
	if n := len(p.SecurityGroupIDs); n < 1 || n > maxSecurityGroups {
		w.rejectf("placement.securityGroupIDs has %d entries; 1 to %d are allowed", n, maxSecurityGroups)
	}
	f.list("SecurityGroupId", p.SecurityGroupIDs)
	switch n := len(p.SubnetIDs); {
	case n == 1:
		f.set("SubnetId", p.SubnetIDs[0])
	case n > 1 && n <= maxSubnets && w.dialect == Extended:
		f.list("MultiSubnetId", p.SubnetIDs)
	default:
		most := 1
		if w.dialect == Extended {
			most = maxSubnets
		}
		w.rejectf("placement.subnetIDs has %d entries; 1 to %d are allowed", n, most)
	}
}

func (w *specWriter) network(f form, spec cloudapi.GroupSpec) {
	aliases := "HostAliase" // so spelt in every SDK
	if w.dialect == Seed {
		aliases = "HostAlias"
	}
	for i, alias := range spec.HostAliases {
		// The document swaps the descriptions of the two; the address goes
		// into Ip all the same.
		item := f.at(aliases, i)
		item.set("Ip", alias.IP)
		item.list("Hostname", alias.Hostnames)
	}
	if spec.DNS == nil {
		return
	}
	dns := f.in("DnsConfig")
	dns.list("NameServer", spec.DNS.NameServers)
	dns.list("Search", spec.DNS.Searches)
	for i, option := range spec.DNS.Options {
		item := dns.at("Option", i)
		item.set("Name", option.Name)
		item.text("Value", option.Value)
	}
}
