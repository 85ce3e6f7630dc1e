package kci

import (
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// ownerLength is the length of the owner's mark at the start of a name.
const ownerLength = 10

// identityOf reads a group's name, which translate has made as
//
//	<owner>.<pod uid>[.<pod name, shortened>]
//
// where the owner is 10 characters of lower-case base32. KCI has neither tags
// nor labels for groups of this kind, so the name is all there is. A name of
// another shape gives no identity; whose the owner is, the name does not tell.
func identityOf(name string) cloudapi.Identity {
	parts := strings.SplitN(name, ".", 3)
	if len(parts) < 2 || len(parts[0]) != ownerLength || parts[1] == "" ||
		strings.Trim(parts[0], "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return cloudapi.Identity{}
	}
	identity := cloudapi.Identity{PodUID: parts[1]}
	if len(parts) == 3 {
		identity.PodName = parts[2]
	}
	return identity
}

// owned fills in whose group it is, if its name says it is the owner's.
func owned(group *cloudapi.Group, owner cloudapi.Owner) bool {
	if !strings.HasPrefix(group.Name, owner.NamePrefix) {
		return false
	}
	group.Identity.Cluster, group.Identity.Node = owner.Cluster, owner.Node
	return true
}
