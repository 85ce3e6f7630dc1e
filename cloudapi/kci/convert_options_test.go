package kci

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestCreateFormOptions states the parameters that options add to a request.
func TestCreateFormOptions(t *testing.T) {
	zero := 0
	for name, c := range map[string]struct {
		reason  string
		dialect Dialect
		options cloudapi.Options
		want    map[string]string
		err     string
	}{
		"Nothing": {"options that ask for nothing add nothing", Extended,
			cloudapi.Options{Spot: cloudapi.OptionsSpot{Strategy: "NoSpot"}}, map[string]string{}, ""},
		"Bandwidth": {"the document counts Mbit/s", Seed, cloudapi.Options{IngressBandwidth: 40_000_000, EgressBandwidth: 1_024_000_000},
			map[string]string{"IngressBandwidth": "40", "EgressBandwidth": "1024"}, ""},
		"BandwidthExtended": {"the SDKs lack it", Extended, cloudapi.Options{IngressBandwidth: 40_000_000}, nil,
			"IngressBandwidth needs dialect seed"},
		"BandwidthParts": {"no part of a Mbit/s", Seed, cloudapi.Options{IngressBandwidth: 1_500_000}, nil,
			"IngressBandwidth is 1500000 bit/s; whole Mbit/s from 1 to 1024 are allowed"},
		"BandwidthOver": {"1024 Mbit/s is the most", Seed, cloudapi.Options{EgressBandwidth: 1_025_000_000}, nil,
			"EgressBandwidth is 1025000000 bit/s; whole Mbit/s from 1 to 1024 are allowed"},
		"Machine": {"what the SDKs have", Extended, cloudapi.Options{Machine: cloudapi.OptionsMachine{
			InstanceTypes: []string{"N3.4B"}, SystemDiskType: "SSD3.0", SystemDiskGiB: 50}},
			map[string]string{"InstanceType": "N3.4B", "AdvanceSettings.SystemDisk.Type": "SSD3.0", "AdvanceSettings.SystemDisk.Size": "50"}, ""},
		"Families": {"in order of preference", Extended, cloudapi.Options{Machine: cloudapi.OptionsMachine{InstanceFamilies: []string{"S6", "X7"}}},
			map[string]string{"InstanceFamily": "S6,X7"}, ""},
		"TwoTypes": {"InstanceType takes one", Extended, cloudapi.Options{Machine: cloudapi.OptionsMachine{InstanceTypes: []string{"N3.4B", "N3.8B"}}}, nil,
			"options.machine.instanceTypes has 2 entries; 1 is allowed"},
		"Spot": {"another way to pay", Extended, cloudapi.Options{Spot: cloudapi.OptionsSpot{Strategy: "SpotAsPriceGo"}},
			map[string]string{"ChargeType": "Spot", "SpotStrategy": "SpotAsPriceGo"}, ""},
		"SpotLimit": {"a price cannot be said", Extended, cloudapi.Options{Spot: cloudapi.OptionsSpot{Strategy: "SpotWithPriceLimit", PriceLimit: 1, DurationHours: &zero}}, nil,
			"options.spot.priceLimit, durationHours cannot be told to KCI; options.spot.strategy SpotWithPriceLimit cannot be told to KCI"},
		"Account": {"project, address and cache", Extended, cloudapi.Options{
			Project: 7, Address: cloudapi.OptionsAddress{EIPs: []string{"e-1"}},
			Image: cloudapi.OptionsImage{Cache: "i-1", AutoCache: true}},
			map[string]string{"ProjectId": "7", "EipAllocationId": "e-1", "ImageCacheId": "i-1", "AutoMatchImageCache": "true"}, ""},
		"Retain": {"an address is kept for the same name, which no other group has", Extended,
			cloudapi.Options{Address: cloudapi.OptionsAddress{Retain: true, RetainHours: 48}}, nil, "options.address.retain cannot be told to KCI"},
		"TwoEIPs": {"several have a parameter of their own", Extended, cloudapi.Options{Address: cloudapi.OptionsAddress{EIPs: []string{"e-1", "e-2"}}},
			map[string]string{"MultiEipAllocationId.1": "e-1", "MultiEipAllocationId.2": "e-2"}, ""},
		"SeedExtras": {"the document has none of it", Seed, cloudapi.Options{
			Project: 7, Machine: cloudapi.OptionsMachine{InstanceTypes: []string{"N3.4B"}}, Spot: cloudapi.OptionsSpot{Strategy: "SpotAsPriceGo"}}, nil,
			"options.machine.instanceTypes needs dialect extended; options.spot.strategy needs dialect extended; options.project needs dialect extended"},
		"Others": {"what only ECI has", Extended, cloudapi.Options{
			RAMRole: "r", ResourceGroup: "g", Tags: []cloudapi.Tag{{Key: "a"}}, EphemeralStorageGiB: 1, CorePattern: "/c",
			HostSysctls: []cloudapi.Sysctl{{Name: "kernel.msgmax"}}, Address: cloudapi.OptionsAddress{CreateEIP: true, PrivateIP: "192.0.2.1"},
			Image: cloudapi.OptionsImage{InsecureRegistries: []string{"h"}}}, nil,
			"options.ephemeralStorageGiB cannot be told to KCI; options.address.createEIP cannot be told to KCI; " +
				"options.address.privateIP cannot be told to KCI; options.image.registries cannot be told to KCI; options.ramRole cannot be told to KCI; " +
				"options.resourceGroup cannot be told to KCI; options.tags cannot be told to KCI; options.corePattern cannot be told to KCI; " +
				"options.hostSysctls cannot be told to KCI"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := cloudapi.GroupSpec{
				Name: specName, CPU: 2, Memory: 4, Containers: []cloudapi.Container{{Name: "web", Image: "nginx:1.27"}},
				Placement: cloudapi.Placement{SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1"}},
			}
			without, err := createForm(spec, c.dialect)
			if err != nil {
				t.Fatal(err)
			}
			spec.Options = c.options
			with, err := createForm(spec, c.dialect)
			if c.err != "" {
				e, ok := errors.AsType[*cloudapi.Error](err)
				if !ok || e.Message != c.err {
					t.Fatalf("%s: got %v, want %s", c.reason, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name := range with.values {
				if with.values.Get(name) != without.values.Get(name) {
					got[name] = with.values.Get(name)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
