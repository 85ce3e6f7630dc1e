package translate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// TestDeniedByDefault: without a rule no pod gets what gives power, under
// either spelling; and what is guarded is what is stated here.
func TestDeniedByDefault(t *testing.T) {
	guarded := []string{
		"acr-instances", "acr-service-arns", "acr-user-arns", "core-pattern", "eip", "eip-bandwidth", "eip-bandwidth-package", "eip-create",
		"eip-isp", "host-sysctls", "insecure-registries", "ipv6-bandwidth", "ipv6-internet", "plain-http-registries", "private-ip", "project",
		"ram-role", "resource-group", "retain-ip", "retain-ip-hours", "security-groups", "subnets", "tags",
	}
	var got []string
	for _, o := range translate.OptionTable() {
		if !o.Guarded {
			continue
		}
		got = append(got, o.Name)
		keys := []string{translate.OptionPrefix + o.Name}
		for _, a := range translate.AnnotationTable() {
			if a.Option == o.Name {
				keys = append(keys, a.Key)
			}
		}
		for _, limits := range clouds() {
			for _, key := range keys {
				refusals := refusalsOf(t, options(limits), map[string]string{key: o.Example})
				if len(refusals) == 0 || !strings.HasPrefix(refusals[0], "metadata.annotations["+key+"]: ") {
					t.Errorf("%s on %s: %q; want a refusal", key, limits.Cloud, refusals)
				}
			}
		}
	}
	if diff := cmp.Diff(guarded, got); diff != "" {
		t.Errorf("guarded options (-want +got):\n%s", diff)
	}
}

