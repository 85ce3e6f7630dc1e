package kci

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Forms of what the SDKs' notes give examples of only: N3.4B is a type, S6 a
// family, and ids are UUIDs.
var (
	instanceTypePattern   = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*\.[0-9]+[A-Z]$`)
	instanceFamilyPattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	addressIDPattern      = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// readInstance reads the machine that a group is to run on. A family is ignored
// beside a type (SDKs' notes). What sizes types have is not public, so that a
// group keeps the size that it asked for.
func readInstance(r *reader, n *node, spec *engine.Spec) {
	spec.InstanceType = r.optional(n, "InstanceType")
	if spec.InstanceType != "" && !instanceTypePattern.MatchString(spec.InstanceType) {
		r.fail(refuse("InstanceType", quote(spec.InstanceType)+" must be a type such as N3.4B"))
	}
	families := r.optional(n, "InstanceFamily")
	if families == "" {
		return
	}
	for family := range strings.SplitSeq(families, ",") {
		if !instanceFamilyPattern.MatchString(family) {
			r.fail(refuse("InstanceFamily", quote(families)+" must be a comma list of families such as S6,X7"))
		}
	}
}

// readAddresses reads the elastic IP addresses that a group is bound to. The
// emulated account has every one that anybody names.
func readAddresses(r *reader, n *node, echo *wire) {
	single, several := r.optional(n, "EipAllocationId"), r.nonEmptyTexts(r.list(n, "MultiEipAllocationId"))
	if single != "" && len(several) > 0 {
		r.fail(refuse("MultiEipAllocationId", "it excludes EipAllocationId"))
	}
	if single != "" {
		several = []string{single}
	}
	seen := map[string]bool{}
	for _, id := range several {
		switch {
		case !addressIDPattern.MatchString(id):
			r.fail(refuse("EipAllocationId", "elastic IP address "+quote(id)+" does not exist"))
		case seen[id]:
			r.fail(refuse("MultiEipAllocationId", quote(id)+" was given already"))
		}
		seen[id] = true
	}
	echo.eips = several
}

// boundAddress refuses an elastic IP address that one of these groups has.
func boundAddress(spec *engine.Spec, alive []engine.Group) *apiError {
	asked, ok := spec.Wire.(*wire)
	if !ok {
		return nil
	}
	for i := range alive {
		for _, id := range wireOf(&alive[i]).eips {
			if slices.Contains(asked.eips, id) {
				return refuse("EipAllocationId", "elastic IP address "+quote(id)+" is bound already")
			}
		}
	}
	return nil
}

// publicIP is the address behind the first id: of the range for documents (RFC
// 5737), since the emulator's network reaches none. It is bound after the start.
func publicIP(g *engine.Group) *string {
	eips := wireOf(g).eips
	if len(eips) == 0 || g.IP == "" || g.Status.Final() {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(eips[0])) // a hash takes everything
	text := fmt.Sprintf("203.0.113.%d", 1+h.Sum64()%254)
	return &text
}
