// Package preview shows what a pod would be on a cloud before anybody pays for
// it: whether it would run, the request that would be sent, the size that would
// be billed, and what becomes of every field that is not simply honoured. It
// speaks to nobody; which cloud is which it is told.
package preview

import (
	"errors"
	"regexp"
	"slices"
	"strconv"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/manifest"
	"github.com/cumulet/cumulet/provider"
	"github.com/cumulet/cumulet/translate"
)

// Cloud is a cloud, or one dialect of it, with a node on it.
type Cloud struct {
	// Title names it to people, such as "kci (dialect seed)"; Name is eci or
	// kci, Dialect empty where a cloud has one only.
	Title, Name, Dialect string
	// Endpoint is the URL that requests go to.
	Endpoint string
	// Options are those of the node that the pods would be on.
	Options translate.Options
	// Restarts tells whether the cloud restarts the containers of a group.
	Restarts bool
	// Request makes the request of a group; token is its idempotency token.
	Request func(spec cloudapi.GroupSpec, token string) (cloudapi.Request, error)
	// Remarks say what of the node was assumed.
	Remarks []string
}

// Verdict is whether a pod would run.
type Verdict string

// The verdicts.
const (
	// VerdictRuns: the cloud would be asked for a group.
	VerdictRuns Verdict = "runs"
	// VerdictRefused: the pod would fail, for the reasons in Result.Refused.
	VerdictRefused Verdict = "refused"
	// VerdictMissing: the pod would wait for what is in Result.Missing, or it
	// is not among the manifests.
	VerdictMissing Verdict = "missing references"
)

// Result is what would become of one pod on one cloud.
type Result struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	// Owner, Source and Count are those of manifest.Pod.
	Owner  string `json:"owner,omitempty"`
	Source string `json:"source"`
	Count  int    `json:"count"`

	Cloud   string  `json:"cloud"`
	Dialect string  `json:"dialect,omitempty"`
	Verdict Verdict `json:"verdict"`
	Size    *Size   `json:"size,omitempty"`
	// Request is nil where none would be sent.
	Request *Request `json:"request,omitempty"`
	// Refused are the reasons of VerdictRefused, Missing those of
	// VerdictMissing.
	Refused []Line   `json:"refused,omitempty"`
	Missing []string `json:"missing,omitempty"`
	// Report are all fields that are emulated, changed or ignored, by path;
	// Events what would be told on the pod besides.
	Report []Line  `json:"report,omitempty"`
	Events []Event `json:"events,omitempty"`
	// Remarks say what was made up for want of a cluster.
	Remarks []string `json:"remarks,omitempty"`

	title    string
	endpoint string
	// asked is the request with its secrets.
	asked *cloudapi.Request
}

// Size is what is billed for one group.
type Size struct {
	// CPU is in cores, MemoryGiB in GiB.
	CPU       float64 `json:"cpu"`
	MemoryGiB float64 `json:"memoryGiB"`
	// Asked is what the containers ask for; MoreCPU and MoreMemoryGiB are
	// billed beyond that.
	Asked         string  `json:"asked"`
	MoreCPU       float64 `json:"moreCPU,omitempty"`
	MoreMemoryGiB float64 `json:"moreMemoryGiB,omitempty"`
	// Machines are the types of machine of which one is billed instead, in
	// order of preference.
	Machines []string `json:"machines,omitempty"`
}

// Line says what becomes of one field.
type Line struct {
	Decision translate.Decision `json:"decision"`
	Field    string             `json:"field,omitempty"`
	Reason   string             `json:"reason"`
	// Asked and Sold are there where something else is given than was asked.
	Asked string `json:"asked,omitempty"`
	Sold  string `json:"sold,omitempty"`
}

