package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// usedPrefixes are the IPv4 prefixes of the host's routes and addresses.
func usedPrefixes() ([]netip.Prefix, error) {
	// With no family named it would open them all, and fail where one is not
	// built in.
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("reading the host's network: %w", err)
	}
	defer host.Close()
	everyTable := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	routes, err := host.RouteListFiltered(netlink.FAMILY_V4, everyTable, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("reading the host's routes: %w", err)
	}
	addresses, err := host.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("reading the host's addresses: %w", err)
	}
	var used []netip.Prefix
	for _, route := range routes {
		used = appendPrefix(used, route.Dst)
	}
	for _, address := range addresses {
		used = appendPrefix(used, address.IPNet)
	}
	return used, nil
}

func appendPrefix(to []netip.Prefix, n *net.IPNet) []netip.Prefix {
	if n == nil {
		return to
	}
	address, ok := netip.AddrFromSlice(n.IP.To4())
	if !ok {
		return to
	}
	bits, _ := n.Mask.Size()
	return append(to, netip.PrefixFrom(address, bits))
}

// ipNet is a prefix as netlink wants it.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// connect joins a network namespace to the host: a link, and on the host routes
// by it to the pods and to the nodes' addresses.
func (n Network) connect(namespace *os.File, nodes []netip.Addr) error {
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("connecting the machine: %w", err)
	}
	defer host.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = n.id()
	link := &netlink.Veth{LinkAttrs: attributes, PeerName: "eth0", PeerNamespace: netlink.NsFd(namespace.Fd())}
	if err := host.LinkAdd(link); err != nil {
		return fmt.Errorf("making link %s: %w", n.id(), err)
	}
	if err := n.configureInside(namespace, nodes); err != nil {
		return err
	}
	if err := configureLink(host, n.id(), n.link(n.Host())); err != nil {
		return err
	}
	routed := []netip.Prefix{n.Pods()}
	if len(nodes) > 0 {
		routed = append(routed, n.Nodes())
	}
	for _, prefix := range routed {
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(prefix), Gw: n.Address().AsSlice()}
		if err := host.RouteAdd(route); err != nil {
			return fmt.Errorf("routing %v to the machine: %w", prefix, err)
		}
	}
	return nil
}

// configureInside gives the links in the namespace their addresses. There is no
// default route: what pods can reach is inside, or is forwarded.
func (n Network) configureInside(namespace *os.File, nodes []netip.Addr) error {
	inside, err := netlink.NewHandleAt(netns.NsHandle(namespace.Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("configuring the machine's network: %w", err)
	}
	defer inside.Close()
	if err := configureLink(inside, "eth0", n.link(n.Address())); err != nil {
		return err
	}
	// Each pod's link has the gateway's address, too, but there may be no pod.
	// The usual ones of loopback come from the kernel.
	own := []netip.Prefix{single(n.Gateway())}
	for _, node := range nodes {
		own = append(own, single(node))
	}
	return configureLink(inside, "lo", own...)
}

// configureLink gives a link its addresses and sets it up.
func configureLink(h *netlink.Handle, name string, addresses ...netip.Prefix) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("finding link %s: %w", name, err)
	}
	for _, address := range addresses {
		if err := h.AddrAdd(link, &netlink.Addr{IPNet: ipNet(address)}); err != nil {
			return fmt.Errorf("giving link %s address %v: %w", name, address, err)
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("setting link %s up: %w", name, err)
	}
	return nil
}

// removeLink removes a link of the network namespace we are in.
func removeLink(name string) error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("removing link %s: %w", name, err)
	}
	defer handle.Close()
	link, err := handle.LinkByName(name)
	if err == nil {
		err = handle.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("removing link %s: %w", name, err)
	}
	return nil
}

// disconnect removes the host's end of the link, and with it the route. It is
// gone already if the machine is; but that may take the kernel a moment.
func (n Network) disconnect(ctx context.Context) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		err := removeLink(n.id())
		if errors.As(err, &netlink.LinkNotFoundError{}) {
			return nil
		}
		if err != nil && !errors.Is(err, unix.ENODEV) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("removing link %s: %w", n.id(), context.Cause(ctx))
		}
	}
}
