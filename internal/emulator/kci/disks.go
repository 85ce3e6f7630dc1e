package kci

import (
	"fmt"
	"regexp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// diskPattern is the form of disks' ids, as in the KCI document's examples of
// ids. The emulated account has every disk that anybody names.
var diskPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// diskID checks the id of a disk that is to exist.
func (r *reader) diskID(n *node, id string) string {
	if id != "" && !diskPattern.MatchString(id) {
		r.fail(refuse(n.pathOf("VolumeId"), "disk "+quote(id)+" does not exist"))
	}
	return id
}

// disksOf are the ids of the disks that a group has attached.
func disksOf(spec *engine.Spec) []string {
	var ids []string
	for i := range spec.Volumes {
		if f := spec.Volumes[i].Flex; f != nil && f.Options["volumeId"] != "" {
			ids = append(ids, f.Options["volumeId"])
		}
	}
	return ids
}

// create makes a group, unless one of its disks is attached already: the
// document wants a disk that is not (EBSVolume, VolumeId).
func (s *Server) create(spec engine.Spec) (answer, *apiError) {
	s.disks.Lock()
	defer s.disks.Unlock()
	taken := map[string]bool{}
	alive := s.options.Groups.List(func(g *engine.Group) bool { return !g.Status.Final() })
	if err := boundAddress(&spec, alive); err != nil {
		return nil, err
	}
	for i := range alive {
		for _, id := range disksOf(alive[i].Spec) {
			taken[id] = true
		}
	}
	for i := range spec.Volumes {
		for _, id := range disksOf(&engine.Spec{Volumes: spec.Volumes[i : i+1]}) {
			if taken[id] {
				return nil, refuse(fmt.Sprintf("Volume.%d.EBSVolume.VolumeId", i+1), "disk "+quote(id)+" is attached already")
			}
			taken[id] = true
		}
	}
	return &createAnswer{ContainerGroupID: s.options.Groups.Create(spec).ID}, nil
}
