package translate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// Group turns a pod and what it refers to into the group that the cloud is
// asked for, and tells what was not simply honoured.
//
// The error is a *Refused when the pod can never run on this cloud as it is,
// with all reasons at once; a *MissingReference when something that the pod
// refers to is not there yet; or another error when the options are wrong.
// The report is filled in every case.
func Group(pod *corev1.Pod, refs References, opts Options) (cloudapi.GroupSpec, Report, error) {
	opts, variableName, err := opts.checked()
	if err != nil {
		return cloudapi.GroupSpec{}, Report{}, err
	}
	t := &translation{
		pod:          pod,
		refs:         refs,
		opts:         opts,
		limits:       &opts.Limits,
		variableName: variableName,
	}
	t.inspect()
	t.services = t.nameableServices(serviceVariables(pod, refs.Services, opts.MasterServiceNamespace))
	spec := t.group()
	t.report.sort()
	t.forgetRefused()
	t.markQuiet()
	t.refuseIgnored()
	switch {
	case len(t.refusals) > 0:
		return cloudapi.GroupSpec{}, t.report, newRefused(t.refusals)
	case len(t.report.Missing) > 0:
		// Volumes come first, then init containers, then containers: the
		// order in which a kubelet meets them.
		return cloudapi.GroupSpec{}, t.report, &t.report.Missing[0]
	}
	return spec, t.report, nil
}

// group puts the specification together, field by field.
func (t *translation) group() cloudapi.GroupSpec {
	pod := t.pod
	id := t.identity()
	spec := cloudapi.GroupSpec{
		Name:            GroupName(id, *t.limits),
		Identity:        id,
		Placement:       clonePlacement(t.opts.Placement),
		RestartPolicy:   cloudapi.RestartPolicy(orDefault(pod.Spec.RestartPolicy, corev1.RestartPolicyAlways)),
		DNS:             t.dns(),
		HostAliases:     t.hostAliases(),
		PullCredentials: t.pullCredentials(),
		Sysctls:         t.sysctls(),
		ShareProcesses:  t.limits.Can.ShareProcesses && isTrue(pod.Spec.ShareProcessNamespace),
	}
	t.volumesSeen = t.volumes()
	need := t.containers(&spec)
	spec.Volumes = t.mounted(append(t.volumesSeen, t.derived...), spec.InitContainers, spec.Containers)
	t.pack(&spec)
	t.applyOptions(&spec, need)
	if t.limits.Can.Hostname {
		spec.Hostname = hostname(pod)
	}
	if t.limits.Can.TerminationGrace {
		spec.TerminationGraceSeconds = cloneInt(pod.Spec.TerminationGracePeriodSeconds)
	}
	if t.limits.Can.ActiveDeadline {
		spec.ActiveDeadlineSeconds = cloneInt(pod.Spec.ActiveDeadlineSeconds)
	}
	return spec
}

// containers translates init containers and containers and tells what the
// group must hold.
func (t *translation) containers(spec *cloudapi.GroupSpec) share {
	path := field.NewPath("spec")
	var initShares, shares []share
	running := len(LongRunning(t.pod))
	t.atMost(path.Child("initContainers"), t.limits.MaxInit,
		len(t.pod.Spec.InitContainers)+len(t.pod.Spec.Containers)-running, "init containers")
	for i := range t.pod.Spec.InitContainers {
		if !t.limits.Can.InitContainers {
			break // the table has refused them as a whole
		}
		if isRestartable(&t.pod.Spec.InitContainers[i]) {
			continue
		}
		c, s := t.initContainer(&t.pod.Spec.InitContainers[i], path.Child("initContainers").Index(i))
		spec.InitContainers = append(spec.InitContainers, c)
		initShares = append(initShares, s)
	}
	t.atMost(path.Child("containers"), t.limits.MaxContainers, running, "containers")
	if t.limits.Can.InitContainers {
		shares = t.sidecars(spec)
	}
	for i := range t.pod.Spec.Containers {
		c, s := t.mainContainer(&t.pod.Spec.Containers[i], path.Child("containers").Index(i))
		spec.Containers = append(spec.Containers, c)
		shares = append(shares, s)
	}
	return t.podShare(groupShare(shares, initShares))
}

// nameableServices leaves out variables of services whose names the cloud does
// not take. A pod must not fail because of how its neighbours are called.
func (t *translation) nameableServices(vars map[string]string) map[string]string {
	for _, name := range sortedKeys(vars) {
		if fault := t.variableNameFault(name); fault != "" {
			t.notef(field.NewPath("spec", "enableServiceLinks"), DecisionIgnored, "the variable %s of a service: %s", name, fault)
			delete(vars, name)
		}
	}
	return vars
}

func clonePlacement(p cloudapi.Placement) cloudapi.Placement {
	return cloudapi.Placement{
		Zone:             p.Zone,
		SubnetIDs:        append([]string(nil), p.SubnetIDs...),
		SecurityGroupIDs: append([]string(nil), p.SecurityGroupIDs...),
	}
}

func cloneInt(v *int64) *int64 {
	if v == nil {
		return nil
	}
	out := *v
	return &out
}
