package kci

import (
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// reasonCreateError is the group's reason when its machine did not start. It
// is the cloud's own word for that status.
const reasonCreateError = "CreateError"

// convertGroup makes a Group of the cloud's description.
func convertGroup(in *wireGroup) cloudapi.Group {
	out := cloudapi.Group{
		ID:            in.ContainerGroupID,
		Name:          in.ContainerGroupName,
		Identity:      identityOf(in.ContainerGroupName),
		Status:        statusOf(in.Status),
		RawStatus:     in.Status,
		Zone:          in.AvailabilityZone,
		CPU:           in.CPU.value,
		Memory:        in.Memory.value,
		IPs:           addressesOf(in.NetworkInterfaceAttributes),
		PublicIPs:     publicAddresses(in.NetworkInterfaceAttributes),
		CreatedAt:     parseTime(in.CreateTime),
		FinishedAt:    parseTime(in.SucceededTime),
		RestartPolicy: cloudapi.RestartPolicy(in.RestartPolicy),
		Events:        convertEvents(in.Events),
	}
	if strings.EqualFold(in.Status, reasonCreateError) {
		out.Reason = reasonCreateError
	}
	for i := range in.Containers {
		out.Containers = append(out.Containers, convertContainer(&in.Containers[i]))
	}
	return out
}

// statusOf maps the words that the document and the SDKs' notes use for a
// group's status, in any case.
func statusOf(word string) cloudapi.Status {
	switch strings.ToLower(word) {
	case "scheduling":
		return cloudapi.StatusScheduling
	case "pending", "imagepulling":
		return cloudapi.StatusPending
	case "running":
		return cloudapi.StatusRunning
	case "succeeded":
		return cloudapi.StatusSucceeded
	case "failed", "createerror":
		return cloudapi.StatusFailed
	default:
		return cloudapi.StatusUnknown
	}
}

// addressesOf returns the private addresses, those of primary interfaces first.
func addressesOf(interfaces []wireInterface) []string {
	var primary, others []string
	for _, i := range interfaces {
		switch {
		case i.PrivateIPAddress == "":
		case strings.EqualFold(i.NetworkInterfaceType, "primary"):
			primary = append(primary, i.PrivateIPAddress)
		default:
			others = append(others, i.PrivateIPAddress)
		}
	}
	return append(primary, others...)
}

func publicAddresses(interfaces []wireInterface) []string {
	var out []string
	for _, i := range interfaces {
		if i.PublicIP != "" {
			out = append(out, i.PublicIP)
		}
	}
	return out
}

func convertContainer(in *wireContainer) cloudapi.ContainerState {
	out := cloudapi.ContainerState{
		Name:         in.Name,
		Image:        in.Image,
		RestartCount: in.RestartCount.int32(),
		Current:      cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "ContainerCreating"},
	}
	if in.CurrentState != nil {
		out.Current = convertState(in.CurrentState)
	}
	if in.PreviousState != nil {
		previous := convertState(in.PreviousState)
		out.Previous = &previous
	}
	return out
}

func convertState(in *wireState) cloudapi.RunState {
	out := cloudapi.RunState{
		Kind:       kindOf(in),
		Reason:     in.Reason,
		StartedAt:  parseTime(in.StartTime),
		FinishedAt: parseTime(in.FinishTime),
	}
	if out.Kind == cloudapi.RunTerminated {
		out.ExitCode = in.ExitCode.int32()
	}
	if out.Kind == cloudapi.RunWaiting && out.Reason == "" {
		out.Reason = in.State
	}
	return out
}

// kindOf tells the kind of a run. Only "running" stands in a source; the other
// words are those of kubelets and container runtimes. An exit code beside
// "running" or "waiting" proves nothing, for a server may write 0 for none; a
// finish time does.
func kindOf(in *wireState) cloudapi.RunKind {
	ended := !parseTime(in.FinishTime).IsZero()
	switch strings.ToLower(in.State) {
	case "terminated", "exited", "stopped", "succeeded", "failed":
		return cloudapi.RunTerminated
	case "running":
		if !ended {
			return cloudapi.RunRunning
		}
		return cloudapi.RunTerminated
	case "waiting", "created", "pending":
		if !ended {
			return cloudapi.RunWaiting
		}
		return cloudapi.RunTerminated
	}
	if ended || in.ExitCode.set {
		return cloudapi.RunTerminated
	}
	return cloudapi.RunWaiting
}

// namingPhrases begin the messages in which the cloud's agent, a kubelet, names
// the container. The first two are in the document's example.
var namingPhrases = []string{"Created container ", "Started container ", "Back-off restarting failed container "}

// containerNamed is the container that an event's message names as its subject;
// empty if it names none.
func containerNamed(message string) string {
	for _, phrase := range namingPhrases {
		if rest, found := strings.CutPrefix(message, phrase); found {
			name, _, _ := strings.Cut(rest, " ")
			return name
		}
	}
	return ""
}

func convertEvents(in []wireEvent) []cloudapi.Event {
	var out []cloudapi.Event
	for _, event := range in {
		out = append(out, cloudapi.Event{
			Warning:   strings.EqualFold(event.Type, "Warning"),
			Reason:    event.Reason,
			Message:   event.Message,
			Object:    containerNamed(event.Message),
			Count:     event.Count.int32(),
			FirstTime: parseTime(event.FirstTimestamp),
			LastTime:  parseTime(event.LastTimestamp),
		})
	}
	return out
}
