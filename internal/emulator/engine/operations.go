package engine

import (
	"context"
	"slices"
)

var _ Groups = (*Engine)(nil)

// Get implements Groups.
func (e *Engine) Get(id string) (Group, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	r, ok := e.records[id]
	if !ok {
		return Group{}, ErrNotFound
	}
	return r.snapshot(), nil
}

// List implements Groups. The group that keep sees is only good for the call.
func (e *Engine) List(keep func(*Group) bool) []Group {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var groups []Group
	var g Group
	for at := e.order.Front(); at != nil; at = at.Next() {
		g = recordAt(at).snapshot()
		if keep == nil || keep(&g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// Restart implements Groups.
func (e *Engine) Restart(id string) error {
	instance, err := e.busy(id, Restarting, nil)
	if err != nil {
		return err
	}
	instance.Restart()
	return nil
}

// Update implements Groups. It leaves the tags alone: SetTags changes them.
func (e *Engine) Update(id string, spec Spec) error {
	instance, err := e.busy(id, Updating, &spec)
	if err != nil {
		return err
	}
	group, err := e.Get(id)
	if err != nil {
		return err
	}
	instance.Update(withAddress(spec, group.IP))
	return nil
}

// busy puts a running group into a state that ends when it runs again. A group
// that the runtime has not taken over yet is in no state to be changed.
func (e *Engine) busy(id string, status Status, spec *Spec) (Instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.records[id]
	if !ok {
		return nil, ErrNotFound
	}
	idle := r.group.Status == Pending || r.group.Status == Running
	if !idle || r.ending != nil || r.instance == nil {
		return nil, ErrState
	}
	r.group.Status = status
	if spec != nil {
		r.group.Spec = spec
	}
	e.changed(r)
	return r.instance, nil
}

// SetTags implements Groups.
func (e *Engine) SetTags(id string, tags []NameValue) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.records[id]
	if !ok {
		return ErrNotFound
	}
	r.group.Tags = slices.Clone(tags)
	e.changed(r)
	return nil
}

// Logs implements Groups.
func (e *Engine) Logs(id, container string, previous bool) ([]LogLine, error) {
	instance, err := e.instance(id)
	if err != nil {
		return nil, err
	}
	return instance.Logs(container, previous)
}

// Exec implements Groups.
func (e *Engine) Exec(ctx context.Context, id, container string, req ExecRequest) (int, error) {
	instance, err := e.instance(id)
	if err != nil {
		return 0, err
	}
	return instance.Exec(ctx, container, req)
}

// Usage implements Groups.
func (e *Engine) Usage(id string) (Usage, error) {
	instance, err := e.instance(id)
	if err != nil {
		return Usage{}, err
	}
	return instance.Usage(), nil
}

// instance returns what runs a group.
func (e *Engine) instance(id string) (Instance, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	r, ok := e.records[id]
	switch {
	case !ok:
		return nil, ErrNotFound
	case r.instance == nil:
		return nil, ErrNotRunning
	default:
		return r.instance, nil
	}
}
