package fakecloud

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
)

// Cloud keeps groups in memory. Groups do nothing by themselves but go away
// when deleted: the test moves them. It is safe for concurrent use.
type Cloud struct {
	limits cloudapi.Limits
	clock  clock.PassiveClock

	mu     sync.Mutex
	groups map[string]*group
	tokens map[string]*group
	calls  []Call
	faults map[Op][]Fault
	always map[Op]func(Call) Fault
	logs   map[string]string
	exec   func(ctx context.Context, c Call) (int, error)
	serial int

	// lag is how long a new group is not shown; endTakes how long a deleted
	// one stays, unless it was forced.
	lag, endTakes time.Duration
	// details puts whole groups into the list.
	details bool
}

// group is a group and what the cloud knows of it besides.
type group struct {
	cloudapi.Group
	spec     cloudapi.GroupSpec
	token    string
	revision int
	shownAt  time.Time
	// goesAt is when a deleted group is gone; zero if it was not deleted.
	goesAt time.Time
	hidden bool
}

// Op is one of the calls of cloudapi.Client.
type Op string

// The calls.
const (
	OpCreate  Op = "Create"
	OpDelete  Op = "Delete"
	OpGet     Op = "Get"
	OpList    Op = "List"
	OpLogs    Op = "Logs"
	OpExec    Op = "Exec"
	OpMetrics Op = "Metrics"
	OpRestart Op = "Restart"
	OpUpdate  Op = "Update"
)

// Call is one call that was made.
type Call struct {
	Op Op
	// IDs are the groups concerned; none for Create and List.
	IDs []string
	// Container is set for Logs and Exec, Command for Exec.
	Container string
	Command   []string
	// Stdin is what Exec was given that is known in full beforehand, Stdout
	// where its output goes.
	Stdin  string
	Stdout io.Writer
	// Token is set for Restart and Update, and what is updated for Update.
	Token   string
	Images  map[string]string
	Volumes []cloudapi.Volume
	// Spec and Create are set for Create, Delete for Delete, Logs for Logs.
	Spec   cloudapi.GroupSpec
	Create cloudapi.CreateOptions
	Delete cloudapi.DeleteOptions
	Logs   cloudapi.LogOptions
}

// Fault is what goes wrong with one call; the zero value is nothing.
type Fault struct {
	// Before is returned without anything being done.
	Before error
	// After is returned although everything was done.
	After error
	// Hold, if not nil, keeps the call waiting, before anything is done,
	// until it closes or the call's context ends.
	Hold <-chan struct{}
	// Empty makes a list or a get show nothing, as to an account without the
	// right to see.
	Empty bool
	// Forgotten makes a delete succeed that is never carried out.
	Forgotten bool
}

// Options say how a Cloud is made.
type Options struct {
	Limits cloudapi.Limits
	Clock  clock.PassiveClock
	// Lag is how long a new group is not shown by List and Get.
	Lag time.Duration
	// EndTakes is how long a group that was deleted without force stays.
	EndTakes time.Duration
	// Details makes List carry the whole groups.
	Details bool
}

// New returns an empty cloud.
func New(o Options) *Cloud {
	return &Cloud{
		limits: o.Limits, clock: o.Clock, lag: o.Lag, endTakes: o.EndTakes, details: o.Details,
		groups: map[string]*group{}, tokens: map[string]*group{}, logs: map[string]string{},
		faults: map[Op][]Fault{}, always: map[Op]func(Call) Fault{},
	}
}

var _ cloudapi.Client = (*Cloud)(nil)

// Fail lets the next calls of this kind go wrong, one fault for each.
func (c *Cloud) Fail(op Op, faults ...Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[op] = append(c.faults[op], faults...)
}

// FailAll decides for every call of this kind what goes wrong, after the
// faults of Fail; nil ends it.
func (c *Cloud) FailAll(op Op, decide func(Call) Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.always[op] = decide
}

