package eci

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// call is one request that names a known action.
type call struct {
	request *http.Request
	id      string // RequestId of the answer
	action  string
	body    []byte
	// params are the parameters of the query and of a form body; the body's
	// win.
	params map[string]string
}

// action is how one API action is served.
type action struct {
	serve    func(*Server, *call) (any, error)
	postOnly bool
	// empty is the answer to a RAM user without permission; nil refuses.
	empty func(*call) any
}

// actions are all actions that are emulated.
var actions = map[string]action{
	"CreateContainerGroup":  {serve: with(modeCreate, (*Server).createContainerGroup)},
	"UpdateContainerGroup":  {serve: with(modeUpdate, (*Server).updateContainerGroup)},
	"DeleteContainerGroup":  {serve: with(modeCreate, (*Server).deleteContainerGroup)},
	"RestartContainerGroup": {serve: with(modeCreate, (*Server).restartContainerGroup)},
	"DescribeContainerGroups": {
		serve: with(modeCreate, (*Server).describeContainerGroups),
		empty: func(c *call) any { return groupsAnswer{RequestID: c.id, ContainerGroups: []groupView{}} },
	},
	"DescribeContainerGroupStatus": {
		serve: with(modeCreate, (*Server).describeContainerGroupStatus), postOnly: true,
		empty: func(c *call) any { return statusAnswer{RequestID: c.id, Data: []statusView{}} },
	},
	"DescribeContainerGroupEvents": {
		serve: with(modeCreate, (*Server).describeContainerGroupEvents), postOnly: true,
		empty: func(c *call) any { return eventsAnswer{RequestID: c.id, Data: []eventsView{}} },
	},
	"DescribeContainerLog": {serve: with(modeCreate, (*Server).describeContainerLog)},
	"ExecContainerCommand": {serve: with(modeCreate, (*Server).execContainerCommand)},
	"DescribeMultiContainerGroupMetric": {
		serve: with(modeCreate, (*Server).describeMultiContainerGroupMetric),
		empty: func(c *call) any { return metricAnswer{RequestID: c.id, MonitorDatas: []monitorData{}} },
	},
	"DescribeRegions": {
		serve: with(modeCreate, (*Server).describeRegions),
		empty: func(c *call) any { return regionsAnswer{RequestID: c.id, Regions: []regionView{}} },
	},
	"TagResources":     {serve: with(modeCreate, (*Server).tagResources)},
	"UntagResources":   {serve: with(modeCreate, (*Server).untagResources)},
	"ListTagResources": {serve: with(modeCreate, (*Server).listTagResources)},
}

// with decodes the parameters for an action's method.
func with[R any](m mode, serve func(*Server, *call, *R) (any, error)) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		r := new(R)
		if err := decode(c.params, m, r); err != nil {
			return nil, err
		}
		return serve(s, c, r)
	}
}

// accept reads a request and checks that it is one of the API's.
func (s *Server) accept(r *http.Request, id string) (*call, error) {
	body, err := bufferBody(r)
	if err != nil {
		return nil, err
	}
	params, err := parameters(r, body)
	if err != nil {
		return nil, err
	}
	c := &call{request: r, id: id, body: body, params: params}
	c.action = commonParameter(r, params["Action"], "X-Acs-Action")
	a, known := actions[c.action]
	switch v := commonParameter(r, params["Version"], "X-Acs-Version"); {
	case r.URL.Path != "/" && r.URL.Path != "":
		return nil, fail(codeAction, "There is no resource at this path; the API's path is /.")
	case c.action == "":
		return nil, missing("Action")
	case v == "":
		return nil, missing("Version")
	case v != version:
		return nil, fail(codeVersion, "The specified version %.64q is not valid; it must be %s.", v, version)
	case !known:
		return nil, fail(codeAction, "The specified action %.64q is not found.", c.action)
	case r.Method != http.MethodPost && (r.Method != http.MethodGet || a.postOnly):
		return nil, fail(codeMethod, "The HTTP method %.16q is not supported for %s.", r.Method, c.action)
	case params["Format"] != "" && !strings.EqualFold(params["Format"], "JSON"):
		return nil, wrong("Format", params["Format"], "JSON")
	}
	return c, nil
}

// commonParameter is the action or version, which may be a header or a parameter. What the
// signature covers goes first: the header in ACS3 style, else the parameter.
func commonParameter(r *http.Request, parameter, header string) string {
	if r.Header.Get("Authorization") != "" {
		return orDefault(r.Header.Get(header), parameter)
	}
	return orDefault(parameter, r.Header.Get(header))
}

// bufferBody reads the whole body and puts it back.
func bufferBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	r.Body = restored{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading request body: %w", err)
	case len(body) > maxBody:
		return nil, fail(codeTooLarge, "The request body is larger than %d bytes.", maxBody)
	}
	return body, nil
}

// restored is a body of which a part was read ahead.
type restored struct {
	io.Reader
	io.Closer
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// parameters merges the parameters of the query and of a form body. Of a name
// given twice in one place the first counts.
func parameters(r *http.Request, body []byte) (map[string]string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fail(codeInvalidParameter, "The query string is malformed.")
	}
	form := url.Values{}
	if isForm(r) {
		if form, err = url.ParseQuery(string(body)); err != nil {
			return nil, fail(codeInvalidParameter, "The form body is malformed.")
		}
	}
	params := make(map[string]string, len(query)+len(form))
	for _, source := range []url.Values{query, form} {
		for name, values := range source {
			params[name] = values[0]
		}
	}
	return params, nil
}
