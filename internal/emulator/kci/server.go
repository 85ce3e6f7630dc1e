package kci

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Dialect is how much of KCI a server speaks.
type Dialect string

// The dialects.
const (
	// Extended also takes and gives what only Kingsoft's official SDKs have.
	Extended Dialect = "extended"
	// Seed is the KCI document alone. Any other parameter is
	// InvalidQueryParameter, any other action NoSuchEntity.
	Seed Dialect = "seed"
)

// ParseDialect returns the dialect of that name; "" is Extended.
func ParseDialect(name string) (Dialect, error) {
	switch d := Dialect(name); d {
	case "":
		return Extended, nil
	case Extended, Seed:
		return d, nil
	default:
		return "", fmt.Errorf("KCI dialect %q: it must be %q or %q", name, Extended, Seed)
	}
}

// Subnet is what the cloud knows of a subnet: its VPC's id and its zone.
type Subnet struct{ VPC, Zone string }

// Options configure a Server.
type Options struct {
	// Groups are the groups behind the API. Required.
	Groups engine.Groups
	// Clock judges signatures and keys; default: the real one.
	Clock clock.PassiveClock
	// Region is the region code, by default cn-beijing-6. Signatures for
	// another one are refused.
	Region string
	// Zones are the region's availability zones; default: those of the KCI
	// document for Region. The first one takes groups whose subnet names none.
	Zones []string
	// Keys may call the API.
	Keys []AccessKey
	// Dialect is by default Extended.
	Dialect Dialect
	// Quotas limit actions by name; an action without one is not limited.
	Quotas map[string]Quota
	// Subnets are the subnets that exist, by id. Nil: every id does, in VPC.
	Subnets map[string]Subnet
	// VPC is the VPC of subnets that Subnets does not tell of.
	VPC string
	// Grace is what containers get to end on delete, by default 30 s.
	Grace time.Duration
}

// defaultVPC is an id of the cloud's shape that no real VPC has.
const defaultVPC = "00000000-0000-4000-8000-000000000001"

// region is a region of the KCI document ("supported regions").
type region struct {
	code, name string
	zones      []string
}

var regions = []region{
	{"cn-beijing-6", "华北1（北京）", []string{"cn-beijing-6a", "cn-beijing-6b"}},
	{"cn-shanghai-2", "华东1（上海）", []string{"cn-shanghai-2b"}},
}

// regionOf returns the region of that code; one that the KCI document does not
// have has its code for a name and one zone, named with an a behind it.
func regionOf(code string) region {
	for _, r := range regions {
		if r.code == code {
			return r
		}
	}
	return region{code, code, []string{code + "a"}}
}

// Server is the API of one region. It is an http.Handler, safe for concurrent
// use.
type Server struct {
	options  Options
	keys     map[string]*AccessKey
	quotas   *quotas
	leaving  *leaving
	sessions *execSessions
	// disks is held while a group takes its disks.
	disks sync.Mutex
}

// New returns a server. Options.Groups must be set.
func New(options Options) *Server {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Region == "" {
		options.Region = regions[0].code
	}
	if len(options.Zones) == 0 {
		options.Zones = regionOf(options.Region).zones
	}
	if options.Dialect == "" {
		options.Dialect = Extended
	}
	if options.VPC == "" {
		options.VPC = defaultVPC
	}
	if options.Grace == 0 {
		options.Grace = defaultGrace
	}
	s := &Server{options: options, keys: map[string]*AccessKey{}}
	for _, key := range options.Keys {
		s.keys[key.ID] = &key
	}
	s.quotas = newQuotas(options.Quotas, options.Clock)
	s.leaving = newLeaving(options.Groups)
	s.sessions = newExecSessions(options.Clock)
	return s
}

// ServeHTTP answers one call, or carries an exec session under /exec/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, execPath) {
		s.serveExec(w, r)
		return
	}
	answer, err := s.call(r)
	if err != nil {
		s.WriteError(w, err.status, err.code, err.message)
		return
	}
	answer.stamp(uuid.NewString())
	s.write(w, http.StatusOK, answer)
}

