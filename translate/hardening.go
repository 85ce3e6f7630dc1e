package translate

import (
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// SecurityContextPolicy is what becomes of hardening in a pod's security
// contexts that the cloud has no word for: capabilities.drop,
// allowPrivilegeEscalation false, and the profile RuntimeDefault of seccomp and
// AppArmor. It makes no difference to anything that says as whom a process
// runs, that gives it more, or that names a profile or label of its own.
type SecurityContextPolicy string

// The policies.
const (
	// SecurityContextRefuse refuses the pod: what it asks for does not come
	// true.
	SecurityContextRefuse SecurityContextPolicy = "refuse"
	// SecurityContextReport leaves the hardening out and tells so in the
	// report: the operator is content with the virtual
	// machine around each container group.
	SecurityContextReport SecurityContextPolicy = "report"
)

const (
	reasonHardening = "every container group is a virtual machine of its own, without neighbours to be protected from it"
	reasonUnasked   = "container runtimes grant this capability unasked"
)

// runtimeCapabilities are what a container has that asks for nothing, with
// either of the two runtimes that most clusters have: containerd's default
// (its pkg/oci/spec.go) without MKNOD, NET_RAW, SETFCAP, SYS_CHROOT and
// AUDIT_WRITE, which CRI-O's default (its default_capabilities) does not have.
// The clouds do not say which they grant, but that NET_RAW is not among them on
// ECI.
var runtimeCapabilities = []string{
	"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID",
}

// leavesOut tells whether hardening is left out.
func (t *translation) leavesOut() bool { return t.opts.SecurityContext == SecurityContextReport }

// leftOut does without a refused field where the policy allows it, and tells
// whether it does.
func (t *translation) leftOut(f Field, v reflect.Value, path *field.Path) bool {
	switch {
	case f.Naming && t.opts.Hostname == HostnameEmulate:
		t.notef(path, DecisionEmulated, reasonEmulatedName)
		return true
	case f.Needs == "Restart" && restartsAlone(t.pod, t.limits.Can):
		t.notef(path, DecisionEmulated, "%s", f.Reason)
		return true
	case t.leavesOut() && f.Unasked:
		return true // capabilities settles which
	case !t.leavesOut() || len(f.Hardening) == 0:
		return false
	case slices.Contains(f.Hardening, AnyValue):
		return true // capabilities settles what is dropped with what is added
	case slices.Contains(f.Hardening, scalarText(v)):
		t.notef(path, DecisionIgnored, reasonHardening)
		return true
	default:
		return false
	}
}

// capabilities lets those pass that the cloud grants.
func (t *translation) capabilities(c *corev1.Capabilities, path *field.Path) []string {
	if !t.limits.Can.Capabilities && !t.leavesOut() {
		return nil // the table has refused what is added
	}
	var out []string
	expressed := true
	for i, name := range c.Add {
		at := path.Child("add").Index(i)
		switch {
		case slices.Contains(t.limits.Capabilities, string(name)):
			out = append(out, string(name))
		case t.leavesOut() && slices.Contains(runtimeCapabilities, string(name)):
			t.notef(at, DecisionIgnored, reasonUnasked)
		default:
			expressed = false
			t.refusef(at, "%s: %s", name, t.granted("the cloud grants no capability", "the cloud grants ", t.limits.Capabilities))
		}
	}
	if t.leavesOut() && len(c.Drop) > 0 {
		t.dropped(c.Drop, out, expressed, path.Child("drop"))
	}
	return out
}

// dropped leaves out what a container gives up. It must not come out with more
// than a runtime grants unasked and than it adds: a capability that is both
// added and dropped is dropped on a kubelet (containerd's CRI), and the cloud
// would grant it.
func (t *translation) dropped(drop []corev1.Capability, granted []string, expressed bool, path *field.Path) {
	if !expressed {
		t.refusef(path, "it can be left out only where the cloud can express all that is added")
		return
	}
	contradicts := false
	for i, name := range drop {
		if slices.ContainsFunc(granted, func(g string) bool { return strings.EqualFold(g, string(name)) }) {
			contradicts = true
			t.refusef(path.Index(i), "%s is added too: a kubelet would drop it, and the cloud would grant it", name)
		}
	}
	if !contradicts {
		t.notef(path, DecisionIgnored, reasonHardening)
	}
}
