package eci

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestEveryOptionIsSent holds that the golden options sets every field of
// Options but those that the cloud has no parameter for.
func TestEveryOptionIsSent(t *testing.T) {
	var spec cloudapi.GroupSpec
	readJSON(t, "testdata/create/options.spec.json", &spec)
	refused := []string{"Options.Project", "Options.Machine.InstanceFamilies", "Options.Machine.SystemDiskType", "Options.Machine.SystemDiskGiB"}
	for _, path := range unsetFields(reflect.ValueOf(spec.Options), "Options") {
		if !slices.Contains(refused, path) {
			t.Errorf("%s is not set in options.spec.json: set it there and convert it", path)
		}
	}
}

// unsetFields lists what is zero in a struct and in the structs within it.
func unsetFields(v reflect.Value, path string) []string {
	var out []string
	for i := range v.NumField() {
		at := path + "." + v.Type().Field(i).Name
		switch field := v.Field(i); {
		case field.Kind() == reflect.Struct:
			out = append(out, unsetFields(field, at)...)
		case field.IsZero():
			out = append(out, at)
		}
	}
	return out
}

func TestOptionsWithoutParameter(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		options cloudapi.Options
		code    cloudapi.Code
		text    string
	}{
		"Families": {"there is no parameter", cloudapi.Options{Machine: cloudapi.OptionsMachine{InstanceFamilies: []string{"S6"}}},
			cloudapi.CodeUnsupported, "Options.Machine.InstanceFamilies: the cloud takes instance types only"},
		"SystemDisk": {"there is no parameter", cloudapi.Options{Machine: cloudapi.OptionsMachine{SystemDiskGiB: 20}},
			cloudapi.CodeUnsupported, "Options.Machine.SystemDiskType: the cloud's machines have the disk that they have"},
		"Project": {"that is KCI's", cloudapi.Options{Project: 7}, cloudapi.CodeUnsupported, "Options.Project: the cloud has resource groups"},
		"TwoEIPs": {"EipInstanceId takes one", cloudapi.Options{Address: cloudapi.OptionsAddress{EIPs: []string{"eip-a", "eip-b"}}},
			cloudapi.CodeUnsupported, "Options.Address.EIPs: 2; the cloud takes 1"},
		"IdentityTag": {"a group would be another pod's", cloudapi.Options{Tags: []cloudapi.Tag{{Key: TagUID, Value: "other"}}},
			cloudapi.CodeInvalid, "Options.Tags[0].Key: cumulet.dev/uid is a tag of a group's identity"},
		"SafeSysctl": {"it is the pod's", cloudapi.Options{HostSysctls: []cloudapi.Sysctl{{Name: "net.ipv4.ping_group_range", Value: "0 1"}}},
			cloudapi.CodeUnsupported, "Options.HostSysctls[0].Name: the cloud does not take net.ipv4.ping_group_range for the machine"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := cloudapi.GroupSpec{Name: "ab", Containers: []cloudapi.Container{{Name: "c", Image: "c"}}, Options: c.options}
			_, err := createRequest(spec, "cn-hangzhou", "")
			e, ok := errors.AsType[*cloudapi.Error](err)
			if !ok || e.Code != c.code || e.Message != c.text {
				t.Errorf("%s: got %v, want %s %q", c.reason, err, c.code, c.text)
			}
		})
	}
}
