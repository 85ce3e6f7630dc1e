package kubernetes

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The words that the clouds' own agents use where a message names a pod: groups
// of the API are in namespace default with the group's id as UID (ECI's page on
// DescribeContainerGroupEvents).
const shownNamespace = "default"

// scrubber takes the names of the backing cluster out of texts that a client of
// the cloud may see, and puts those of the cloud in their place.
type scrubber struct {
	names       *strings.Replacer
	node, cloud string
}

// identity is what a pod is called in the backing cluster.
type identity struct{ namespace, name, uid, node string }

// newScrubber returns a scrubber for texts on one pod of a group. disguises are
// further texts, each followed by what to put in its place.
func newScrubber(cloud, group string, spec *engine.Spec, pod identity, disguises ...string) *scrubber {
	full := spec.Name + "_" + shownNamespace
	pairs := slices.Clone(disguises) // of two that fit at one place the earlier is taken
	for _, list := range [][]engine.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if image := imageFor(&list[i]); image != list[i].Image {
				pairs = append(pairs, image, list[i].Image)
			}
		}
	}
	if pod.uid != "" {
		pairs = append(pairs, pod.name+"_"+pod.namespace+"("+pod.uid+")", full+"("+group+")", pod.uid, group)
	}
	if pod.name != "" {
		pairs = append(pairs,
			pod.namespace+"/"+pod.name+secretInfix, "", pod.name+secretInfix, "",
			pod.namespace+"/"+pod.name, shownNamespace+"/"+spec.Name,
			pod.name+"_"+pod.namespace, full, pod.name, spec.Name,
		)
	}
	pairs = append(pairs,
		`"`+pod.namespace+`"`, `"`+shownNamespace+`"`, "namespace "+pod.namespace, "namespace "+shownNamespace,
	)
	return &scrubber{names: strings.NewReplacer(pairs...), node: pod.node, cloud: cloud}
}

// scrub returns text without the backing cluster's names.
func (s *scrubber) scrub(text string) string {
	if text == "" {
		return ""
	}
	text = s.names.Replace(text)
	if s.node == "" || !strings.Contains(text, s.node) {
		return text
	}
	// A node's name may be a plain word; only where the text says that it is a
	// node is it one.
	node := regexp.MustCompile(`(\b[Nn]odes? "?)` + regexp.QuoteMeta(s.node) + `\b`)
	return node.ReplaceAllString(text, "${1}"+s.cloud)
}
