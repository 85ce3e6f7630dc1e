package translate

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// applyOptions writes the pod's options into its group, and the size that its
// containers need.
func (t *translation) applyOptions(spec *cloudapi.GroupSpec, need share) {
	chosen := t.readChoices()
	for i := range optionTable { // in the order of names: roles come after what they are for
		if c, found := chosen[optionTable[i].Name]; found {
			c.apply(spec)
		}
	}
	if lines := chosen["host-aliases"]; lines != nil {
		spec.HostAliases = t.fitHostAliases(lines.path(), spec.HostAliases, " together with the pod's own")
	}
	t.checkSysctlsOnce(spec, chosen)
	t.checkCards(spec)
	t.ephemeralStorage(&spec.Options)
	sold := t.sold(spec, chosen, need)
	spec.CPU, spec.Memory = toFloat(sold.cpu), toFloat(sold.memory)
}

// sold is the size of the group: what its containers need, or more where the
// option size says so, or that of a machine.
func (t *translation) sold(spec *cloudapi.GroupSpec, chosen choices, need share) share {
	asked := share{fromFloat(spec.CPU), fromFloat(spec.Memory)}
	switch {
	case chosen.takes("instance-types"):
		return t.machineSize(chosen["instance-types"], need)
	case asked == (share{}):
		return t.size(need)
	}
	want := asked.max(need)
	if want != asked {
		t.changed(chosen["size"].path(), "the containers ask for more", asked.String(), want.String())
	}
	return t.size(want)
}

// machineSize is what a cloud is told that wants a size beside the machine,
// whose own the group has in the end.
func (t *translation) machineSize(types *choice, need share) share {
	asked := need.String()
	if need == (share{}) {
		need, asked = rowShare(t.limits.DefaultSize), "no resources"
	}
	t.changed(types.path(), "the group has the size of its instance type", asked, strings.Join(types.items, " or "))
	if fits, ok := smallest(t.limits.Sizes, need); ok {
		return fits
	}
	return need
}

// path is where an option was asked for, for a report: a default of the node has
// no field in the pod, so that the containers stand for it.
func (c *choice) path() *field.Path {
	if c.key == "" {
		return field.NewPath("spec", "containers")
	}
	return annotationPath(c.key)
}

// checkSysctlsOnce refuses a kernel setting that both the pod's security context
// and the option have.
func (t *translation) checkSysctlsOnce(spec *cloudapi.GroupSpec, chosen choices) {
	if !chosen.takes("host-sysctls") || chosen["host-sysctls"].key == "" {
		return
	}
	for _, host := range spec.Options.HostSysctls {
		for _, own := range spec.Sysctls {
			if host.Name == own.Name {
				t.refusef(chosen["host-sysctls"].path(), "spec.securityContext.sysctls has %s too", own.Name)
			}
		}
	}
}

// checkCards refuses graphics cards without a machine that has some: where none
// is named the clouds choose one without.
func (t *translation) checkCards(spec *cloudapi.GroupSpec) {
	if len(spec.Options.Machine.InstanceTypes) > 0 || !t.limits.Can.GPU {
		return // without the ability the table has refused them
	}
	base := field.NewPath("spec")
	for i := range t.pod.Spec.InitContainers {
		t.checkContainerCards(&t.pod.Spec.InitContainers[i], base.Child("initContainers").Index(i))
	}
	for i := range t.pod.Spec.Containers {
		t.checkContainerCards(&t.pod.Spec.Containers[i], base.Child("containers").Index(i))
	}
}

func (t *translation) checkContainerCards(c *corev1.Container, path *field.Path) {
	if gpus(c) == 0 {
		return
	}
	list := "requests"
	if _, limited := c.Resources.Limits[resourceGPU]; limited {
		list = "limits"
	}
	t.refusef(path.Child("resources", list).Key(string(resourceGPU)),
		"cards belong to a machine that is named: say which by annotation %sinstance-types or the node's options", OptionPrefix)
}
