package translate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// refusalsOf translates a pod with these annotations and tells its refusals.
func refusalsOf(t *testing.T, o translate.Options, annotations map[string]string) []string {
	t.Helper()
	pod := simplePod()
	pod.Annotations = annotations
	_, _, err := translate.Group(pod, translate.References{}, o)
	refused, ok := errors.AsType[*translate.Refused](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	var out []string
	if ok {
		for _, r := range refused.Refusals {
			out = append(out, r.String())
		}
	}
	return out
}

// TestOptionValues states what is said of a value that is wrong: annotation,
// value and what would be right.
func TestOptionValues(t *testing.T) {
	const bandwidths = "it must be a quantity of bits a second from 1k to 1P"
	for name, c := range map[string]struct{ option, value, want string }{
		"FlagCase":        {"eip-create", "True", `"True": it must be true or false`},
		"Empty":           {"ram-role", "", `"": it must be up to 255 letters, digits, hyphens, dots, slashes and underscores`},
		"Word":            {"spot-strategy", "Cheap", `"Cheap": it must be one of NoSpot, SpotAsPriceGo, SpotWithPriceLimit`},
		"Space":           {"ram-role", "a b", `"a b": it must be up to 255 letters, digits, hyphens, dots, slashes and underscores`},
		"NewLine":         {"ram-role", "a\nb", `"a\nb": it must be up to 255 letters, digits, hyphens, dots, slashes and underscores`},
		"NoNumber":        {"max-pending-minutes", "soon", `"soon": it must be a whole number (minutes) from 10 to 1440`},
		"LeadingZero":     {"max-pending-minutes", "060", `"060": it must be a whole number (minutes) from 10 to 1440`},
		"TooSmall":        {"max-pending-minutes", "9", `"9": it must be a whole number (minutes) from 10 to 1440`},
		"TooGreat":        {"ephemeral-storage", "5001Gi", `"5001Gi": it must be a quantity of whole GiB from 1Gi to 5000Gi`},
		"BareStorage":     {"ephemeral-storage", "50", `"50": it must be a quantity of whole GiB from 1Gi to 5000Gi`},
		"PartOfGiB":       {"ephemeral-storage", "1500Mi", `"1500Mi": it must be a quantity of whole GiB from 1Gi to 5000Gi`},
		"ListTwice":       {"subnets", "a,b,a", `"a,b,a": it must be a list without repetition; it has a twice`},
		"ListGap":         {"subnets", "a,,b", `"a,,b": it must be up to 255 letters, digits, hyphens, dots, slashes and underscores`},
		"ListLong":        {"security-groups", "a,b,c,d,e,f", `"a,b,c,d,e,f": it must be a list of at most 5; it has 6`},
		"Bandwidth":       {"ingress-bandwidth", "fast", `"fast": ` + bandwidths},
		"BandwidthLow":    {"ingress-bandwidth", "10", `"10": ` + bandwidths},
		"BandwidthPart":   {"egress-bandwidth", "1000.5", `"1000.5": ` + bandwidths},
		"Address":         {"private-ip", "fd00::1", `"fd00::1": it must be an IPv4 address`},
		"Size":            {"size", "2c4g", `"2c4g": it must be cores and memory such as 2-4Gi`},
		"SizeZero":        {"size", "0-4Gi", `"0-4Gi": it must be cores and memory such as 2-4Gi`},
		"Scheme":          {"plain-http-registries", "http://a", `"http://a": it must be a host, with a colon and a port if need be, without scheme and path`},
		"Instance":        {"acr-instances", "reg", `"reg": it must be an id such as cri-abc or cn-beijing:cri-abc`},
		"Pipe":            {"core-pattern", "|/bin/sh", `"|/bin/sh": it must be an absolute path of at most 127 characters without spaces, not a pipe`},
		"Tag":             {"tags", "a=b", `"a=b": it must be a list of key:value with keys of 1 to 64 and values of at most 128 characters without spaces`},
		"OwnTag":          {"tags", "cumulet.dev/uid:x", `"cumulet.dev/uid:x": it must be a list of tags of your own: keys that begin with cumulet are cumulet's`},
		"CloudTag":        {"tags", "Aliyun-x:y", `"Aliyun-x:y": it must be a list of tags that begin neither with aliyun nor acs: and hold no address of the web`},
		"NoJSON":          {"host-sysctls", "kernel.sem=1", `"kernel.sem=1": it must be a JSON list such as [{"name":"kernel.msgmax","value":"65536"}]`},
		"OtherSysctl":     {"host-sysctls", `[{"name":"vm.swappiness","value":"1"}]`, `"[{\"name\":\"vm.swappiness\",\"value\":\"1\"}]": it must be of settings that the cloud takes (kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*, vm.min_free_kbytes), not vm.swappiness`},
		"UnknownInJSON":   {"host-aliases", `[{"hosts":"a","ip":"1.2.3.4"}]`, `"[{\"hosts\":\"a\",\"ip\":\"1.2.3.4\"}]": it must be a JSON list such as [{"host":"db.example.com","ip":"192.0.2.1"}]`},
		"AfterJSON":       {"dns-config", `{"nameservers":["192.0.2.1"]} {}`, `"{\"nameservers\":[\"192.0.2.1\"]} {}": it must be JSON such as {"nameservers":["192.0.2.53"]}, with at most 3 addresses and 32 searches`},
		"FourDecimals":    {"spot-price-limit", "0.0255", `"0.0255": it must be a price above 0 with at most 3 decimals`},
		"ExponentInPrice": {"spot-price-limit", "1e2", `"1e2": it must be a price above 0 with at most 3 decimals`},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(eciLimits())
			o.Rules = openPolicy()
			key := translate.OptionPrefix + c.option
			want := []string{"metadata.annotations[" + key + "]: " + c.want}
			if diff := cmp.Diff(want, refusalsOf(t, o, map[string]string{key: c.value})); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnnotationsTogether states what is said of annotations that do not go
// together, or that nobody knows.
func TestAnnotationsTogether(t *testing.T) {
	at := func(key, reason string) []string { return []string{"metadata.annotations[" + key + "]: " + reason} }
	for name, c := range map[string]struct {
		reason      string
		limits      cloudapi.Limits
		annotations map[string]string
		want        []string
	}{
		"Typo": {"a typo must not pass in silence", eciLimits(), map[string]string{"cumulet.dev/spot-stratgy": "SpotAsPriceGo"},
			at("cumulet.dev/spot-stratgy", "there is no such option; did you mean spot-strategy?")},
		"OwnCase": {"Kubernetes takes the key; case must not hide it", eciLimits(), map[string]string{"Cumulet.dev/ram-role": "admin"},
			at("Cumulet.dev/ram-role", "there is no such option; did you mean cumulet.dev/ram-role?")},
		"NameCase": {"the same", eciLimits(), map[string]string{"cumulet.dev/RAM-ROLE": "admin"}, at("cumulet.dev/RAM-ROLE", "there is no such option; did you mean ram-role?")},
		"VendorCase": {"the same for ACK's", eciLimits(), map[string]string{"K8S.aliyun.com/ECI-RAM-role-name": "admin"},
			at("K8S.aliyun.com/ECI-RAM-role-name", "cumulet does not know this annotation; did you mean k8s.aliyun.com/eci-ram-role-name?")},
		"OldSize":     {"as ACK once had it", eciLimits(), map[string]string{"k8s.aliyun.com/eci-cpu": "4", "k8s.aliyun.com/eci-memory": "8Gi", "cumulet.dev/size": "4-8Gi"}, nil},
		"OldSizeHalf": {"one says no size", eciLimits(), map[string]string{"k8s.aliyun.com/eci-memory": "4Gi"}, at("k8s.aliyun.com/eci-memory", "it needs k8s.aliyun.com/eci-cpu beside it")},
		"OldSizeForm": {"a number of cores", eciLimits(), map[string]string{"k8s.aliyun.com/eci-cpu": "2c", "k8s.aliyun.com/eci-memory": "4Gi"},
			append(at("k8s.aliyun.com/eci-cpu", `"2c-4Gi": it must be cores and memory such as 2-4Gi`), at("k8s.aliyun.com/eci-memory", `"2c-4Gi": it must be cores and memory such as 2-4Gi`)...)},
		"NoProxy":  {"asks for nothing", eciLimits(), map[string]string{"k8s.aliyun.com/eci-kube-proxy-enabled": "false"}, nil},
		"Megabits": {"as ACK's page has it", eciLimits(), map[string]string{"cumulet.dev/ipv6": "true", "cumulet.dev/ipv6-internet": "true", "cumulet.dev/ipv6-bandwidth": "100", "k8s.aliyun.com/eci-ipv6-bandwidth": "100M"}, nil},
		"OldWord":  {"as ACK's older page has it", eciLimits(), map[string]string{"cumulet.dev/schedule-strategy": "VSwitchOrdered", "k8s.aliyun.com/eci-schedule-strategy": "vSwitchOrdered"}, nil},
		"BothResolvers": {"ACK writes lists as text", eciLimits(), map[string]string{
			"cumulet.dev/dns-config":              `{"nameservers":["20.1.0.1","20.1.0.2"],"searches":["a.com","b.eee"],"options":[{"name":"ndots","value":"2"},{"name":"edns0"}]}`,
			"k8s.aliyun.com/eci-custom-dnsconfig": `{"nameservers":"20.1.0.1,20.1.0.2","searches":"a.com,b.eee","options":"ndots:2,edns0"}`}, nil},
		"Unlike": {"nothing is near", eciLimits(), map[string]string{"cumulet.dev/colour": "blue"}, at("cumulet.dev/colour", "there is no such option")},
		"VendorTypo": {"the same for ACK's", eciLimits(), map[string]string{"k8s.aliyun.com/eci-ram-role": "x"},
			at("k8s.aliyun.com/eci-ram-role", "cumulet does not know this annotation")},
		"VendorNear": {"with the nearest name", eciLimits(), map[string]string{"k8s.aliyun.com/eip-bandwidths": "5"},
			at("k8s.aliyun.com/eip-bandwidths", "cumulet does not know this annotation; did you mean k8s.aliyun.com/eip-bandwidth?")},
		"VendorOther":  {"other components of ACK have annotations too", eciLimits(), map[string]string{"k8s.aliyun.com/pod-security": "x"}, nil},
		"Written":      {"ACK writes this by itself", eciLimits(), map[string]string{"k8s.aliyun.com/eci-instance-id": "eci-1"}, nil},
		"OfOthers":     {"not ours", eciLimits(), map[string]string{"example.com/ram-role": "x", "emulator.cumulet.dev/x": "y"}, nil},
		"BothAlike":    {"the same value twice", eciLimits(), map[string]string{"cumulet.dev/image-cache": "imc-1", "k8s.aliyun.com/eci-imc-id": "imc-1"}, nil},
		"BothSpelling": {"the same value in two spellings", eciLimits(), map[string]string{"cumulet.dev/ingress-bandwidth": "40M", "kubernetes.io/ingress-bandwidth": "40000k"}, nil},
		"BothOther": {"which of the two?", eciLimits(), map[string]string{"cumulet.dev/image-cache": "imc-1", "k8s.aliyun.com/eci-imc-id": "imc-2"},
			at("k8s.aliyun.com/eci-imc-id", `"imc-2", but annotation cumulet.dev/image-cache, which says the same, has "imc-1"`)},
		"SizeAndSpecs": {"two sizes", eciLimits(), map[string]string{"cumulet.dev/size": "4-8Gi", "k8s.aliyun.com/eci-use-specs": "2-4Gi"},
			at("k8s.aliyun.com/eci-use-specs", `"2-4Gi", but annotation cumulet.dev/size, which says the same, has "4-8Gi"`)},
		"SixSpecs": {"ACK takes five", eciLimits(), map[string]string{"k8s.aliyun.com/eci-use-specs": "1-2Gi,2-4Gi,4-8Gi,8-16Gi,16-32Gi,32-64Gi"},
			at("k8s.aliyun.com/eci-use-specs", `"1-2Gi,2-4Gi,4-8Gi,8-16Gi,16-32Gi,32-64Gi": it must be at most 5 specifications`)},
		"SizeAndType": {"the machine has a size", eciLimits(), map[string]string{"cumulet.dev/size": "4-8Gi", "cumulet.dev/instance-types": "ecs.c6.large"},
			at("cumulet.dev/instance-types", "it and size exclude each other")},
		"LimitAlone":   {"a limit of what?", eciLimits(), map[string]string{"cumulet.dev/spot-price-limit": "0.5"}, at("cumulet.dev/spot-price-limit", "it needs spot-strategy")},
		"LimitNoSpot":  {"of nothing", eciLimits(), map[string]string{"cumulet.dev/spot-price-limit": "0.5", "cumulet.dev/spot-strategy": "NoSpot"}, at("cumulet.dev/spot-price-limit", "it needs spot-strategy")},
		"LimitMissing": {"none is said", eciLimits(), map[string]string{"cumulet.dev/spot-strategy": "SpotWithPriceLimit"}, at("cumulet.dev/spot-strategy", "SpotWithPriceLimit needs spot-price-limit")},
		"LimitOfOther": {"this strategy has none", eciLimits(), map[string]string{"cumulet.dev/spot-price-limit": "0.5", "cumulet.dev/spot-strategy": "SpotAsPriceGo"},
			at("cumulet.dev/spot-price-limit", "it needs spot-strategy SpotWithPriceLimit")},
		"Roles": {"a role for each instance", eciLimits(), map[string]string{"cumulet.dev/acr-instances": "cri-a,cri-b", "cumulet.dev/acr-user-arns": "acs:ram::1:role/a"},
			at("cumulet.dev/acr-user-arns", "1 roles for 2 acr-instances; each needs one")},
		"FallBack":     {"a second request", eciLimits(), map[string]string{"k8s.aliyun.com/eci-spot-fallback": "true"}, at("k8s.aliyun.com/eci-spot-fallback", `"true": it would take a second request after the first has failed, of another kind, which this node does not make`)},
		"FallBackNone": {"asks for nothing", eciLimits(), map[string]string{"k8s.aliyun.com/eci-spot-fallback": "false"}, nil},
		"SeedMegabits": {"the document counts Mbit/s", kciSeedLimits(), map[string]string{"kubernetes.io/egress-bandwidth": "1500k"},
			at("kubernetes.io/egress-bandwidth", `"1500k": it must be a quantity of bits a second from 1M to 1024M, in whole 1M`)},
		"SeedOption": {"the document has no such parameter", kciSeedLimits(), map[string]string{"cumulet.dev/spot-strategy": "SpotAsPriceGo"},
			at("cumulet.dev/spot-strategy", "the cloud has no parameter for spot-strategy")},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(c.limits)
			o.Rules = openPolicy()
			if diff := cmp.Diff(c.want, refusalsOf(t, o, c.annotations)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestUseSpecs holds what one request says of ACK's list.
func TestUseSpecs(t *testing.T) {
	type said struct {
		CPU, Memory float64
		Types       []string
		Left        string
	}
	for value, want := range map[string]said{
		"2-4Gi,4-8Gi,ecs.c6.xlarge":                  {2, 4, nil, "4-8Gi,ecs.c6.xlarge"},
		"4-8Gi":                                      {4, 8, nil, ""},
		"ecs.c6.xlarge, ecs.c5.xlarge":               {2, 4, []string{"ecs.c6.xlarge", "ecs.c5.xlarge"}, ""},
		"ecs.c6.xlarge,ecs.c5.xlarge,2-4Gi,ecs.g6.x": {2, 4, []string{"ecs.c6.xlarge", "ecs.c5.xlarge"}, "2-4Gi,ecs.g6.x"},
	} {
		pod := simplePod()
		pod.Annotations = map[string]string{"k8s.aliyun.com/eci-use-specs": value}
		spec, report, err := translate.Group(pod, translate.References{}, options(eciLimits()))
		if err != nil {
			t.Fatal(err)
		}
		got := said{CPU: spec.CPU, Memory: spec.Memory, Types: spec.Options.Machine.InstanceTypes}
		for _, n := range report.Notes {
			if n.Decision == translate.DecisionIgnored && n.Field == "metadata.annotations[k8s.aliyun.com/eci-use-specs]" {
				got.Left, _, _ = strings.Cut(n.Reason, ":")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}

// TestSizeOption: the option raises the size, never below what containers need.
func TestSizeOption(t *testing.T) {
	for name, c := range map[string]struct {
		asked       string
		cpu, memory string
		want        [2]float64
	}{
		"Greater": {"4-8Gi", "1", "2Gi", [2]float64{4, 8}},
		"Smaller": {"1-2Gi", "4", "4Gi", [2]float64{4, 4}},
		"Crossed": {"1-16Gi", "4", "2Gi", [2]float64{4, 16}},
		"Rounded": {"3-5Gi", "1", "1Gi", [2]float64{4, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Annotations = map[string]string{"cumulet.dev/size": c.asked}
			pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse(c.cpu), corev1.ResourceMemory: resource.MustParse(c.memory)}
			spec, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
			if got := [2]float64{spec.CPU, spec.Memory}; err != nil || got != c.want {
				t.Errorf("size %v, error %v; want %v", got, err, c.want)
			}
		})
	}
}

// TestCards: graphics cards need a machine that is named.
func TestCards(t *testing.T) {
	pod := simplePod()
	pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("2")}
	for cloud, limits := range map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits()} {
		o := options(limits)
		if _, _, err := translate.Group(pod, translate.References{}, o); err == nil || !strings.Contains(err.Error(), "cards belong to a machine that is named") {
			t.Errorf("%s without a machine: %v; want a refusal with advice", cloud, err)
		}
		o.Defaults = map[string]string{"instance-types": "N3.4B"}
		spec, _, err := translate.Group(pod, translate.References{}, o)
		if err != nil || spec.Containers[0].GPU != 2 || spec.Options.Machine.InstanceTypes[0] != "N3.4B" {
			t.Errorf("%s with a machine by default: %+v, %v", cloud, spec, err)
		}
	}
}
