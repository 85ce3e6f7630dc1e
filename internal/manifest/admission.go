package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// admit does what the API server's admission plugins ServiceAccount and
// LimitRanger do to a pod that is made (k8s.io/kubernetes plugin/pkg/admission),
// by what of the pod's namespace is among the manifests. A pod with a UID is
// from a cluster, which has admitted it.
func (m *Manifests) admit(p *Pod) {
	if p.Pod.UID != "" {
		p.noToken = true
		return
	}
	spec := &p.Pod.Spec
	if account := m.accounts[types.NamespacedName{Namespace: p.Pod.Namespace, Name: spec.ServiceAccountName}]; account != nil {
		if spec.AutomountServiceAccountToken == nil && account.AutomountServiceAccountToken != nil && !*account.AutomountServiceAccountToken {
			p.noToken = true
		}
		if len(spec.ImagePullSecrets) == 0 && len(account.ImagePullSecrets) > 0 {
			spec.ImagePullSecrets = slices.Clone(account.ImagePullSecrets)
			p.Remarks = append(p.Remarks, "the pull secrets are those of ServiceAccount "+account.Name)
		}
	}
	for _, r := range m.ranges {
		if r.Namespace == p.Pod.Namespace {
			p.limit(r)
		}
	}
}

// limit gives the containers what a LimitRange says of those that do not say it
// themselves. Whether they keep within its bounds the cluster tells.
func (p *Pod) limit(r *corev1.LimitRange) {
	for i := range r.Spec.Limits {
		item := &r.Spec.Limits[i]
		if item.Type != corev1.LimitTypeContainer {
			continue
		}
		limits, requests := defaultsOf(item)
		for _, list := range [][]corev1.Container{p.Pod.Spec.InitContainers, p.Pod.Spec.Containers} {
			for j := range list {
				p.limitContainer(&list[j], r.Name, limits, requests)
			}
		}
	}
}

func (p *Pod) limitContainer(c *corev1.Container, from string, limits, requests corev1.ResourceList) {
	var given []string
	give := func(into *corev1.ResourceList, what string, values corev1.ResourceList) {
		for name, value := range values {
			if _, said := (*into)[name]; said {
				continue
			}
			if *into == nil {
				*into = corev1.ResourceList{}
			}
			(*into)[name] = value.DeepCopy()
			given = append(given, fmt.Sprintf("%s %s=%s", what, name, value.String()))
		}
	}
	give(&c.Resources.Limits, "limit", limits)
	give(&c.Resources.Requests, "request", requests)
	if len(given) > 0 {
		slices.Sort(given)
		p.Remarks = append(p.Remarks, fmt.Sprintf("LimitRange %s gives container %s %s", from, c.Name, strings.Join(given, ", ")))
	}
}

// defaultsOf is what an item of a LimitRange gives, with the API server's own
// defaults: a limit is the most that there may be, a request is the limit, or
// the least that there must be (pkg/apis/core/v1, SetDefaults_LimitRangeItem).
func defaultsOf(item *corev1.LimitRangeItem) (limits, requests corev1.ResourceList) {
	limits, requests = corev1.ResourceList{}, corev1.ResourceList{}
	fill := func(into corev1.ResourceList, lists ...corev1.ResourceList) {
		for _, list := range lists {
			for name, value := range list {
				if _, said := into[name]; !said {
					into[name] = value
				}
			}
		}
	}
	fill(limits, item.Default, item.Max)
	fill(requests, item.DefaultRequest, limits, item.Min)
	return limits, requests
}

// sortRanges puts LimitRanges in the order of their names, so that the outcome
// is not that of the files.
func (m *Manifests) sortRanges() {
	slices.SortStableFunc(m.ranges, func(a, b *corev1.LimitRange) int { return cmp.Compare(a.Name, b.Name) })
}
