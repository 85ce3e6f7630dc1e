package translate

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// Options are what translation needs to know of the node and its cloud.
type Options struct {
	// Limits is what the cloud sells and can express.
	Limits cloudapi.Limits
	// Cluster and Node are the owner of the group: the id of the Kubernetes
	// cluster and the name of the virtual node.
	Cluster, Node string
	// Placement is where groups run.
	Placement cloudapi.Placement
	// ClusterDNS are the addresses of the cluster's DNS service and
	// ClusterDomain its domain, such as cluster.local. Without addresses
	// dnsPolicy ClusterFirst falls back to Default, as on a kubelet.
	ClusterDNS    []string
	ClusterDomain string
	// HostIP is the node's address, the value of status.hostIP.
	HostIP string
	// NodeAllocatable stands in for limits that a container does not have,
	// where a resourceFieldRef asks for them.
	NodeAllocatable corev1.ResourceList
	// MasterServiceNamespace holds the service "kubernetes" whose variables
	// every container gets; empty means default.
	MasterServiceNamespace string
	// SecurityContext is what becomes of hardening that the cloud has no word
	// for; empty means SecurityContextRefuse.
	SecurityContext SecurityContextPolicy
	// Hostname is what becomes of host names on a cloud that chooses them
	// itself; empty means HostnameRefuse.
	Hostname HostnamePolicy
	// Report is what becomes of fields that are ignored; empty means
	// ReportWarn.
	Report ReportPolicy
	// Defaults are options that every pod has unless it asks for others, by
	// their names without cumulet.dev/. They are the operator's, so that the
	// policy does not bind them.
	Defaults map[string]string
	// Rules let pods ask for what gives power; without any none may.
	Rules []OptionRule
}

// checked returns the options with defaults filled in and the pattern of
// variable names, or an error that names the option that is wrong.
func (o Options) checked() (Options, *regexp.Regexp, error) {
	if o.MasterServiceNamespace == "" {
		o.MasterServiceNamespace = corev1.NamespaceDefault
	}
	switch o.SecurityContext {
	case "", SecurityContextRefuse, SecurityContextReport:
	default:
		return o, nil, fmt.Errorf("the policy for security contexts is %q; it must be %s or %s",
			o.SecurityContext, SecurityContextRefuse, SecurityContextReport)
	}
	switch o.Hostname {
	case "", HostnameRefuse, HostnameEmulate:
	default:
		return o, nil, fmt.Errorf("the policy for host names is %q; it must be %s or %s", o.Hostname, HostnameRefuse, HostnameEmulate)
	}
	switch o.Report {
	case "", ReportWarn, ReportStrict:
	default:
		return o, nil, fmt.Errorf("the policy for reports is %q; it must be %s or %s", o.Report, ReportWarn, ReportStrict)
	}
	if err := CheckOptions(o.Defaults, o.Rules, o.Limits); err != nil {
		return o, nil, err
	}
	pattern, err := regexp.Compile(o.Limits.EnvKey)
	if err != nil {
		return o, nil, fmt.Errorf("compiling Limits.EnvKey %q: %w", o.Limits.EnvKey, err)
	}
	if !o.Limits.Tags || o.Limits.MaxTagValue == 0 {
		return o, pattern, nil
	}
	if n := utf8.RuneCountInString(o.Cluster); n > o.Limits.MaxTagValue {
		return o, nil, fmt.Errorf("cluster id has %d characters; the tags of the cloud hold %d", n, o.Limits.MaxTagValue)
	}
	if n := utf8.RuneCountInString(o.Node); n > o.Limits.MaxTagValue {
		return o, nil, fmt.Errorf("node name has %d characters; the tags of the cloud hold %d", n, o.Limits.MaxTagValue)
	}
	return o, pattern, nil
}
