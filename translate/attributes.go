package translate

import (
	"slices"
	"strings"
)

// attributes are the volumeAttributes of a CSI volume or the options of a
// FlexVolume. The vendors' drivers read their names in any case. Values may be
// secrets and are told nowhere.
type attributes struct {
	// values are by names in lower case, names as they are written.
	values, names map[string]string
	taken         map[string]bool
}

func newAttributes(values map[string]string) *attributes {
	a := &attributes{values: map[string]string{}, names: map[string]string{}, taken: map[string]bool{}}
	for _, name := range sortedKeys(values) {
		a.values[strings.ToLower(name)], a.names[strings.ToLower(name)] = values[name], name
	}
	return a
}

// take returns the value of an attribute and counts it as understood.
func (a *attributes) take(name string) string {
	name = strings.ToLower(name)
	a.taken[name] = true
	return strings.TrimSpace(a.values[name])
}

// takeAll counts all attributes as understood.
func (a *attributes) takeAll() {
	for name := range a.values {
		a.taken[name] = true
	}
}

// passing are the beginnings of names that Kubernetes' own components add to
// tell a driver who asks: the external provisioner and a kubelet.
var passing = []string{"storage.kubernetes.io/", "csi.storage.k8s.io/", "kubernetes.io/"}

// left lists the names of attributes that nobody has taken, sorted. Empty ones
// ask for nothing.
func (a *attributes) left() []string {
	var left []string
	for _, name := range sortedKeys(a.values) {
		known := a.taken[name] || a.values[name] == "" ||
			slices.ContainsFunc(passing, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !known {
			left = append(left, a.names[name])
		}
	}
	return left
}
