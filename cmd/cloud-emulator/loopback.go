package main

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// forwardTimeout bounds opening one port inside the machine.
const forwardTimeout = 5 * time.Second

// reaching is a runtime on a machine with a network of its own, from which the
// registries on this host's loopback addresses are to be reached as well.
type reaching struct {
	engine.Runtime

	machine interface {
		ForwardLoopback(ctx context.Context, port uint16) error
	}
	log logr.Logger
}

// Start implements engine.Runtime.
func (r reaching) Start(id string, spec *engine.Spec, report func(engine.Observation)) engine.Instance {
	for _, containers := range [][]engine.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			r.reach(containers[i].Image)
		}
	}
	return r.Runtime.Start(id, spec, report)
}

// reach lets the machine reach the registry of an image if it is on loopback.
func (r reaching) reach(image string) {
	port, ok := loopbackPort(image)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), forwardTimeout)
	defer cancel()
	if err := r.machine.ForwardLoopback(ctx, port); err != nil {
		r.log.Error(err, "A registry on this host cannot be reached", "image", image)
	}
}

// loopbackPort is the port of an image's registry if that is on a loopback
// address or localhost.
func loopbackPort(image string) (uint16, bool) {
	registry, _, found := strings.Cut(image, "/")
	if !found {
		return 0, false
	}
	host, text, err := net.SplitHostPort(registry)
	if err != nil {
		return 0, false
	}
	if address, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !address.IsLoopback()) {
		return 0, false
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, false
	}
	return uint16(port), true
}
