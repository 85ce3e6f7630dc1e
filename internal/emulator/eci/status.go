package eci

import (
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type statusRequest struct {
	listRequest
	SinceSecond *int32 `wire:"SinceSecond" range:"60-3600"`
	Limit       *int32 `wire:"Limit"`
}

type statusAnswer struct {
	RequestID  string `json:"RequestId"`
	TotalCount int
	NextToken  string `json:",omitempty"`
	Data       []statusView
}

type statusView struct {
	ContainerGroupID string `json:"ContainerGroupId"`
	Name, Namespace  string
	UUID             string `json:"uuid"`
	Status           string
	Annotations      string
	PodStatus        podStatusView
}

type podStatusView struct {
	Phase             string
	PodIP             string      `json:"PodIp,omitempty"`
	PodIPs            []podIPView `json:"PodIps,omitempty"`
	HostIP            string      `json:"HostIp,omitempty"`
	QosClass          string
	StartTime         string `json:",omitempty"`
	Conditions        []conditionView
	ContainerStatuses []containerStatusView
}

type podIPView struct {
	IP string `json:"Ip"`
}

// conditionView mixes cases as the API does.
type conditionView struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	LastTransitionTime string `json:"lastTransitionTime,omitempty"`
	Reason             string `json:",omitempty"`
	Message            string `json:",omitempty"`
}

type containerStatusView struct {
	Name, Image    string
	ImageID        string `json:",omitempty"`
	Ready, Started bool
	RestartCount   int
	State          runView
	LastState      *runView `json:",omitempty"`
}

// runView has the one of its fields set that names the state.
type runView struct {
	Waiting    *waitingView    `json:",omitempty"`
	Running    *runningView    `json:",omitempty"`
	Terminated *terminatedView `json:",omitempty"`
}

type waitingView struct {
	Reason  string `json:",omitempty"`
	Message string `json:",omitempty"`
}

// runningView tells the start by both names: the metadata says StartedAtstartedAt,
// which reads like two names run together, and the sibling field is StartedAt.
type runningView struct{ StartedAt, StartedAtstartedAt string }

type terminatedView struct {
	ContainerID           string `json:",omitempty"`
	ExitCode, Signal      int
	Reason                string `json:",omitempty"`
	Message               string `json:",omitempty"`
	StartedAt, FinishedAt string
}

// describeContainerGroupStatus answers the states of up to 200 groups, in the
// words of a pod's status.
func (s *Server) describeContainerGroupStatus(c *call, r *statusRequest) (any, error) {
	limit, err := readLimit(r.Limit, defaultStatuses, maxStatuses)
	if err != nil {
		return nil, err
	}
	since := s.since(r.SinceSecond)
	q, err := r.compile(limit, func(g *engine.Group) bool { return !g.ChangedAt.Before(since) })
	if err != nil {
		return nil, err
	}
	p := s.page(q)
	answer := statusAnswer{RequestID: c.id, TotalCount: p.total, NextToken: p.next, Data: []statusView{}}
	for i := range p.groups {
		g := &p.groups[i]
		answer.Data = append(answer.Data, statusView{
			ContainerGroupID: g.ID, Name: g.Spec.Name, Namespace: namespace, UUID: g.ID,
			Status: string(g.Status), Annotations: "{}", PodStatus: podStatusOf(g),
		})
	}
	return answer, nil
}

// namespace, and the group's id as uid, are what the API shows of groups that were
// not made by Kubernetes (sample of DescribeContainerGroupEvents).
const namespace = "default"

// since is the time so many seconds ago; the zero time for nil.
func (s *Server) since(seconds *int32) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return s.clock.Now().Add(-time.Duration(*seconds) * time.Second)
}

// phases is the table of the life cycle page.
var phases = map[engine.Status]string{
	engine.Scheduling: "Pending", engine.Pending: "Pending", engine.Restarting: "Pending", engine.Updating: "Pending",
	engine.Running: "Running", engine.Terminating: "Running",
	engine.Succeeded: "Succeeded",
	engine.Failed:    "Failed", engine.ScheduleFailed: "Failed", engine.Expired: "Failed",
}

