package eci

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
)

// neverSent are the parameters of CreateContainerGroup that no GroupSpec reaches.
// docs/reference/parameters.md says why, and what to do instead.
var neverSent = []string{
	"AcrRegistryInfo.Domain", "AcrRegistryInfo.InstanceName", "CpuOptionsNuma", "DryRun", "OsType", "OwnerAccount", "OwnerId",
	"ResourceOwnerAccount", "ResourceOwnerId", "StrictSpot", "Volume.DiskVolume.DiskId", "Volume.DiskVolume.DiskSize", "Volume.DiskVolume.FsType",
}

// neverRead are what DescribeContainerGroups tells of a group and nobody here asks
// for: what we said ourselves, what belongs to the account, and what is not in use.
var neverRead = []string{
	"ComputeCategory", "Discount", "DnsConfig", "DnsPolicy", "EciSecurityContext", "EniInstanceId", "EphemeralStorage", "HostAliases",
	"InstanceType", "RamRoleName", "RegionId", "ResourceGroupId", "SecurityGroupId", "SpotPriceLimit", "SpotStrategy", "TenantEniInstanceId",
	"TenantEniIp", "TenantSecurityGroupId", "TenantVSwitchId", "VSwitchId", "Volumes", "VpcId",
}

var listIndex = regexp.MustCompile(`\.\d+`)

// TestEveryParameterIsKnown: each parameter of CreateContainerGroup is in one of the
// golden requests or is left out knowingly, and the page tells of those.
func TestEveryParameterIsKnown(t *testing.T) {
	sent := map[string]bool{}
	for _, path := range inputs(t, "testdata/create/*.params") {
		for line := range strings.Lines(string(body(t, path))) {
			name, _, _ := strings.Cut(line, "=")
			sent[listIndex.ReplaceAllString(name, "")] = true
		}
	}
	var left []string
	for _, name := range fieldNames(reflect.TypeFor[sdk.CreateContainerGroupRequest](), "") {
		if !sent[name] {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	if !slices.Equal(left, neverSent) {
		t.Errorf("no request has %q,\nand said to be left out are %q", left, neverSent)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "parameters.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range neverSent {
		top, _, _ := strings.Cut(strings.TrimPrefix(name, "Volume."), ".")
		if !strings.Contains(string(page), top) {
			t.Errorf("docs/reference/parameters.md does not tell that %s is never sent", name)
		}
	}
}

// TestEveryFieldOfAGroupIsKnown: what the cloud tells of a group is read, or is
// passed over knowingly.
func TestEveryFieldOfAGroupIsKnown(t *testing.T) {
	read := map[string]bool{}
	for field := range reflect.TypeFor[wireGroup]().Fields() {
		read[field.Tag.Get("json")] = true
	}
	theirs := map[string]bool{}
	for field := range reflect.TypeFor[sdk.DescribeContainerGroupsResponseBodyContainerGroups]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !read[name] {
			theirs[name] = true
		}
	}
	if left := slices.Sorted(maps.Keys(theirs)); !slices.Equal(left, neverRead) {
		t.Errorf("nothing reads %q,\nand said to be passed over are %q", left, neverRead)
	}
}
