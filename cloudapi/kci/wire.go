package kci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The structs of this file name the answers' fields as the API writes them.
// Decoding is lenient, because the document, its example and the SDKs disagree
// on types: names match in any case, null is missing, a value of a wrong type
// is missing, and a number may come as a numeric string.

// envelope is what every answer may hold.
type envelope struct {
	RequestID string `json:"RequestId"` // also written RequestID
	// Error is the documented error object.
	Error *wireError
	// Code, Message and CodeDesc are the error of the old gateway.
	Code     scalar
	Message  string
	CodeDesc string
}

// answer is a decoded answer of any action.
type answer interface {
	head() *envelope
	// lack names what an answer that states no error must hold and does
	// not; empty if nothing.
	lack() string
}

func (e *envelope) head() *envelope { return e }

func (e *envelope) lack() string { return "" }

type wireError struct {
	Type    string
	Code    scalar
	Message string
}

type createAnswer struct {
	envelope
	ContainerGroupID string `json:"ContainerGroupId"`
}

func (a *createAnswer) lack() string { return missing(a.ContainerGroupID == "", "ContainerGroupId") }

type describeAnswer struct {
	envelope
	// Marker is the offset at which the next page starts; 0 after the last.
	Marker     number
	TotalCount number
	// ContainerGroups is nil where the answer has no list, and empty where
	// it has an empty one.
	ContainerGroups []wireGroup
}

// lack voids a page that lacks anything: groups would look gone. Only a stated
// count of 0 makes up for a missing list.
func (a *describeAnswer) lack() string {
	if a.ContainerGroups == nil && !(a.TotalCount.set && a.TotalCount.value == 0) {
		return "ContainerGroups"
	}
	for i := range a.ContainerGroups {
		if a.ContainerGroups[i].ContainerGroupID == "" {
			return fmt.Sprintf("ContainerGroups[%d].ContainerGroupId", i)
		}
	}
	return ""
}

type logAnswer struct {
	envelope
	Content content
}

func (a *logAnswer) lack() string { return missing(!a.Content.stated, "Content") }

// content is a text that must be there, be it null.
type content struct {
	text   string
	stated bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *content) UnmarshalJSON(data []byte) error {
	err := json.Unmarshal(data, &c.text)
	c.stated = err == nil
	return tolerant(err)
}

type execAnswer struct {
	envelope
	WebSocketURI string `json:"WebSocketUri"`
}

func (a *execAnswer) lack() string { return missing(a.WebSocketURI == "", "WebSocketUri") }

type eventsAnswer struct {
	envelope
	Events []wireEvent
}

type deleteAnswer struct{ envelope }

func missing(is bool, field string) string {
	if is {
		return field
	}
	return ""
}

type wireGroup struct {
	ContainerGroupID           string `json:"ContainerGroupId"`
	ContainerGroupName         string
	AvailabilityZone           string
	CPU                        number `json:"Cpu"`
	Memory                     number
	CreateTime                 string
	SucceededTime              string
	Status                     string
	RestartPolicy              string
	NetworkInterfaceAttributes []wireInterface
	Containers                 []wireContainer
	// Events is nil where the answer has none and empty where it has an
	// empty list.
	Events []wireEvent
}

type wireInterface struct {
	NetworkInterfaceType string
	PrivateIPAddress     string `json:"PrivateIpAddress"`
	// PublicIP is in the SDKs only.
	PublicIP string `json:"PublicIp"`
}

type wireContainer struct {
	Name          string
	Image         string
	RestartCount  number
	CurrentState  *wireState
	PreviousState *wireState
}

type wireState struct {
	State      string
	Reason     string
	StartTime  string
	FinishTime string
	ExitCode   number
}

type wireEvent struct {
	FirstTimestamp string
	LastTimestamp  string
	Count          number
	Type           string
	Reason         string
	Message        string
}

// number is a JSON number or a numeric string; anything else is unset.
type number struct {
	value float64
	set   bool
}

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (n *number) UnmarshalJSON(data []byte) error {
	text := strings.TrimSpace(strings.Trim(string(data), `"`))
	value, err := strconv.ParseFloat(text, 64)
	*n = number{value: value, set: err == nil && !math.IsNaN(value) && !math.IsInf(value, 0)}
	if !n.set {
		n.value = 0
	}
	return nil
}

// int32 is the number cut to a whole one within an int32's bounds.
func (n number) int32() int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, math.Trunc(n.value))))
}

// int is the number cut to a whole one within 0 and 2^53.
func (n number) int() int {
	return int(max(0, min(1<<53, math.Trunc(n.value))))
}

// scalar is a string, a number or a boolean, as text.
type scalar string

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (s *scalar) UnmarshalJSON(data []byte) error {
	*s = ""
	switch data[0] {
	case '"':
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("decoding a text: %w", err)
		}
		*s = scalar(text)
	case '{', '[', 'n':
	default:
		*s = scalar(data)
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler: an error may also be a mere text.
func (e *wireError) UnmarshalJSON(data []byte) error {
	type plain wireError
	if data[0] != '{' {
		var text scalar
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("decoding an error: %w", err)
		}
		e.Message = string(text)
		return nil
	}
	return tolerant(json.Unmarshal(data, (*plain)(e)))
}

var errNoObject = errors.New("the answer is not a JSON object")

// decode reads an answer's body into out, which it clears first: an answer to
// an earlier attempt may be in it.
func decode(body []byte, out answer) error {
	reflect.ValueOf(out).Elem().SetZero()
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' {
		return errNoObject
	}
	return tolerant(json.Unmarshal(body, out))
}

// tolerant forgives values of a wrong type: encoding/json leaves those fields
// zero and decodes the rest all the same.
func tolerant(err error) error {
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); mismatch {
		return nil
	}
	return err
}

// parseTime reads the two formats of KCI's times: RFC 3339, and a wall clock
// without zone, which is Beijing's (the document's example creates a group at
// 11:55:04 whose first event is at 03:55:07Z). What it cannot read is zero; so
// is a time before 1971, which stands for none, and one that RFC 3339 cannot
// write.
func parseTime(text string) time.Time {
	text = strings.TrimSpace(text)
	t, err := time.Parse(time.RFC3339, text)
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if err != nil {
			t, err = time.ParseInLocation(layout, text, time.FixedZone("UTC+8", 8*60*60))
		}
	}
	if t = t.UTC(); err != nil || t.Year() < 1971 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
