package eci

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
	"github.com/google/go-cmp/cmp"
)

// sdkNames are the wire names that the vendor's SDK can send with a request.
func sdkNames(t reflect.Type, path string, names map[string]bool) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		kind := field.Type
		name = path + name
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
			if kind.Kind() == reflect.Slice {
				name += ".N"
			}
			kind = kind.Elem()
		}
		if kind.Kind() == reflect.Struct {
			sdkNames(kind, name+".", names)
			continue
		}
		names[name] = true
	}
}

// ownNames are the wire names that the decoder reads for an action.
func ownNames(t reflect.Type, m mode, path, prefix string, names map[string]bool) {
	for field := range t.Fields() {
		if only := field.Tag.Get("only"); only != "" && only != string(m) {
			continue
		}
		if field.Anonymous || field.Tag.Get("prefix") != "" {
			ownNames(field.Type, m, path, prefix+field.Tag.Get("prefix"), names)
			continue
		}
		kind, name := field.Type, path+prefix+field.Tag.Get("wire")
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
			if kind.Kind() == reflect.Slice {
				name += ".N"
			}
			kind = kind.Elem()
		}
		if kind.Kind() == reflect.Struct {
			ownNames(kind, m, name+".", "", names)
			continue
		}
		names[name] = true
	}
}

// The parameters that the SDK can send and this front does not read; the package
// comment says why.
var unread = map[string][]string{
	"CreateContainerGroup": {
		"CpuOptionsNuma", "StrictSpot",
	},
	"UpdateContainerGroup": {
		"AcrRegistryInfo.N.Domain.N", "AcrRegistryInfo.N.InstanceId", "AcrRegistryInfo.N.InstanceName",
		"AcrRegistryInfo.N.RegionId",
	},
}

// Every parameter that the SDK can send is read by the same name or stands in the
// list above, and none is read that the SDK does not have.
func TestParameterNames(t *testing.T) {
	cases := map[string]struct {
		sdk, own any
		mode     mode
	}{
		"CreateContainerGroup":              {sdk.CreateContainerGroupRequest{}, createRequest{}, modeCreate},
		"UpdateContainerGroup":              {sdk.UpdateContainerGroupRequest{}, updateRequest{}, modeUpdate},
		"DeleteContainerGroup":              {sdk.DeleteContainerGroupRequest{}, deleteRequest{}, modeCreate},
		"RestartContainerGroup":             {sdk.RestartContainerGroupRequest{}, restartRequest{}, modeCreate},
		"DescribeContainerGroups":           {sdk.DescribeContainerGroupsRequest{}, groupsRequest{}, modeCreate},
		"DescribeContainerGroupStatus":      {sdk.DescribeContainerGroupStatusRequest{}, statusRequest{}, modeCreate},
		"DescribeContainerGroupEvents":      {sdk.DescribeContainerGroupEventsRequest{}, eventsRequest{}, modeCreate},
		"DescribeContainerLog":              {sdk.DescribeContainerLogRequest{}, logRequest{}, modeCreate},
		"ExecContainerCommand":              {sdk.ExecContainerCommandRequest{}, execRequest{}, modeCreate},
		"DescribeMultiContainerGroupMetric": {sdk.DescribeMultiContainerGroupMetricRequest{}, metricRequest{}, modeCreate},
		"DescribeRegions":                   {sdk.DescribeRegionsRequest{}, regionsRequest{}, modeCreate},
		"TagResources":                      {sdk.TagResourcesRequest{}, tagRequest{}, modeCreate},
		"UntagResources":                    {sdk.UntagResourcesRequest{}, untagRequest{}, modeCreate},
		"ListTagResources":                  {sdk.ListTagResourcesRequest{}, listTagsRequest{}, modeCreate},
	}
	if len(cases) != len(actions) {
		t.Errorf("%d actions are compared; there are %d", len(cases), len(actions))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want, got := map[string]bool{}, map[string]bool{}
			sdkNames(reflect.TypeOf(c.sdk), "", want)
			ownNames(reflect.TypeOf(c.own), c.mode, "", "", got)
			if c.mode == modeUpdate { // read with Create's hook, and dropped by unfold
				delete(got, "Container.N.LifecyclePostStartHandlerHttpGetHttpHeader.N.Name")
				delete(got, "Container.N.LifecyclePostStartHandlerHttpGetHttpHeader.N.Value")
			}
			// Accounts of the early years; no action looks at them.
			for _, legacy := range []string{"OwnerAccount", "OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"} {
				delete(want, legacy)
			}
			for _, known := range unread[name] {
				if !want[known] {
					t.Errorf("the SDK has no parameter %s", known)
				}
				delete(want, known)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("parameter names (-SDK +own):\n%s", diff)
			}
		})
	}
}

// beyondSDK are documented fields of answers that the SDK's structs lack.
var beyondSDK = []string{"StartedAt", "ContainerGroupName"}

// Every name in the golden answers is a name in the SDK's structs, letter by
// letter.
func TestAnswerNames(t *testing.T) {
	bodies := map[string]any{
		"groups": sdk.DescribeContainerGroupsResponseBody{}, "status": sdk.DescribeContainerGroupStatusResponseBody{},
		"events": sdk.DescribeContainerGroupEventsResponseBody{}, "metric": sdk.DescribeMultiContainerGroupMetricResponseBody{},
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d golden files, error %v; want at least 9", len(files), err)
	}
	for _, file := range files {
		kind, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "_")
		body, ok := bodies[kind]
		if !ok {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("reading golden file: %v", err)
		}
		var answer any
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&answer); err != nil {
			t.Fatalf("parsing %s: %v", file, err)
		}
		checkNamesOf(t, file, answer, reflect.TypeOf(body))
	}
}

func checkNamesOf(t *testing.T, path string, answer any, want reflect.Type) {
	t.Helper()
	for want.Kind() == reflect.Pointer || want.Kind() == reflect.Slice {
		want = want.Elem()
	}
	switch v := answer.(type) {
	case []any:
		for _, item := range v {
			checkNamesOf(t, path, item, want)
		}
	case map[string]any:
		fields := map[string]reflect.Type{}
		for field := range want.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			fields[name] = field.Type
		}
		for name, field := range v {
			if kind, ok := fields[name]; ok {
				checkNamesOf(t, path+"."+name, field, kind)
			} else if !slices.Contains(beyondSDK, name) {
				t.Errorf("%s has a field %s, which the SDK does not know", path, name)
			}
		}
	}
}