// answer is the body of a success.
type answer interface{ stamp(requestID string) }

// answerHead is what every answer starts with.
type answerHead struct {
	RequestID string `json:"RequestId"`
}

func (h *answerHead) stamp(requestID string) { h.RequestID = requestID }

// call is an authenticated call on its way to an action.
type call struct {
	http *http.Request
}

// action is one entry of the API.
type action struct {
	// inSeed is true for the actions of the KCI document.
	inSeed bool
	// read reads and checks the parameters; what it returns does the work. It is
	// not called if reading failed.
	read func(s *Server, r *reader, n *node) func(*call) (answer, *apiError)
}

// actions are the actions by name: the KCI document's four, and the SDKs' own,
// image caches excepted.
var actions = map[string]action{
	"CreateContainerGroup":         {true, readCreate},
	"DescribeContainerGroup":       {true, readDescribe},
	"DescribeContainerLog":         {true, readLog},
	"DeleteContainerGroup":         {true, readDelete},
	"ExecContainerCommand":         {false, readExec},
	"DescribeContainerGroupEvents": {false, readEvents},
	"DescribeContainerGroupCount":  {false, readCount},
	"DescribeRegions":              {false, readRegions},
	"DescribeKciPackages":          {false, readPackages},
}

// call does what a request asks for.
func (s *Server) call(r *http.Request) (answer, *apiError) {
	if r.URL.Path != "" && r.URL.Path != "/" {
		return nil, noSuchEntity.with()
	}
	req, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	params := req.params()
	if err := checkCommon(params); err != nil {
		return nil, err
	}
	key, err := s.authenticate(req, params)
	if err != nil {
		return nil, err
	}
	name, act, err := s.find(params)
	if err != nil {
		return nil, err
	}
	if err := s.admit(key, name); err != nil {
		return nil, err
	}
	return s.run(r, act, params)
}

// find returns the action that the parameters name.
func (s *Server) find(params []param) (string, action, *apiError) {
	get := func(name string) string { value, _ := find(params, name); return value }
	name := get("Action")
	for _, required := range []string{"Action", "Version"} {
		if get(required) == "" {
			return "", action{}, missingParameter.with(required)
		}
	}
	act, known := actions[name]
	foreign := get("Version") != Version || (get("Service") != "" && get("Service") != service)
	if !known || foreign || (s.options.Dialect == Seed && !act.inSeed) {
		return "", action{}, noSuchEntity.with()
	}
	if format := get("Format"); format != "" && format != "json" {
		return "", action{}, refuse("Format", quote(format)+" must be json")
	}
	return name, act, nil
}

// admit checks what the key may do and how often.
func (s *Server) admit(key *AccessKey, name string) *apiError {
	if slices.Contains(key.Deny, name) {
		return accessDenied.with(key.ID, service+":"+name)
	}
	if !s.quotas.take(name) {
		return limitExceeded.with()
	}
	return nil
}

// run reads an action's parameters and, unless it is a dry run, does it. A dry
// run changes nothing and looks at no group: DryRunOperation says that key and
// parameters are in order.
func (s *Server) run(r *http.Request, act action, params []param) (answer, *apiError) {
	tree, err := newTree(params)
	if err != nil {
		return nil, err
	}
	rd := &reader{dialect: s.options.Dialect}
	dry := rd.flag(commonTree(params), "DryRun")
	do := act.read(s, rd, tree)
	if rd.err != nil {
		return nil, rd.err
	}
	if path := tree.unread(); path != "" {
		return nil, invalidQuery.with(shorten(path))
	}
	if dry {
		return nil, dryRun.with()
	}
	return do(&call{http: r})
}

// commonTree holds the common parameters that are more than text.
func commonTree(params []param) *node {
	root := &node{}
	if value, ok := find(params, "DryRun"); ok {
		child := root.grow("DryRun")
		child.leaf, child.text = true, value
	}
	return root
}
