package admin

import (
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Group is what GET /groups tells of one group.
type Group struct {
	Cloud  string `json:"cloud"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	// Live is true while the group shows in the API.
	Live bool              `json:"live"`
	IP   string            `json:"ip,omitempty"`
	Zone string            `json:"zone,omitempty"`
	Tags map[string]string `json:"tags,omitempty"`
	// CPU and Memory are as sold, in cores and GiB.
	CPU    float64 `json:"cpu"`
	Memory float64 `json:"memory"`

	CreatedAt   time.Time  `json:"createdAt"`
	ScheduledAt *time.Time `json:"scheduledAt,omitempty"`
	EndedAt     *time.Time `json:"endedAt,omitempty"`
	DeletedAt   *time.Time `json:"deletedAt,omitempty"`
	// BilledSeconds run from ScheduledAt to EndedAt, or until now.
	BilledSeconds float64 `json:"billedSeconds"`
}

// Detail is what GET /groups/{cloud}/{id} tells beyond that.
type Detail struct {
	Group
	Message        string      `json:"message,omitempty"`
	InitContainers []Container `json:"initContainers,omitempty"`
	Containers     []Container `json:"containers"`
	Events         []Event     `json:"events"`
}

// Container is the state of one container.
type Container struct {
	Name         string `json:"name"`
	Image        string `json:"image"`
	Ready        bool   `json:"ready"`
	RestartCount int    `json:"restartCount"`
	// State is Waiting, Running or Terminated.
	State    string `json:"state"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message,omitempty"`
	ExitCode int    `json:"exitCode"`
}

// Event is one event.
type Event struct {
	Type      string    `json:"type"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Container string    `json:"container,omitempty"`
	Count     int       `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// groupOf turns an engine's group into the answer's form.
func groupOf(cloud string, g *engine.Group, now time.Time) Group {
	view := Group{
		Cloud: cloud, ID: g.ID, Name: g.Spec.Name, Status: string(g.Status), Reason: g.Reason,
		Live: g.DeletedAt.IsZero(), IP: g.IP, Zone: g.Spec.Zone, CPU: g.Spec.CPU, Memory: g.Spec.Memory,
		CreatedAt: g.CreatedAt.UTC(), ScheduledAt: moment(g.ScheduledAt), EndedAt: moment(g.EndedAt), DeletedAt: moment(g.DeletedAt),
	}
	if len(g.Tags) > 0 {
		view.Tags = make(map[string]string, len(g.Tags))
		for _, t := range g.Tags {
			view.Tags[t.Name] = t.Value
		}
	}
	if end := g.EndedAt; !g.ScheduledAt.IsZero() {
		if end.IsZero() {
			end = now
		}
		view.BilledSeconds = end.Sub(g.ScheduledAt).Seconds()
	}
	return view
}

// moment is a time that may not have come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// detailOf adds containers and events.
func detailOf(cloud string, g *engine.Group, now time.Time) Detail {
	d := Detail{
		Group: groupOf(cloud, g, now), Message: g.Message,
		InitContainers: containersOf(g.InitContainers), Containers: containersOf(g.Containers), Events: []Event{},
	}
	for _, e := range g.Events {
		d.Events = append(d.Events, Event{
			Type: e.Type, Reason: e.Reason, Message: e.Message, Container: e.Container,
			Count: e.Count, First: e.First.UTC(), Last: e.Last.UTC(),
		})
	}
	return d
}

func containersOf(states []engine.ContainerState) []Container {
	containers := make([]Container, 0, len(states))
	for _, s := range states {
		containers = append(containers, Container{
			Name: s.Name, Image: s.Image, Ready: s.Ready, RestartCount: s.RestartCount,
			State: s.Current.Kind, Reason: s.Current.Reason, Message: s.Current.Message, ExitCode: s.Current.ExitCode,
		})
	}
	return containers
}
