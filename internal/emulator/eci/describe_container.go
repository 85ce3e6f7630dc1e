package eci

import (
	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// containerOf joins what was asked for with what is known of its state.
func containerOf(c *containerParams, states []engine.ContainerState) containerView {
	v := containerView{
		baseView: baseOf(&c.baseContainer, states),
		Commands: c.Command,
		Stdin:    value(c.Stdin), StdinOnce: value(c.StdinOnce), Tty: value(c.TTY),
	}
	if value(c.EnvHide) {
		v.EnvironmentVars = nil
	}
	if p := c.LivenessProbe; p != nil {
		v.LivenessProbe = probeOf(&p.probeNumbers, p.Exec.Command)
	}
	if p := c.ReadinessProbe; p != nil {
		v.ReadinessProbe = probeOf(&p.probeNumbers, p.Exec.Command)
	}
	return v
}

func initContainerOf(c *initContainer, states []engine.ContainerState) initContainerView {
	v := initContainerView{baseView: baseOf(&c.baseContainer, states), Command: c.Command}
	for i := range v.VolumeMounts {
		v.VolumeMounts[i].SubPath = "" // the answer has none for init containers
	}
	return v
}

func baseOf(c *baseContainer, states []engine.ContainerState) baseView {
	v := baseView{
		Name: c.Name, Image: c.Image, ImagePullPolicy: c.ImagePullPolicy, Args: c.Args, WorkingDir: c.WorkingDir,
		CPU: c.CPU, Memory: c.Memory, GPU: c.GPU,
		SecurityContext: securityOf(c.SecurityContext),
		CurrentState:    &stateView{State: engine.KindWaiting},
	}
	for _, e := range c.Env {
		env := envVarView{Key: e.Key, Value: e.Value}
		if path := e.FieldRef.FieldPath; path != "" {
			env.ValueFrom = &valueFromView{fieldRefView{path}}
		}
		v.EnvironmentVars = append(v.EnvironmentVars, env)
	}
	for _, p := range c.Ports {
		v.Ports = append(v.Ports, portView{*p.Port, orDefault(p.Protocol, "TCP")})
	}
	for _, m := range c.Mounts {
		v.VolumeMounts = append(v.VolumeMounts, mountView{m.Name, m.MountPath, m.SubPath, value(m.ReadOnly), m.Propagation})
	}
	for _, state := range states {
		if state.Name == c.Name {
			v.Ready, v.RestartCount = state.Ready, state.RestartCount
			v.CurrentState, v.PreviousState = stateOf(&state.Current), stateOf(state.Previous)
		}
	}
	return v
}

func securityOf(sc *securityContext) *containerSecurityView {
	if sc == nil {
		return nil
	}
	v := &containerSecurityView{ReadOnlyRootFilesystem: sc.ReadOnlyRootFilesystem, RunAsUser: sc.RunAsUser}
	if len(sc.Capability.Add) > 0 {
		v.Capability = &capabilityView{sc.Capability.Add}
	}
	return v
}

// probeOf shows a probe with every default filled in.
func probeOf(p *probeNumbers, command []string) *probeView {
	v := &probeView{
		Execs:               command,
		InitialDelaySeconds: numberOr(p.InitialDelaySeconds, 0),
		PeriodSeconds:       numberOr(p.PeriodSeconds, 10),
		TimeoutSeconds:      numberOr(p.TimeoutSeconds, 1),
		SuccessThreshold:    numberOr(p.SuccessThreshold, 1),
		FailureThreshold:    numberOr(p.FailureThreshold, 3),
	}
	if h := p.HTTPGet; h != nil {
		v.HTTPGet = &httpGetView{Scheme: orDefault(h.Scheme, "HTTP"), Path: h.Path, Port: *h.Port}
	}
	if t := p.TCPSocket; t != nil {
		v.TCPSocket = &tcpSocketView{Port: *t.Port}
	}
	return v
}

func stateOf(run *engine.RunState) *stateView {
	if run == nil {
		return nil
	}
	v := &stateView{
		State: orDefault(run.Kind, engine.KindWaiting), Reason: run.Reason, Message: run.Message,
		StartTime: timestamp(run.StartedAt), FinishTime: timestamp(run.FinishedAt),
	}
	if run.Kind == engine.KindTerminated {
		v.ExitCode, v.Signal = &run.ExitCode, &run.Signal
	}
	return v
}

func volumeOf(p *volumeParams) volumeView {
	v := volumeView{
		Name: p.Name, Type: p.Type,
		EmptyDirVolumeMedium: p.EmptyDir.Medium, EmptyDirVolumeSizeLimit: p.EmptyDir.SizeLimit,
		NFSVolumeServer: p.NFS.Server, NFSVolumePath: p.NFS.Path, NFSVolumeReadOnly: p.NFS.ReadOnly,
		FlexVolumeDriver: p.Flex.Driver, FlexVolumeFsType: p.Flex.FSType, FlexVolumeOptions: p.Flex.Options,
		DiskVolumeDiskID: p.Disk.DiskID, DiskVolumeFsType: p.Disk.FSType,
	}
	for _, f := range p.ConfigFile.Files {
		v.ConfigFileVolumeConfigFileToPaths = append(v.ConfigFileVolumeConfigFileToPaths, fileView{f.Path, f.Content})
	}
	return v
}
