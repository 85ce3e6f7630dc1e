package eci_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestPublicAddress: an elastic address that the cloud makes is told, and is not
// among the group's own; a group without one has none.
func TestPublicAddress(t *testing.T) {
	client := connect(t, emulate(t, nil), account("static"))
	public := web("public")
	public.Options.Address.CreateEIP = true
	got := await(t, client, create(t, client, public, "token-1"), running)
	if len(got.PublicIPs) != 1 || !strings.HasPrefix(got.PublicIPs[0], "203.0.113.") || slices.Contains(got.IPs, got.PublicIPs[0]) {
		t.Errorf("public addresses %v, own %v; want one in 203.0.113.0/24 that is not the group's own", got.PublicIPs, got.IPs)
	}
	if plain := await(t, client, create(t, client, web("plain"), "token-2"), running); len(plain.PublicIPs) != 0 {
		t.Errorf("public addresses %v, want none", plain.PublicIPs)
	}
}

// TestNamesOfAHostAlias: as many names as the limits say are taken, and two more
// are not: the schema's bound is one beyond what is meant.
func TestNamesOfAHostAlias(t *testing.T) {
	client := connect(t, emulate(t, nil), account("static"))
	spec := web("names")
	names := slices.Repeat([]string{"a.example.com"}, client.Limits().MaxHostnames+2)
	for token, n := range map[string]int{"token-1": len(names) - 2, "token-2": len(names)} {
		spec.HostAliases = []cloudapi.HostAlias{{IP: "192.0.2.1", Hostnames: names[:n]}}
		_, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{Token: token})
		if refused := cloudapi.Is(err, cloudapi.CodeInvalid); refused != (n == len(names)) || !refused && err != nil {
			t.Errorf("%d names: %v", n, err)
		}
	}
}
