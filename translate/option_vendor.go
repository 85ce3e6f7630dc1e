package translate

import (
	"slices"
	"strings"
)

// Annotation is a row of the table of annotations that other virtual nodes
// made customary.
type Annotation struct {
	// Key is the whole key, such as k8s.aliyun.com/eci-ram-role-name.
	Key string
	// Option is the option that it is another name of; empty where there is
	// none.
	Option string
	// Decision is DecisionHonoured for another name of an option,
	// DecisionIgnored or DecisionRefused otherwise. At the values in Harmless,
	// of which AnyValue is every one, it asks for nothing and is passed over.
	Decision Decision
	Harmless []string
	Reason   string

	// split, where set, takes the value apart.
	split func(text string) (parts []optionPart, left, fault string)
	// beside, where set, is the annotation that says the other half, and joined
	// makes one value of both.
	beside string
	joined func(own, other string) string
}

// optionPart is a value of an option that was part of another's.
type optionPart struct{ option, text string }

// The prefixes of annotations of the clouds' own virtual nodes, and of
// Kubernetes' own.
const (
	ackPrefix   = "k8s.aliyun.com/"
	ksyunPrefix = "k8s.ksyun.com/"
)

// vendorTable is sorted by key and read only; vendorKeys finds its rows.
var (
	vendorTable = buildAnnotations()
	vendorKeys  = indexAnnotations(vendorTable)
)

// AnnotationTable is the table of customary annotations, sorted by key.
func AnnotationTable() []Annotation { return slices.Clone(vendorTable) }

func buildAnnotations() []Annotation {
	rows := slices.Concat(ackAliases(), ackWritten(), ackWithout(), ksyunAnnotations(),
		otherNames("kubernetes.io/", map[string]string{"ingress-bandwidth": "ingress-bandwidth", "egress-bandwidth": "egress-bandwidth"}))
	slices.SortFunc(rows, func(a, b Annotation) int { return strings.Compare(a.Key, b.Key) })
	return rows
}

func indexAnnotations(rows []Annotation) map[string]*Annotation {
	index := make(map[string]*Annotation, len(rows))
	for i := range rows {
		index[rows[i].Key] = &rows[i]
	}
	return index
}

// otherNames makes rows that are other names of options.
func otherNames(prefix string, names map[string]string) []Annotation {
	var rows []Annotation
	for key, option := range names {
		rows = append(rows, Annotation{Key: prefix + key, Option: option, Decision: DecisionHonoured})
	}
	return rows
}

// noProxy is why variables and addresses of services are all that a group has of
// them.
const noProxy = "a group that is no node of the cluster has no kube-proxy"

