package translate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// hooks sets a container's postStart and preStop hooks where the cloud runs
// them, and holds those that the node runs (NodeHooks) against what it can.
func (t *translation) hooks(out *cloudapi.Container, c *corev1.Container, path *field.Path) {
	if c.Lifecycle == nil {
		return
	}
	path = path.Child("lifecycle")
	out.PostStart = t.hook(c, c.Lifecycle.PostStart, path.Child("postStart"))
	out.PreStop = t.hook(c, c.Lifecycle.PreStop, path.Child("preStop"))
}

func (t *translation) hook(c *corev1.Container, h *corev1.LifecycleHandler, path *field.Path) *cloudapi.Handler {
	if h == nil {
		return nil
	}
	if h.Exec == nil && h.HTTPGet == nil && h.TCPSocket == nil && h.Sleep == nil {
		t.refusef(path, "the hook says neither exec nor httpGet")
	}
	if h.Sleep != nil {
		return nil // the node sleeps
	}
	out := t.handler(c, *h, path)
	if t.limits.Can.Hooks {
		t.atMost(path.Child("exec", "command"), t.limits.MaxHookCommand, len(out.Exec), "elements")
		if out.HTTP != nil {
			t.atMost(path.Child("httpGet", "httpHeaders"), t.limits.MaxHookHeaders, len(out.HTTP.Headers), "headers")
		}
		return &out
	}
	if h.Exec != nil {
		t.checkExec(out.Exec, path.Child("exec"))
	}
	return nil
}

// handler reads what a hook or a probe does, with every default filled in.
// Nothing in a command is expanded here.
func (t *translation) handler(c *corev1.Container, h corev1.LifecycleHandler, path *field.Path) cloudapi.Handler {
	var out cloudapi.Handler
	switch {
	case h.HTTPGet != nil:
		out.HTTP = &cloudapi.HTTPHandler{
			Scheme: orDefault(string(h.HTTPGet.Scheme), string(corev1.URISchemeHTTP)),
			Host:   h.HTTPGet.Host,
			Path:   onWire(h.HTTPGet.Path),
			Port:   t.port(c, h.HTTPGet.Port, path.Child("httpGet", "port")),
		}
		for _, header := range h.HTTPGet.HTTPHeaders {
			out.HTTP.Headers = append(out.HTTP.Headers, cloudapi.Header{Name: header.Name, Value: header.Value})
		}
	case h.TCPSocket != nil:
		out.TCP = &cloudapi.TCPHandler{Host: h.TCPSocket.Host, Port: t.port(c, h.TCPSocket.Port, path.Child("tcpSocket", "port"))}
	case h.Exec != nil:
		if len(h.Exec.Command) == 0 {
			t.refusef(path.Child("exec", "command"), "it is empty")
		}
		out.Exec = slices.Clone(h.Exec.Command)
	}
	return out
}
