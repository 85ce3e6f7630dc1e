package translate_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// The values here are fixed for ever: groups that exist are found by them.
// They were computed with sha256sum, base32 and cut, not with this code.
func TestNamesMustNotChange(t *testing.T) {
	const uid = "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e"
	id := cloudapi.Identity{Cluster: "cluster", Node: "node", Namespace: "shop", PodName: "web-0", PodUID: uid}
	named := func(namespace, pod string) cloudapi.Identity {
		id := id
		id.Namespace, id.PodName = namespace, pod
		return id
	}
	tags, noTags := eciLimits(), kciLimits()
	short := tags
	short.Name.Max = 20
	cases := map[string]struct {
		reason string
		id     cloudapi.Identity
		limits cloudapi.Limits
		want   string
	}{
		"Tags":          {"for people, tags decide", id, tags, "shop-web-0-0b6f3c1e"},
		"TagsDots":      {"dots become hyphens", named("shop", "web.v1.2"), tags, "shop-web-v1-2-0b6f3c1e"},
		"TagsCut":       {"cut to fit, never ending in a hyphen", named("shop", "webserv-x-y"), short, "shop-webser-0b6f3c1e"},
		"TagsCutHyphen": {"no two hyphens at the cut", named("shop", "web-rv-x-y"), short, "shop-web-rv-0b6f3c1e"},
		"TagsLong":      {"cut to the cloud's limit", named(strings.Repeat("n", 63), strings.Repeat("p", 128)), tags, strings.Repeat("n", 63) + "-" + strings.Repeat("p", 55) + "-0b6f3c1e"},
		"NoTags":        {"owner, UID and name", id, noTags, "dsinrnqiz2." + uid + ".web-0"},
		"NoTagsDots":    {"the pod's own dots become hyphens", named("shop", "web.v1.2"), noTags, "dsinrnqiz2." + uid + ".web-v1-2"},
		"NoTagsCut":     {"63 characters in all", named("shop", "web-6d4b75cb6d-hvx8z"), noTags, "dsinrnqiz2." + uid + ".web-6d4b75cb6d"},
		"NoTagsOdd":     {"nothing of the name is left", named("shop", "..."), noTags, "dsinrnqiz2." + uid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := translate.GroupName(c.id, c.limits)
			if got != c.want {
				t.Errorf("%s: %q, want %q", c.reason, got, c.want)
			}
			if len(got) > c.limits.Name.Max {
				t.Errorf("%q has %d characters", got, len(got))
			}
			if !regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`).MatchString(got) {
				t.Errorf("%q is not a name that the clouds take", got)
			}
		})
	}
}

func TestOwnerOf(t *testing.T) {
	got := translate.OwnerOf("cluster", "node", kciLimits())
	if diff := cmp.Diff(cloudapi.Owner{Cluster: "cluster", Node: "node", NamePrefix: "dsinrnqiz2."}, got); diff != "" {
		t.Errorf("without tags (-want +got):\n%s", diff)
	}
	got = translate.OwnerOf("cluster", "node", eciLimits())
	if diff := cmp.Diff(cloudapi.Owner{Cluster: "cluster", Node: "node"}, got); diff != "" {
		t.Errorf("with tags (-want +got):\n%s", diff)
	}
	if a, b := translate.OwnerOf("a", "bc", kciLimits()), translate.OwnerOf("ab", "c", kciLimits()); a.NamePrefix == b.NamePrefix {
		t.Error("cluster and node run into each other")
	}
}

func TestUIDsThatNoNameCanCarry(t *testing.T) {
	for name, uid := range map[string]string{"Empty": "", "Upper": "ABC", "Dots": "a.b", "Long": strings.Repeat("a", 53)} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.UID = apitypes.UID(uid)
			_, _, err := translate.Group(pod, translate.References{}, options(kciLimits()))
			if err == nil || !strings.Contains(err.Error(), "metadata.uid: ") {
				t.Errorf("uid %q: %v", uid, err)
			}
		})
	}
}