// begin notes a call and finds out what is to go wrong with it.
func (c *Cloud) begin(ctx context.Context, call Call) (Fault, error) {
	c.mu.Lock()
	c.calls = append(c.calls, call)
	var f Fault
	if waiting := c.faults[call.Op]; len(waiting) > 0 {
		f, c.faults[call.Op] = waiting[0], waiting[1:]
	} else if decide := c.always[call.Op]; decide != nil {
		f = decide(call)
	}
	c.mu.Unlock()
	if f.Hold != nil {
		select {
		case <-f.Hold:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return f, &cloudapi.Error{Op: string(call.Op), Code: cloudapi.CodeCanceled, Err: ctx.Err()}
	}
	return f, f.Before
}

// Create implements cloudapi.Client. A cloud with tags knows tokens; one
// without looks for the name when the group may exist.
func (c *Cloud) Create(ctx context.Context, spec cloudapi.GroupSpec, o cloudapi.CreateOptions) (string, error) {
	f, err := c.begin(ctx, Call{Op: OpCreate, Spec: spec, Create: o})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := c.existing(spec, o)
	if err != nil {
		return "", err
	}
	if id == "" {
		id = c.add(spec, o.Token)
	}
	if f.After != nil {
		return "", f.After
	}
	return id, nil
}

// existing finds the group that an earlier, equal request made.
func (c *Cloud) existing(spec cloudapi.GroupSpec, o cloudapi.CreateOptions) (string, error) {
	if c.limits.Tags {
		g, ok := c.tokens[o.Token]
		switch {
		case !ok:
			return "", nil
		case !reflect.DeepEqual(g.spec, spec):
			return "", &cloudapi.Error{Op: string(OpCreate), Code: cloudapi.CodeMismatch, Message: "the token was used with another request"}
		default:
			return g.ID, nil
		}
	}
	if o.MayExist {
		for _, id := range c.shown() {
			if c.groups[id].Name == spec.Name {
				return id, nil
			}
		}
	}
	return "", nil
}

func (c *Cloud) add(spec cloudapi.GroupSpec, token string) string {
	c.serial++
	id, now := fmt.Sprintf("group-%d", c.serial), c.clock.Now()
	g := &group{
		Group: cloudapi.Group{
			ID: id, Name: spec.Name, Identity: spec.Identity, Status: cloudapi.StatusScheduling,
			RawStatus: string(cloudapi.StatusScheduling), CPU: spec.CPU, Memory: spec.Memory,
			CreatedAt: now, RestartPolicy: spec.RestartPolicy,
			InitContainers: waiting(spec.InitContainers), Containers: waiting(spec.Containers),
		},
		spec: spec, token: token, revision: 1, shownAt: now.Add(c.lag),
	}
	if !c.limits.Tags { // a name has room for no more
		g.Identity.Namespace, g.Identity.PodName = "", ""
	}
	c.groups[id] = g
	if token != "" {
		c.tokens[token] = g
	}
	return id
}

func waiting(containers []cloudapi.Container) []cloudapi.ContainerState {
	var states []cloudapi.ContainerState
	for i := range containers {
		states = append(states, cloudapi.ContainerState{
			Name: containers[i].Name, Image: containers[i].Image, Current: cloudapi.RunState{Kind: cloudapi.RunWaiting},
		})
	}
	return states
}

// Delete implements cloudapi.Client.
func (c *Cloud) Delete(ctx context.Context, id string, o cloudapi.DeleteOptions) error {
	f, err := c.begin(ctx, Call{Op: OpDelete, IDs: []string{id}, Delete: o})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if g, ok := c.groups[id]; ok && !f.Forgotten {
		goes := c.clock.Now()
		if !o.Force {
			goes = goes.Add(c.endTakes)
		}
		if g.goesAt.IsZero() || goes.Before(g.goesAt) {
			g.goesAt, g.Status, g.revision = goes, cloudapi.StatusTerminating, g.revision+1
		}
	}
	return f.After
}

// Get implements cloudapi.Client.
func (c *Cloud) Get(ctx context.Context, ids []string) ([]cloudapi.Group, error) {
	f, err := c.begin(ctx, Call{Op: OpGet, IDs: slices.Clone(ids)})
	if err != nil || f.After != nil {
		return nil, firstError(err, f.After)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []cloudapi.Group
	for _, id := range c.shown() {
		if slices.Contains(ids, id) && !f.Empty {
			found = append(found, clone(c.groups[id]))
		}
	}
	if !c.details { // the list alone tells them, as on ECI
		for i := range found {
			for j := range found[i].Containers {
				found[i].Containers[j].ImageID = ""
			}
		}
	}
	return found, nil
}

// List implements cloudapi.Client.
func (c *Cloud) List(ctx context.Context, owner cloudapi.Owner) ([]cloudapi.Summary, error) {
	f, err := c.begin(ctx, Call{Op: OpList})
	if err != nil || f.After != nil {
		return nil, firstError(err, f.After)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []cloudapi.Summary
	for _, id := range c.shown() {
		g := c.groups[id]
		if f.Empty || !owns(owner, g) {
			continue
		}
		s := cloudapi.Summary{ID: id, Name: g.Name, Status: g.Status, Revision: fmt.Sprint(g.revision)}
		if c.details {
			whole := clone(g)
			s.Group = &whole
		} else {
			s.ImageIDs = imageIDs(g.Containers)
		}
		found = append(found, s)
	}
	return found, nil
}

func imageIDs(containers []cloudapi.ContainerState) map[string]string {
	ids := map[string]string{}
	for i := range containers {
		ids[containers[i].Name] = containers[i].ImageID
	}
	return ids
}

func owns(owner cloudapi.Owner, g *group) bool {
	if owner.NamePrefix != "" {
		return strings.HasPrefix(g.Name, owner.NamePrefix)
	}
	return g.Identity.Cluster == owner.Cluster && g.Identity.Node == owner.Node
}

// shown are the ids of the groups that exist and are not hidden, in order of
// their making.
func (c *Cloud) shown() []string {
	now := c.clock.Now()
	var ids []string
	for id, g := range c.groups {
		switch {
		case !g.goesAt.IsZero() && !now.Before(g.goesAt):
			delete(c.groups, id)
		case g.hidden, now.Before(g.shownAt):
		default:
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return serial(a) - serial(b) })
	return ids
}

func serial(id string) (n int) {
	_, _ = fmt.Sscanf(id, "group-%d", &n) // an id of another form sorts first
	return n
}

func clone(g *group) cloudapi.Group {
	whole := g.Group
	whole.IPs = slices.Clone(g.IPs)
	whole.Containers, whole.InitContainers = slices.Clone(g.Containers), slices.Clone(g.InitContainers)
	whole.Events = slices.Clone(g.Events)
	return whole
}

// Limits implements cloudapi.Client.
func (c *Cloud) Limits() cloudapi.Limits { return c.limits }

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
