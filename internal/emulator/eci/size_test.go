package eci

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupSize(t *testing.T) {
	const home, abroad = "cn-hangzhou", "eu-central-1"
	one := func(cpu, memory float64) containerParams {
		return containerParams{baseContainer: baseContainer{CPU: &cpu, Memory: &memory}}
	}
	sidecar := one(0.25, 0.5)
	sidecar.Env = []envVar{{Key: "__ECI_RESOURCE_IGNORE__", Value: "TRUE"}}
	group := func(cpu, memory float64, containers ...containerParams) createRequest {
		r := createRequest{RegionID: home}
		if cpu > 0 {
			r.CPU = &cpu
		}
		if memory > 0 {
			r.Memory = &memory
		}
		r.Containers = containers
		return r
	}
	change := func(r createRequest, f func(*createRequest)) createRequest {
		f(&r)
		return r
	}
	cases := map[string]struct {
		reason   string
		request  createRequest
		want     size
		wantCode string
	}{
		"Nothing":        {"nothing asked for is 2/4", group(0, 0), size{2, 4}, ""},
		"DocumentedSize": {"7/13 in Hangzhou is 8/14", group(7, 13), size{8, 14}, ""},
		"Abroad":         {"elsewhere the third column is not sold", change(group(7, 13), func(r *createRequest) { r.RegionID = abroad }), size{8, 16}, ""},
		"Spot":           {"neither is it for spot", change(group(7, 13), func(r *createRequest) { r.SpotStrategy = "SpotAsPriceGo" }), size{8, 16}, ""},
		"SixCores":       {"6 cores exist in the third column only", group(5, 6), size{6, 6}, ""},
		"SixAbroad":      {"so elsewhere they are 8", change(group(5, 6), func(r *createRequest) { r.RegionID = abroad }), size{8, 8}, ""},
		"Sum":            {"2/4 + 2/4 + 0.25/0.5 in Hangzhou is 6/10", group(0, 0, one(2, 4), one(2, 4), one(0.25, 0.5)), size{6, 10}, ""},
		"Ignored":        {"with the third ignored it is 4/8", group(0, 0, one(2, 4), one(2, 4), sidecar), size{4, 8}, ""},
		"IgnoredGiven":   {"with the instance's size given nothing is ignored", group(4, 8, one(2, 4), one(2, 4), sidecar), size{6, 10}, ""},
		"Raised":         {"a sum beyond the instance's values raises them", group(1, 2, one(2, 4)), size{2, 4}, ""},
		"Fractions":      {"ten times 0.1 cores are one", group(0, 0, one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2), one(.1, .2)), size{1, 2}, ""},
		"MemoryOnly":     {"memory alone finds the fewest cores that have it", group(0, 20), size{4, 20}, ""},
		"CPUOnly":        {"cores alone get the least memory", group(0.3, 0), size{0.5, 1}, ""},
		"Largest":        {"64/512 is the largest", group(64, 512), size{64, 512}, ""},
		"TooManyCores":   {"more than 64 cores are not sold", group(65, 1), size{}, "InvalidParameter.CPU.Memory"},
		"TooMuchMemory":  {"neither are more than 512 GiB", group(1, 513), size{}, "InvalidParameter.CPU.Memory"},
		"Economy":        {"economy ends at 8 cores", change(group(12, 12), func(r *createRequest) { r.ComputeCategory = []string{"economy"} }), size{}, "InvalidParameter.CPU.Memory"},
		"General":        {"general begins at one core", change(group(0.25, 0.5), func(r *createRequest) { r.ComputeCategory = []string{"general"} }), size{1, 2}, ""},
		"InstanceType":   {"c6.xlarge has 4/8", change(group(0, 0), func(r *createRequest) { r.InstanceType = "ecs.c6.xlarge,ecs.g6.large" }), size{4, 8}, ""},
		"InstanceLarge":  {"r7.2xlarge has 8/64", change(group(0, 0), func(r *createRequest) { r.InstanceType = "ecs.r7.2xlarge" }), size{8, 64}, ""},
		"InstanceSmall":  {"containers must fit into the type", change(group(0, 0, one(3, 4)), func(r *createRequest) { r.InstanceType = "ecs.g6.large" }), size{}, "InvalidParameter.CPU.Memory"},
		"InstanceOdd":    {"unknown types are refused", change(group(0, 0), func(r *createRequest) { r.InstanceType = "ecs.zz.large" }), size{}, "InvalidInstanceTypeForEciBuy"},
		"InitContainer": {"an init container counts by itself", change(group(0, 0, one(1, 2)), func(r *createRequest) {
			r.InitContainers = []initContainer{{baseContainer: baseContainer{CPU: new(2.0), Memory: new(1.0)}}}
		}), size{2, 2}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := groupSize(&c.request)
			var refusal *apiError
			if errors.As(err, &refusal) != (c.wantCode != "") || refusal != nil && refusal.name != c.wantCode {
				t.Fatalf("%s: got error %v; want %q", c.reason, err, c.wantCode)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(size{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
