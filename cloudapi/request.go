package cloudapi

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Request is a call of a cloud's API as it goes over the wire, without what
// signing adds. It is always a POST to the endpoint's root with a form body.
// It formats itself without its secrets.
type Request struct {
	// Action and Version are the API's, such as CreateContainerGroup and
	// 2018-08-08.
	Action, Version string
	// Headers are those that belong to the action, sorted by name; clouds
	// that name the action in the body have none.
	Headers []Header
	// Parameters are the body's, sorted by name, each name once.
	Parameters []RequestParameter
}

// RequestParameter is one parameter of a request, decoded.
type RequestParameter struct {
	Name, Value string
	// Secret marks a value that came from a Secret, or that holds one.
	Secret bool
}

// expanded are the parameters into which a pod's variables are expanded, and
// with them what a Secret holds.
var expanded = regexp.MustCompile(`^(Init)?Container\.\d+\.(Command\.\d+|Arg\.\d+|VolumeMount\.\d+\.SubPath)$`)

// NewRequest makes a request of parameters. Those of secretNames are secret,
// and so is every value that one of secretValues is part of. Secret values
// shorter than 6 bytes could be part of anything: they are looked for only where
// variables are expanded, and those of one or two bytes nowhere.
func NewRequest(action, version string, parameters map[string]string, secretNames, secretValues []string) Request {
	const shortest, shortestExpanded = 6, 3
	r := Request{Action: action, Version: version}
	for name, value := range parameters {
		least := shortest
		if expanded.MatchString(name) {
			least = shortestExpanded
		}
		secret := slices.Contains(secretNames, name) ||
			slices.ContainsFunc(secretValues, func(s string) bool { return len(s) >= least && strings.Contains(value, s) })
		r.Parameters = append(r.Parameters, RequestParameter{Name: name, Value: value, Secret: secret})
	}
	slices.SortFunc(r.Parameters, func(a, b RequestParameter) int { return strings.Compare(a.Name, b.Name) })
	return r
}

// Body is the body as it is sent, in the encoding of HTML forms
// (application/x-www-form-urlencoded), secrets and all.
func (r Request) Body() string {
	form := make(url.Values, len(r.Parameters))
	for _, p := range r.Parameters {
		form.Set(p.Name, p.Value)
	}
	return form.Encode()
}

// Redacted is a copy in which nothing is left of secret values.
func (r Request) Redacted() Request {
	r.Parameters = slices.Clone(r.Parameters)
	for i := range r.Parameters {
		if p := &r.Parameters[i]; p.Secret {
			p.Value = "(secret)"
		}
	}
	return r
}

// HasSecrets tells whether a parameter is secret.
func (r Request) HasSecrets() bool {
	return slices.ContainsFunc(r.Parameters, func(p RequestParameter) bool { return p.Secret })
}

// String names the action, no parameter's value.
func (r Request) String() string {
	return fmt.Sprintf("%s with %d parameters", r.Action, len(r.Parameters))
}

// GoString is String, so that %#v shows no secret either.
func (r Request) GoString() string { return r.String() }
