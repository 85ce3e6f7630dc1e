package engine

import (
	"context"
	"errors"
	"io"
)

// Runtime runs the containers of groups. It owns what the clouds' agent on the
// machine owns: pulling, init containers in order, restarts with back-off,
// probes and readiness. The engine owns the rest.
type Runtime interface {
	// Start begins to run a group. The runtime tells each change through
	// report: never concurrently for one group, in order, with a full
	// Observation each time, and never from within Start itself. It must not
	// hold a lock of its own while it calls report.
	Start(id string, spec *Spec, report func(Observation)) Instance
}

// Observation is all that the agent knows of a group at one moment.
type Observation struct {
	IP, HostIP string
	// Status is Pending, Running, Succeeded or Failed.
	Status          Status
	Reason, Message string
	InitContainers  []ContainerState
	Containers      []ContainerState
	// NewEvents happened since the last observation.
	NewEvents []Event
	// Stopped is true in the last observation after Stop: nothing runs.
	Stopped bool
}

// Instance is a group that a Runtime runs.
type Instance interface {
	// Stop ends the containers: TERM, then KILL after the spec's grace, or
	// KILL at once with force. It returns at once; the end is reported.
	// It may be called again, with force to hurry. After a group has ended
	// by itself it is called with force when the group is forgotten, so
	// that the runtime can free what it kept for Logs.
	Stop(force bool)
	// Restart starts all containers anew.
	Restart()
	// Update replaces the spec: changed containers restart.
	Update(spec *Spec)
	// Logs returns the whole log that is kept of a container's current run,
	// or of the one before it.
	Logs(container string, previous bool) ([]LogLine, error)
	// Exec runs a command in a container and returns its exit code.
	Exec(ctx context.Context, container string, req ExecRequest) (int, error)
	// Usage returns current resource use.
	Usage() Usage
}

// ExecRequest is a command to run in a container.
type ExecRequest struct {
	Command        []string
	TTY            bool
	Stdin          io.Reader // nil: none
	Stdout, Stderr io.Writer
	Resize         <-chan Size
}

// Size is a terminal's size in characters.
type Size struct{ Width, Height uint16 }

// The errors of Engine and Instance methods; fronts turn them into codes.
var (
	// ErrNotFound: no group of this id.
	ErrNotFound = errors.New("no such container group")
	// ErrNoContainer: the group has no container of this name.
	ErrNoContainer = errors.New("no such container")
	// ErrNotRunning: the container does not run (exec), or never ran (logs).
	ErrNotRunning = errors.New("container is not running")
	// ErrState: the group's state forbids the operation.
	ErrState = errors.New("container group is in a state that forbids this")
)
