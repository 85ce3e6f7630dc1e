package eci

import (
	"math"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// container writes one container. If one of its environment values is secret,
// all are hidden in the cloud's own answers, for the switch is per container.
func container(c cloudapi.Container) (*sdk.CreateContainerGroupRequestContainer, error) {
	env, hide, err := environment(c.Env)
	if err != nil {
		return nil, err
	}
	command, args, ok := arrange(c.Command, c.Args)
	if !ok {
		return nil, invalid(opCreate, commandBounds)
	}
	out := &sdk.CreateContainerGroupRequestContainer{
		Name: &c.Name, Image: &c.Image,
		ImagePullPolicy: text1(c.PullPolicy),
		Command:         texts(command), Arg: texts(args),
		WorkingDir:     text1(c.WorkingDir),
		EnvironmentVar: env, EnvironmentVarHide: yes(hide),
		Cpu: size(c.CPU), Memory: size(c.Memory), Gpu: cards(c.GPU),
		Stdin: yes(c.Stdin), StdinOnce: yes(c.StdinOnce), Tty: yes(c.TTY),
		TerminationMessagePath:   text1(c.TerminationMessagePath),
		TerminationMessagePolicy: text1(c.TerminationMessagePolicy),
	}
	for _, p := range c.Ports {
		out.Port = append(out.Port, &sdk.CreateContainerGroupRequestContainerPort{
			Port: &p.Port, Protocol: text1(string(p.Protocol)),
		})
	}
	for _, m := range c.Mounts {
		out.VolumeMount = append(out.VolumeMount, &sdk.CreateContainerGroupRequestContainerVolumeMount{
			Name: &m.Volume, MountPath: &m.Path, SubPath: text1(m.SubPath), ReadOnly: yes(m.ReadOnly),
			MountPropagation: text1(string(m.Propagation)),
		})
	}
	if err := addSecurity(out, c.Security); err != nil {
		return nil, err
	}
	if err := addHooks(out, c); err != nil {
		return nil, err
	}
	return out, addProbes(out, c)
}

func addProbes(out *sdk.CreateContainerGroupRequestContainer, c cloudapi.Container) error {
	if c.Liveness != nil {
		if err := checkProbe(c.Liveness); err != nil {
			return inField("Liveness", err)
		}
		out.LivenessProbe = livenessProbe(c.Liveness)
	}
	if c.Readiness != nil {
		if err := checkProbe(c.Readiness); err != nil {
			return inField("Readiness", err)
		}
		out.ReadinessProbe = readinessProbe(c.Readiness)
	}
	return nil
}

func environment(vars []cloudapi.EnvVar) (out []*sdk.CreateContainerGroupRequestContainerEnvironmentVar, hide bool, err error) {
	for _, v := range vars {
		hide = hide || v.Secret
		one := &sdk.CreateContainerGroupRequestContainerEnvironmentVar{Key: &v.Name}
		switch v.FieldPath {
		case "":
			one.Value = &v.Value
		case cloudapi.FieldPodIP:
			one.FieldRef = &sdk.CreateContainerGroupRequestContainerEnvironmentVarFieldRef{FieldPath: &v.FieldPath}
		default:
			return nil, false, unsupported("Env[%s].FieldPath: %s; the cloud knows %s only", v.Name, v.FieldPath, cloudapi.FieldPodIP)
		}
		out = append(out, one)
	}
	return out, hide, nil
}

// initContainer writes one init container, for which the request has fewer
// fields.
func initContainer(c cloudapi.Container) (*sdk.CreateContainerGroupRequestInitContainer, error) {
	if err := checkInit(c); err != nil {
		return nil, err
	}
	env, _, err := environment(c.Env)
	if err != nil {
		return nil, err
	}
	command, args, ok := arrange(c.Command, c.Args)
	if !ok {
		return nil, invalid(opCreate, commandBounds)
	}
	out := &sdk.CreateContainerGroupRequestInitContainer{
		Name: &c.Name, Image: &c.Image,
		ImagePullPolicy: text1(c.PullPolicy),
		Command:         texts(command), Arg: texts(args),
		WorkingDir: text1(c.WorkingDir),
		Cpu:        size(c.CPU), Memory: size(c.Memory), Gpu: cards(c.GPU),
		TerminationMessagePath:   text1(c.TerminationMessagePath),
		TerminationMessagePolicy: text1(c.TerminationMessagePolicy),
	}
	for _, v := range env {
		out.EnvironmentVar = append(out.EnvironmentVar, initEnvironment(v))
	}
	for _, p := range c.Ports {
		out.Port = append(out.Port, &sdk.CreateContainerGroupRequestInitContainerPort{
			Port: &p.Port, Protocol: text1(string(p.Protocol)),
		})
	}
	for _, m := range c.Mounts {
		out.VolumeMount = append(out.VolumeMount, &sdk.CreateContainerGroupRequestInitContainerVolumeMount{
			Name: &m.Volume, MountPath: &m.Path, SubPath: text1(m.SubPath), ReadOnly: yes(m.ReadOnly),
			MountPropagation: text1(string(m.Propagation)),
		})
	}
	return out, addInitSecurity(out, c.Security)
}

// checkInit refuses what InitContainer.N has no parameter for. Hiding its
// environment is such a thing too, but leaving it out changes nothing for the
// pod, so a secret value is sent.
func checkInit(c cloudapi.Container) error {
	switch {
	case c.Liveness != nil:
		return unsupported("Liveness: init containers have no probes")
	case c.Readiness != nil:
		return unsupported("Readiness: init containers have no probes")
	case c.Stdin || c.StdinOnce:
		return unsupported("Stdin: init containers have no stdin")
	case c.TTY:
		return unsupported("TTY: init containers have no terminal")
	case c.PostStart != nil:
		return unsupported("PostStart: init containers have no hooks")
	case c.PreStop != nil:
		return unsupported("PreStop: init containers have no hooks")
	case c.Security.RunAsGroup != nil:
		return unsupported("Security.RunAsGroup: init containers have no such parameter")
	case c.Security.RunAsNonRoot:
		return unsupported("Security.RunAsNonRoot: init containers have no such parameter")
	case c.Security.Privileged:
		return unsupported("Security.Privileged: init containers have no such parameter")
	case c.Sidecar:
		return unsupported("Sidecar: an init container cannot be one; it is one of the containers")
	}
	return nil
}

func initEnvironment(
	v *sdk.CreateContainerGroupRequestContainerEnvironmentVar,
) *sdk.CreateContainerGroupRequestInitContainerEnvironmentVar {
	out := &sdk.CreateContainerGroupRequestInitContainerEnvironmentVar{Key: v.Key, Value: v.Value}
	if v.FieldRef != nil {
		out.FieldRef = &sdk.CreateContainerGroupRequestInitContainerEnvironmentVarFieldRef{FieldPath: v.FieldRef.FieldPath}
	}
	return out
}

// livenessProbe and readinessProbe write a probe with every number, for the
// cloud's defaults are its own.
func livenessProbe(p *cloudapi.Probe) *sdk.CreateContainerGroupRequestContainerLivenessProbe {
	out := &sdk.CreateContainerGroupRequestContainerLivenessProbe{
		InitialDelaySeconds: &p.InitialDelaySeconds, PeriodSeconds: &p.PeriodSeconds, TimeoutSeconds: &p.TimeoutSeconds,
		SuccessThreshold: &p.SuccessThreshold, FailureThreshold: &p.FailureThreshold,
	}
	switch {
	case p.HTTP != nil:
		out.HttpGet = &sdk.CreateContainerGroupRequestContainerLivenessProbeHttpGet{
			Path: text1(p.HTTP.Path), Port: &p.HTTP.Port, Scheme: text1(p.HTTP.Scheme),
		}
	case p.TCP != nil:
		out.TcpSocket = &sdk.CreateContainerGroupRequestContainerLivenessProbeTcpSocket{Port: &p.TCP.Port}
	case p.Exec != nil:
		out.Exec = &sdk.CreateContainerGroupRequestContainerLivenessProbeExec{Command: texts(p.Exec.Command)}
	}
	return out
}

func readinessProbe(p *cloudapi.Probe) *sdk.CreateContainerGroupRequestContainerReadinessProbe {
	out := &sdk.CreateContainerGroupRequestContainerReadinessProbe{
		InitialDelaySeconds: &p.InitialDelaySeconds, PeriodSeconds: &p.PeriodSeconds, TimeoutSeconds: &p.TimeoutSeconds,
		SuccessThreshold: &p.SuccessThreshold, FailureThreshold: &p.FailureThreshold,
	}
	switch {
	case p.HTTP != nil:
		out.HttpGet = &sdk.CreateContainerGroupRequestContainerReadinessProbeHttpGet{
			Path: text1(p.HTTP.Path), Port: &p.HTTP.Port, Scheme: text1(p.HTTP.Scheme),
		}
	case p.TCP != nil:
		out.TcpSocket = &sdk.CreateContainerGroupRequestContainerReadinessProbeTcpSocket{Port: &p.TCP.Port}
	case p.Exec != nil:
		out.Exec = &sdk.CreateContainerGroupRequestContainerReadinessProbeExec{Command: texts(p.Exec.Command)}
	}
	return out
}

func checkProbe(p *cloudapi.Probe) error {
	kinds := 0
	for _, set := range []bool{p.HTTP != nil, p.TCP != nil, p.Exec != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return invalid(opCreate, "HTTP, TCP, Exec: exactly one must be set, not %d", kinds)
	}
	if p.Exec != nil && (len(p.Exec.Command) == 0 || len(p.Exec.Command) > maxCommand) {
		return invalid(opCreate, "Exec.Command: has %d elements; the cloud takes 1 to %d", len(p.Exec.Command), maxCommand)
	}
	return nil
}

// cards counts GPUs; an absurd number is left for the cloud to refuse.
func cards(n int) *int32 { return positive(int32(min(max(n, 0), math.MaxInt32))) }

func positive(n int32) *int32 {
	if n <= 0 {
		return nil
	}
	return &n
}
