package engine

import "context"

// Groups is what a front may do with the groups of its cloud; *Engine is it.
// All methods are safe for concurrent use and return snapshots.
type Groups interface {
	// Create makes a group in state Scheduling and returns it.
	Create(spec Spec) Group
	// Get returns a group that still shows in the API.
	Get(id string) (Group, error)
	// List returns the groups that still show in the API, oldest first, for
	// which keep is true (nil keeps all). keep must not block.
	List(keep func(*Group) bool) []Group
	// Delete ends a group: Terminating while its containers take their
	// grace, then gone; with force gone as soon as possible. A group that
	// is already Terminating stays so without error.
	Delete(id string, force bool) error
	// Restart restarts all containers; only in Pending or Running.
	Restart(id string) error
	// Update replaces the spec; only in Pending or Running.
	Update(id string, spec Spec) error
	// SetTags replaces a group's tags.
	SetTags(id string, tags []NameValue) error
	// Logs, Exec and Usage speak to the group's Instance. ErrNotRunning
	// before there is one.
	Logs(id, container string, previous bool) ([]LogLine, error)
	Exec(ctx context.Context, id, container string, req ExecRequest) (int, error)
	Usage(id string) (Usage, error)
}
