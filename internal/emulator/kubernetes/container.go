package kubernetes

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// containerOf is a container or init container as a pod has it.
func containerOf(c *engine.Container) corev1.Container {
	return corev1.Container{
		Name:                     c.Name,
		Image:                    imageFor(c),
		ImagePullPolicy:          corev1.PullPolicy(c.PullPolicy),
		WorkingDir:               c.WorkingDir,
		Command:                  literals(c.Command),
		Args:                     literals(c.Args),
		Env:                      environment(c.Env),
		Ports:                    ports(c.Ports),
		VolumeMounts:             mounts(c.Mounts),
		Resources:                resources(c.CPU, c.Memory),
		LivenessProbe:            probe(c.Liveness),
		ReadinessProbe:           probe(c.Readiness),
		Lifecycle:                lifecycle(c),
		SecurityContext:          security(&c.Security),
		Stdin:                    c.Stdin,
		StdinOnce:                c.StdinOnce,
		TTY:                      c.TTY,
		TerminationMessagePath:   c.MessagePath,
		TerminationMessagePolicy: corev1.TerminationMessagePolicy(c.MessagePolicy),
	}
}

// absentDigest is a digest that no image has.
const absentDigest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// imageFor is the image of a container. On a cloud each group has a machine of its
// own, without any image: what is never to be pulled is never there, although the
// backing node may have it for another group.
func imageFor(c *engine.Container) string {
	if corev1.PullPolicy(c.PullPolicy) != corev1.PullNever {
		return c.Image
	}
	name, _, _ := strings.Cut(c.Image, "@")
	return name + absentDigest
}

// literal keeps the kubelet from expanding $(NAME): the front has expanded what
// was to be expanded. $$ stands for one $ (third_party/forked/golang/expansion).
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func literals(list []string) []string {
	var out []string
	for _, text := range list {
		out = append(out, literal(text))
	}
	return out
}

func environment(list []engine.EnvVar) []corev1.EnvVar {
	var out []corev1.EnvVar
	for _, v := range list {
		e := corev1.EnvVar{Name: v.Name, Value: literal(v.Value)}
		if v.FieldPath != "" {
			e.Value = ""
			e.ValueFrom = &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: v.FieldPath}}
		}
		out = append(out, e)
	}
	return out
}

func ports(list []engine.Port) []corev1.ContainerPort {
	var out []corev1.ContainerPort
	for _, p := range list {
		out = append(out, corev1.ContainerPort{ContainerPort: int32(p.Port), Protocol: corev1.Protocol(p.Protocol)}) //nolint:gosec // fronts allow ports only
	}
	return out
}

func mounts(list []engine.Mount) []corev1.VolumeMount {
	var out []corev1.VolumeMount
	for _, m := range list {
		mount := corev1.VolumeMount{Name: m.Volume, MountPath: m.Path, SubPath: m.SubPath, ReadOnly: m.ReadOnly}
		if m.Propagation != "" {
			mount.MountPropagation = ptr.To(corev1.MountPropagationMode(m.Propagation))
		}
		out = append(out, mount)
	}
	return out
}

// probe has every number of the request: a zero would be read as a default.
func probe(p *engine.Probe) *corev1.Probe {
	if p == nil {
		return nil
	}
	handler := handlerOf(&p.Handler)
	out := &corev1.Probe{
		ProbeHandler:        corev1.ProbeHandler{HTTPGet: handler.HTTPGet, TCPSocket: handler.TCPSocket},
		InitialDelaySeconds: probeSeconds(p.InitialDelay),
		PeriodSeconds:       probeSeconds(p.Period),
		TimeoutSeconds:      probeSeconds(p.Timeout),
		SuccessThreshold:    int32(p.Success), //nolint:gosec // fronts hold it to 32 bits
		FailureThreshold:    int32(p.Failure), //nolint:gosec // fronts hold it to 32 bits
	}
	if handler.Exec != nil {
		// Unlike a hook's, a probe's command is expanded by the kubelet.
		out.Exec = &corev1.ExecAction{Command: literals(p.Exec)}
	}
	return out
}

func probeSeconds(d time.Duration) int32 {
	return int32(seconds(d)) //nolint:gosec // fronts hold it to 32 bits
}

func lifecycle(c *engine.Container) *corev1.Lifecycle {
	if c.PostStart == nil && c.PreStop == nil {
		return nil
	}
	out := &corev1.Lifecycle{}
	if c.PostStart != nil {
		out.PostStart = handlerOf(c.PostStart)
	}
	if c.PreStop != nil {
		out.PreStop = handlerOf(c.PreStop)
	}
	return out
}

func handlerOf(h *engine.Handler) *corev1.LifecycleHandler {
	switch {
	case h.HTTP != nil:
		get := &corev1.HTTPGetAction{
			Scheme: corev1.URIScheme(h.HTTP.Scheme), Host: h.HTTP.Host, Path: h.HTTP.Path, Port: intstr.FromInt(h.HTTP.Port),
		}
		for _, header := range h.HTTP.Headers {
			get.HTTPHeaders = append(get.HTTPHeaders, corev1.HTTPHeader{Name: header.Name, Value: header.Value})
		}
		return &corev1.LifecycleHandler{HTTPGet: get}
	case h.TCP != nil:
		return &corev1.LifecycleHandler{TCPSocket: &corev1.TCPSocketAction{Host: h.TCP.Host, Port: intstr.FromInt(h.TCP.Port)}}
	default:
		return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: slices.Clone(h.Exec)}}
	}
}

// security is nil if nothing is asked for.
func security(s *engine.Security) *corev1.SecurityContext {
	out := &corev1.SecurityContext{RunAsUser: s.RunAsUser, RunAsGroup: s.RunAsGroup}
	asked := s.RunAsUser != nil || s.RunAsGroup != nil
	if len(s.AddCapabilities) > 0 {
		out.Capabilities = &corev1.Capabilities{}
		for _, capability := range s.AddCapabilities {
			out.Capabilities.Add = append(out.Capabilities.Add, corev1.Capability(capability))
		}
		asked = true
	}
	for flag, field := range map[*bool]**bool{
		&s.ReadOnlyRoot: &out.ReadOnlyRootFilesystem, &s.Privileged: &out.Privileged, &s.RunAsNonRoot: &out.RunAsNonRoot,
	} {
		if *flag {
			*field = ptr.To(true)
			asked = true
		}
	}
	if !asked {
		return nil
	}
	return out
}
