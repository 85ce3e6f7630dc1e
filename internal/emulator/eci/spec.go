package eci

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// spec translates a checked request into the engine's words.
func (s *Server) spec(r *createRequest, sold size) (engine.Spec, error) {
	spec := engine.Spec{
		Name:            r.ContainerGroupName,
		Region:          r.RegionID,
		Zone:            orDefault(r.ZoneID, s.zones[0]),
		Subnet:          orDefault(strings.Join(firstOf(splitList(r.VSwitchID)), ""), s.network.VSwitch),
		VPC:             s.network.VPC,
		SecurityGroups:  splitList(orDefault(r.SecurityGroupID, s.network.SecurityGroup)),
		CPU:             sold.cpu,
		Memory:          sold.memory,
		InstanceType:    r.soldType(),
		RestartPolicy:   orDefault(r.RestartPolicy, "Always"),
		Hostname:        r.HostName,
		DNS:             dnsOf(r),
		PullCredentials: credentialsOf(r.Credentials),
		Sysctls:         append(pairs(r.SecurityContext.Sysctls), pairs(r.HostSecurityContext.Sysctls)...),
		ShareProcesses:  value(r.ShareProcessNamespace),
		Grace:           defaultGrace,
		Deadline:        time.Duration(value(r.ActiveDeadlineSeconds)) * time.Second,
		Tags:            tagsOf(r.Tags),
		Wire:            r,
	}
	if r.TerminationGracePeriodSeconds != nil {
		spec.Grace = time.Duration(*r.TerminationGracePeriodSeconds) * time.Second
	}
	for _, a := range r.HostAliases {
		spec.HostAliases = append(spec.HostAliases, engine.HostAlias{IP: a.IP, Names: a.Hostnames})
	}
	for i := range r.InitContainers {
		spec.InitContainers = append(spec.InitContainers, r.InitContainers[i].engine())
	}
	for i := range r.Containers {
		spec.Containers = append(spec.Containers, r.Containers[i].engine())
	}
	for i := range r.Volumes {
		v, err := r.Volumes[i].engine()
		if err != nil {
			return engine.Spec{}, fmt.Errorf("reading volume %s: %w", r.Volumes[i].Name, err)
		}
		spec.Volumes = append(spec.Volumes, v)
	}
	return spec, nil
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func firstOf(items []string) []string { return items[:min(1, len(items))] }

// dnsOf is the resolver configuration; Default, which is also the default,
// inherits that of the machine.
func dnsOf(r *createRequest) *engine.DNS {
	if r.DNSPolicy != "None" {
		return nil
	}
	return &engine.DNS{
		NameServers: r.DNSConfig.NameServers,
		Searches:    r.DNSConfig.Searches,
		Options:     pairs(r.DNSConfig.Options),
	}
}

func pairs(list []nameValue) []engine.NameValue {
	var out []engine.NameValue
	for _, p := range list {
		out = append(out, engine.NameValue{Name: p.Name, Value: p.Value})
	}
	return out
}

func tagsOf(tags []tag) []engine.NameValue {
	var out []engine.NameValue
	for _, t := range tags {
		out = append(out, engine.NameValue{Name: t.Key, Value: t.Value})
	}
	return out
}

func credentialsOf(list []credential) []engine.PullCredential {
	var out []engine.PullCredential
	for _, c := range list {
		out = append(out, engine.PullCredential{Server: c.Server, Username: c.UserName, Password: c.Password})
	}
	return out
}

func (c *baseContainer) engine() engine.Container {
	out := engine.Container{
		Name: c.Name, Image: c.Image, PullPolicy: c.ImagePullPolicy, WorkingDir: c.WorkingDir,
		Command: c.Command, Args: c.Args,
		CPU: value(c.CPU), Memory: value(c.Memory), GPU: float64(value(c.GPU)),
		MessagePath: c.MessagePath, MessagePolicy: c.MessagePolicy,
	}
	for _, e := range c.Env {
		out.Env = append(out.Env, engine.EnvVar{Name: e.Key, Value: e.Value, FieldPath: e.FieldRef.FieldPath})
	}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, engine.Port{Port: int(*p.Port), Protocol: orDefault(p.Protocol, "TCP")})
	}
	for _, m := range c.Mounts {
		out.Mounts = append(out.Mounts, engine.Mount{
			Volume: m.Name, Path: m.MountPath, SubPath: m.SubPath,
			Propagation: propagation(m.Propagation), ReadOnly: value(m.ReadOnly),
		})
	}
	if sc := c.SecurityContext; sc != nil {
		out.Security.AddCapabilities = sc.Capability.Add
		out.Security.ReadOnlyRoot = value(sc.ReadOnlyRootFilesystem)
		out.Security.RunAsUser = sc.RunAsUser
	}
	return out
}

// propagation mends the spelling HostToCotainer of the API's documents.
func propagation(word string) string {
	if word == "HostToCotainer" {
		return "HostToContainer"
	}
	return word
}

