package config

import (
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// clusterIDPattern is what fits into a tag's value on ECI (128 characters, no
// acs: prefix) and reads well in a log.
var clusterIDPattern = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

// minStatusInterval keeps sweeps within the clouds' quotas.
const minStatusInterval = 200 * time.Millisecond

func (c *Config) validate() field.ErrorList {
	var errs field.ErrorList
	if !clusterIDPattern.MatchString(c.ClusterID) {
		errs = append(errs, field.Invalid(field.NewPath("clusterID"), c.ClusterID,
			"must be 1 to 63 letters, digits, '-', '_' or '.', such as the UID of the kube-system namespace"))
	}
	for i, ip := range c.ClusterDNS {
		if net.ParseIP(ip) == nil {
			errs = append(errs, field.Invalid(field.NewPath("clusterDNS").Index(i), ip, "must be an IP address"))
		}
	}
	for _, bind := range []struct{ name, value string }{{"healthAddress", c.HealthAddress}, {"metricsAddress", c.MetricsAddress}} {
		if _, _, err := net.SplitHostPort(bind.value); err != nil && bind.value != "0" {
			errs = append(errs, field.Invalid(field.NewPath(bind.name), bind.value, `must be host:port, such as 127.0.0.1:8080, or "0" for none`))
		}
	}
	if len(c.Nodes) == 0 {
		errs = append(errs, field.Required(field.NewPath("nodes"), "at least one virtual node is needed"))
	}
	names, listeners := sets.New[string](), sets.New[string]()
	for i := range c.Nodes {
		n, path := &c.Nodes[i], field.NewPath("nodes").Index(i)
		if names.Has(n.Name) {
			errs = append(errs, field.Duplicate(path.Child("name"), n.Name))
		}
		names.Insert(n.Name)
		listener := net.JoinHostPort(n.Address, strconv.Itoa(int(n.Port)))
		if n.Port != 0 && listeners.Has(listener) {
			errs = append(errs, field.Duplicate(path.Child("port"), n.Port))
		}
		listeners.Insert(listener)
		errs = append(errs, n.validate(path)...)
	}
	return errs
}

func (n *Node) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(n.Name) {
		errs = append(errs, field.Invalid(path.Child("name"), n.Name, msg))
	}
	if n.Region == "" {
		errs = append(errs, field.Required(path.Child("region"), "such as cn-hangzhou (eci) or cn-beijing-6 (kci)"))
	}
	errs = append(errs, n.validateArchitecture(path)...)
	if n.StatusInterval.Duration < minStatusInterval {
		errs = append(errs, field.Invalid(path.Child("statusInterval"), n.StatusInterval.Duration.String(), "must be at least 200ms"))
	}
	policies := []string{SecurityContextRefuse, SecurityContextReport}
	if !slices.Contains(policies, n.Policy.SecurityContext) {
		errs = append(errs, field.NotSupported(path.Child("policy", "securityContext"), n.Policy.SecurityContext, policies))
	}
	if names := []string{HostnameRefuse, HostnameEmulate}; !slices.Contains(names, n.Policy.Hostname) {
		errs = append(errs, field.NotSupported(path.Child("policy", "hostname"), n.Policy.Hostname, names))
	}
	if reports := []string{ReportWarn, ReportStrict}; !slices.Contains(reports, n.Policy.Report) {
		errs = append(errs, field.NotSupported(path.Child("policy", "report"), n.Policy.Report, reports))
	}
	errs = append(errs, n.validateOptions(path)...)
	errs = append(errs, n.validateCloud(path)...)
	errs = append(errs, n.validateNetwork(path)...)
	errs = append(errs, n.validateObject(path)...)
	return append(errs, n.Credentials.validate(n.Cloud, path.Child("credentials"))...)
}

func (n *Node) validateReadiness(path *field.Path) field.ErrorList {
	choices := []string{ReadinessNode, ReadinessEvents}
	switch {
	case !slices.Contains(choices, n.Readiness):
		return field.ErrorList{field.NotSupported(path, n.Readiness, choices)}
	case n.Readiness == ReadinessEvents && n.Dialect == DialectSeed:
		return field.ErrorList{field.Forbidden(path, "dialect seed has no readiness probes: only the node can run them")}
	default:
		return nil
	}
}

func (n *Node) validateCloud(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	subnets, groups := path.Child("subnets"), path.Child("securityGroups")
	switch n.Cloud {
	case CloudECI:
		if n.Network != "public" && n.Network != "vpc" {
			errs = append(errs, field.NotSupported(path.Child("network"), n.Network, []string{"public", "vpc"}))
		}
		if n.Dialect != "" {
			errs = append(errs, field.Forbidden(path.Child("dialect"), "only kci has dialects"))
		}
		if n.Readiness != "" {
			errs = append(errs, field.Forbidden(path.Child("readiness"), "only kci leaves a choice: eci tells what is ready"))
		}
		errs = append(errs, count(subnets, n.Subnets, 0, 10)...)
		errs = append(errs, count(groups, n.SecurityGroups, 0, 5)...)
	case CloudKCI:
		most := 5
		if n.Dialect == DialectSeed {
			most = 1
		} else if n.Dialect != DialectExtended {
			errs = append(errs, field.NotSupported(path.Child("dialect"), n.Dialect, []string{DialectExtended, DialectSeed}))
		}
		if n.Network != "" {
			errs = append(errs, field.Forbidden(path.Child("network"), "only eci has networks to choose from: name an endpoint"))
		}
		errs = append(errs, n.validateReadiness(path.Child("readiness"))...)
		errs = append(errs, count(subnets, n.Subnets, 1, most)...)
		errs = append(errs, count(groups, n.SecurityGroups, 1, 3)...)
	default:
		errs = append(errs, field.NotSupported(path.Child("cloud"), n.Cloud, []string{CloudECI, CloudKCI}))
	}
	return errs
}

