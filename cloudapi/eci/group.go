package eci

import (
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// statuses maps the group's status words (reference page of
// DescribeContainerGroups). Two older words, StartingFailed and
// WatingForDel, are not in it and read as unknown.
var statuses = map[string]cloudapi.Status{
	"Scheduling":  cloudapi.StatusScheduling,
	"Pending":     cloudapi.StatusPending,
	"Running":     cloudapi.StatusRunning,
	"Restarting":  cloudapi.StatusRestarting,
	"Updating":    cloudapi.StatusUpdating,
	"Terminating": cloudapi.StatusTerminating,
	"Succeeded":   cloudapi.StatusSucceeded,
	"Failed":      cloudapi.StatusFailed,
	statusNoPlace: cloudapi.StatusFailed,
	"Expired":     cloudapi.StatusExpired,
}

// statusNoPlace is the status of a group that could not be created.
const statusNoPlace = "ScheduleFailed"

func statusOf(word text) cloudapi.Status {
	if s, ok := statuses[string(word)]; ok {
		return s
	}
	return cloudapi.StatusUnknown
}

// toGroup reads one described group; pure, and total: whatever is missing or
// odd reads as empty or unknown.
func toGroup(w wireGroup) cloudapi.Group {
	g := cloudapi.Group{
		ID:            string(w.ContainerGroupID),
		Name:          string(w.ContainerGroupName),
		Identity:      identityOf(w.Tags),
		Status:        statusOf(w.Status),
		RawStatus:     string(w.Status),
		Zone:          string(w.ZoneID),
		CPU:           w.CPU.float(),
		Memory:        w.Memory.float(),
		CreatedAt:     w.CreationTime.time(),
		RestartPolicy: cloudapi.RestartPolicy(w.RestartPolicy),
	}
	for _, ip := range []text{w.IntranetIP, w.IPv6Address} {
		if ip != "" {
			g.IPs = append(g.IPs, string(ip))
		}
	}
	if w.InternetIP != "" {
		g.PublicIPs = []string{string(w.InternetIP)}
	}
	g.InitContainers = containerStates(w.InitContainers)
	g.Containers = containerStates(w.Containers)
	g.Events = events(w)
	finish(&g, w)
	return g
}

// finish fills in when and why the group ended.
func finish(g *cloudapi.Group, w wireGroup) {
	if !g.Status.Final() {
		return
	}
	for _, t := range []text{w.SucceededTime, w.FailedTime, w.ExpiredTime} {
		if at := t.time(); !at.IsZero() {
			g.FinishedAt = at
			break
		}
	}
	if g.RawStatus != statusNoPlace {
		return
	}
	g.Reason, g.Message = statusNoPlace, "the cloud could not create the group"
	if e := newestWarning(g.Events); e != nil {
		g.Reason, g.Message = e.Reason, e.Message
	}
}

// newestWarning returns the warning that happened last; of equal times the
// later in the list.
func newestWarning(list []cloudapi.Event) *cloudapi.Event {
	var newest *cloudapi.Event
	for i := range list {
		if list[i].Warning && (newest == nil || !list[i].LastTime.Before(newest.LastTime)) {
			newest = &list[i]
		}
	}
	return newest
}

func containerStates(list []wireContainer) []cloudapi.ContainerState {
	var out []cloudapi.ContainerState
	for _, c := range list {
		out = append(out, cloudapi.ContainerState{
			Name:         string(c.Name),
			Image:        string(c.Image),
			Ready:        c.Ready.value,
			RestartCount: max(0, c.RestartCount.int32()),
			Current:      currentState(c.CurrentState),
			Previous:     previousState(c.PreviousState),
		})
	}
	return out
}

// currentState reads a state. No state and an unknown word are read as
// waiting: that is the kind that promises nothing.
func currentState(w *wireState) cloudapi.RunState {
	if w == nil {
		return cloudapi.RunState{Kind: cloudapi.RunWaiting}
	}
	out := cloudapi.RunState{
		Kind:    cloudapi.RunKind(w.State),
		Reason:  string(w.Reason),
		Message: string(w.Message),
	}
	switch out.Kind {
	case cloudapi.RunRunning:
		out.StartedAt = w.StartTime.time()
	case cloudapi.RunTerminated:
		out.StartedAt, out.FinishedAt = w.StartTime.time(), w.FinishTime.time()
		out.ExitCode, out.Signal = w.ExitCode.int32(), w.Signal.int32()
	case cloudapi.RunWaiting:
	default:
		out.Kind = cloudapi.RunWaiting
		if out.Reason == "" {
			out.Reason = string(w.State)
		}
	}
	return out
}

// previousState reads the run before this one: only a run that has ended is
// one.
func previousState(w *wireState) *cloudapi.RunState {
	if w == nil {
		return nil
	}
	state := currentState(w)
	if state.Kind != cloudapi.RunTerminated {
		return nil
	}
	return &state
}

func events(w wireGroup) []cloudapi.Event {
	var out []cloudapi.Event
	for _, e := range w.Events {
		out = append(out, cloudapi.Event{
			Warning:   e.Type == "Warning",
			Reason:    string(e.Reason),
			Message:   string(e.Message),
			Object:    eventObject(w, e),
			Count:     max(0, e.Count.int32()),
			FirstTime: e.FirstTimestamp.time(),
			LastTime:  e.LastTimestamp.time(),
		})
	}
	return out
}

// eventObject finds the container that an event is about: the event's Name if
// it is a container's, else the one container whose name its message holds
// after the word container, as in "Started container web".
func eventObject(w wireGroup, e wireEvent) string {
	for _, list := range [][]wireContainer{w.Containers, w.InitContainers} {
		for _, c := range list {
			if c.Name != "" && (e.Name == c.Name || mentions(string(e.Message), string(c.Name))) {
				return string(c.Name)
			}
		}
	}
	return ""
}

// mentions tells whether the message has the word container and then, before
// any other word, the name: bare, quoted, or after an equals sign.
func mentions(message, name string) bool {
	words := strings.FieldsFunc(message, func(r rune) bool {
		return strings.ContainsRune(" \t\n\"'`=:,()[]", r)
	})
	for i := 1; i < len(words); i++ {
		if strings.EqualFold(words[i-1], "container") && words[i] == name {
			return true
		}
	}
	return false
}