func podStatusOf(g *engine.Group) podStatusView {
	v := podStatusView{
		Phase: phases[g.Status], PodIP: g.IP, HostIP: g.HostIP, QosClass: qosClass(wireOf(g)),
		StartTime: timestamp(g.StartedAt), Conditions: conditionsOf(g), ContainerStatuses: []containerStatusView{},
	}
	if g.IP != "" {
		v.PodIPs = []podIPView{{g.IP}}
	}
	for i := range g.Containers {
		state := &g.Containers[i]
		status := containerStatusView{
			Name: state.Name, Image: state.Image, ImageID: state.ImageID,
			Ready: state.Ready, Started: state.Started, RestartCount: state.RestartCount,
			State: runOf(&state.Current, state.ContainerID),
		}
		if state.Previous != nil {
			last := runOf(state.Previous, "")
			status.LastState = &last
		}
		v.ContainerStatuses = append(v.ContainerStatuses, status)
	}
	return v
}

func runOf(run *engine.RunState, containerID string) runView {
	started := timestamp(run.StartedAt)
	switch run.Kind {
	case engine.KindRunning:
		return runView{Running: &runningView{started, started}}
	case engine.KindTerminated:
		return runView{Terminated: &terminatedView{
			ContainerID: containerID, ExitCode: run.ExitCode, Signal: run.Signal,
			Reason: run.Reason, Message: run.Message, StartedAt: started, FinishedAt: timestamp(run.FinishedAt),
		}}
	default:
		return runView{Waiting: &waitingView{run.Reason, run.Message}}
	}
}

// qosClass follows Kubernetes, with a container's one number as its limit.
func qosClass(r *createRequest) string {
	some, all := false, len(r.Containers) > 0
	for i := range r.Containers {
		cpu, memory := value(r.Containers[i].CPU) > 0, value(r.Containers[i].Memory) > 0
		some = some || cpu || memory
		all = all && cpu && memory
	}
	switch {
	case all:
		return "Guaranteed"
	case some:
		return "Burstable"
	default:
		return "BestEffort"
	}
}

// conditionsOf derives the conditions from the state; the engine keeps no time of
// transition for each, so the nearest one it knows stands in.
func conditionsOf(g *engine.Group) []conditionView {
	scheduled := !g.ScheduledAt.IsZero() && g.Status != engine.ScheduleFailed
	initialized := scheduled && len(g.InitContainers) >= len(g.Spec.InitContainers) && allDone(g.InitContainers)
	ready := initialized && g.Status == engine.Running && allReady(g.Containers)
	created := condition("ContainerInstanceCreated", scheduled, g.ScheduledAt)
	if g.Status == engine.ScheduleFailed {
		created = condition("ContainerInstanceCreated", false, g.ChangedAt)
		created.Reason, created.Message = g.Reason, g.Message
	}
	return []conditionView{
		created,
		condition("PodScheduled", scheduled, g.ScheduledAt),
		condition("Initialized", initialized, g.ScheduledAt),
		condition("ContainersReady", ready, g.ChangedAt),
		condition("Ready", ready, g.ChangedAt),
		condition("ContainerHasSufficientDisk", scheduled, g.ScheduledAt),
	}
}

func condition(name string, met bool, at time.Time) conditionView {
	v := conditionView{Type: name, Status: "False", LastTransitionTime: timestamp(at)}
	if met {
		v.Status = "True"
	}
	return v
}

func allDone(states []engine.ContainerState) bool {
	for i := range states {
		if states[i].Current.Kind != engine.KindTerminated || states[i].Current.ExitCode != 0 {
			return false
		}
	}
	return true
}

func allReady(states []engine.ContainerState) bool {
	for i := range states {
		if !states[i].Ready {
			return false
		}
	}
	return len(states) > 0
}
