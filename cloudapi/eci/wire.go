package eci

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The answers, as far as they are read. A test holds their field names against
// the SDK's. Scalars are text, number and boolean, which take what the gateway
// writes in their place: numbers as strings, null, nothing.

type groupsAnswer struct {
	RequestID       text        `json:"RequestId"`
	TotalCount      number      `json:"TotalCount"`
	NextToken       text        `json:"NextToken"`
	ContainerGroups []wireGroup `json:"ContainerGroups"`
}

type wireGroup struct {
	ContainerGroupID   text            `json:"ContainerGroupId"`
	ContainerGroupName text            `json:"ContainerGroupName"`
	Status             text            `json:"Status"`
	ZoneID             text            `json:"ZoneId"`
	CPU                number          `json:"Cpu"`
	Memory             number          `json:"Memory"`
	RestartPolicy      text            `json:"RestartPolicy"`
	IntranetIP         text            `json:"IntranetIp"`
	InternetIP         text            `json:"InternetIp"`
	IPv6Address        text            `json:"Ipv6Address"`
	CreationTime       text            `json:"CreationTime"`
	SucceededTime      text            `json:"SucceededTime"`
	FailedTime         text            `json:"FailedTime"`
	ExpiredTime        text            `json:"ExpiredTime"`
	Tags               []wireTag       `json:"Tags"`
	Events             []wireEvent     `json:"Events"`
	Containers         []wireContainer `json:"Containers"`
	InitContainers     []wireContainer `json:"InitContainers"`
}

type wireTag struct {
	Key   text `json:"Key"`
	Value text `json:"Value"`
}

type wireEvent struct {
	Type           text   `json:"Type"`
	Name           text   `json:"Name"`
	Reason         text   `json:"Reason"`
	Message        text   `json:"Message"`
	Count          number `json:"Count"`
	FirstTimestamp text   `json:"FirstTimestamp"`
	LastTimestamp  text   `json:"LastTimestamp"`
}

type wireContainer struct {
	Name          text       `json:"Name"`
	Image         text       `json:"Image"`
	Ready         boolean    `json:"Ready"`
	RestartCount  number     `json:"RestartCount"`
	CurrentState  *wireState `json:"CurrentState"`
	PreviousState *wireState `json:"PreviousState"`
}

type wireState struct {
	State        text   `json:"State"`
	DetailStatus text   `json:"DetailStatus"`
	Reason       text   `json:"Reason"`
	Message      text   `json:"Message"`
	ExitCode     number `json:"ExitCode"`
	Signal       number `json:"Signal"`
	StartTime    text   `json:"StartTime"`
	FinishTime   text   `json:"FinishTime"`
}

type statusAnswer struct {
	RequestID  text             `json:"RequestId"`
	TotalCount number           `json:"TotalCount"`
	NextToken  text             `json:"NextToken"`
	Data       []wireStatusItem `json:"Data"`
}

type wireStatusItem struct {
	ContainerGroupID text          `json:"ContainerGroupId"`
	Name             text          `json:"Name"`
	Status           text          `json:"Status"`
	PodStatus        wirePodStatus `json:"PodStatus"`
}

type wirePodStatus struct {
	Phase             text                  `json:"Phase"`
	PodIP             text                  `json:"PodIp"`
	Conditions        []wireCondition       `json:"Conditions"`
	ContainerStatuses []wireContainerStatus `json:"ContainerStatuses"`
}

type wireCondition struct {
	Type    text `json:"type"`
	Status  text `json:"status"`
	Reason  text `json:"Reason"`
	Message text `json:"Message"`
}

type wireContainerStatus struct {
	Name         text        `json:"Name"`
	Image        text        `json:"Image"`
	ImageID      text        `json:"ImageID"`
	Ready        boolean     `json:"Ready"`
	Started      boolean     `json:"Started"`
	RestartCount number      `json:"RestartCount"`
	State        wirePodRuns `json:"State"`
	LastState    wirePodRuns `json:"LastState"`
}

type wirePodRuns struct {
	Waiting    *wireWaiting    `json:"Waiting"`
	Running    *wireRunning    `json:"Running"`
	Terminated *wireTerminated `json:"Terminated"`
}

type wireWaiting struct {
	Reason  text `json:"Reason"`
	Message text `json:"Message"`
}

// wireRunning has its time under two names: the documented one looks like a
// slip of the pen, so the plausible one is read too.
type wireRunning struct {
	StartedAtDocumented text `json:"StartedAtstartedAt"`
	StartedAt           text `json:"StartedAt"`
}

type wireTerminated struct {
	ContainerID text   `json:"ContainerID"`
	ExitCode    number `json:"ExitCode"`
	Signal      number `json:"Signal"`
	Reason      text   `json:"Reason"`
	Message     text   `json:"Message"`
	StartedAt   text   `json:"StartedAt"`
	FinishedAt  text   `json:"FinishedAt"`
}

type createAnswer struct {
	RequestID        text `json:"RequestId"`
	ContainerGroupID text `json:"ContainerGroupId"`
}

