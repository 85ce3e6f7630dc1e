package eci

import (
	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// maxHookItems bounds a hook's command and headers (metadata of
// CreateContainerGroup: 101, which is one more than allowed).
const maxHookItems = 100

// addHooks writes the lifecycle hooks. Their parameters are not nested: every
// name begins with LifecyclePostStartHandler or LifecyclePreStopHandler.
func addHooks(out *sdk.CreateContainerGroupRequestContainer, c cloudapi.Container) error {
	if h := c.PostStart; h != nil {
		if err := checkHook(h); err != nil {
			return inField("PostStart", err)
		}
		addPostStart(out, h)
	}
	if h := c.PreStop; h != nil {
		if err := checkHook(h); err != nil {
			return inField("PreStop", err)
		}
		addPreStop(out, h)
	}
	return nil
}

func addPostStart(out *sdk.CreateContainerGroupRequestContainer, h *cloudapi.Handler) {
	out.LifecyclePostStartHandlerExec = texts(h.Exec)
	if get := h.HTTP; get != nil {
		out.LifecyclePostStartHandlerHttpGetHost = text1(get.Host)
		out.LifecyclePostStartHandlerHttpGetPath = text1(get.Path)
		out.LifecyclePostStartHandlerHttpGetPort = &get.Port
		out.LifecyclePostStartHandlerHttpGetScheme = text1(get.Scheme)
		for _, header := range get.Headers {
			out.LifecyclePostStartHandlerHttpGetHttpHeader = append(out.LifecyclePostStartHandlerHttpGetHttpHeader,
				&sdk.CreateContainerGroupRequestContainerLifecyclePostStartHandlerHttpGetHttpHeader{
					Name: &header.Name, Value: text1(header.Value),
				})
		}
	}
	if socket := h.TCP; socket != nil {
		out.LifecyclePostStartHandlerTcpSocketHost = text1(socket.Host)
		out.LifecyclePostStartHandlerTcpSocketPort = &socket.Port
	}
}

func addPreStop(out *sdk.CreateContainerGroupRequestContainer, h *cloudapi.Handler) {
	out.LifecyclePreStopHandlerExec = texts(h.Exec)
	if get := h.HTTP; get != nil {
		out.LifecyclePreStopHandlerHttpGetHost = text1(get.Host)
		out.LifecyclePreStopHandlerHttpGetPath = text1(get.Path)
		out.LifecyclePreStopHandlerHttpGetPort = &get.Port
		out.LifecyclePreStopHandlerHttpGetScheme = text1(get.Scheme)
		for _, header := range get.Headers {
			out.LifecyclePreStopHandlerHttpGetHttpHeader = append(out.LifecyclePreStopHandlerHttpGetHttpHeader,
				&sdk.CreateContainerGroupRequestContainerLifecyclePreStopHandlerHttpGetHttpHeader{
					Name: &header.Name, Value: text1(header.Value),
				})
		}
	}
	if socket := h.TCP; socket != nil {
		out.LifecyclePreStopHandlerTcpSocketHost = text1(socket.Host)
		out.LifecyclePreStopHandlerTcpSocketPort = &socket.Port
	}
}

func checkHook(h *cloudapi.Handler) error {
	kinds := 0
	for _, set := range []bool{h.HTTP != nil, h.TCP != nil, len(h.Exec) > 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return invalid(opCreate, "HTTP, TCP, Exec: exactly one must be set, not %d", kinds)
	case len(h.Exec) > maxHookItems:
		return invalid(opCreate, "Exec: has %d elements; the cloud takes at most %d", len(h.Exec), maxHookItems)
	case h.HTTP != nil && len(h.HTTP.Headers) > maxHookItems:
		return invalid(opCreate, "HTTP.Headers: has %d items; the cloud takes at most %d", len(h.HTTP.Headers), maxHookItems)
	}
	return nil
}