// Event is an event that would be told on the pod.
type Event struct {
	Warning bool   `json:"warning,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Request is the request that would be sent, secrets left out.
type Request struct {
	Action     string      `json:"action"`
	Version    string      `json:"version"`
	Parameters []Parameter `json:"parameters"`
}

// Parameter is one parameter of a request.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Secret says that Value is not the true one.
	Secret bool `json:"secret,omitempty"`
}

// Of tells what would become of a pod. With secrets the request shows them.
func (c *Cloud) Of(m *manifest.Manifests, p *manifest.Pod, secrets bool) Result {
	r := Result{
		Namespace: p.Pod.Namespace, Pod: p.Pod.Name, Owner: p.Owner, Source: p.Source, Count: p.Count,
		Cloud: c.Name, Dialect: c.Dialect, title: c.Title, endpoint: c.Endpoint,
	}
	references, missing, remarks := m.References(p.Pod)
	r.Remarks = append(append(append(r.Remarks, p.Remarks...), remarks...), c.Remarks...)
	for _, lack := range missing {
		r.Missing = append(r.Missing, lack.String())
	}
	spec, report, err := translate.Group(p.Pod, references, c.Options)
	r.tell(report)
	r.refuse(provider.WithUnrestartable(p.Pod, c.Options.Limits, c.Restarts, err))
	if err == nil {
		c.ask(&r, spec, string(p.Pod.UID), secrets)
		r.size(spec, report)
	}
	r.judge()
	return r
}

// ask makes the request.
func (c *Cloud) ask(r *Result, spec cloudapi.GroupSpec, token string, secrets bool) {
	request, err := c.Request(spec, token)
	if err != nil {
		r.refuse(err)
		return
	}
	if !secrets {
		request = request.Redacted()
	}
	r.asked = &request
	r.Request = &Request{Action: request.Action, Version: request.Version}
	for _, p := range request.Parameters {
		r.Request.Parameters = append(r.Request.Parameters, Parameter{Name: p.Name, Value: p.Value, Secret: p.Secret && !secrets})
	}
}

// refuse takes in why no group would be asked for, if that is so.
func (r *Result) refuse(err error) {
	var refused *translate.Refused
	var missing *translate.MissingReference
	switch {
	case err == nil:
	case errors.As(err, &refused):
		for _, reason := range refused.Refusals {
			r.Refused = append(r.Refused, Line{Decision: translate.DecisionRefused, Field: reason.Field, Reason: reason.Reason})
		}
	case errors.As(err, &missing):
		if len(r.Missing) == 0 { // else it is among what was told
			r.Missing = append(r.Missing, missing.Error())
		}
	default:
		r.Refused = append(r.Refused, Line{Decision: translate.DecisionRefused, Reason: err.Error()})
	}
}

func (r *Result) tell(report translate.Report) {
	for _, n := range report.Notes {
		r.Report = append(r.Report, Line{Decision: n.Decision, Field: n.Field, Reason: n.Reason, Asked: n.Asked, Sold: n.Sold})
	}
	for _, e := range report.Events {
		r.Events = append(r.Events, Event{Warning: e.Warning, Reason: e.Reason, Message: e.Message})
	}
	for i := range report.Missing {
		lack := &report.Missing[i]
		// Of claims, and of what is missing as a whole, it is told how to add it.
		part := lack.Key != "" && lack.Kind != translate.KindClaim
		if text := lack.Error(); part && !slices.Contains(r.Missing, text) {
			r.Missing = append(r.Missing, text)
		}
	}
}

func (r *Result) judge() {
	switch {
	case len(r.Refused) > 0:
		r.Verdict, r.Request, r.asked = VerdictRefused, nil, nil
	case len(r.Missing) > 0:
		r.Verdict, r.Request, r.asked = VerdictMissing, nil, nil
	default:
		r.Verdict = VerdictRuns
	}
}

// amounts reads a size as a note writes it.
var amounts = regexp.MustCompile(`^([0-9.]+) vCPU and ([0-9.]+) GiB$`)

// size tells what is billed, and what was asked for where that is less.
func (r *Result) size(spec cloudapi.GroupSpec, report translate.Report) {
	s := &Size{CPU: spec.CPU, MemoryGiB: spec.Memory, Machines: spec.Options.Machine.InstanceTypes}
	s.Asked = sizeText(s.CPU, s.MemoryGiB)
	for _, n := range report.Notes {
		if n.Decision != translate.DecisionChanged || n.Sold != s.Asked {
			continue
		}
		s.Asked = n.Asked
		if parts := amounts.FindStringSubmatch(n.Asked); parts != nil {
			s.MoreCPU, s.MoreMemoryGiB = beyond(s.CPU, parts[1]), beyond(s.MemoryGiB, parts[2])
		}
		break
	}
	r.Size = s
}

// beyond is what of sold is more than asked, in thousandths.
func beyond(sold float64, asked string) float64 {
	amount, err := strconv.ParseFloat(asked, 64)
	if err != nil {
		return 0
	}
	const steps = 1000
	return float64(int64((sold-amount)*steps+0.5)) / steps
}

func sizeText(cpu, memory float64) string {
	return number(cpu) + " vCPU and " + number(memory) + " GiB"
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
