package engine

import (
	"errors"
	"net/netip"
)

// errNoAddress is returned when every address of the subnet is taken.
var errNoAddress = errors.New("the subnet has no free address")

// addressPool gives out the addresses of a subnet, each as late as possible
// after it was freed, so that a client that mixes up two groups is found out.
// Engine.mu guards it.
type addressPool struct {
	prefix netip.Prefix
	next   netip.Addr
	taken  map[netip.Addr]bool
}

// newAddressPool returns a pool; of the zero Prefix it gives out nothing.
func newAddressPool(prefix netip.Prefix) *addressPool {
	p := &addressPool{taken: map[netip.Addr]bool{}}
	if prefix.IsValid() {
		p.prefix = prefix.Masked()
		p.next = p.first()
	}
	return p
}

// first is the first address for groups: after the network's own and its
// gateway's.
func (p *addressPool) first() netip.Addr { return p.prefix.Addr().Next().Next() }

// take returns a free address; "" if the pool gives none out.
func (p *addressPool) take() (string, error) {
	if !p.prefix.IsValid() {
		return "", nil
	}
	for start, wrapped := p.next, false; ; {
		a := p.next
		p.next = a.Next()
		// The last address of a subnet is its broadcast address.
		if !p.prefix.Contains(p.next) {
			if wrapped {
				return "", errNoAddress
			}
			p.next, wrapped = p.first(), true
			continue
		}
		if !p.taken[a] {
			p.taken[a] = true
			return a.String(), nil
		}
		if wrapped && p.next == start {
			return "", errNoAddress
		}
	}
}

// free returns an address; one that is not taken, or not of this pool, is
// ignored.
func (p *addressPool) free(address string) {
	if a, err := netip.ParseAddr(address); err == nil {
		delete(p.taken, a)
	}
}
