package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// nodeEndpoint is where a virtual node's kubelet API is.
type nodeEndpoint struct {
	// listen is where cumulet serves it, on this host's loopback.
	listen netip.AddrPort
	// address is the node's, in the machine's network, where Services of type
	// NodePort answer. The machine forwards listen's port there.
	address netip.Addr
}

// kubeletPort is the kubelet's usual port.
const kubeletPort = 10250

// chooseNodeEndpoints gives each virtual node an address that pods reach, if
// they have Services: those of type NodePort are asked for at a node's address.
func (s *Stack) chooseNodeEndpoints(ctx context.Context) error {
	if !s.Services() {
		return nil
	}
	s.nodeEndpoints = map[string]nodeEndpoint{}
	address := s.network.Nodes().Addr()
	for i, name := range s.options.Nodes {
		listen, err := freeAddress(ctx, ownLoopback(s.network.Prefix.Addr(), i))
		if err != nil {
			return fmt.Errorf("choosing an address of node %s: %w", name, err)
		}
		s.nodeEndpoints[name] = nodeEndpoint{listen: listen, address: address}
		address = address.Next()
	}
	return nil
}

// ownLoopback is a loopback address for the i-th node of the system that has a
// network: others choose theirs by other networks. The usual one would do but for
// the ports, which others may take while cumulet is being restarted.
func ownLoopback(network netip.Addr, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, network.As4()[1], 0, byte(8 + i)}) //nolint:gosec // there are two nodes
}

// freeAddress returns a port of an address that nobody listens on, the kubelet's
// if that is free.
func freeAddress(ctx context.Context, address netip.Addr) (netip.AddrPort, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", netip.AddrPortFrom(address, kubeletPort).String())
	if errors.Is(err, syscall.EADDRINUSE) { // a real kubelet's
		listener, err = listen.Listen(ctx, "tcp", netip.AddrPortFrom(address, 0).String())
	}
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("finding a free port: %w", err)
	}
	chosen, err := netip.ParseAddrPort(listener.Addr().String())
	if err = errors.Join(err, listener.Close()); err != nil {
		return netip.AddrPort{}, fmt.Errorf("finding a free port: %w", err)
	}
	return chosen, nil
}