// TestPolicy states what rules let pass. The pod is in namespace shop.
func TestPolicy(t *testing.T) {
	rule := func(namespaces string, option string, values ...string) translate.OptionRule {
		return translate.OptionRule{Namespaces: strings.Split(namespaces, ","), Allow: map[string][]string{option: values}}
	}
	denied := func(key, option, value string) []string {
		return []string{fmt.Sprintf("metadata.annotations[%s]: the node's policy (policy.options) does not allow %s %q in namespace shop", key, option, value)}
	}
	for name, c := range map[string]struct {
		reason      string
		defaults    map[string]string
		rules       []translate.OptionRule
		annotations map[string]string
		want        []string
	}{
		"Allowed":        {"by name and value", nil, []translate.OptionRule{rule("shop", "ram-role", "reader")}, map[string]string{"cumulet.dev/ram-role": "reader"}, nil},
		"AnyValue":       {"by a star", nil, []translate.OptionRule{rule("*", "ram-role", "*")}, map[string]string{"cumulet.dev/ram-role": "reader"}, nil},
		"OtherValue":     {"another role", nil, []translate.OptionRule{rule("shop", "ram-role", "reader")}, map[string]string{"cumulet.dev/ram-role": "admin"}, denied("cumulet.dev/ram-role", "ram-role", "admin")},
		"OtherNamespace": {"others' rule", nil, []translate.OptionRule{rule("batch,shop2", "ram-role", "reader")}, map[string]string{"cumulet.dev/ram-role": "reader"}, denied("cumulet.dev/ram-role", "ram-role", "reader")},
		"OtherOption":    {"another option's rule", nil, []translate.OptionRule{rule("shop", "resource-group", "*")}, map[string]string{"cumulet.dev/ram-role": "reader"}, denied("cumulet.dev/ram-role", "ram-role", "reader")},
		"PartOfValue":    {"no part of a value", nil, []translate.OptionRule{rule("shop", "ram-role", "read")}, map[string]string{"cumulet.dev/ram-role": "reader"}, denied("cumulet.dev/ram-role", "ram-role", "reader")},
		"EachElement":    {"of a list each element", nil, []translate.OptionRule{rule("shop", "security-groups", "sg-a")}, map[string]string{"cumulet.dev/security-groups": "sg-a,sg-b"}, denied("cumulet.dev/security-groups", "security-groups", "sg-b")},
		"TwoRules":       {"rules add up", nil, []translate.OptionRule{rule("shop", "security-groups", "sg-a"), rule("*", "security-groups", "sg-b")}, map[string]string{"cumulet.dev/security-groups": "sg-a,sg-b"}, nil},
		"Alias":          {"whatever the spelling", nil, []translate.OptionRule{rule("shop", "ram-role", "reader")}, map[string]string{"k8s.aliyun.com/eci-ram-role-name": "admin"}, denied("k8s.aliyun.com/eci-ram-role-name", "ram-role", "admin")},
		"DefaultAgain":   {"the node's own value is no other", map[string]string{"ram-role": "reader"}, nil, map[string]string{"cumulet.dev/ram-role": "reader"}, nil},
		"DefaultChanged": {"another value is", map[string]string{"ram-role": "reader"}, nil, map[string]string{"cumulet.dev/ram-role": "admin"}, denied("cumulet.dev/ram-role", "ram-role", "admin")},
		"Declined":       {"false where there is none", nil, nil, map[string]string{"cumulet.dev/eip-create": "false"}, nil},
		"FalseAsName":    {"a role may be called so", nil, nil, map[string]string{"cumulet.dev/ram-role": "false"}, denied("cumulet.dev/ram-role", "ram-role", "false")},
		"Undone":         {"false where the node says true", map[string]string{"eip-create": "true"}, nil, map[string]string{"cumulet.dev/eip-create": "false"}, denied("cumulet.dev/eip-create", "eip-create", "false")},
		"NeededByDefault": {"a guarded default does not go because an open option does", map[string]string{"ipv6": "true", "ipv6-internet": "true"}, nil, map[string]string{"cumulet.dev/ipv6": "false"},
			[]string{"metadata.annotations[cumulet.dev/ipv6]: the node's default ipv6-internet needs it"}},
		"OpenDefaultGoes": {"an open one does", map[string]string{"spot-strategy": "SpotWithPriceLimit", "spot-price-limit": "1"}, nil, map[string]string{"cumulet.dev/spot-strategy": "SpotAsPriceGo"}, nil},
		"NodesOwnNetwork": {"the node's own network is no other", nil, nil, map[string]string{"cumulet.dev/subnets": "subnet-1", "k8s.aliyun.com/eci-security-group": "sg-1"}, nil},
		"TwoNetworks": {"also beside the node's own", nil, []translate.OptionRule{rule("shop", "subnets", "subnet-9")}, map[string]string{"cumulet.dev/subnets": "subnet-1", "k8s.aliyun.com/eci-vswitch": "subnet-9"},
			[]string{`metadata.annotations[k8s.aliyun.com/eci-vswitch]: "subnet-9", but annotation cumulet.dev/subnets, which says the same, has "subnet-1"`}},
		"YieldsWhole":   {"with a default goes what means nothing without it", map[string]string{"eip-create": "true", "eip-bandwidth": "5"}, []translate.OptionRule{rule("shop", "eip", "eip-1")}, map[string]string{"cumulet.dev/eip": "eip-1"}, nil},
		"MachineYields": {"so with a machine", map[string]string{"instance-types": "ecs.gn6i-c4g1.xlarge", "gpu-driver": "tesla=470.82.01"}, nil, map[string]string{"cumulet.dev/size": "4-8Gi"}, nil},
		"RolesOfDefault": {"a refusal is at an annotation of the pod", map[string]string{"acr-instances": "cri-a", "acr-user-arns": "acs:ram::1:role/a"}, []translate.OptionRule{rule("shop", "acr-instances", "*")},
			map[string]string{"cumulet.dev/acr-instances": "cri-a,cri-b"}, []string{"metadata.annotations[cumulet.dev/acr-instances]: the node's default acr-user-arns has 1 roles for 2 acr-instances; each needs one"}},
		"DefaultYields": {"a machine in place of a size", map[string]string{"size": "2-4Gi"}, nil, map[string]string{"cumulet.dev/instance-types": "ecs.c6.large"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(eciLimits())
			o.Defaults, o.Rules = c.defaults, c.rules
			if diff := cmp.Diff(c.want, refusalsOf(t, o, c.annotations)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestCheckOptions states the mistakes of a node's options and rules.
func TestCheckOptions(t *testing.T) {
	allow := func(option string, values ...string) []translate.OptionRule {
		return []translate.OptionRule{{Namespaces: []string{"*"}, Allow: map[string][]string{option: values}}}
	}
	for name, c := range map[string]struct {
		defaults map[string]string
		rules    []translate.OptionRule
		want     string
	}{
		"Good":           {map[string]string{"ram-role": "reader"}, allow("privileged", "true"), ""},
		"Unknown":        {map[string]string{"ram-rol": "x"}, nil, "options[ram-rol]: there is no such option; did you mean ram-role?"},
		"NotThisCloud":   {map[string]string{"project": "7"}, nil, "options[project]: the cloud has no parameter for it"},
		"Subnets":        {map[string]string{"subnets": "a"}, nil, "options[subnets]: the node has a field for it: subnets or securityGroups"},
		"Value":          {map[string]string{"eip-create": "yes"}, nil, `options[eip-create]: "yes": it must be true or false`},
		"Together":       {map[string]string{"eip-bandwidth": "5"}, nil, "options[eip-bandwidth]: it needs eip-create"},
		"Namespace":      {nil, []translate.OptionRule{{Namespaces: []string{"A"}, Allow: map[string][]string{"eip": {"*"}}}}, `policy.options[0].namespaces: "A" is neither * nor the name of a namespace`},
		"NoNamespace":    {nil, []translate.OptionRule{{Allow: map[string][]string{"eip": {"*"}}}}, "policy.options[0]: a rule needs namespaces and allow"},
		"Open":           {nil, allow("spot-strategy", "*"), "policy.options[0].allow[spot-strategy]: the policy guards no such option; it guards acr-instances"},
		"NoValue":        {nil, allow("eip"), "policy.options[0].allow[eip]: it allows no value; name values, or * for all"},
		"RuleOfList":     {nil, allow("security-groups", "sg-a,sg-b"), `policy.options[0].allow[security-groups]: "sg-a,sg-b" can never be asked for: name each element by itself`},
		"RuleOfFlag":     {nil, allow("eip-create", "yes"), `policy.options[0].allow[eip-create]: "yes" can never be asked for: it must be true or false`},
		"RuleOfStem":     {nil, allow("ram-role", "read*"), `policy.options[0].allow[ram-role]: "read*" can never be asked for: it must be up to 255 letters`},
		"RuleOfField":    {nil, allow("privileged", "yes"), `policy.options[0].allow[privileged]: "yes" can never be asked for: it must be true`},
		"RuleOfSysctl":   {nil, allow("host-sysctls", "kernel.msgmax=65536"), ""},
		"RuleOfTag":      {nil, allow("tags", "team:shop"), ""},
		"SpeltOtherwise": {nil, allow("host-path", "/"), "policy.options[0].allow[host-path]: the policy guards no such option"},
	} {
		t.Run(name, func(t *testing.T) {
			err := translate.CheckOptions(c.defaults, c.rules, eciLimits())
			if got := text(err); c.want == "" && err != nil || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			o := options(eciLimits())
			o.Defaults, o.Rules = c.defaults, c.rules
			if _, _, again := translate.Group(simplePod(), translate.References{}, o); text(again) != text(err) {
				t.Errorf("Group says %v; want the same", again)
			}
		})
	}
}

// power is what of a group gives power.
type power struct {
	Placement     cloudapi.Placement
	Address       cloudapi.OptionsAddress
	Registries    [2][]string
	ACR           []cloudapi.ACRInstance
	RAMRole       string
	ResourceGroup string
	Project       int64
	Tags          []cloudapi.Tag
	Sysctls       []cloudapi.Sysctl
	CorePattern   string
	Privileged    []bool
	HostPaths     []string
}

func powerOf(spec *cloudapi.GroupSpec) power {
	o := spec.Options
	out := power{
		Placement: spec.Placement, Address: o.Address, Registries: [2][]string{o.Image.PlainHTTPRegistries, o.Image.InsecureRegistries},
		ACR: o.Image.ACR, RAMRole: o.RAMRole, ResourceGroup: o.ResourceGroup, Project: o.Project, Tags: o.Tags, Sysctls: o.HostSysctls,
		CorePattern: o.CorePattern,
	}
	out.Address.IPv6 = false // an address of the subnet is open to all
	for _, c := range append(spec.Containers, spec.InitContainers...) {
		out.Privileged = append(out.Privileged, c.Security.Privileged)
	}
	for _, v := range spec.Volumes {
		if v.HostPath != nil {
			out.HostPaths = append(out.HostPaths, v.HostPath.Path)
		}
	}
	return out
}

// randomAnnotations draws keys of the whole vocabulary, and some near it, with
// values that are right, nearly right or wild.
func randomAnnotations(r *rand.Rand) map[string]string {
	var keys, values []string
	for _, o := range translate.OptionTable() {
		keys = append(keys, translate.OptionPrefix+o.Name)
		values = append(values, o.Example)
	}
	for _, a := range translate.AnnotationTable() {
		keys = append(keys, a.Key)
	}
	values = append(values, "true", "false", "", "*", "1", "0", "NoSpot", "reader", "subnet-1", "sg-1", "cumulet.dev/uid:x", `[]`, `{}`, "a,b", "\x00", "ü")
	examples := map[string]string{}
	for _, o := range translate.OptionTable() {
		examples[translate.OptionPrefix+o.Name] = o.Example
	}
	out := map[string]string{}
	for range 1 + r.IntN(3) {
		key := keys[r.IntN(len(keys))]
		value := values[r.IntN(len(values))]
		if example, own := examples[key]; own && r.IntN(2) == 0 {
			value = example
		}
		switch r.IntN(20) {
		case 3:
			key = strings.ToUpper(key[:1]) + key[1:]
		case 0:
			key += "x"
		case 1:
			value = strings.ToUpper(value)
		case 2:
			value += "," + values[r.IntN(len(values))]
		}
		out[key] = value
	}
	return out
}

// TestNoAnnotationGivesPower: with no rules, and with rules for another
// namespace, whatever a pod's annotations say, its group has the power that the
// node's configuration gives, or the pod is refused.
func TestNoAnnotationGivesPower(t *testing.T) {
	foreign := openPolicy()
	foreign[0].Namespaces = []string{"batch", "shop-2"}
	nodes := map[string]map[string]string{
		"eci": {"ram-role": "reader", "eip-create": "true", "eip-bandwidth": "5", "ipv6": "true", "ipv6-internet": "true", "tags": "env:test",
			"retain-ip": "true", "spot-strategy": "SpotAsPriceGo", "core-pattern": "/dumps/core"},
		"kci":      {"project": "7", "eip": "eip-1"},
		"kci-seed": {"ingress-bandwidth": "40M"},
	}
	taken, refused := 0, 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 3))
		for cloud, limits := range clouds() {
			o := options(limits)
			if seed%2 == 0 {
				o.Defaults = nodes[cloud]
			}
			if seed%4 < 2 {
				o.Rules = foreign
			}
			plain := simplePod()
			before, _, err := translate.Group(plain, translate.References{}, o)
			if err != nil {
				t.Fatal(err)
			}
			pod := simplePod()
			pod.Annotations = randomAnnotations(r)
			after, _, err := translate.Group(pod, translate.References{}, o)
			if err != nil {
				refused++
				continue
			}
			taken++
			if diff := cmp.Diff(powerOf(&before), powerOf(&after)); diff != "" {
				t.Fatalf("seed %d, %s: the annotations %q change (-node +pod):\n%s", seed, cloud, pod.Annotations, diff)
			}
		}
	}
	if taken < 500 || refused < 500 {
		t.Errorf("%d pods were taken and %d refused; neither may be rare", taken, refused)
	}
}
