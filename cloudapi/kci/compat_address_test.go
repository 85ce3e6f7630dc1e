package kci_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/kci"
)

// TestPublicAddress: an elastic address that is bound to a group is told, and is
// not among the group's own.
func TestPublicAddress(t *testing.T) {
	client := newCloud(t, kci.Extended).client(t, nil)
	spec := kci.PlainSpec()
	spec.Options.Address.EIPs = []string{"5f1c2b7e-0a3d-4c58-9e6f-1b2c3d4e5f60"}
	id, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got cloudapi.Group
	eventually(t, "the group has a public address", func() bool {
		groups, err := client.Get(t.Context(), []string{id})
		if err != nil || len(groups) != 1 {
			t.Fatalf("%v, error %v", groups, err)
		}
		got = groups[0]
		return len(got.PublicIPs) > 0
	})
	if len(got.PublicIPs) != 1 || !strings.HasPrefix(got.PublicIPs[0], "203.0.113.") || slices.Contains(got.IPs, got.PublicIPs[0]) {
		t.Errorf("public addresses %v, own %v; want one in 203.0.113.0/24 that is not the group's own", got.PublicIPs, got.IPs)
	}
}
