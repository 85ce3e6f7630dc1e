package eci

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// optionParams are the settings of a group that no pod has a field for and that
// createRequest does not list itself. Words and ranges are those of the
// parameter table of CreateContainerGroup.
type optionParams struct {
	GpuDriverVersion string `wire:"GpuDriverVersion" enum:"tesla=470.82.01,tesla=525.85.12"`

	EipISP                     string `wire:"EipISP" enum:"BGP,BGP_PRO"`
	EipCommonBandwidthPackage  string `wire:"EipCommonBandwidthPackage"`
	IPv6GatewayBandwidthEnable *bool  `wire:"Ipv6GatewayBandwidthEnable"`
	// A text in the API, of which the numbers are 1 to 2000.
	IPv6GatewayBandwidth *int32 `wire:"Ipv6GatewayBandwidth" range:"1-2000"`

	AutoMatchImageCache *bool             `wire:"AutoMatchImageCache"`
	PlainHTTPRegistry   string            `wire:"PlainHttpRegistry"`
	InsecureRegistry    string            `wire:"InsecureRegistry"`
	AcrRegistryInfo     []acrRegistryInfo `wire:"AcrRegistryInfo" max:"21"`

	DataCacheBucket          string `wire:"DataCacheBucket"`
	DataCachePL              string `wire:"DataCachePL" enum:"PL0,PL1,PL2,PL3"`
	DataCacheProvisionedIops *int64 `wire:"DataCacheProvisionedIops" range:"0-50000"`
	DataCacheBurstingEnabled *bool  `wire:"DataCacheBurstingEnabled"`

	ContainerResourceView *bool `wire:"ContainerResourceView"`
}

// acrRegistryInfo is an instance of Container Registry.
type acrRegistryInfo struct {
	InstanceID   string   `wire:"InstanceId"`
	InstanceName string   `wire:"InstanceName"`
	RegionID     string   `wire:"RegionId"`
	Domains      []string `wire:"Domain" max:"100"`
	ArnService   string   `wire:"ArnService"`
	ArnUser      string   `wire:"ArnUser"`
}

// checkEip refuses an elastic address that another living group has.
func (s *Server) checkEip(r *createRequest) error {
	if r.EipInstanceID == "" {
		return nil
	}
	users := s.groups.List(func(g *engine.Group) bool {
		return !isOver(g.Status) && wireOf(g).EipInstanceID == r.EipInstanceID
	})
	if len(users) > 0 {
		return fail(codeIncorrectStatus, "The EIP %q of EipInstanceId is bound to container group %s.", r.EipInstanceID, users[0].ID)
	}
	return nil
}

// isOver tells whether a group's compute and addresses are freed.
func isOver(status engine.Status) bool {
	switch status {
	case engine.Succeeded, engine.Failed, engine.Expired, engine.ScheduleFailed:
		return true
	default:
		return false
	}
}

// setAddresses shows what a group has besides its address in the vSwitch. The
// emulator's network reaches neither, so that they are of the ranges that are
// for documents (RFC 5737, RFC 3849).
func (v *groupView) setAddresses(g *engine.Group) {
	r := wireOf(g)
	if g.IP == "" || isOver(g.Status) {
		return
	}
	switch {
	case r.EipInstanceID != "":
		v.InternetIP = documentIPv4(r.EipInstanceID)
	case value(r.AutoCreateEip):
		v.InternetIP = documentIPv4(g.ID)
	}
	if value(r.IPv6AddressCount) > 0 {
		v.IPv6Address = documentIPv6(g.ID)
	}
}

func documentIPv4(seed string) string {
	return fmt.Sprintf("203.0.113.%d", 1+digest(seed)%254)
}

func documentIPv6(seed string) string {
	bytes := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	binary.BigEndian.PutUint64(bytes[8:], digest(seed))
	return netip.AddrFrom16(bytes).String()
}

func digest(seed string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed)) // a hash takes everything
	return h.Sum64()
}

// types are the instance types of a request, in order of preference.
func (r *createRequest) types() []string { return splitList(r.InstanceType) }

// soldType is the instance type that a group gets: the first that holds its
// containers.
func (r *createRequest) soldType() string {
	sum := containerSum(r, false)
	for _, name := range r.types() {
		if machine, known := machineOf(name); known && machine.holds(sum, cardsOf(r)) {
			return name
		}
	}
	return strings.Join(firstOf(r.types()), "")
}

// cardsOf are the graphics cards that the containers hold at one time.
func cardsOf(r *createRequest) int32 {
	var sum, most int32
	for i := range r.Containers {
		sum += value(r.Containers[i].GPU)
	}
	for i := range r.InitContainers {
		most = max(most, value(r.InitContainers[i].GPU))
	}
	return max(sum, most)
}
