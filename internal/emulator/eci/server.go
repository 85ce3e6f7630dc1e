package eci

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// version is the one API version.
const version = "2018-08-08"

// Options is what a Server is made of.
type Options struct {
	// Groups is the engine; required.
	Groups engine.Groups
	// Clock decides on timestamps, token lives and quotas; nil is the real one.
	Clock clock.PassiveClock
	// Region is the only region served; empty is cn-hangzhou.
	Region string
	// Zones are the zones of the region; the first one is used when a request
	// names none. Empty is one zone, Region with -a.
	Zones []string
	// Keys are the access keys of the account; without any, no request passes.
	Keys []AccessKey
	// Quotas are the buckets by action; nil limits nothing.
	Quotas map[string]Quota
	// Network is what groups get that name no vSwitch or security group.
	Network Network
	// HostPath tells whether the account is invited to use HostPathVolume.
	HostPath bool
}

// Network is the account's default network; empty ids are made up.
type Network struct{ VPC, VSwitch, SecurityGroup string }

// Server is the emulated API. It is safe for concurrent use. Requests of the
// vendor's SDK carry everything in the URL, so an http.Server in front of it needs
// a MaxHeaderBytes far above the default of 1 MiB.
type Server struct {
	groups  engine.Groups
	clock   clock.PassiveClock
	region  string
	zones   []string
	keys    map[string]*AccessKey
	quotas  quotas
	network Network
	rules   rules

	nonces  *memory[struct{}]
	tokens  *tokens
	tickets *memory[ticket]
	// changes is held while a group is read, changed and written back.
	changes sync.Mutex
	// disks is held while a group takes its disks.
	disks sync.Mutex
}

// New makes a Server.
func New(o Options) *Server {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	s := &Server{
		groups: o.Groups, clock: o.Clock,
		region: orDefault(o.Region, "cn-hangzhou"),
		zones:  o.Zones,
		keys:   map[string]*AccessKey{},
		quotas: newQuotas(o.Quotas),
		network: Network{
			VPC:           orDefault(o.Network.VPC, "vpc-default"),
			VSwitch:       orDefault(o.Network.VSwitch, "vsw-default"),
			SecurityGroup: orDefault(o.Network.SecurityGroup, "sg-default"),
		},
		nonces:  newMemory[struct{}](2 * clockSkew),
		tokens:  newTokens(),
		tickets: newMemory[ticket](ticketLife),
	}
	if len(s.zones) == 0 {
		s.zones = []string{s.region + "-a"}
	}
	for _, key := range o.Keys {
		s.keys[key.ID] = &key
	}
	s.rules = rules{zones: s.zones, hostPath: o.HostPath}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, execPath) {
		s.serveExec(w, r)
		return
	}
	id := newRequestID()
	answer, err := s.answer(r, id)
	if err != nil {
		s.writeError(w, id, asAPIError(err))
		return
	}
	writeJSON(w, id, http.StatusOK, answer)
}

// answer does all that a request asks for.
func (s *Server) answer(r *http.Request, id string) (any, error) {
	c, err := s.accept(r, id)
	if err != nil {
		return nil, err
	}
	key, err := s.authenticate(c)
	if err != nil {
		return nil, err
	}
	if err := s.quotas.take(c.action, s.clock.Now()); err != nil {
		return nil, err
	}
	a := actions[c.action]
	if key.denies(c.action) {
		if a.empty == nil {
			return nil, fail(codeForbidden, "The user is not authorized to do eci:%s.", c.action)
		}
		return a.empty(c), nil
	}
	if region := c.params["RegionId"]; region != "" && region != s.region {
		return nil, fail(codeRegion, "The region %.64q does not exist; this is %s.", region, s.region)
	}
	return a.serve(s, c)
}

// Action returns the name of the API action that a request asks for, or "" if it
// names none. The body of the request stays readable.
func (s *Server) Action(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, execPath) {
		return ""
	}
	body, err := bufferBody(r)
	if err != nil {
		return ""
	}
	params, err := parameters(r, body)
	if err != nil {
		return ""
	}
	return commonParameter(r, params["Action"], "X-Acs-Action")
}

// WriteError answers with an error as this API words it, for what stands in front
// of the server and makes it fail.
func (s *Server) WriteError(w http.ResponseWriter, status int, name, message string) {
	s.writeError(w, newRequestID(), &apiError{code: code{name, status}, message: message})
}

// errorBody is the gateway's error answer.
type errorBody struct {
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
	Code      string
	Message   string
	Recommend string
}

func (s *Server) writeError(w http.ResponseWriter, id string, e *apiError) {
	if e.retryAfter > 0 {
		w.Header().Set("X-Ratelimit-User-Api", rateLimitHeader(e.retryAfter))
	}
	writeJSON(w, id, e.status, errorBody{
		RequestID: id,
		HostID:    "eci." + s.region + ".aliyuncs.com",
		Code:      e.name,
		Message:   e.message,
		Recommend: "https://api.aliyun.com/troubleshoot?q=" + url.QueryEscape(e.name) + "&product=Eci&requestId=" + id,
	})
}

func writeJSON(w http.ResponseWriter, id string, status int, answer any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("X-Acs-Request-Id", id)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that has gone cannot be told
}

func newRequestID() string { return strings.ToUpper(uuid.NewString()) }
