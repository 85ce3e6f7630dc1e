package translate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cumulet/cumulet/cloudapi"
)

// ProbeKind is what a probe is for.
type ProbeKind string

// The kinds of probes, in the kubelet's spelling.
const (
	ProbeLiveness  ProbeKind = "Liveness"
	ProbeReadiness ProbeKind = "Readiness"
	ProbeStartup   ProbeKind = "Startup"
)

// NodeProbe is a probe that the cloud cannot run and the node must.
type NodeProbe struct {
	// Container is the name of a container in spec.containers.
	Container string
	Kind      ProbeKind
	// Probe has every default of Kubernetes filled in, ports as numbers, and
	// $(NAME) in its command expanded as a kubelet does. Exactly one handler
	// is set.
	Probe corev1.Probe
}

// NodeProbes lists the probes of a pod that the cloud of these limits cannot
// run, in the order of the containers and startup, liveness, readiness in
// each. Group leaves them out of the group. Without limits.Can.Exec it refuses
// exec handlers, and all startup and liveness probes: the node could not end a
// container that fails.
//
// All probes of a container with a startup probe are the node's: the cloud
// knows no startup probe and would begin with the others too early.
//
// The list is meant for a pod that Group takes. The pod is not changed.
func NodeProbes(pod *corev1.Pod, limits cloudapi.Limits) []NodeProbe {
	var out []NodeProbe
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		for _, p := range probesOf(c) {
			if nodeRuns(c, p.Kind, p.probe, limits.Can) {
				out = append(out, NodeProbe{Container: c.Name, Kind: p.Kind, Probe: completeProbe(c, p.probe)})
			}
		}
	}
	return out
}

// kindOfProbe is one probe of a container.
type kindOfProbe struct {
	Kind  ProbeKind
	probe *corev1.Probe
}

// probesOf lists the probes that a container has.
func probesOf(c *corev1.Container) []kindOfProbe {
	all := []kindOfProbe{
		{ProbeStartup, c.StartupProbe},
		{ProbeLiveness, c.LivenessProbe},
		{ProbeReadiness, c.ReadinessProbe},
	}
	var out []kindOfProbe
	for _, p := range all {
		if p.probe != nil {
			out = append(out, p)
		}
	}
	return out
}

// nodeRuns tells whether a probe is the node's.
func nodeRuns(c *corev1.Container, kind ProbeKind, p *corev1.Probe, can cloudapi.Abilities) bool {
	switch kind {
	case ProbeLiveness:
		return !can.LivenessProbe || noCloudRuns(c, p)
	case ProbeReadiness:
		return !can.ReadinessProbe || noCloudRuns(c, p)
	default:
		return true
	}
}

// noCloudRuns tells whether a liveness or readiness probe is one that no cloud
// has words for: gRPC, a host or headers, more than one success, or one that
// must wait for a startup probe.
func noCloudRuns(c *corev1.Container, p *corev1.Probe) bool {
	switch {
	case c.StartupProbe != nil, p.GRPC != nil, orDefault(p.SuccessThreshold, defaultSuccessThreshold) != 1:
		return true
	case p.HTTPGet != nil:
		return p.HTTPGet.Host != "" || len(p.HTTPGet.HTTPHeaders) > 0
	case p.TCPSocket != nil:
		return p.TCPSocket.Host != ""
	}
	return false
}

// completeProbe is a copy of a probe with nothing left to look up.
func completeProbe(c *corev1.Container, p *corev1.Probe) corev1.Probe {
	out := *p.DeepCopy()
	out.PeriodSeconds = orDefault(p.PeriodSeconds, defaultPeriodSeconds)
	out.TimeoutSeconds = orDefault(p.TimeoutSeconds, defaultTimeoutSeconds)
	out.SuccessThreshold = orDefault(p.SuccessThreshold, defaultSuccessThreshold)
	out.FailureThreshold = orDefault(p.FailureThreshold, defaultFailureThreshold)
	switch {
	case out.HTTPGet != nil:
		completeHTTPGet(c, out.HTTPGet)
	case out.TCPSocket != nil:
		out.TCPSocket.Port = numberedPort(c, out.TCPSocket.Port)
	case out.Exec != nil:
		out.Exec.Command = expandStatic(c, p.Exec.Command)
	case out.GRPC != nil && out.GRPC.Service == nil:
		out.GRPC.Service = new(string)
	}
	return out
}

// completeHTTPGet fills in what an HTTP handler leaves open.
func completeHTTPGet(c *corev1.Container, get *corev1.HTTPGetAction) {
	get.Scheme = orDefault(get.Scheme, corev1.URISchemeHTTP)
	get.Path = orDefault(get.Path, "/")
	get.Port = numberedPort(c, get.Port)
}

// numberedPort replaces the name of one of the container's ports by its
// number; a name that none has stays.
func numberedPort(c *corev1.Container, p intstr.IntOrString) intstr.IntOrString {
	if number, ok := portNumber(c, p); ok {
		return intstr.FromInt32(number)
	}
	return p
}

// portNumber is a port that may be given by the name of one of the container's
// ports.
func portNumber(c *corev1.Container, p intstr.IntOrString) (int32, bool) {
	if p.Type == intstr.Int {
		return p.IntVal, true
	}
	for _, declared := range c.Ports {
		if declared.Name != "" && declared.Name == p.StrVal {
			return declared.ContainerPort, true
		}
	}
	return 0, false
}

// expandStatic expands $(NAME) by variables with a literal value only, and
// with that value as it is written: what a kubelet does for probes.
func expandStatic(c *corev1.Container, command []string) []string {
	literal := make(map[string]string, len(c.Env))
	for _, env := range c.Env {
		literal[env.Name] = env.Value
	}
	var out []string
	for _, word := range command {
		out = append(out, expand(word, func(name string) (string, bool) {
			value, known := literal[name]
			return value, known
		}))
	}
	return out
}
