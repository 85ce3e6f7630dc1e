package engine

import (
	"cmp"
	"slices"
)

// history remembers groups that vanished from the API, oldest first. Engine.mu
// guards it.
type history struct {
	ids    []string // those before first are dropped
	first  int
	groups map[string]*Group
}

func newHistory() history { return history{groups: map[string]*Group{}} }

// add remembers a group, and forgets the oldest ones beyond room.
func (h *history) add(g Group, room int) {
	trimmed := trim(g)
	h.ids = append(h.ids, g.ID)
	h.groups[g.ID] = &trimmed
	for len(h.ids)-h.first > max(room, 0) {
		delete(h.groups, h.ids[h.first])
		h.ids[h.first] = ""
		h.first++
	}
	if h.first > len(h.ids)/2 {
		h.ids = slices.Clone(h.ids[h.first:])
		h.first = 0
	}
}

// trim drops what would make a long memory large: files, environments, events
// and the front's request.
func trim(g Group) Group {
	s := *g.Spec
	g.Spec = &Spec{
		Name: s.Name, Region: s.Region, Zone: s.Zone, Subnet: s.Subnet, VPC: s.VPC,
		CPU: s.CPU, Memory: s.Memory, InstanceType: s.InstanceType,
		RestartPolicy: s.RestartPolicy, Grace: s.Grace, Deadline: s.Deadline,
	}
	g.Events = nil
	return g
}

// All returns every group that is remembered, shown or vanished, oldest first.
// Vanished ones come without containers' specs and without events.
func (e *Engine) All() []Group {
	e.mu.RLock()
	groups := make([]Group, 0, len(e.records)+len(e.vanished.groups))
	for _, g := range e.vanished.groups {
		groups = append(groups, *g)
	}
	for _, r := range e.records {
		groups = append(groups, r.snapshot())
	}
	e.mu.RUnlock()
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return groups
}

// Find returns a group that is remembered, shown or vanished.
func (e *Engine) Find(id string) (Group, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if r, ok := e.records[id]; ok {
		return r.snapshot(), nil
	}
	if g, ok := e.vanished.groups[id]; ok {
		return *g, nil
	}
	return Group{}, ErrNotFound
}
