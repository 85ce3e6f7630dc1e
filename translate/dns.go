package translate

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// What a resolver takes, by the API's validation and the kubelet.
const (
	maxNameServers      = 3
	maxSearches         = 32
	maxSearchCharacters = 2048
	maxSearchLength     = 253
)

// dns translates dnsPolicy and dnsConfig; nil leaves the cloud's default.
func (t *translation) dns() *cloudapi.DNS {
	path := field.NewPath("spec", "dnsConfig")
	config := t.pod.Spec.DNSConfig
	base := t.baseDNS()
	if base == nil {
		if config != nil && len(config.Nameservers)+len(config.Searches)+len(config.Options) > 0 {
			t.refusef(path, "with dnsPolicy Default it adds to the cloud's own resolver configuration, "+
				"which the cloud can only keep or replace as a whole")
		}
		return nil
	}
	if config != nil {
		base.NameServers = append(base.NameServers, config.Nameservers...)
		base.Searches = append(base.Searches, config.Searches...)
		base.Options = mergeOptions(base.Options, config.Options)
	}
	base.NameServers = t.fitNameServers(unique(base.NameServers))
	base.Searches = t.fitSearches(unique(base.Searches))
	t.atMost(path.Child("nameservers"), t.limits.MaxNameServers, len(base.NameServers), "name servers, the cluster's included")
	t.atMost(path.Child("searches"), t.limits.MaxSearches, len(base.Searches), "search domains, the cluster's included")
	t.atMost(path.Child("options"), t.limits.MaxDNSOptions, len(base.Options), "options, the cluster's included")
	return base
}

// baseDNS is what the policy gives before dnsConfig is added.
func (t *translation) baseDNS() *cloudapi.DNS {
	path := field.NewPath("spec", "dnsPolicy")
	switch t.pod.Spec.DNSPolicy {
	case corev1.DNSNone:
		return &cloudapi.DNS{}
	case corev1.DNSDefault:
		return nil
	case corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet, "":
	default:
		t.refusef(path, "unknown policy %q", t.pod.Spec.DNSPolicy)
		return nil
	}
	if len(t.opts.ClusterDNS) == 0 {
		// The kubelet's own answer to a cluster without DNS addresses.
		t.eventf(EventMissingClusterDNS, "pod: %q. kubelet does not have ClusterDNS IP configured "+
			"and cannot create Pod using %q policy. Falling back to %q policy.", podText(t.pod), corev1.DNSClusterFirst, corev1.DNSDefault)
		t.changed(path, "the node has no addresses of the cluster's DNS", string(corev1.DNSClusterFirst), string(corev1.DNSDefault))
		return nil
	}
	dns := &cloudapi.DNS{
		NameServers: slices.Clone(t.opts.ClusterDNS),
		Options:     []cloudapi.DNSOption{{Name: "ndots", Value: "5"}},
	}
	if domain := t.opts.ClusterDomain; domain != "" {
		dns.Searches = []string{t.pod.Namespace + ".svc." + domain, "svc." + domain, domain}
	}
	return dns
}

// podText names a pod as the kubelet does in messages.
func podText(pod *corev1.Pod) string {
	return fmt.Sprintf("%s_%s(%s)", pod.Name, pod.Namespace, pod.UID)
}

// mergeOptions lets the pod's options replace those of the same name.
func mergeOptions(base []cloudapi.DNSOption, more []corev1.PodDNSConfigOption) []cloudapi.DNSOption {
	for _, o := range more {
		option := cloudapi.DNSOption{Name: o.Name}
		if o.Value != nil {
			option.Value = *o.Value
		}
		if i := slices.IndexFunc(base, func(b cloudapi.DNSOption) bool { return b.Name == o.Name }); i >= 0 {
			base[i] = option
		} else {
			base = append(base, option)
		}
	}
	return base
}

func (t *translation) fitNameServers(servers []string) []string {
	if len(servers) <= maxNameServers {
		return servers
	}
	servers = servers[:maxNameServers]
	text := strings.Join(servers, " ")
	t.eventf(EventDNSConfigForming,
		"Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: %s", text)
	t.changed(field.NewPath("spec", "dnsConfig", "nameservers"), "a resolver takes three", "more than three", text)
	return servers
}

// fitSearches cuts the search list to what resolvers take.
func (t *translation) fitSearches(searches []string) []string {
	fit := make([]string, 0, len(searches))
	length := 0
	for i, s := range searches {
		if i == maxSearches {
			break
		}
		if len(s) > maxSearchLength {
			continue
		}
		if length += len(s) + 1; length-1 > maxSearchCharacters {
			break
		}
		fit = append(fit, s)
	}
	if len(fit) < len(searches) {
		text := strings.Join(fit, " ")
		t.eventf(EventDNSConfigForming,
			"Search Line limits were exceeded, some search paths have been omitted, the applied search line is: %s", text)
		t.changed(field.NewPath("spec", "dnsConfig", "searches"),
			"a resolver takes 32 search domains with 2048 characters in all and 253 in each", fmt.Sprintf("%d domains", len(searches)), text)
	}
	return fit
}

// unique drops repeated texts.
func unique(texts []string) []string {
	var out []string
	for _, s := range texts {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// hostAliases translates the additional lines of the hosts file.
func (t *translation) hostAliases() []cloudapi.HostAlias {
	path := field.NewPath("spec", "hostAliases")
	var out []cloudapi.HostAlias
	for i, a := range t.pod.Spec.HostAliases {
		if len(a.Hostnames) == 0 {
			t.notef(path.Index(i), DecisionIgnored, "it names no host")
			continue
		}
		out = append(out, cloudapi.HostAlias{IP: a.IP, Hostnames: slices.Clone(a.Hostnames)})
	}
	return t.fitHostAliases(path, out, "")
}

// fitHostAliases spreads the names of an alias over as many as the cloud needs for
// them: to a hosts file several lines of one address are one.
func (t *translation) fitHostAliases(path *field.Path, aliases []cloudapi.HostAlias, whose string) []cloudapi.HostAlias {
	what := "host aliases"
	if names := t.limits.MaxHostnames; names > 0 {
		var out []cloudapi.HostAlias
		for _, a := range aliases {
			for part := range slices.Chunk(a.Hostnames, names) {
				out = append(out, cloudapi.HostAlias{IP: a.IP, Hostnames: part})
			}
		}
		if len(out) > len(aliases) {
			what = fmt.Sprintf("host aliases of at most %d names", names)
		}
		aliases = out
	}
	t.atMost(path, t.limits.MaxHostAliases, len(aliases), what+whose)
	return aliases
}
