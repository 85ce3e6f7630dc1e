package machine

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNetworkAddresses(t *testing.T) {
	n, err := NewNetwork(netip.MustParsePrefix("10.143.0.0/16"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{
		"host": n.Host().String(), "address": n.Address().String(), "pods": n.Pods().String(), "gateway": n.Gateway().String(),
		"link": n.link(n.Host()).String(), "id": n.id(), "nodes": n.Nodes().String(),
	}
	want := map[string]string{
		"host": "10.143.0.1", "address": "10.143.0.2", "pods": "10.143.128.0/17", "gateway": "10.143.128.1",
		"link": "10.143.0.1/30", "id": "cumulet0a8f", "nodes": "10.143.0.8/29",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChooseNetwork(t *testing.T) {
	cases := map[string]struct {
		reason string
		used   []string
		want   string
	}{
		"Quiet":   {reason: "The first is free.", want: "10.128.0.0/16"},
		"Default": {reason: "The default route has no address of its own.", used: []string{"0.0.0.0/0", "192.0.2.0/24"}, want: "10.128.0.0/16"},
		"Address": {reason: "One address is enough to keep away.", used: []string{"10.128.7.9/32"}, want: "10.129.0.0/16"},
		"Machine": {reason: "Another machine has the first.", used: []string{"10.128.0.0/30", "10.128.128.0/17"}, want: "10.129.0.0/16"},
		"Wide":    {reason: "A wider route has several.", used: []string{"10.128.0.0/13"}, want: "10.136.0.0/16"},
		"Private": {reason: "A virtual private network may take all private addresses.", used: []string{"10.0.0.0/8"}, want: "198.18.0.0/16"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := chooseNetwork(prefixes(tc.used))
			if err != nil || got.Prefix.String() != tc.want {
				t.Errorf("%s\ngot %v (%v), want %s", tc.reason, got.Prefix, err, tc.want)
			}
		})
	}
	_, err := chooseNetwork(prefixes([]string{"0.0.0.0/1", "128.0.0.0/1"}))
	if !errors.Is(err, errNoNetwork) || !strings.Contains(err.Error(), "198.19.0.0/16 (128.0.0.0/1)") {
		t.Errorf("error = %v, want one that says what is in the way", err)
	}
}

func prefixes(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestNewNetwork(t *testing.T) {
	for _, bad := range []netip.Prefix{
		{},
		netip.MustParsePrefix("10.128.0.0/15"),
		netip.MustParsePrefix("10.128.1.0/16"),
		netip.MustParsePrefix("fd00::/16"),
	} {
		if _, err := NewNetwork(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
