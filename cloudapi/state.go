package cloudapi

import "time"

// Summary is what a sweep over all groups tells of each: enough to see that
// something changed, not always what.
type Summary struct {
	ID     string
	Name   string
	Status Status
	// Revision changes whenever the cloud's view of the group changes. It
	// is comparable, opaque, and never empty.
	Revision string
	// ImageIDs are those of the containers by name, where the sweep tells them
	// and Get does not; nil otherwise.
	ImageIDs map[string]string
	// Group is the full description where the sweep held it already; nil
	// otherwise, and then Get tells the rest.
	Group *Group
}

// Group is a container group as the cloud describes it. Every field may be
// missing: answers are guests, check their pockets.
type Group struct {
	ID   string
	Name string
	// Identity is read from tags, or from the name on clouds without tags;
	// its fields are empty for a group that is not ours.
	Identity Identity

	Status Status
	// RawStatus is the cloud's own word.
	RawStatus string
	// Reason and Message explain a status, where the cloud explains it.
	Reason, Message string

	Zone string
	// CPU (cores) and Memory (GiB) as billed.
	CPU, Memory float64
	IPs         []string
	// PublicIPs are addresses by which the internet reaches the group; no
	// interface of it has them.
	PublicIPs []string

	CreatedAt  time.Time
	FinishedAt time.Time

	RestartPolicy  RestartPolicy
	InitContainers []ContainerState
	Containers     []ContainerState
	Events         []Event
}

// Status is the neutral state of a group.
type Status string

// The states of a group. Only the last three are final.
const (
	// StatusScheduling: the cloud looks for a machine; nothing is billed yet.
	StatusScheduling Status = "Scheduling"
	// StatusPending: a machine is there, containers are starting.
	StatusPending Status = "Pending"
	// StatusRunning: at least one container runs or is being restarted.
	StatusRunning Status = "Running"
	// StatusRestarting and StatusUpdating: a request of ours is carried out.
	StatusRestarting Status = "Restarting"
	StatusUpdating   Status = "Updating"
	// StatusTerminating: a delete is under way.
	StatusTerminating Status = "Terminating"
	// StatusUnknown: the cloud cannot say, or uses a word we do not know.
	StatusUnknown Status = "Unknown"
	// StatusSucceeded: every container ended with exit code 0.
	StatusSucceeded Status = "Succeeded"
	// StatusFailed: every container ended, one at least not with 0, or the
	// group could not be created (Reason tells).
	StatusFailed Status = "Failed"
	// StatusExpired: a preemptible group was reclaimed, or the account is in
	// arrears.
	StatusExpired Status = "Expired"
)

// Final tells whether a group in this state never runs again.
func (s Status) Final() bool {
	return s == StatusSucceeded || s == StatusFailed || s == StatusExpired
}

// ContainerState is what the cloud tells of one container.
type ContainerState struct {
	Name  string
	Image string
	// ImageID and ContainerID are empty where the cloud hides them.
	ImageID, ContainerID string
	// Ready is nil where the cloud does not tell; a running container
	// without a readiness probe is then ready.
	Ready *bool
	// RestartCount is how often the cloud has started the container again;
	// Previous is the run before Current, nil if there was none or the cloud does
	// not tell.
	RestartCount int32
	Current      RunState
	Previous     *RunState
}

// RunState is one run of a container.
type RunState struct {
	Kind RunKind
	// Reason and Message in the cloud's words.
	Reason, Message string
	// ExitCode and Signal are of a run that has ended; Signal is 0 where no
	// signal ended it or the cloud does not tell.
	ExitCode   int32
	Signal     int32
	StartedAt  time.Time
	FinishedAt time.Time
}

// RunKind is the kind of a RunState.
type RunKind string

// The kinds of run state.
const (
	RunWaiting    RunKind = "Waiting"
	RunRunning    RunKind = "Running"
	RunTerminated RunKind = "Terminated"
)

// Event is something the cloud reports of a group.
type Event struct {
	// Warning is true for events of type Warning, false for Normal.
	Warning         bool
	Reason, Message string
	// Object names the container concerned, where the cloud says it.
	Object string
	// Count is how often it happened from FirstTime to LastTime; 0 where the
	// cloud does not count, which is once.
	Count     int32
	FirstTime time.Time
	LastTime  time.Time
}
