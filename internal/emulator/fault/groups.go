package fault

import (
	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Groups returns the groups as the API sees them under the faults of the set.
// Only reads are bent: what the API does, it does to the groups as they are.
func (s *Set) Groups(groups engine.Groups) engine.Groups {
	s.mu.Lock()
	s.groups = groups
	s.mu.Unlock()
	return &view{Groups: groups, set: s}
}

// Admit is for engine.Options.Admit: it refuses what an Unschedulable fault hits.
func (s *Set) Admit(*engine.Spec) error {
	for _, hit := range s.hits("", Unschedulable) {
		return &engine.UnschedulableError{Reason: hit.Code, Message: hit.Message}
	}
	return nil
}

// view bends what is read of the groups.
type view struct {
	engine.Groups
	set *Set
}

// Get implements engine.Groups.
func (v *view) Get(id string) (engine.Group, error) {
	g, err := v.Groups.Get(id)
	for _, hit := range v.set.hits("", Stale, Young) {
		switch hit.Kind {
		case Stale:
			g, err = find(hit.frozen, id)
		default:
			if err == nil && v.young(&g, hit) {
				g, err = engine.Group{}, engine.ErrNotFound
			}
		}
	}
	return g, err
}

func find(groups []engine.Group, id string) (engine.Group, error) {
	for _, g := range groups {
		if g.ID == id {
			return g, nil
		}
	}
	return engine.Group{}, engine.ErrNotFound
}

func (v *view) young(g *engine.Group, hit *armed) bool {
	return v.set.clock.Since(g.CreatedAt) < hit.Age.Duration
}

// List implements engine.Groups.
func (v *view) List(keep func(*engine.Group) bool) []engine.Group {
	hits := v.set.hits("", Stale, Young, Partial)
	if len(hits) == 0 {
		return v.Groups.List(keep)
	}
	source := v.Groups.List
	for _, hit := range hits {
		if hit.Kind == Stale {
			source = func(keep func(*engine.Group) bool) []engine.Group { return filter(hit.frozen, keep) }
		}
	}
	return source(func(g *engine.Group) bool {
		for _, hit := range hits {
			if hit.Kind == Young && v.young(g, hit) || hit.Kind == Partial && v.set.chance(hit.Share) {
				return false
			}
		}
		return keep == nil || keep(g)
	})
}

func filter(groups []engine.Group, keep func(*engine.Group) bool) []engine.Group {
	var kept []engine.Group
	for _, g := range groups {
		if keep(&g) {
			kept = append(kept, g)
		}
	}
	return kept
}