func count(path *field.Path, list []string, least, most int) field.ErrorList {
	switch {
	case len(list) < least:
		return field.ErrorList{field.Required(path, "the cloud needs at least one")}
	case len(list) > most:
		return field.ErrorList{field.TooMany(path, len(list), most)}
	default:
		return nil
	}
}

func (n *Node) validateNetwork(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if n.Endpoint != "" {
		errs = append(errs, validateEndpoint(path.Child("endpoint"), n.Endpoint)...)
	}
	if net.ParseIP(n.Address) == nil {
		errs = append(errs, field.Invalid(path.Child("address"), n.Address, "must be an IP address to listen on"))
	}
	switch {
	case n.AdvertiseAddress == "":
		errs = append(errs, field.Required(path.Child("advertiseAddress"), "address is a wildcard, so say at which IP the API server reaches the node"))
	case net.ParseIP(n.AdvertiseAddress) == nil:
		errs = append(errs, field.Invalid(path.Child("advertiseAddress"), n.AdvertiseAddress, "must be an IP address"))
	case net.ParseIP(n.AdvertiseAddress).IsUnspecified():
		errs = append(errs, field.Invalid(path.Child("advertiseAddress"), n.AdvertiseAddress, "must be an address that others can reach, not a wildcard"))
	}
	if n.Port < 0 || n.Port > 65535 {
		errs = append(errs, field.Invalid(path.Child("port"), n.Port, "must be 0 to 65535"))
	}
	if (n.Serving.CertFile == "") != (n.Serving.KeyFile == "") {
		errs = append(errs, field.Required(path.Child("serving"), "certFile and keyFile go together"))
	}
	if n.Serving.CertFile != "" && n.Serving.Approve {
		errs = append(errs, field.Forbidden(path.Child("serving", "approve"), "with certFile no certificate is requested, so there is none to approve"))
	}
	return errs
}

func validateEndpoint(path *field.Path, endpoint string) field.ErrorList {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return field.ErrorList{field.Invalid(path, endpoint, "must be a URL such as https://eci.cn-hangzhou.aliyuncs.com")}
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
	if u.Scheme == "http" && !loopback {
		return field.ErrorList{field.Invalid(path, endpoint, "must be https: plain http is for loopback addresses only")}
	}
	return nil
}

func (n *Node) validateObject(path *field.Path) field.ErrorList {
	errs := metav1validation.ValidateLabels(n.Labels, path.Child("labels"))
	for _, name := range slices.Sorted(maps.Keys(n.Capacity)) {
		quantity := n.Capacity[name]
		if quantity.Sign() < 0 {
			errs = append(errs, field.Invalid(path.Child("capacity").Key(string(name)), quantity.String(), "must not be negative"))
		}
	}
	effects := []string{string(corev1.TaintEffectNoSchedule), string(corev1.TaintEffectPreferNoSchedule), string(corev1.TaintEffectNoExecute)}
	for i, taint := range n.Taints {
		at := path.Child("taints").Index(i)
		for _, msg := range validation.IsQualifiedName(taint.Key) {
			errs = append(errs, field.Invalid(at.Child("key"), taint.Key, msg))
		}
		for _, msg := range validation.IsValidLabelValue(taint.Value) {
			errs = append(errs, field.Invalid(at.Child("value"), taint.Value, msg))
		}
		if !sets.New(effects...).Has(string(taint.Effect)) {
			errs = append(errs, field.NotSupported(at.Child("effect"), string(taint.Effect), effects))
		}
	}
	return errs
}

func (c *Credentials) validate(cloud string, path *field.Path) field.ErrorList {
	sources := 0
	for _, set := range []bool{c.File != "", c.ECSRAMRole != "", c.RRSA != nil} {
		if set {
			sources++
		}
	}
	if sources > 1 {
		return field.ErrorList{field.Forbidden(path, "name one of file, ecsRAMRole and rrsa")}
	}
	if cloud == CloudKCI && (c.ECSRAMRole != "" || c.RRSA != nil) {
		return field.ErrorList{field.Forbidden(path, "ecsRAMRole and rrsa exist on eci only")}
	}
	if c.RRSA != nil {
		return c.RRSA.validate(path.Child("rrsa"))
	}
	if sources == 0 && (c.FromEnvironment.ID == "" || c.FromEnvironment.Secret == "") {
		return field.ErrorList{field.Required(path, "no source is named and the environment holds no access key: set "+environmentNames(cloud))}
	}
	return nil
}

func environmentNames(cloud string) string {
	if cloud == CloudKCI {
		return envKCIKeyID + " and " + envKCIKeySecret
	}
	return envECIKeyID + " and " + envECIKeySecret
}

func (r *RRSA) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, f := range []struct{ name, value string }{
		{"roleARN", r.RoleARN}, {"oidcProviderARN", r.OIDCProviderARN}, {"tokenFile", r.TokenFile},
	} {
		if f.value == "" {
			errs = append(errs, field.Required(path.Child(f.name), "rrsa needs it"))
		}
	}
	return errs
}