// ackAliases are the annotations of ACK's virtual node that say what an option
// says (Alibaba's page "Pod annotations", with the names of its older
// revisions).
func ackAliases() []Annotation {
	return append(otherNames(ackPrefix, map[string]string{
		"eci-compute-category":            "compute-categories",
		"eci-gpu-driver-version":          "gpu-driver",
		"eci-cpu-option-core":             "cpu-cores",
		"eci-cpu-option-ht":               "cpu-threads-per-core",
		"eci-instance-type":               "instance-types",
		"eci-vswitch":                     "subnets",
		"eci-security-group":              "security-groups",
		"eci-resource-group-id":           "resource-group",
		"eci-ram-role-name":               "ram-role",
		"eci-spot-strategy":               "spot-strategy",
		"eci-spot-price-limit":            "spot-price-limit",
		"eci-spot-duration":               "spot-duration",
		"eci-max-pending-minute":          "max-pending-minutes",
		"eci-custom-hosts":                "host-aliases",
		"eci-custom-dnsconfig":            "dns-config",
		"eci-custom-tags":                 "tags",
		"eci-auto-imc":                    "image-cache-auto",
		"eci-image-cache":                 "image-cache-auto",
		"eci-imc-id":                      "image-cache",
		"eci-image-snapshot-id":           "image-cache",
		"acr-instance-ids":                "acr-instances",
		"acr-instance-id":                 "acr-instances",
		"acr-service-arns":                "acr-service-arns",
		"acr-user-arns":                   "acr-user-arns",
		"plain-http-registry":             "plain-http-registries",
		"insecure-registry":               "insecure-registries",
		"eci-data-cache-bucket":           "data-cache-bucket",
		"eci-data-cache-pl":               "data-cache-level",
		"eci-data-cache-provisionedIops":  "data-cache-iops",
		"eci-data-cache-burstingEnabled":  "data-cache-bursting",
		"eci-with-eip":                    "eip-create",
		"eip-bandwidth":                   "eip-bandwidth",
		"eip-common-bandwidth-package-id": "eip-bandwidth-package",
		"eip-isp":                         "eip-isp",
		"eci-eip-instanceid":              "eip",
		"eci-enable-ipv6":                 "ipv6",
		"eci-ipv6-bandwidth-enable":       "ipv6-internet",
		"eci-private-ip-address":          "private-ip",
		"eci-fixed-ip":                    "retain-ip",
		"eci-fixed-ip-retain-hour":        "retain-ip-hours",
		"eci-extra-ephemeral-storage":     "ephemeral-storage",
		"eci-ntp-server":                  "ntp-servers",
		"eci-core-pattern":                "core-pattern",
		"eci-host-sysctls":                "host-sysctls",
	}), ackSplit()...)
}

// ackSplit are those whose value is read first: it says several things, or is
// spelt otherwise.
func ackSplit() []Annotation {
	const cores, memory = ackPrefix + "eci-cpu", ackPrefix + "eci-memory" // on ACK's first pages
	return []Annotation{{
		Key: cores, Option: "size", Decision: DecisionHonoured, beside: memory,
		joined: func(own, other string) string { return own + "-" + other },
	}, {
		Key: memory, Option: "size", Decision: DecisionHonoured, beside: cores,
		joined: func(own, other string) string { return other + "-" + own },
	}, {
		Key: ackPrefix + "eci-use-specs", Option: "size, instance-types", Decision: DecisionHonoured,
		Reason: "one request says one size, or several instance types: what comes first is taken, and the rest of the list is told as ignored",
		split:  splitSpecs,
	}, {
		// ACK's pages show 100M; the unit of the parameter is Mbit/s.
		Key: ackPrefix + "eci-ipv6-bandwidth", Option: "ipv6-bandwidth", Decision: DecisionHonoured,
		split: respelt("ipv6-bandwidth", func(text string) string { return strings.TrimSuffix(text, "M") }),
	}, {
		// Older pages begin the words with a small letter.
		Key: ackPrefix + "eci-schedule-strategy", Option: "schedule-strategy", Decision: DecisionHonoured,
		split: respelt("schedule-strategy", func(text string) string {
			if rest, old := strings.CutPrefix(text, "vSwitch"); old {
				return "VSwitch" + rest
			}
			return text
		}),
	}}
}

// respelt is a value that the option writes otherwise.
func respelt(option string, spell func(string) string) func(string) ([]optionPart, string, string) {
	return func(text string) ([]optionPart, string, string) {
		return []optionPart{{option, spell(text)}}, "", ""
	}
}

// ackWritten are written onto pods by ACK's virtual node itself, and so stand
// in manifests that were copied from a cluster.
func ackWritten() []Annotation {
	var rows []Annotation
	for _, key := range []string{
		"eci-request-id", "eci-instance-id", "eci-instance-spec", "eci-instance-compute-category", "allocated-eipInstanceId",
		"allocated-eipAddress", "allocated-ipv6Address", "eni-instance-id", "eci-vpc", "eci-matched-image-cache",
		"eci-created-by-template", "eci-schedule-result",
	} {
		rows = append(rows, Annotation{Key: ackPrefix + key, Decision: DecisionIgnored, Harmless: []string{AnyValue},
			Reason: "ACK's virtual node tells by it what became of a pod"})
	}
	return rows
}

