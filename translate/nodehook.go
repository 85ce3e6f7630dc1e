package translate

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// HookKind is when a lifecycle hook runs.
type HookKind string

// The kinds of hooks, in the kubelet's spelling.
const (
	// HookPostStart runs after each start of its container, beside its command.
	HookPostStart HookKind = "PostStart"
	// HookPreStop runs before its container is told to end, within the pod's
	// grace period.
	HookPreStop HookKind = "PreStop"
)

// NodeHook is a lifecycle hook that the cloud cannot run and the node must.
type NodeHook struct {
	// Container is the name of a container in spec.containers or of a sidecar.
	Container string
	Kind      HookKind
	// Handler has exactly one of Exec, HTTPGet and Sleep set. The command is run as
	// it is: a kubelet expands nothing in it. HTTPGet has scheme, path and a
	// numeric port; an empty host is the pod's address.
	Handler corev1.LifecycleHandler
}

// NodeHooks lists the lifecycle hooks of a pod that the cloud of these limits
// cannot run, in the order of LongRunning and postStart, preStop in each.
// Group leaves them out of the group, and refuses what the node cannot run
// either: on a cloud without exec, commands and, but for those that sleep,
// postStart hooks, whose failure ends a container.
//
// The list is meant for a pod that Group takes. The pod is not changed.
func NodeHooks(pod *corev1.Pod, limits cloudapi.Limits) []NodeHook {
	var out []NodeHook
	for _, c := range LongRunning(pod) {
		for _, h := range hooksOf(c) {
			if nodeHas(h, limits.Can) {
				out = append(out, NodeHook{Container: c.Name, Kind: h.Kind, Handler: completeHandler(c, h.handler)})
			}
		}
	}
	return out
}

// kindOfHook is one hook of a container.
type kindOfHook struct {
	Kind    HookKind
	handler *corev1.LifecycleHandler
}

// hooksOf lists the hooks that a container has.
func hooksOf(c *corev1.Container) []kindOfHook {
	if c.Lifecycle == nil {
		return nil
	}
	var out []kindOfHook
	for _, h := range []kindOfHook{{HookPostStart, c.Lifecycle.PostStart}, {HookPreStop, c.Lifecycle.PreStop}} {
		if h.handler != nil {
			out = append(out, h)
		}
	}
	return out
}

// nodeHas tells whether a hook is the node's.
func nodeHas(h kindOfHook, can cloudapi.Abilities) bool {
	switch {
	case h.handler.Sleep != nil:
		return true
	case can.Hooks:
		return false
	default:
		return can.Exec || h.Kind == HookPreStop && h.handler.HTTPGet != nil
	}
}

// completeHandler is a copy of a handler with nothing left to look up.
func completeHandler(c *corev1.Container, h *corev1.LifecycleHandler) corev1.LifecycleHandler {
	out := *h.DeepCopy()
	if out.HTTPGet != nil {
		completeHTTPGet(c, out.HTTPGet)
	}
	return out
}
