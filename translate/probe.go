package translate

import (
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// Kubernetes' defaults of a probe. They are always sent: the clouds' own
// differ.
const (
	defaultPeriodSeconds    = 10
	defaultTimeoutSeconds   = 1
	defaultSuccessThreshold = 1
	defaultFailureThreshold = 3
)

// probe translates a liveness or readiness probe; nil stays nil, and so does
// what the node runs instead (NodeProbes).
func (t *translation) probe(c *corev1.Container, kind ProbeKind, path *field.Path) *cloudapi.Probe {
	p := probeOf(c, kind)
	if p == nil {
		return nil
	}
	handler := t.probeHandler(c, p, path)
	if nodeRuns(t.pod, c, kind, p, t.limits.Can) {
		t.checkNodeProbe(c, kind, p, path)
		return nil
	}
	t.checkCommand(handler.Exec, t.limits.MaxProbeCommand, path.Child("exec", "command"))
	delay := p.InitialDelaySeconds
	if c.StartupProbe != nil { // a liveness probe; the others are the node's then
		delay = max(delay, startupBudget(c.StartupProbe))
		t.notef(path, DecisionEmulated, "the cloud begins with it %d seconds after the container's start, when the startup probe has "+
			"succeeded at the latest, and not as soon as it has", delay)
	}
	return &cloudapi.Probe{
		HTTP: probeHTTP(handler.HTTP), TCP: probeTCP(handler.TCP), Exec: probeExec(handler.Exec),
		InitialDelaySeconds: delay,
		PeriodSeconds:       orDefault(p.PeriodSeconds, defaultPeriodSeconds),
		TimeoutSeconds:      orDefault(p.TimeoutSeconds, defaultTimeoutSeconds),
		SuccessThreshold:    orDefault(p.SuccessThreshold, defaultSuccessThreshold),
		FailureThreshold:    orDefault(p.FailureThreshold, defaultFailureThreshold),
	}
}

// probeHandler reads what a probe does, with its command expanded.
func (t *translation) probeHandler(c *corev1.Container, p *corev1.Probe, path *field.Path) cloudapi.Handler {
	out := t.handler(c, corev1.LifecycleHandler{Exec: p.Exec, HTTPGet: p.HTTPGet, TCPSocket: p.TCPSocket}, path)
	out.Exec = expandStatic(c, out.Exec)
	if p.Exec == nil && p.HTTPGet == nil && p.TCPSocket == nil && p.GRPC == nil {
		t.refusef(path, "the probe says neither exec, httpGet, tcpSocket nor grpc")
	}
	return out
}

// checkNodeProbe tells why the node runs a probe where the table does not, and
// holds its command to what the node can have run.
func (t *translation) checkNodeProbe(c *corev1.Container, kind ProbeKind, p *corev1.Probe, path *field.Path) {
	switch {
	case c.StartupProbe != nil && kind != ProbeStartup:
		t.notef(path, DecisionEmulated, "the node runs it, since the cloud would begin with it before the startup probe has succeeded")
	case kind == ProbeReadiness && isSidecar(t.pod, c.Name):
		t.notef(path, DecisionEmulated, reasonSidecarReadiness)
	}
	if p.Exec != nil {
		t.checkExec(expandStatic(c, p.Exec.Command), path.Child("exec"))
	}
}

// checkExec holds a command that the node runs in a container against what the
// cloud's exec call takes.
func (t *translation) checkExec(command []string, path *field.Path) {
	limits, all := t.limits.Exec, 0
	path = path.Child("command")
	t.atMost(path, limits.MaxElements, len(command), "elements")
	for i, word := range command {
		n := utf8.RuneCountInString(word)
		all += n
		t.atMost(path.Index(i), limits.MaxElementCharacters, n, "characters")
	}
	t.atMost(path, limits.MaxCharacters, all, "characters in all")
}

// probeOf is a container's probe of this kind.
func probeOf(c *corev1.Container, kind ProbeKind) *corev1.Probe {
	switch kind {
	case ProbeLiveness:
		return c.LivenessProbe
	case ProbeReadiness:
		return c.ReadinessProbe
	default:
		return c.StartupProbe
	}
}

func probeHTTP(h *cloudapi.HTTPHandler) *cloudapi.HTTPProbe {
	if h == nil {
		return nil
	}
	return &cloudapi.HTTPProbe{Scheme: h.Scheme, Path: h.Path, Port: h.Port}
}

func probeTCP(h *cloudapi.TCPHandler) *cloudapi.TCPProbe {
	if h == nil {
		return nil
	}
	return &cloudapi.TCPProbe{Port: h.Port}
}

func probeExec(command []string) *cloudapi.ExecProbe {
	if command == nil {
		return nil
	}
	return &cloudapi.ExecProbe{Command: command}
}

// port resolves a port that may be given by the name of one of the container's
// ports.
func (t *translation) port(c *corev1.Container, p intstr.IntOrString, path *field.Path) int32 {
	number, ok := portNumber(c, p)
	if !ok {
		t.refusef(path, "the container has no port named %q", p.StrVal)
	}
	return number
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
