package kubernetes

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// cloudNameServers are Alibaba Cloud's resolvers, which its instances inherit.
// Kingsoft Cloud documents none.
var cloudNameServers = []string{"100.100.2.136", "100.100.2.138"}

// network fills in names and resolvers.
func network(s *corev1.PodSpec, spec *engine.Spec, nameServers []string) {
	hostname(s, spec)
	for _, alias := range spec.HostAliases {
		s.HostAliases = append(s.HostAliases, corev1.HostAlias{IP: alias.IP, Hostnames: alias.Names})
	}
	// None always: a group never inherits the resolver of the machine that
	// stands for the cloud.
	s.DNSPolicy = corev1.DNSNone
	s.DNSConfig = &corev1.PodDNSConfig{Nameservers: nameServers}
	if spec.DNS == nil {
		return
	}
	if len(spec.DNS.NameServers) > 0 {
		s.DNSConfig.Nameservers = spec.DNS.NameServers
	}
	s.DNSConfig.Searches = spec.DNS.Searches
	for _, option := range spec.DNS.Options {
		o := corev1.PodDNSConfigOption{Name: option.Name}
		if option.Value != "" {
			o.Value = ptr.To(option.Value)
		}
		s.DNSConfig.Options = append(s.DNSConfig.Options, o)
	}
}

// hostname names the group as it asks for, else after its name. A pod's hostname
// is a DNS label; one with dots needs the field that overrides it.
func hostname(s *corev1.PodSpec, spec *engine.Spec) {
	name := spec.Hostname
	if name == "" {
		name = spec.Name
	}
	name = strings.ToLower(name)
	if len(name) > validation.DNS1123LabelMaxLength { // as a kubelet cuts a pod's name
		name = strings.TrimRight(name[:validation.DNS1123LabelMaxLength], "-.")
	}
	switch {
	case name == "":
	case len(validation.IsDNS1123Label(name)) == 0:
		s.Hostname = name
	default:
		s.HostnameOverride = ptr.To(name)
	}
}