type deleteAnswer struct {
	RequestID text `json:"RequestId"`
}

type logAnswer struct {
	RequestID text `json:"RequestId"`
	Content   text `json:"Content"`
}

type execAnswer struct {
	RequestID    text `json:"RequestId"`
	WebSocketURI text `json:"WebSocketUri"`
}

type errorAnswer struct {
	RequestID text `json:"RequestId"`
	Code      text `json:"Code"`
	Message   text `json:"Message"`
}

type metricsAnswer struct {
	RequestID    text            `json:"RequestId"`
	MonitorDatas []wireGroupData `json:"MonitorDatas"`
}

type wireGroupData struct {
	ContainerGroupID text         `json:"ContainerGroupId"`
	Records          []wireRecord `json:"Records"`
}

type wireRecord struct {
	Timestamp  text                `json:"Timestamp"`
	CPU        wireCPU             `json:"CPU"`
	Memory     wireMemory          `json:"Memory"`
	Network    wireNetwork         `json:"Network"`
	Containers []wireContainerData `json:"Containers"`
}

type wireContainerData struct {
	Name   text       `json:"Name"`
	CPU    wireCPU    `json:"CPU"`
	Memory wireMemory `json:"Memory"`
}

type wireCPU struct {
	UsageNanoCores       number `json:"UsageNanoCores"`
	UsageCoreNanoSeconds number `json:"UsageCoreNanoSeconds"`
}

type wireMemory struct {
	UsageBytes     number `json:"UsageBytes"`
	WorkingSet     number `json:"WorkingSet"`
	RSS            number `json:"Rss"`
	AvailableBytes number `json:"AvailableBytes"`
}

type wireNetwork struct {
	Interfaces []wireInterface `json:"Interfaces"`
}

type wireInterface struct {
	Name     text   `json:"Name"`
	RxBytes  number `json:"RxBytes"`
	RxErrors number `json:"RxErrors"`
	TxBytes  number `json:"TxBytes"`
	TxErrors number `json:"TxErrors"`
}

// decode reads an answer that must be a JSON object. Fields of a type that
// cannot be read stay empty: one odd field must not hide all groups of a page.
func decode(body []byte, into any) error {
	if start := bytes.TrimLeft(body, " \t\r\n"); len(start) > 0 && start[0] != '{' && json.Valid(body) {
		return errors.New("JSON, but no object")
	}
	err := json.Unmarshal(body, into)
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); mismatch {
		return nil
	}
	return err
}

// listMissing tells of an answer in which no list was found, whether it has
// none. A field of another shape is an error: it is no empty list.
func listMissing(body []byte, name string) (bool, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return false, err
	}
	value := bytes.TrimSpace(fieldOf(fields, name))
	if len(value) == 0 || bytes.Equal(value, []byte("null")) {
		return true, nil
	}
	if value[0] != '[' {
		return false, errors.New(name + " is not a list")
	}
	return false, nil
}

// fieldOf finds a field in whatever case: some of the cloud's own samples have
// lower-case names.
func fieldOf(fields map[string]json.RawMessage, name string) json.RawMessage {
	if value, ok := fields[name]; ok {
		return value
	}
	for key, value := range fields {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

// text is a string; a number or boolean counts as its spelling.
type text string

// UnmarshalJSON never fails: what is no scalar reads as empty.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = text(scalar(data))
	return nil
}

// scalar returns a JSON scalar's text, without the quotes of a string; null,
// lists and objects are empty.
func scalar(data []byte) string {
	switch {
	case len(data) == 0 || data[0] == '[' || data[0] == '{' || string(data) == "null":
		return ""
	case data[0] == '"':
		if inner := data[1 : len(data)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
			return string(inner)
		}
		var s string
		if json.Unmarshal(data, &s) != nil {
			return ""
		}
		return s
	}
	return string(data)
}

// number is a number, or a string that spells one; anything else is 0.
type number string

// UnmarshalJSON never fails.
func (n *number) UnmarshalJSON(data []byte) error {
	*n = number(scalar(data))
	return nil
}

// float returns the value, 0 where there is none or it is not finite.
func (n number) float() float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0
	}
	return f
}

// count returns the value as an unsigned integer; negative ones are 0.
func (n number) count() uint64 {
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return u
	}
	f := n.float()
	if f <= 0 || f >= math.MaxUint64 {
		return 0
	}
	return uint64(f)
}

// int32 returns the value, held within the type's bounds.
func (n number) int32() int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, n.float())))
}

// boolean is a boolean, or a string that spells one; nil is neither.
type boolean struct{ value *bool }

// UnmarshalJSON never fails.
func (f *boolean) UnmarshalJSON(data []byte) error {
	f.value = nil
	if b, err := strconv.ParseBool(scalar(data)); err == nil {
		f.value = &b
	}
	return nil
}

// time reads an RFC 3339 time; anything else is the zero time. Answers hold
// both UTC and offsets (metrics: +08:00).
func (t text) time() time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if parsed, err := time.Parse(layout, string(t)); err == nil {
			return parsed.UTC()
		}
	}
	return time.Time{}
}
