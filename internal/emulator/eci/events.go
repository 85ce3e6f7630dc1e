package eci

import (
	"fmt"
	"slices"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type eventsRequest struct {
	listRequest
	EventSource string `wire:"EventSource" enum:"EciService,K8sAgent"`
	SinceSecond *int32 `wire:"SinceSecond" range:"60-3600"`
	Limit       *int32 `wire:"Limit"`
}

// eventsAnswer has no NextToken, although the request takes one: so is the API.
type eventsAnswer struct {
	RequestID  string `json:"RequestId"`
	TotalCount int
	Data       []eventsView
}

type eventsView struct {
	ContainerGroupID string `json:"ContainerGroupId"`
	Name, Namespace  string
	UUID             string `json:"uuid"`
	Annotations      string
	Events           []eventView
}

type eventView struct {
	Type, Reason, Message         string
	Count                         int
	FirstTimestamp, LastTimestamp string
	ReportingComponent            string
	ReportingInstance             string
	Source                        eventSource
	InvolvedObject                involvedObject `json:"involvedObject"`
	Metadata                      eventMetadata
}

type eventSource struct{ Component, Host string }

type involvedObject struct {
	Kind, Name, Namespace string
	UID                   string `json:"Uid"`
	APIVersion            string `json:"ApiVersion"`
}

type eventMetadata struct{ Name, Namespace string }

// The two sources of events.
const (
	sourceService = "EciService"
	sourceAgent   = "K8sAgent"
)

// serviceReasons are the events of the service itself (pages of custom events and
// conditions); all others come from the agent, a kubelet.
var serviceReasons = map[string]bool{
	"Creating": true, "StockExhaust": true, "NoStock": true, "StockClose": true, "InsufficientBalance": true,
	"FailedScheduling": true, "UnknownError": true, "DiskCapacityQuotaFull": true, "CpuOptionsNotSupported": true,
	"CpuOptionsNotValid": true, "SpotToBeReleased": true, "SystemFailureReboot": true, "SystemReboot": true,
}

// describeContainerGroupEvents answers the newest 50 events of each group. With
// SinceSecond only groups with newer events are shown.
func (s *Server) describeContainerGroupEvents(c *call, r *eventsRequest) (any, error) {
	limit, err := readLimit(r.Limit, defaultStatuses, maxStatuses)
	if err != nil {
		return nil, err
	}
	since := s.since(r.SinceSecond)
	wanted := func(e engine.Event) bool { return is(r.EventSource, sourceOf(e)) && !e.Last.Before(since) }
	q, err := r.compile(limit, func(g *engine.Group) bool {
		return r.SinceSecond == nil || slices.ContainsFunc(g.Events, wanted)
	})
	if err != nil {
		return nil, err
	}
	p := s.page(q)
	answer := eventsAnswer{RequestID: c.id, TotalCount: p.total, Data: []eventsView{}}
	for i := range p.groups {
		g := &p.groups[i]
		view := eventsView{ContainerGroupID: g.ID, Name: g.Spec.Name, Namespace: namespace, UUID: g.ID,
			Annotations: "{}", Events: []eventView{}}
		for _, e := range g.Events[max(0, len(g.Events)-maxEvents):] {
			if wanted(e) {
				view.Events = append(view.Events, eventOf(g, e))
			}
		}
		answer.Data = append(answer.Data, view)
	}
	return answer, nil
}

func sourceOf(e engine.Event) string {
	if serviceReasons[e.Reason] {
		return sourceService
	}
	return sourceAgent
}

func eventOf(g *engine.Group, e engine.Event) eventView {
	component := "kubelet"
	if sourceOf(e) == sourceService {
		component = sourceService
	}
	return eventView{
		Type: e.Type, Reason: e.Reason, Message: e.Message, Count: e.Count,
		FirstTimestamp: timestamp(e.First), LastTimestamp: timestamp(e.Last),
		ReportingComponent: component, ReportingInstance: "eci",
		Source:         eventSource{component, "eci"},
		InvolvedObject: involvedObject{Kind: "Pod", Name: g.Spec.Name, Namespace: namespace, UID: g.ID, APIVersion: "v1"},
		Metadata:       eventMetadata{Name: eventName(g.Spec.Name, e.First), Namespace: namespace},
	}
}

// eventName is the name that Kubernetes gives to an event: object and time.
func eventName(object string, first time.Time) string {
	return fmt.Sprintf("%s.%x", object, first.UnixNano())
}
