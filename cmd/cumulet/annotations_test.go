package main

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/eci"
	"github.com/cumulet/cumulet/cloudapi/kci"
	"github.com/cumulet/cumulet/translate"
)

// optionClouds are what each cloud takes.
func optionClouds() map[string]cloudapi.Limits {
	return map[string]cloudapi.Limits{
		"eci": eci.Limits("cn-hangzhou"), "kci": kci.Limits(kci.Extended, "cn-beijing-6"), "kci-seed": kci.Limits(kci.Seed, "cn-beijing-6"),
	}
}

// TestOptionsAreKnown: what a cloud takes is in the vocabulary, and what is in
// the vocabulary some cloud takes.
func TestOptionsAreKnown(t *testing.T) {
	taken := map[string]bool{}
	for cloud, limits := range optionClouds() {
		for name, take := range limits.Options {
			taken[name] = true
			if take.Parameter == "" {
				t.Errorf("%s does not say which parameter takes %s", cloud, name)
			}
		}
	}
	var known []string
	for _, o := range translate.OptionTable() {
		known = append(known, o.Name)
	}
	if got := slices.Sorted(maps.Keys(taken)); !slices.Equal(got, known) {
		t.Errorf("clouds take %v; the vocabulary is %v", got, known)
	}
}

const annotationsHead = `# Annotations

<!-- Written by ` + "`go test ./cmd/cumulet -run TestAnnotationsPage -update`" + ` from the tables of package translate and the clouds' limits. -->

What a cloud can do and Kubernetes has no field for is an *option*. A pod asks for it by an annotation, read when its container
group is made and never after; in a Deployment it belongs under ` + "`spec.template.metadata.annotations`" + `:

` + "```yaml" + `
metadata:
  annotations:
    cumulet.dev/spot-strategy: SpotAsPriceGo
    cumulet.dev/ephemeral-storage: 50Gi
` + "```" + `

The same names without ` + "`cumulet.dev/`" + ` under a node's ` + "`options`" + ` ([configuration](configuration.md)) are what every pod of the node
has unless it asks for something else. Nothing passes in silence: an option that does not exist, that the cloud has no parameter
for, or whose value is wrong refuses the pod, by the annotation's name, with the reason.

## Policy

Options marked *guarded* give power over the account, the network or the machine. No pod may have them in another way than the node
has, unless a rule of the node says so, by namespace and value:

` + "```yaml" + `
nodes:
- name: eci-hangzhou
  options: {spot-strategy: SpotAsPriceGo}
  policy:
    options:
    - namespaces: [shop]
      allow: {ram-role: [reader], eip-create: ["true"], security-groups: [sg-a, sg-b]}
    - namespaces: ["*"]
      allow: {tags: ["*"]}
` + "```" + `

Of a list each element must be allowed; ` + "`\"*\"`" + ` stands for every namespace or value. The same rules guard three fields of pods:
` + "`privileged`" + ` (containers; value ` + "`\"true\"`" + `), ` + "`hostPath`" + ` (volumes; values are paths) and ` + "`disk`" + ` (disks and snapshots that a pod
names itself, [volumes](volumes.md); values are ids). The node's own subnets and security groups need no rule.

## Options

KCI's parameters are those of dialect extended; *seed* marks the ones that dialect seed has, alone or too.

`

// TestAnnotationsPage holds docs/reference/annotations.md to the tables.
func TestAnnotationsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(annotationsHead)
	page.WriteString("| Option | Value | Meaning | Guarded | ECI | KCI | Other names |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	clouds := optionClouds()
	for _, o := range translate.OptionTable() {
		fmt.Fprintf(&page, "| `%s` | %s, such as `%s` | %s | %s | %s | %s | %s |\n", o.Name, o.Value, o.Example, o.Meaning,
			map[bool]string{true: "guarded"}[o.Guarded], cell(clouds["eci"], o.Name), kciCell(clouds, o.Name), strings.Join(otherNames(o.Name), "<br>"))
	}
	page.WriteString(annotationsTail)
	for _, a := range translate.AnnotationTable() {
		if a.Decision == translate.DecisionHonoured && a.Reason == "" {
			continue
		}
		fmt.Fprintf(&page, "| `%s` | %s |\n", a.Key, outcome(a))
	}
	golden(t, filepath.Join("..", "..", "docs", "reference", "annotations.md"), page.String())
}

const annotationsTail = `
## Annotations of the clouds' own virtual nodes

The annotations of ACK's virtual node are understood on ECI, those known of Kingsoft's on KCI, under the other names in the table
above, so that manifests need no change; ` + "`kubernetes.io/ingress-bandwidth`" + ` and ` + "`egress-bandwidth`" + ` are understood on both. One
that says something else than cumulet's own beside it refuses the pod, and so does an unknown one that begins with
` + "`k8s.aliyun.com/eci-` or `k8s.ksyun.com/kci-`" + `, or one for the other cloud. What has no option:

| Annotation | What becomes of it |
| --- | --- |
`

// outcome says what becomes of an annotation that is not simply another name.
func outcome(a translate.Annotation) string {
	harmless := slices.Clone(a.Harmless)
	switch {
	case slices.Contains(harmless, translate.AnyValue):
		return "passed over: " + a.Reason
	case a.Decision == translate.DecisionHonoured:
		return "`" + strings.ReplaceAll(a.Option, ", ", "` or `") + "`: " + a.Reason
	case a.Decision == translate.DecisionIgnored:
		return "ignored, and told: " + a.Reason
	case len(harmless) > 0:
		return "refused but for `" + strings.Join(harmless, "`, `") + "`: " + a.Reason
	default:
		return "refused: " + a.Reason
	}
}

