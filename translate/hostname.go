package translate

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// HostnamePolicy is what becomes of a host name and a subdomain that a pod of a
// StatefulSet or one that names its own has, on a cloud that chooses the host
// name itself.
type HostnamePolicy string

// The policies.
const (
	// HostnameRefuse refuses the pod: its program hostname would not say what
	// the pod does.
	HostnameRefuse HostnamePolicy = "refuse"
	// HostnameEmulate runs the pod. The variable HOSTNAME has the name, as
	// container runtimes set it, and the cluster's DNS knows it; the program
	// hostname says the cloud's.
	HostnameEmulate HostnamePolicy = "emulate"
)

// HostnameVariable is the variable that container runtimes set to the host name
// (containerd's CRI: internal/cri/server, container_create.go).
const HostnameVariable = "HOSTNAME"

const reasonEmulatedName = "the variable " + HostnameVariable + " and the cluster's DNS say it; the program hostname says the name that the cloud chose"

// maxHostname is the longest host name that Linux takes.
const maxHostname = 63

// hostname is the pod's host name, as a kubelet sets it.
func hostname(pod *corev1.Pod) string {
	name := pod.Name
	if pod.Spec.Hostname != "" {
		name = pod.Spec.Hostname
	}
	if pod.Spec.HostnameOverride != nil {
		name = *pod.Spec.HostnameOverride
	}
	if len(name) > maxHostname {
		name = strings.TrimRight(name[:maxHostname], "-.")
	}
	return name
}

// hostnameVariable is the value of HostnameVariable where it makes up for a host
// name that the pod asks for; else empty.
func (t *translation) hostnameVariable() string {
	asked := t.pod.Spec.Hostname != "" || t.pod.Spec.HostnameOverride != nil || t.pod.Spec.Subdomain != ""
	if t.limits.Can.Hostname || t.opts.Hostname != HostnameEmulate || !asked {
		return ""
	}
	return hostname(t.pod)
}
