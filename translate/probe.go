package translate

import (
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

// probe translates a liveness or readiness probe; nil stays nil.
func (t *translation) probe(c *corev1.Container, p *corev1.Probe, path *field.Path) *cloudapi.Probe {
	if p == nil {
		return nil
	}
	out := &cloudapi.Probe{
		InitialDelaySeconds: p.InitialDelaySeconds,
		PeriodSeconds:       orDefault(p.PeriodSeconds, defaultPeriodSeconds),
		TimeoutSeconds:      orDefault(p.TimeoutSeconds, defaultTimeoutSeconds),
		SuccessThreshold:    orDefault(p.SuccessThreshold, defaultSuccessThreshold),
		FailureThreshold:    orDefault(p.FailureThreshold, defaultFailureThreshold),
	}
	if out.SuccessThreshold != 1 {
		t.refusef(path.Child("successThreshold"), "%d; the clouds take 1 only", out.SuccessThreshold)
	}
	switch {
	case p.HTTPGet != nil:
		out.HTTP = &cloudapi.HTTPProbe{
			Scheme: orDefault(string(p.HTTPGet.Scheme), string(corev1.URISchemeHTTP)),
			Path:   orDefault(p.HTTPGet.Path, "/"),
			Port:   t.port(c, p.HTTPGet.Port, path.Child("httpGet", "port")),
		}
	case p.TCPSocket != nil:
		out.TCP = &cloudapi.TCPProbe{Port: t.port(c, p.TCPSocket.Port, path.Child("tcpSocket", "port"))}
	case p.Exec != nil:
		out.Exec = &cloudapi.ExecProbe{Command: t.probeCommand(c, p.Exec.Command, path.Child("exec", "command"))}
	case p.GRPC == nil: // which the table has refused
		t.refusef(path, "the probe says neither exec, httpGet nor tcpSocket")
	}
	return out
}

// port resolves a port that may be given by the name of one of the container's
// ports.
func (t *translation) port(c *corev1.Container, p intstr.IntOrString, path *field.Path) int32 {
	if p.Type == intstr.Int {
		return p.IntVal
	}
	for _, declared := range c.Ports {
		if declared.Name != "" && declared.Name == p.StrVal {
			return declared.ContainerPort
		}
	}
	t.refusef(path, "the container has no port named %q", p.StrVal)
	return 0
}

// probeCommand expands $(NAME) by variables with a literal value only, and with
// that value as it is written: what a kubelet does for probes.
func (t *translation) probeCommand(c *corev1.Container, command []string, path *field.Path) []string {
	literal := make(map[string]string, len(c.Env))
	for _, env := range c.Env {
		literal[env.Name] = env.Value
	}
	out := make([]string, 0, len(command))
	for _, word := range command {
		out = append(out, expand(word, func(name string) (string, bool) {
			value, known := literal[name]
			return value, known
		}))
	}
	t.checkCommand(out, t.limits.MaxCommand, path)
	return out
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