func (c *initContainer) engine() engine.Container {
	out := c.baseContainer.engine()
	out.Stdin, out.StdinOnce, out.TTY = value(c.Stdin), value(c.StdinOnce), value(c.TTY)
	return out
}

func (c *containerParams) engine() engine.Container {
	out := c.baseContainer.engine()
	out.Stdin, out.StdinOnce, out.TTY = value(c.Stdin), value(c.StdinOnce), value(c.TTY)
	out.Security.Privileged = value(c.Privileged)
	out.Security.RunAsNonRoot = value(c.RunAsNonRoot)
	out.Security.RunAsGroup = c.RunAsGroup
	if p := c.LivenessProbe; p != nil {
		out.Liveness = p.engine(p.Exec.Command)
	}
	if p := c.ReadinessProbe; p != nil {
		out.Readiness = p.engine(p.Exec.Command)
	}
	out.PostStart, out.PreStop = c.PostStart.engine(), c.PreStop.engine()
	readRoles(&out)
	return out
}

// engine fills in the documented defaults: period 10 s, timeout 1 s, success 1,
// failure 3.
func (p *probeNumbers) engine(command []string) *engine.Probe {
	seconds := func(n *int32, otherwise int32) time.Duration {
		return time.Duration(numberOr(n, otherwise)) * time.Second
	}
	out := &engine.Probe{
		Handler:      engine.Handler{Exec: command},
		InitialDelay: seconds(p.InitialDelaySeconds, 0),
		Period:       seconds(p.PeriodSeconds, 10),
		Timeout:      seconds(p.TimeoutSeconds, 1),
		Success:      int(numberOr(p.SuccessThreshold, 1)),
		Failure:      int(numberOr(p.FailureThreshold, 3)),
	}
	if h := p.HTTPGet; h != nil {
		out.HTTP = &engine.HTTPGet{Scheme: orDefault(h.Scheme, "HTTP"), Path: h.Path, Port: int(*h.Port)}
	}
	if t := p.TCPSocket; t != nil {
		out.TCP = &engine.TCPSocket{Port: int(*t.Port)}
	}
	return out
}

func numberOr(n *int32, otherwise int32) int32 {
	if n == nil {
		return otherwise
	}
	return *n
}

func (h *hook) engine() *engine.Handler {
	switch {
	case h.Port != nil:
		return &engine.Handler{HTTP: &engine.HTTPGet{
			Scheme: orDefault(h.Scheme, "HTTP"), Host: h.Host, Path: h.Path, Port: int(*h.Port),
			Headers: pairs(h.Headers),
		}}
	case h.TCPPort != nil:
		return &engine.Handler{TCP: &engine.TCPSocket{Host: h.TCPHost, Port: int(*h.TCPPort)}}
	case len(h.Exec) > 0:
		return &engine.Handler{Exec: h.Exec}
	default:
		return nil
	}
}

func (v *volumeParams) engine() (engine.Volume, error) {
	out := engine.Volume{Name: v.Name, Type: v.Type}
	var err error
	switch v.Type {
	case "EmptyDirVolume":
		out.EmptyDir = &engine.EmptyDir{Medium: v.EmptyDir.medium(), SizeLimit: v.EmptyDir.SizeLimit}
	case "NFSVolume":
		out.NFS = &engine.NFS{Server: v.NFS.Server, Path: v.NFS.Path, ReadOnly: value(v.NFS.ReadOnly)}
	case "ConfigFileVolume":
		out.Files, err = v.ConfigFile.engine()
	case "FlexVolume":
		out.Flex = &engine.Flex{Driver: v.Flex.Driver, FSType: v.Flex.FSType}
		out.Flex.Options, err = v.Flex.options()
	case "HostPathVolume":
		out.HostPath, out.HostPathType = v.HostPath.Path, v.HostPath.Type
	case "DiskVolume":
		// The deprecated form of a flex volume of the disk driver.
		out.Type = "FlexVolume"
		out.Flex = &engine.Flex{Driver: "alicloud/disk", FSType: v.Disk.FSType,
			Options: map[string]string{"volumeId": v.Disk.DiskID}}
		if v.Disk.DiskSize != nil {
			out.Flex.Options["volumeSize"] = fmt.Sprint(*v.Disk.DiskSize)
		}
	}
	return out, err
}

func (e *emptyDir) medium() string {
	if e.Medium == "memory" {
		return "Memory"
	}
	return e.Medium
}

func (c *configFile) engine() (*engine.Files, error) {
	mode := numberOr(c.DefaultMode, defaultFileMode)
	out := &engine.Files{DefaultMode: mode}
	for _, f := range c.Files {
		content, err := base64.StdEncoding.DecodeString(f.Content)
		if err != nil {
			return nil, fmt.Errorf("decoding %s: %w", f.Path, err)
		}
		out.Items = append(out.Items, engine.File{Path: f.Path, Content: content, Mode: numberOr(f.Mode, mode)})
	}
	return out, nil
}
