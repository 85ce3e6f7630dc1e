package eci

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// createRequest writes a spec as the cloud's request; pure. It drops nothing:
// what the request has no field for is an error of code Unsupported or Invalid
// that names the field.
func createRequest(spec cloudapi.GroupSpec, region, token string) (*sdk.CreateContainerGroupRequest, error) {
	tags, err := tagsOf(spec.Identity)
	if err != nil {
		return nil, err
	}
	request := &sdk.CreateContainerGroupRequest{
		RegionId:                      &region,
		ClientToken:                   text1(token),
		ContainerGroupName:            text1(spec.Name),
		Tag:                           tags,
		Cpu:                           size(spec.CPU),
		Memory:                        size(spec.Memory),
		RestartPolicy:                 text1(string(spec.RestartPolicy)),
		HostName:                      text1(spec.Hostname),
		TerminationGracePeriodSeconds: spec.TerminationGraceSeconds,
		ActiveDeadlineSeconds:         spec.ActiveDeadlineSeconds,
		HostAliase:                    hostAliases(spec.HostAliases),
		ImageRegistryCredential:       pullCredentials(spec.PullCredentials),
		ShareProcessNamespace:         yes(spec.ShareProcesses),
	}
	place(request, spec.Placement)
	setDNS(request, spec.DNS)
	if err := setSysctls(request, spec.Sysctls); err != nil {
		return nil, err
	}
	if err := setOptions(request, spec.Options); err != nil {
		return nil, err
	}
	return request, addParts(request, spec)
}

// setSysctls sorts kernel settings into the two parameters that take them.
func setSysctls(request *sdk.CreateContainerGroupRequest, sysctls []cloudapi.Sysctl) error {
	var pod []*sdk.CreateContainerGroupRequestSecurityContextSysctl
	var host []*sdk.CreateContainerGroupRequestHostSecurityContextSysctl
	for i, s := range sysctls {
		switch {
		case slices.Contains(podSysctls, s.Name):
			pod = append(pod, &sdk.CreateContainerGroupRequestSecurityContextSysctl{Name: &s.Name, Value: &s.Value})
		case slices.Contains(hostSysctls, s.Name):
			host = append(host, &sdk.CreateContainerGroupRequestHostSecurityContextSysctl{Name: &s.Name, Value: &s.Value})
		default:
			return unsupported("Sysctls[%d].Name: the cloud does not take %s", i, s.Name)
		}
	}
	if pod != nil {
		request.SecurityContext = &sdk.CreateContainerGroupRequestSecurityContext{Sysctl: pod}
	}
	if host != nil {
		request.HostSecurityContext = &sdk.CreateContainerGroupRequestHostSecurityContext{Sysctl: host}
	}
	return nil
}

// addParts adds containers, init containers and volumes.
func addParts(request *sdk.CreateContainerGroupRequest, spec cloudapi.GroupSpec) error {
	for i, c := range spec.InitContainers {
		converted, err := initContainer(c)
		if err != nil {
			return inField(fmt.Sprintf("InitContainers[%d]", i), err)
		}
		request.InitContainer = append(request.InitContainer, converted)
	}
	for i, c := range withSidecars(spec.Containers) {
		converted, err := container(c)
		if err != nil {
			return inField(fmt.Sprintf("Containers[%d]", i), err)
		}
		request.Container = append(request.Container, converted)
	}
	if err := checkReadOnly(spec); err != nil {
		return err
	}
	for i, v := range spec.Volumes {
		converted, err := volume(v)
		if err != nil {
			return inField(fmt.Sprintf("Volumes[%d]", i), err)
		}
		request.Volume = append(request.Volume, converted)
	}
	return nil
}

// place sets where the group runs. Several vSwitches and security groups are
// comma lists in one parameter; with several vSwitches the order counts
// (parameter table: VSwitchId up to 10, ScheduleStrategy VSwitchOrdered).
func place(request *sdk.CreateContainerGroupRequest, p cloudapi.Placement) {
	request.ZoneId = text1(p.Zone)
	request.VSwitchId = text1(strings.Join(p.SubnetIDs, ","))
	request.SecurityGroupId = text1(strings.Join(p.SecurityGroupIDs, ","))
	if len(p.SubnetIDs) > 1 {
		request.ScheduleStrategy = text1("VSwitchOrdered")
	}
}

// setDNS sets the resolver. The cloud knows two policies: None takes
// DnsConfig, Default inherits. Which of them holds without the parameter is
// documented nowhere, so that it is always said.
func setDNS(request *sdk.CreateContainerGroupRequest, dns *cloudapi.DNS) {
	if dns == nil {
		request.DnsPolicy = text1("Default")
		return
	}
	request.DnsPolicy = text1("None")
	request.DnsConfig = &sdk.CreateContainerGroupRequestDnsConfig{
		NameServer: texts(dns.NameServers),
		Search:     texts(dns.Searches),
	}
	for _, o := range dns.Options {
		request.DnsConfig.Option = append(request.DnsConfig.Option,
			&sdk.CreateContainerGroupRequestDnsConfigOption{Name: &o.Name, Value: text1(o.Value)})
	}
}

func hostAliases(aliases []cloudapi.HostAlias) []*sdk.CreateContainerGroupRequestHostAliase {
	var out []*sdk.CreateContainerGroupRequestHostAliase
	for _, a := range aliases {
		out = append(out, &sdk.CreateContainerGroupRequestHostAliase{Ip: &a.IP, Hostname: texts(a.Hostnames)})
	}
	return out
}

func pullCredentials(credentials []cloudapi.PullCredential) []*sdk.CreateContainerGroupRequestImageRegistryCredential {
	var out []*sdk.CreateContainerGroupRequestImageRegistryCredential
	for _, c := range credentials {
		out = append(out, &sdk.CreateContainerGroupRequestImageRegistryCredential{
			Server: &c.Server, UserName: &c.Username, Password: &c.Password,
		})
	}
	return out
}

// text1 returns nil for an empty string: a pointer to one would be sent as a
// parameter without a value.
func text1(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func texts(list []string) []*string {
	var out []*string
	for _, s := range list {
		out = append(out, &s)
	}
	return out
}

// yes returns nil for false: every boolean parameter defaults to false.
func yes(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// size returns nil for 0: the parameter is then left out.
func size(amount float64) *float32 {
	if amount == 0 {
		return nil
	}
	f := float32(amount)
	return &f
}

// inField puts the place of a mistake in front of its message.
func inField(field string, err error) error {
	e, ok := errors.AsType[*cloudapi.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", field, err)
	}
	e.Message = field + "." + e.Message
	return e
}

func unsupported(format string, args ...any) error {
	return &cloudapi.Error{Op: opCreate, Code: cloudapi.CodeUnsupported, Message: fmt.Sprintf(format, args...)}
}

func invalid(op, format string, args ...any) error {
	return &cloudapi.Error{Op: op, Code: cloudapi.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
