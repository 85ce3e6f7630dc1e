package cloudapi

import (
	"context"
	"io"
	"time"
)

// Client is one cloud account in one region. Every method honours its
// context, applies the cloud's rate limits and retries by itself where the
// error's class allows it, and returns errors as *Error. A Client is safe for
// concurrent use.
type Client interface {
	// Create asks for a group and returns its id. It is asynchronous: the
	// group exists, its containers come later. Creating is idempotent by
	// opts.Token: asked twice, the cloud is paid once. An error whose
	// outcome is open (Error.Uncertain) must be repeated with the same spec
	// and token and opts.MayExist set, until it is settled.
	Create(ctx context.Context, spec GroupSpec, opts CreateOptions) (id string, err error)

	// Delete ends a group. A group that is already gone is success. With
	// opts.Force the cloud does not wait for the containers' grace period.
	// The group may stay visible for a while (StatusTerminating).
	Delete(ctx context.Context, id string, opts DeleteOptions) error

	// Get describes the groups with these ids in full, events included. An
	// id that the cloud does not know is missing from the answer. The answer
	// is complete or an error.
	Get(ctx context.Context, ids []string) ([]Group, error)

	// List returns every group of the owner, in whatever state, or an error:
	// a page that fails voids the whole answer.
	List(ctx context.Context, owner Owner) ([]Summary, error)

	// Logs returns one window of a container's log, never a stream: neither
	// cloud has one. LogChunk.Complete tells whether the window may have
	// cut older lines.
	Logs(ctx context.Context, id, container string, opts LogOptions) (LogChunk, error)

	// Exec runs a command in a container and connects its streams. It
	// returns when the command has ended, with its exit code.
	Exec(ctx context.Context, id, container string, opts ExecOptions) (exitCode int, err error)

	// Metrics returns the newest usage record of each group that has one.
	// A cloud without a metrics call answers with code Unsupported.
	Metrics(ctx context.Context, ids []string) ([]GroupMetrics, error)

	// Limits returns what this cloud sells and can express.
	Limits() Limits
}

// CreateOptions say how a create may be told apart from its repetition.
type CreateOptions struct {
	// Token is the idempotency token, at most 64 ASCII characters. The same
	// token goes with the same spec only.
	Token string
	// MayExist tells that an earlier attempt with this spec may have reached
	// the cloud. A cloud without tokens then looks for the group by its
	// exact name before it creates one.
	MayExist bool
}

// DeleteOptions say how a group is ended.
type DeleteOptions struct {
	// Force ends the containers at once, where the cloud knows a difference.
	Force bool
}

// Owner is the mark by which one virtual node knows its groups.
type Owner struct {
	// Cluster is the id of the Kubernetes cluster.
	Cluster string
	// Node is the name of the virtual node.
	Node string
	// NamePrefix starts the name of every group of this owner, on clouds
	// where groups carry no tags. See Limits.Tags.
	NamePrefix string
}

// LogOptions choose a window of a container's log. A cloud that lacks an
// option (see Limits.Log) refuses it with code Unsupported.
type LogOptions struct {
	// TailLines asks for the last lines only; 0 means the cloud's maximum.
	TailLines int
	// LimitBytes caps the answer in bytes; 0 means the cloud's maximum.
	LimitBytes int64
	// Since asks for lines written at or after this time; zero means all.
	Since time.Time
	// Previous asks for the log of the container's previous run.
	Previous bool
	// Timestamps prefixes each line with its RFC 3339 time and a space.
	Timestamps bool
}

// LogChunk is one window of a log.
type LogChunk struct {
	// Content holds whole lines, each ended by a newline if the container
	// wrote one.
	Content string
	// Complete is true when the window was surely wide enough for
	// everything that was asked for.
	Complete bool
}

// ExecOptions describe one command run in a container.
type ExecOptions struct {
	// Command is the argument vector; no shell is added.
	Command []string
	// TTY allocates a terminal; stdout and stderr are then one stream.
	TTY bool
	// Stdin, Stdout and Stderr are connected where they are not nil.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Resize delivers terminal sizes until it is closed; nil without TTY.
	Resize <-chan TerminalSize
}

// TerminalSize is a terminal's size in characters.
type TerminalSize struct {
	Width, Height uint16
}

// GroupMetrics is the newest usage record of one group.
type GroupMetrics struct {
	GroupID string
	// Time is when the cloud measured.
	Time       time.Time
	CPU        CPUUsage
	Memory     MemoryUsage
	Network    []InterfaceUsage
	Containers []ContainerMetrics
}

// ContainerMetrics is one container's share of GroupMetrics.
type ContainerMetrics struct {
	Name   string
	CPU    CPUUsage
	Memory MemoryUsage
}

// CPUUsage is processor use: the rate in billionths of a core and the sum in
// nanoseconds of core time since the container started.
type CPUUsage struct {
	UsageNanoCores, UsageCoreNanoSeconds uint64
}

// MemoryUsage is memory use in bytes.
type MemoryUsage struct {
	UsageBytes, WorkingSetBytes, RSSBytes, AvailableBytes uint64
}

// InterfaceUsage counts a network interface's traffic since the group started.
type InterfaceUsage struct {
	Name                                 string
	RxBytes, RxErrors, TxBytes, TxErrors uint64
}
