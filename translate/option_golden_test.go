package translate_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// beside are the options that others mean nothing without.
var beside = map[string]map[string]string{
	"spot-price-limit":      {"spot-strategy": "SpotWithPriceLimit"},
	"spot-duration":         {"spot-strategy": "SpotAsPriceGo"},
	"eip-bandwidth":         {"eip-create": "true"},
	"eip-isp":               {"eip-create": "true"},
	"eip-bandwidth-package": {"eip-create": "true"},
	"ipv6-internet":         {"ipv6": "true"},
	"ipv6-bandwidth":        {"ipv6": "true", "ipv6-internet": "true"},
	"retain-ip-hours":       {"retain-ip": "true"},
	"gpu-driver":            {"instance-types": "ecs.gn6i-c4g1.xlarge"},
	"system-disk-size":      {"system-disk-type": "SSD3.0"},
	"data-cache-level":      {"data-cache-bucket": "default"},
	"data-cache-iops":       {"data-cache-bucket": "default"},
	"data-cache-bursting":   {"data-cache-bucket": "default"},
	"acr-service-arns":      {"acr-instances": "cri-abc"},
	"acr-user-arns":         {"acr-instances": "cri-abc"},
}

// openPolicy allows everything that the policy guards.
func openPolicy() []translate.OptionRule {
	allow := map[string][]string{}
	for _, o := range translate.OptionTable() {
		if o.Guarded {
			allow[o.Name] = []string{translate.AnyValue}
		}
	}
	return []translate.OptionRule{{Namespaces: []string{translate.AnyValue}, Allow: allow}}
}

func clouds() map[string]cloudapi.Limits {
	return map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits(), "kci-seed": kciSeedLimits()}
}

// TestOptionExamples holds what becomes of each option's example on each cloud:
// what it adds to the group, or why it is refused.
func TestOptionExamples(t *testing.T) {
	for cloud, limits := range clouds() {
		t.Run(cloud, func(t *testing.T) {
			var page bytes.Buffer
			for _, o := range translate.OptionTable() {
				annotations := map[string]string{translate.OptionPrefix + o.Name: o.Example}
				for name, value := range beside[o.Name] {
					annotations[translate.OptionPrefix+name] = value
				}
				if _, has := limits.Options[o.Name]; !has {
					annotations = map[string]string{translate.OptionPrefix + o.Name: o.Example}
				}
				writeOutcome(t, &page, limits, annotations)
			}
			compare(t, "testdata/option/examples."+cloud+".yaml", page.Bytes())
		})
	}
}

// TestVendorAnnotations does the same for the annotations of the clouds' own
// virtual nodes.
func TestVendorAnnotations(t *testing.T) {
	examples := map[string]string{}
	for _, o := range translate.OptionTable() {
		examples[o.Name] = o.Example
	}
	for cloud, limits := range clouds() {
		t.Run(cloud, func(t *testing.T) {
			var page bytes.Buffer
			for _, a := range translate.AnnotationTable() {
				value := examples[a.Option]
				if strings.HasSuffix(a.Key, "/eci-use-specs") {
					value = "2-4Gi,4-8Gi,ecs.c6.xlarge"
				}
				if a.Option == "" {
					value = "any"
				}
				annotations := map[string]string{a.Key: value}
				for name, value := range beside[a.Option] {
					if strings.HasPrefix(a.Key, limits.VendorPrefix) {
						annotations[translate.OptionPrefix+name] = value
					}
				}
				writeOutcome(t, &page, limits, annotations)
			}
			compare(t, "testdata/option/vendor."+cloud+".yaml", page.Bytes())
		})
	}
}

// writeOutcome translates a pod with these annotations and writes what they
// change in its group and report.
func writeOutcome(t *testing.T, page *bytes.Buffer, limits cloudapi.Limits, annotations map[string]string) {
	t.Helper()
	o := options(limits)
	o.Rules = openPolicy()
	pod := simplePod()
	without, report, err := translate.Group(pod, translate.References{}, o)
	if err != nil {
		t.Fatal(err)
	}
	before := entries(t, without, report, nil)
	pod.Annotations = annotations
	with, report, err := translate.Group(pod, translate.References{}, o)
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		fmt.Fprintf(page, "# %s: %s\n", key, annotations[key])
	}
	changed := map[string]any{}
	for key, entry := range entries(t, with, report, err) {
		if fmt.Sprint(before[key]) != fmt.Sprint(entry) {
			changed[key] = entry
		}
	}
	text, err := yaml.Marshal(changed)
	if err != nil {
		t.Fatal(err)
	}
	page.Write(text)
}

// entries are the parts of a group and its report.
func entries(t *testing.T, spec cloudapi.GroupSpec, report translate.Report, err error) map[string]any {
	t.Helper()
	if err != nil {
		return map[string]any{"refused": strings.Split(err.Error(), "; metadata.")}
	}
	parts, ok := prune(plain(t, spec)).(map[string]any)
	if !ok {
		t.Fatalf("the group is %v", spec)
	}
	parts["notes"] = prune(plain(t, report.Notes))
	return parts
}
