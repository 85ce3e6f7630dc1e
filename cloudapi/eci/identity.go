package eci

import (
	"strings"
	"unicode/utf8"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// The tags that hold a group's identity. They must not change: groups with
// other tags are not found again. A key has at most 64 characters and does not
// start with aliyun, acs:, http:// or https:// (parameter table of
// CreateContainerGroup). A value too long for one tag goes on in the tag of the
// same key and suffix -2.
const (
	TagCluster   = "cumulet.dev/cluster"
	TagNode      = "cumulet.dev/node"
	TagNamespace = "cumulet.dev/namespace"
	TagPod       = "cumulet.dev/pod"
	TagUID       = "cumulet.dev/uid"

	tagRest = "-2"
)

// maxTagValue is a tag value's greatest length in characters (parameter table of CreateContainerGroup).
const maxTagValue = 128

// reservedValuePrefix may not start a tag value (parameter table of CreateContainerGroup).
const reservedValuePrefix = "acs:"

type tag struct{ key, value string }

// identityTags lists an identity's tags in a fixed order, without empty ones.
func identityTags(id cloudapi.Identity) ([]tag, error) {
	var out []tag
	for _, t := range []tag{
		{TagCluster, id.Cluster}, {TagNode, id.Node}, {TagNamespace, id.Namespace},
		{TagPod, id.PodName}, {TagUID, id.PodUID},
	} {
		parts, err := splitTag(t)
		if err != nil {
			return nil, err
		}
		out = append(out, parts...)
	}
	return out, nil
}

// splitTag spreads a value over at most two tags.
func splitTag(t tag) ([]tag, error) {
	runes := []rune(t.value)
	if !utf8.ValidString(t.value) || len(runes) > 2*maxTagValue {
		return nil, invalid(opCreate, "Identity: the value of tag %s must be UTF-8 of at most %d characters", t.key, 2*maxTagValue)
	}
	var out []tag
	if len(runes) > maxTagValue {
		out = []tag{{t.key, string(runes[:maxTagValue])}, {t.key + tagRest, string(runes[maxTagValue:])}}
	} else if len(runes) > 0 {
		out = []tag{t}
	}
	for _, part := range out {
		if strings.HasPrefix(part.value, reservedValuePrefix) {
			return nil, invalid(opCreate, "Identity: the value of tag %s must not start with %s", part.key, reservedValuePrefix)
		}
	}
	return out, nil
}

func tagsOf(id cloudapi.Identity) ([]*sdk.CreateContainerGroupRequestTag, error) {
	tags, err := identityTags(id)
	if err != nil {
		return nil, err
	}
	var out []*sdk.CreateContainerGroupRequestTag
	for _, t := range tags {
		out = append(out, &sdk.CreateContainerGroupRequestTag{Key: &t.key, Value: &t.value})
	}
	return out, nil
}

// identityOf reads an identity back from tags; the fields of missing tags are
// empty.
func identityOf(tags []wireTag) cloudapi.Identity {
	values := map[string]string{}
	for _, t := range tags {
		values[string(t.Key)] = string(t.Value)
	}
	whole := func(key string) string { return values[key] + values[key+tagRest] }
	return cloudapi.Identity{
		Cluster: whole(TagCluster), Node: whole(TagNode), Namespace: whole(TagNamespace),
		PodName: whole(TagPod), PodUID: whole(TagUID),
	}
}
