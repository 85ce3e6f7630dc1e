package translate

import (
	"math"
	"net/url"
	"strings"

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
	// Container is the name of a container in spec.containers or of a sidecar.
	Container string
	Kind      ProbeKind
	// Probe has every default of Kubernetes filled in, ports as numbers, and
	// $(NAME) in its command expanded as a kubelet does. Exactly one handler
	// is set.
	Probe corev1.Probe
}

// NodeProbes lists the probes of a pod that the cloud of these limits cannot
// run, in the order of LongRunning and startup, liveness, readiness in
// each. Group leaves them out of the group. Without limits.Can.Exec it refuses
// exec handlers, and all startup and liveness probes: the node could not end a
// container that fails.
//
// Startup probes are always the node's, which the cloud does not know, and so are
// the readiness probes of containers that have one, for the cloud would begin with
// them too early, and those of sidecars, see reasonSidecarReadiness. So are the
// liveness probes of containers with a startup probe, where the node can restart
// the container alone; elsewhere the cloud begins with them when the startup probe
// has succeeded at the latest.
//
// The list is meant for a pod that Group takes. The pod is not changed.
func NodeProbes(pod *corev1.Pod, limits cloudapi.Limits) []NodeProbe {
	var out []NodeProbe
	for _, c := range LongRunning(pod) {
		for _, p := range probesOf(c) {
			if nodeRuns(pod, c, p.Kind, p.probe, limits.Can) {
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
func nodeRuns(pod *corev1.Pod, c *corev1.Container, kind ProbeKind, p *corev1.Probe, can cloudapi.Abilities) bool {
	switch kind {
	case ProbeLiveness:
		return !can.LivenessProbe || hasNoWords(p) || c.StartupProbe != nil && restartsAlone(pod, can)
	case ProbeReadiness:
		return !can.ReadinessProbe || nodeReadiness(pod, c)
	default:
		return true
	}
}

// restartsAlone tells whether the node can do to the pod's one container what a
// kubelet does to one whose liveness probe has failed.
func restartsAlone(pod *corev1.Pod, can cloudapi.Abilities) bool {
	single := len(pod.Spec.Containers) == 1 && len(pod.Spec.InitContainers) == 0
	return single && can.Exec && (can.Restart || pod.Spec.RestartPolicy == corev1.RestartPolicyNever)
}

// startupBudget is how many seconds after its start a container's startup probe has
// succeeded at the latest, or the container has been ended.
func startupBudget(p *corev1.Probe) int32 {
	period, failures := orDefault(p.PeriodSeconds, defaultPeriodSeconds), orDefault(p.FailureThreshold, defaultFailureThreshold)
	budget := int64(p.InitialDelaySeconds) + int64(period)*int64(failures) + int64(orDefault(p.TimeoutSeconds, defaultTimeoutSeconds))
	return int32(min(budget, math.MaxInt32)) //nolint:gosec // held to 32 bits
}

// nodeReadiness tells whether a container's readiness probe is the node's on
// every cloud: no cloud has words for it, it must wait for a startup probe, or it
// is a sidecar's.
func nodeReadiness(pod *corev1.Pod, c *corev1.Container) bool {
	return c.StartupProbe != nil || hasNoWords(c.ReadinessProbe) || isSidecar(pod, c.Name)
}

// hasNoWords tells whether no cloud can be told of a probe: gRPC, a host or
// headers, or more than one success.
func hasNoWords(p *corev1.Probe) bool {
	switch {
	case p.GRPC != nil, orDefault(p.SuccessThreshold, defaultSuccessThreshold) != 1:
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
	get.Path = onWire(get.Path)
	get.Port = numberedPort(c, get.Port)
}

// onWire is an HTTP path as a kubelet asks for it: path and query of what may be a
// whole URL, from the root.
func onWire(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		u = &url.URL{Path: path}
	}
	asked := u.RequestURI()
	if strings.HasPrefix(asked, "/") {
		return asked
	}
	return "/" + asked
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