// ackWithout are annotations of ACK's virtual node for what the public API has
// no parameter for.
func ackWithout() []Annotation {
	const (
		none   = "the public API has no parameter for it"
		second = "it would take a second request after the first has failed, of another kind, which this node does not make"
	)
	row := func(reason string, key string, harmless ...string) Annotation {
		return Annotation{Key: ackPrefix + key, Decision: DecisionRefused, Harmless: harmless, Reason: reason}
	}
	return []Annotation{
		row(none+"; name machines by cumulet.dev/instance-types", "eci-gpu-type"),
		row(noProxy, "eci-kube-proxy-enabled", "false"),
		row(none, "eci-network-policy-enable", "false"),
		row(none+"; name machines by cumulet.dev/instance-types", "eci-instance-family"),
		row(none+"; name machines by cumulet.dev/instance-types", "eci-instance-generation"),
		row(none, "eci-privatepool-matchcriteria"),
		row(none, "eci-privatepool-id"),
		row(none+", and leaving it out would leave the disk unencrypted", "eci-ephemeral-storage-options"),
		row(none, "eci-eviction-enable", "false"),
		row(none, "eip-internet-charge-type"),
		row(none, "eip-public-ip-address-pool-id"),
		row(none+"; cumulet runs no log collector", "eci-sls-enable", "false"),
		row(second, "eci-spot-fallback", "false"),
		row("a pod waits while the cloud has no room, as with fail-back", "eci-fail-strategy", "fail-back", "fail-over"),
		row("a group that has failed is not made anew under the same pod", "eci-reschedule-enable", "false"),
		row("a pod waits while the cloud has no room", "pod-fail-on-create-err", "false"),
		{Key: ackPrefix + "imc-perfect-match", Decision: DecisionIgnored, Reason: none + "; the cloud chooses the image cache, and what it lacks is pulled"},
		{Key: ackPrefix + "imc-match-count-request", Decision: DecisionIgnored, Reason: none + "; the cloud chooses the image cache, and what it lacks is pulled"},
	}
}

// ksyunAnnotations are the four of Kingsoft's virtual node that its Terraform
// provider shows.
func ksyunAnnotations() []Annotation {
	return append(otherNames(ksyunPrefix, map[string]string{
		"kci-security-group-id": "security-groups",
		"kci-subnet-id":         "subnets",
		"kci-host-aliases":      "host-aliases",
	}), Annotation{
		Key: ksyunPrefix + "kci-kube-proxy-enabled", Decision: DecisionRefused, Harmless: []string{"false"},
		Reason: noProxy,
	})
}

// maxSpecs is how many specifications ACK takes (its page on multiple
// specifications).
const maxSpecs = 5

// splitSpecs reads a list such as 2-4Gi,4-8Gi,ecs.c6.xlarge: the first size, or
// the instance types that come first. What is left is what another request
// would have to try.
func splitSpecs(text string) (parts []optionPart, left, fault string) {
	items := strings.Split(text, ",")
	if len(items) > maxSpecs {
		return nil, "", "at most 5 specifications"
	}
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
		if !sizeForm.MatchString(items[i]) && !nameForm.pattern.MatchString(items[i]) {
			return nil, "", "a list of sizes such as 2-4Gi and instance types such as ecs.c6.xlarge"
		}
	}
	if sizeForm.MatchString(items[0]) {
		return []optionPart{{"size", items[0]}}, strings.Join(items[1:], ","), ""
	}
	n := slices.IndexFunc(items, sizeForm.MatchString)
	if n < 0 {
		n = len(items)
	}
	return []optionPart{{"instance-types", strings.Join(items[:n], ",")}}, strings.Join(items[n:], ","), ""
}
