package kci

import (
	"math"

	"github.com/cumulet/cumulet/cloudapi"
)

// container writes a container or an init container; kind names which list of
// the spec it is in.
func (w *specWriter) container(f form, kind string, container cloudapi.Container) {
	field := kind + "[" + container.Name + "]"
	w.lacks(container.Stdin || container.StdinOnce, field+".stdin")
	w.lacks(container.TTY, field+".tty")
	w.lacks(container.TerminationMessagePath != "", field+".terminationMessagePath")
	w.lacks(container.TerminationMessagePolicy != "", field+".terminationMessagePolicy")
	w.lacks(container.PostStart != nil, field+".postStart")
	w.lacks(container.PreStop != nil, field+".preStop")
	w.lacks(container.Sidecar, field+".sidecar")
	w.security(field+".security", container.Security)
	w.extended(container.PullPolicy != "", field+".pullPolicy")
	w.extended(container.GPU != 0, field+".gpu")

	f.set("Name", container.Name)
	f.set("Image", container.Image)
	f.list("Command", container.Command)
	f.list("Arg", container.Args)
	f.text("WorkingDir", container.WorkingDir)
	if container.CPU > 0 {
		f.float("Cpu", share(container.CPU))
	}
	if container.Memory > 0 {
		f.float("Memory", share(container.Memory))
	}
	for i, env := range container.Env {
		w.env(f.at("EnvironmentVar", i), field, env)
	}
	for i, port := range container.Ports {
		item := f.at("Port", i)
		item.int("Port", int(port.Port))
		item.text("Protocol", string(port.Protocol))
	}
	for i, mount := range container.Mounts {
		w.mount(f.at("VolumeMount", i), field, mount)
	}
	w.probe(f.in("LivenessProbe"), field+".liveness", container.Liveness)
	w.probe(f.in("ReadinessProbe"), field+".readiness", container.Readiness)
	if w.dialect == Seed {
		return
	}
	f.text("ImagePullPolicy", container.PullPolicy)
	if container.Security.Privileged {
		f.in("SecurityContext").flag("Privileged", true)
	}
	if container.GPU > 0 {
		f.int("Gpu", container.GPU)
	}
}

// security notes what is asked of a security context: KCI has privileged alone.
func (w *specWriter) security(field string, s cloudapi.Security) {
	w.extended(s.Privileged, field+".privileged")
	w.lacks(s.RunAsUser != nil, field+".runAsUser")
	w.lacks(s.RunAsGroup != nil, field+".runAsGroup")
	w.lacks(s.RunAsNonRoot, field+".runAsNonRoot")
	w.lacks(s.ReadOnlyRoot, field+".readOnlyRoot")
	w.lacks(len(s.AddCapabilities) > 0, field+".addCapabilities")
}

func (w *specWriter) env(f form, field string, env cloudapi.EnvVar) {
	f.set("Key", env.Name)
	switch env.FieldPath {
	case "":
		f.set("Value", env.Value) // required, be it empty
	case cloudapi.FieldPodIP:
		w.extended(true, field+".env["+env.Name+"].fieldPath")
		f.in("ValueFrom").in("FieldRef").set("FieldPath", env.FieldPath)
	default:
		w.lacks(true, field+".env["+env.Name+"].fieldPath "+env.FieldPath)
	}
}

func (w *specWriter) mount(f form, field string, mount cloudapi.Mount) {
	w.lacks(mount.SubPath != "", field+".mounts["+mount.Path+"].subPath")
	w.lacks(mount.Propagation != "", field+".mounts["+mount.Path+"].propagation")
	f.set("Name", mount.Volume)
	f.set("MountPath", mount.Path)
	f.flag("ReadOnly", mount.ReadOnly)
}

// probe states every number: KCI's defaults differ from Kubernetes' (liveness
// fails at the first failure).
func (w *specWriter) probe(f form, field string, probe *cloudapi.Probe) {
	if probe == nil {
		return
	}
	w.extended(true, field)
	f.int("InitialDelaySeconds", int(probe.InitialDelaySeconds))
	f.int("PeriodSeconds", int(probe.PeriodSeconds))
	f.int("TimeoutSeconds", int(probe.TimeoutSeconds))
	f.int("SuccessThreshold", int(probe.SuccessThreshold))
	f.int("FailureThreshold", int(probe.FailureThreshold))
	switch {
	case probe.HTTP != nil:
		get := f.in("HttpGet")
		get.int("Port", int(probe.HTTP.Port))
		get.text("Path", probe.HTTP.Path)
		get.text("Scheme", probe.HTTP.Scheme)
	case probe.TCP != nil:
		f.in("TcpSocket").int("Port", int(probe.TCP.Port))
	case probe.Exec != nil:
		f.in("Exec").list("Command", probe.Exec.Command)
	default:
		w.rejectf("%s has no check", field)
	}
}

// share is a container's part of a size, in the three decimals that KCI reads,
// rounded down so that the parts never add up to more than the whole.
func share(value float64) float64 {
	const steps = 1000
	return max(1, math.Floor(value*steps+1e-6)) / steps
}
