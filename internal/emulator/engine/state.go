package engine

import "time"

// Status is a group's state, in the words both clouds share. A front maps the
// ones its cloud does not have.
type Status string

// The states of a group.
const (
	Scheduling     Status = "Scheduling"
	ScheduleFailed Status = "ScheduleFailed"
	Pending        Status = "Pending"
	Running        Status = "Running"
	Succeeded      Status = "Succeeded"
	Failed         Status = "Failed"
	Restarting     Status = "Restarting"
	Updating       Status = "Updating"
	Terminating    Status = "Terminating"
	Expired        Status = "Expired"
)

// Final tells whether a group in this state never runs again.
func (s Status) Final() bool {
	switch s {
	case Succeeded, Failed, ScheduleFailed, Expired:
		return true
	default:
		return false
	}
}

// Group is a snapshot of one group: the engine never changes what it has handed
// out. Several snapshots may share their slices and Spec, so these are for
// reading only: clone a slice before sorting or changing it.
type Group struct {
	ID     string
	Spec   *Spec
	Status Status
	// Reason and Message explain ScheduleFailed and Failed.
	Reason, Message string
	IP              string
	HostIP          string
	MAC, ENI        string
	Tags            []NameValue

	CreatedAt time.Time
	// ScheduledAt is when a machine was found: billing starts.
	ScheduledAt time.Time
	// StartedAt is when the agent of the machine took the group over: the
	// start time of its pod, from which Spec.Deadline counts.
	StartedAt time.Time
	// EndedAt is when compute was freed: billing ends. Zero while it runs.
	EndedAt time.Time
	// DeletedAt is when the group vanished from the API; zero before.
	DeletedAt time.Time
	// ChangedAt is the time of the last change a poller could see.
	ChangedAt time.Time

	InitContainers []ContainerState
	Containers     []ContainerState
	// Events are the newest 50, oldest first.
	Events []Event
}

// ContainerState is what is known of one container.
type ContainerState struct {
	Name, Image          string
	ImageID, ContainerID string
	Ready, Started       bool
	RestartCount         int
	Current              RunState
	Previous             *RunState
}

// RunState is one run of a container; Kind is Waiting, Running or Terminated.
type RunState struct {
	Kind            string
	Reason, Message string
	ExitCode        int
	Signal          int
	StartedAt       time.Time
	FinishedAt      time.Time
}

// The kinds of RunState.
const (
	KindWaiting    = "Waiting"
	KindRunning    = "Running"
	KindTerminated = "Terminated"
)

// Event is one event of a group, in the words of a kubelet, which both clouds'
// agents speak (seed of KCI, events of its example).
type Event struct {
	Type            string // Normal, Warning
	Reason, Message string
	// Container is the name of the container concerned; empty for the group.
	Container   string
	Count       int
	First, Last time.Time
}

// LogLine is one line of a container's output.
type LogLine struct {
	Time time.Time
	// Text has no newline at its end.
	Text string
}

// Usage is a group's resource use at one time.
type Usage struct {
	Time       time.Time
	Containers []ContainerUsage
	RxBytes    uint64
	TxBytes    uint64
}

// ContainerUsage is one container's share: nanocores, core nanoseconds, bytes.
type ContainerUsage struct {
	Name                                  string
	NanoCores, CoreNanoSeconds            uint64
	UsageBytes, WorkingSetBytes, RSSBytes uint64
}
