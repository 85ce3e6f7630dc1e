package translate

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// runAs is as whom a container runs, as a kubelet computes it: what the
// container says, else what the pod says.
type runAs struct {
	user, group *int64
	nonRoot     bool
	// groupAt and nonRootAt are the fields that say so.
	groupAt, nonRootAt *field.Path
}

func (t *translation) runAs(c *corev1.Container, path *field.Path) runAs {
	var out runAs
	if pod := t.pod.Spec.SecurityContext; pod != nil {
		at := field.NewPath("spec", "securityContext")
		out = runAs{user: pod.RunAsUser, group: pod.RunAsGroup, nonRoot: isTrue(pod.RunAsNonRoot)}
		out.groupAt, out.nonRootAt = at.Child("runAsGroup"), at.Child("runAsNonRoot")
	}
	own := c.SecurityContext
	if own == nil {
		return out
	}
	at := path.Child("securityContext")
	if own.RunAsUser != nil {
		out.user = own.RunAsUser
	}
	if own.RunAsGroup != nil {
		out.group, out.groupAt = own.RunAsGroup, at.Child("runAsGroup")
	}
	if own.RunAsNonRoot != nil {
		out.nonRoot, out.nonRootAt = *own.RunAsNonRoot, at.Child("runAsNonRoot")
	}
	return out
}

// security is the security context of a container or init container. What the
// cloud cannot take at all the table has refused.
func (t *translation) security(c *corev1.Container, path *field.Path) cloudapi.Security {
	var out cloudapi.Security
	if t.limits.Can.RunAsUser {
		out.RunAsUser = cloneInt(t.runAs(c, path).user)
	}
	if c.SecurityContext == nil {
		return out
	}
	out.ReadOnlyRoot = t.limits.Can.ReadOnlyRoot && isTrue(c.SecurityContext.ReadOnlyRootFilesystem)
	if c.SecurityContext.Capabilities != nil {
		out.AddCapabilities = t.capabilities(c.SecurityContext.Capabilities, path.Child("securityContext", "capabilities"))
	}
	return out
}

// privileged tells whether a container has every right: where it asks for that
// and the node's policy lets it, which else refuses it.
func (t *translation) privileged(c *corev1.Container, path *field.Path) bool {
	if c.SecurityContext == nil || !isTrue(c.SecurityContext.Privileged) {
		return false
	}
	reason := t.allowed(PolicyPrivileged, "true")
	if reason != "" {
		t.refusef(path.Child("securityContext", "privileged"), "%s", reason)
	}
	return reason == ""
}

// mainSecurity adds what long-running containers can say besides.
func (t *translation) mainSecurity(out *cloudapi.Security, c *corev1.Container, path *field.Path) {
	if t.limits.Can.RunAsGroup {
		as := t.runAs(c, path)
		out.RunAsGroup, out.RunAsNonRoot = cloneInt(as.group), as.nonRoot
	}
	out.Privileged = t.limits.Can.Privileged && t.privileged(c, path)
}

// initSecurity does the same for init containers. A cloud that takes less for
// them can still promise runAsNonRoot where the user is said and is not root.
func (t *translation) initSecurity(out *cloudapi.Security, c *corev1.Container, path *field.Path) {
	out.Privileged = t.limits.Can.InitPrivileged && t.privileged(c, path)
	as := t.runAs(c, path)
	switch {
	case t.limits.Can.InitRunAsGroup:
		out.RunAsGroup, out.RunAsNonRoot = cloneInt(as.group), as.nonRoot
		return
	case !t.limits.Can.RunAsGroup:
		return // the table has refused both
	}
	if as.group != nil {
		t.refuseOnce(as.groupAt, reasonInitRun)
	}
	if as.nonRoot && (as.user == nil || *as.user == 0) {
		t.refuseOnce(as.nonRootAt, reasonInitRun+"; with a runAsUser other than 0 there is nothing to take")
	}
}

// refuseOnce refuses a field unless it has been refused already, by the table
// or for another container.
func (t *translation) refuseOnce(path *field.Path, reason string) {
	text := path.String()
	if !slices.ContainsFunc(t.refusals, func(r Refusal) bool { return r.Field == text }) {
		t.refusef(path, "%s", reason)
	}
}

// granted words what a cloud takes of something.
func (*translation) granted(none, some string, list []string) string {
	if len(list) == 0 {
		return none
	}
	return some + strings.Join(list, ", ")
}

// safeSysctls are the sysctls that a kubelet allows without being told to
// (Kubernetes 1.35, pkg/kubelet/sysctl/safe_sysctls.go): each belongs to the
// pod and touches no other.
var safeSysctls = []string{
	"kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_wmem",
}

// sysctls lets those pass that a kubelet would allow and the cloud takes.
func (t *translation) sysctls() []cloudapi.Sysctl {
	if t.pod.Spec.SecurityContext == nil || !t.limits.Can.Sysctls {
		return nil // the table has refused them
	}
	var out []cloudapi.Sysctl
	base := field.NewPath("spec", "securityContext", "sysctls")
	for i, s := range t.pod.Spec.SecurityContext.Sysctls {
		name, path := dotted(s.Name), base.Index(i).Child("name")
		switch {
		case !slices.Contains(safeSysctls, name):
			t.refusef(path, "%s is not one of the sysctls that Kubernetes calls safe; others are not allowed by default", s.Name)
		case !slices.Contains(t.limits.Sysctls, name):
			t.refusef(path, "%s: %s", s.Name, "the cloud takes "+strings.Join(t.limits.Sysctls, ", "))
		default:
			out = append(out, cloudapi.Sysctl{Name: name, Value: s.Value})
		}
	}
	return out
}

// dotted is a sysctl's name with dots between its parts: a name whose first
// separator is a slash has slashes for dots and dots for slashes.
func dotted(name string) string {
	if first := strings.IndexAny(name, "./"); first < 0 || name[first] == '.' {
		return name
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '/':
			return '.'
		case '.':
			return '/'
		}
		return r
	}, name)
}