func cell(limits cloudapi.Limits, name string) string {
	take, has := limits.Options[name]
	if !has {
		return "–"
	}
	return "`" + take.Parameter + "`" + words(take)
}

func words(take cloudapi.OptionLimits) string {
	if len(take.Words) == 0 {
		return ""
	}
	return ": `" + strings.Join(take.Words, "`, `") + "`"
}

// kciCell tells both dialects in one.
func kciCell(clouds map[string]cloudapi.Limits, name string) string {
	extended, seed := cell(clouds["kci"], name), cell(clouds["kci-seed"], name)
	switch {
	case seed == "–":
		return extended
	case extended == "–":
		return seed + " (seed alone)"
	default:
		return extended + " (seed too)"
	}
}

func otherNames(option string) []string {
	var out []string
	for _, a := range translate.AnnotationTable() {
		if slices.Contains(strings.Split(a.Option, ", "), option) {
			out = append(out, "`"+a.Key+"`")
		}
	}
	return out
}

// onCloud are values that a cloud has instead of the examples, and beside what
// options mean nothing without others.
var (
	onCloud = map[string]map[string]string{
		"kci":      {"instance-types": "N3.4B", "eip": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
		"kci-seed": {"subnets": "subnet-2"},
	}
	besides = map[string]map[string]string{
		"spot-price-limit": {"spot-strategy": "SpotWithPriceLimit"}, "spot-duration": {"spot-strategy": "SpotAsPriceGo"},
		"eip-bandwidth": {"eip-create": "true"}, "eip-isp": {"eip-create": "true"}, "eip-bandwidth-package": {"eip-create": "true"},
		"ipv6-internet": {"ipv6": "true"}, "ipv6-bandwidth": {"ipv6": "true", "ipv6-internet": "true"},
		"retain-ip-hours": {"retain-ip": "true"}, "gpu-driver": {"instance-types": "ecs.gn6i-c4g1.xlarge"},
		"cpu-cores": {"instance-types": "ecs.c6.xlarge"}, "cpu-threads-per-core": {"instance-types": "ecs.c6.xlarge"},
		"system-disk-size": {"system-disk-type": "SSD3.0"}, "data-cache-level": {"data-cache-bucket": "default"},
		"data-cache-iops": {"data-cache-bucket": "default"}, "data-cache-bursting": {"data-cache-bucket": "default"},
		"acr-service-arns": {"acr-instances": "cri-abc"}, "acr-user-arns": {"acr-instances": "cri-abc"},
	}
	// unavailable is what the emulated clouds do not have, and say.
	unavailable = map[string]string{
		"eci/private-ip": "FeatureAccessRestricted", "eci/image-cache": "ImageSnapshot.NotFound", "kci/image-cache": "the image cache does not exist",
	}
)

// TestOptionsAreAccepted sends the request that each option makes to the
// emulated cloud.
func TestOptionsAreAccepted(t *testing.T) {
	fronts := emulatedFronts(t)
	sent := 0
	for cloud, limits := range optionClouds() {
		for _, o := range translate.OptionTable() {
			if _, has := limits.Options[o.Name]; !has {
				continue
			}
			sent++
			annotations := map[string]string{translate.OptionPrefix + o.Name: o.Example}
			for name, value := range besides[o.Name] {
				annotations[translate.OptionPrefix+name] = value
			}
			if value, other := onCloud[cloud][o.Name]; other {
				annotations[translate.OptionPrefix+o.Name] = value
			}
			request, err := requestOf(cloud, limits, o.Name, annotations)
			if err != nil {
				t.Errorf("%s on %s: %v", o.Name, cloud, err)
				continue
			}
			status, answer, err := fronts[cloud].send(t.Context(), request)
			if why, missing := unavailable[cloud+"/"+o.Name]; missing {
				if !strings.Contains(answer, why) {
					t.Errorf("%s on %s: %d %s; want %s", o.Name, cloud, status, answer, why)
				}
			} else if err != nil || status != http.StatusOK {
				t.Errorf("%s on %s: %d %s %v\n%s", o.Name, cloud, status, answer, err, request.body)
			}
		}
	}
	if sent < 60 {
		t.Errorf("only %d requests were sent", sent)
	}
}

// requestOf is the request that a pod with annotations makes.
func requestOf(cloud string, limits cloudapi.Limits, name string, annotations map[string]string) (printed, error) {
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID, pod.Annotations = name, "shop", "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e", annotations
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.example.com/app:1"}}
	allow := map[string][]string{}
	for _, o := range translate.OptionTable() {
		if o.Guarded {
			allow[o.Name] = []string{translate.AnyValue}
		}
	}
	spec, _, err := translate.Group(pod, translate.References{}, translate.Options{
		Limits: limits, Cluster: "c-1", Node: "virtual", HostIP: "192.0.2.1",
		Placement: cloudapi.Placement{SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1"}},
		Rules:     []translate.OptionRule{{Namespaces: []string{translate.AnyValue}, Allow: allow}},
	})
	if err != nil {
		return printed{}, err
	}
	var request cloudapi.Request
	switch cloud {
	case "eci":
		request, err = eci.Request(spec, "cn-hangzhou", name)
	case "kci":
		request, err = kci.Request(spec, kci.Extended)
	default:
		request, err = kci.Request(spec, kci.Seed)
	}
	out := printed{headers: http.Header{}, body: request.Body()}
	for _, h := range request.Headers {
		out.headers.Set(h.Name, h.Value)
	}
	out.headers.Set("Content-Type", "application/x-www-form-urlencoded")
	return out, err
}
