package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Network is the addresses of a machine, all from one prefix of 16 bits:
//
//	.0.1          the host's end of the link
//	.0.2          the machine's end, its node's address
//	.0.8/29       addresses for nodes whose pods it runs
//	.128.0/17     the pods
//	.128.1        the machine, as the gateway of the pods
type Network struct {
	Prefix netip.Prefix
}

// networkBits is the length of a network's prefix, podBits that of its pods',
// nodeBits that of the nodes'.
const (
	networkBits = 16
	podBits     = 17
	nodeBits    = 29
)

// maxPodsOfNetwork is how many pods there are addresses for, with as many kept
// back for those that have just ended.
const maxPodsOfNetwork = 1 << (32 - podBits - 1)

// candidates are the networks to choose from: private ones which hardly anyone
// uses, then those of RFC 2544 for hosts that route all private ones elsewhere.
func candidates() []netip.Prefix {
	var all []netip.Prefix
	for second := byte(128); second < 144; second++ {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, 0, 0}), networkBits))
	}
	for second := byte(18); second < 20; second++ {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{198, second, 0, 0}), networkBits))
	}
	return all
}

// NewNetwork returns the network of a prefix, which must be one of IPv4 with 16
// bits.
func NewNetwork(prefix netip.Prefix) (Network, error) {
	if !prefix.IsValid() || !prefix.Addr().Is4() || prefix.Bits() != networkBits || prefix != prefix.Masked() {
		return Network{}, fmt.Errorf("network %v: want an IPv4 prefix like 10.128.0.0/%d", prefix, networkBits)
	}
	return Network{Prefix: prefix}, nil
}

// Host is the address of the host's end of the link. Nothing listens there.
func (n Network) Host() netip.Addr { return n.at(0, 1) }

// Address is the machine's own, to be its node's.
func (n Network) Address() netip.Addr { return n.at(0, 2) }

// Nodes is the prefix of addresses that stand for nodes of a cluster whose pods
// the machine runs without being their node. The host routes it to the machine
// if Services names one of them.
func (n Network) Nodes() netip.Prefix { return netip.PrefixFrom(n.at(0, 8), nodeBits) }

// Pods is the prefix of the pods' addresses. The host routes it to the machine.
func (n Network) Pods() netip.Prefix { return netip.PrefixFrom(n.at(128, 0), podBits) }

// Gateway is the machine's address as its pods see it, good for what pods are to
// reach.
func (n Network) Gateway() netip.Addr { return n.at(128, 1) }

// link is the prefix of the two ends of the link.
func (n Network) link(end netip.Addr) netip.Prefix { return netip.PrefixFrom(end, 30) }

func (n Network) at(third, fourth byte) netip.Addr {
	base := n.Prefix.Addr().As4()
	return netip.AddrFrom4([4]byte{base[0], base[1], third, fourth})
}

// id is the name of what a machine has on the host: its link (which allows for
// 15 characters) and its cgroups.
func (n Network) id() string {
	base := n.Prefix.Addr().As4()
	return fmt.Sprintf("cumulet%02x%02x", base[0], base[1])
}

// chooseNetwork returns the first candidate that overlaps none of the prefixes
// in use.
func chooseNetwork(used []netip.Prefix) (Network, error) {
	var taken []string
	for _, candidate := range candidates() {
		by, overlaps := overlapping(candidate, used)
		if !overlaps {
			return Network{Prefix: candidate}, nil
		}
		taken = append(taken, fmt.Sprintf("%v (%v)", candidate, by))
	}
	return Network{}, fmt.Errorf("choosing a network: %w: the host has routes or addresses in each (in parentheses): %s",
		errNoNetwork, strings.Join(taken, ", "))
}

// errNoNetwork is why no network can be chosen.
var errNoNetwork = errors.New("no network of the machine's is free")

// overlapping returns the first prefix in use that has addresses of candidate.
// The default route, which has all, only says where the rest of the world is.
func overlapping(candidate netip.Prefix, used []netip.Prefix) (netip.Prefix, bool) {
	for _, u := range used {
		if u.Bits() > 0 && u.Overlaps(candidate) {
			return u, true
		}
	}
	return netip.Prefix{}, false
}
