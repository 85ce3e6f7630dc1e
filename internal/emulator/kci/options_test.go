package kci

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const eipID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

// TestAddresses: a bound address is told, and is one group's at a time.
func TestAddresses(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Dialect = Extended })
	create := params("ContainerGroupName", "web", "SubnetId", "s", "SecurityGroupId.1", "g", "ChargeType", "HourlyInstantSettlement",
		"Cpu", "1", "Memory", "1", "Container.1.Name", "a", "Container.1.Image", "i", "EipAllocationId", eipID)
	if w := b.post("CreateContainerGroup", create); w.Code != http.StatusOK {
		t.Fatalf("creating: %s", w.Body)
	}
	b.groups.groups[0].IP = "10.0.0.9"
	w := b.post("DescribeContainerGroup", params())
	_, rest, _ := strings.Cut(w.Body.String(), `"PublicIp":"`)
	text, _, _ := strings.Cut(rest, `"`)
	if a, err := netip.ParseAddr(text); err != nil || !netip.MustParsePrefix("203.0.113.0/24").Contains(a) {
		t.Errorf("PublicIp is %q; want an address for documents (RFC 5737): %s", text, w.Body)
	}
	if w := b.post("CreateContainerGroup", create); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "is bound already") {
		t.Errorf("a second group gets %d %s; want a refusal", w.Code, w.Body)
	}
	b.groups.groups[0].Status = engine.Succeeded
	if w := b.post("CreateContainerGroup", create); w.Code != http.StatusOK {
		t.Errorf("after the end of the first: %d %s", w.Code, w.Body)
	}
}
