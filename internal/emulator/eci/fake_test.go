package eci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// FakeGroups is an engine without time of its own: tests set the states.
type FakeGroups struct {
	mu      sync.Mutex
	clock   clock.PassiveClock
	groups  []*engine.Group
	Calls   []string
	Lines   []engine.LogLine
	Creates int
	// Block, if set, holds up Create until it is closed.
	Block chan struct{}
}

// NewFakeGroups makes an empty engine.
func NewFakeGroups(c clock.PassiveClock) *FakeGroups { return &FakeGroups{clock: c} }

// Create implements engine.Groups. Ids count from eci-0001.
func (f *FakeGroups) Create(spec engine.Spec) engine.Group {
	if f.Block != nil {
		<-f.Block
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Creates++
	now := f.clock.Now()
	g := &engine.Group{
		ID: fmt.Sprintf("eci-%04d", f.Creates), Spec: &spec, Status: engine.Scheduling, Tags: spec.Tags,
		CreatedAt: now, ChangedAt: now, ENI: "eni-1",
	}
	f.groups = append(f.groups, g)
	return *g
}

func (f *FakeGroups) find(id string) (*engine.Group, error) {
	for _, g := range f.groups {
		if g.ID == id {
			return g, nil
		}
	}
	return nil, engine.ErrNotFound
}

// Get implements engine.Groups.
func (f *FakeGroups) Get(id string) (engine.Group, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	g, err := f.find(id)
	if err != nil {
		return engine.Group{}, err
	}
	return *g, nil
}

// List implements engine.Groups.
func (f *FakeGroups) List(keep func(*engine.Group) bool) []engine.Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []engine.Group
	for _, g := range f.groups {
		if keep == nil || keep(g) {
			out = append(out, *g)
		}
	}
	return out
}

// Set changes a group under the lock.
func (f *FakeGroups) Set(id string, change func(*engine.Group)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	g, err := f.find(id)
	if err != nil {
		panic(err)
	}
	change(g)
}

// Run brings a group to Running, with all its containers.
func (f *FakeGroups) Run(id string) {
	now := f.clock.Now()
	f.Set(id, func(g *engine.Group) {
		g.Status, g.IP, g.HostIP = engine.Running, "172.16.0.7", "172.16.0.7"
		g.ScheduledAt, g.StartedAt, g.ChangedAt = now, now, now
		g.Containers, g.InitContainers = nil, nil
		for _, c := range g.Spec.InitContainers {
			g.InitContainers = append(g.InitContainers, engine.ContainerState{
				Name: c.Name, Image: c.Image,
				Current: engine.RunState{Kind: engine.KindTerminated, Reason: "Completed", StartedAt: now, FinishedAt: now},
			})
		}
		for _, c := range g.Spec.Containers {
			g.Containers = append(g.Containers, engine.ContainerState{
				Name: c.Name, Image: c.Image, ImageID: "sha256:1", ContainerID: "containerd://" + c.Name,
				Ready: true, Started: true,
				Current: engine.RunState{Kind: engine.KindRunning, StartedAt: now},
			})
		}
	})
}

func (f *FakeGroups) called(id, call string, states ...engine.Status) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	g, err := f.find(id)
	if err != nil {
		return err
	}
	if len(states) > 0 && !slices.Contains(states, g.Status) {
		return engine.ErrState
	}
	f.Calls = append(f.Calls, call)
	return nil
}

// Delete implements engine.Groups; the group vanishes at once.
func (f *FakeGroups) Delete(id string, force bool) error {
	if err := f.called(id, fmt.Sprintf("delete %s force=%t", id, force)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups = slices.DeleteFunc(f.groups, func(g *engine.Group) bool { return g.ID == id })
	return nil
}

// Restart implements engine.Groups.
func (f *FakeGroups) Restart(id string) error {
	return f.called(id, "restart "+id, engine.Pending, engine.Running)
}

// Update implements engine.Groups.
func (f *FakeGroups) Update(id string, spec engine.Spec) error {
	if err := f.called(id, "update "+id, engine.Pending, engine.Running); err != nil {
		return err
	}
	f.Set(id, func(g *engine.Group) { g.Spec = &spec })
	return nil
}

// SetTags implements engine.Groups.
func (f *FakeGroups) SetTags(id string, tags []engine.NameValue) error {
	if err := f.called(id, "tag "+id); err != nil {
		return err
	}
	f.Set(id, func(g *engine.Group) { g.Tags = tags })
	return nil
}

// Logs implements engine.Groups.
func (f *FakeGroups) Logs(id, container string, previous bool) ([]engine.LogLine, error) {
	g, err := f.Get(id)
	switch {
	case err != nil:
		return nil, err
	case !slices.ContainsFunc(g.Spec.Containers, func(c engine.Container) bool { return c.Name == container }):
		return nil, engine.ErrNoContainer
	case g.IP == "":
		return nil, engine.ErrNotRunning
	case previous:
		return []engine.LogLine{{Time: f.clock.Now(), Text: "the run before"}}, nil
	}
	return f.Lines, nil
}

// Exec implements engine.Groups. It prints the command, echoes stdin in capitals
// and ends with 3 if the command says fail.
func (f *FakeGroups) Exec(ctx context.Context, id, container string, req engine.ExecRequest) (int, error) {
	if _, err := f.Logs(id, container, false); err != nil {
		return 0, err
	}
	_, err1 := fmt.Fprintf(req.Stdout, "%s tty=%t\n", strings.Join(req.Command, " "), req.TTY)
	_, err2 := fmt.Fprintln(req.Stderr, "on stderr")
	if err := errors.Join(err1, err2); err != nil {
		return 0, err
	}
	if req.Stdin != nil {
		line := make([]byte, 64)
		n, err := req.Stdin.Read(line)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if _, err := io.WriteString(req.Stdout, strings.ToUpper(string(line[:n]))); err != nil {
			return 0, err
		}
	}
	if req.Command[0] == "fail" {
		return 3, nil
	}
	return 0, ctx.Err()
}

// Usage implements engine.Groups.
func (f *FakeGroups) Usage(id string) (engine.Usage, error) {
	g, err := f.Get(id)
	if err != nil {
		return engine.Usage{}, err
	}
	if g.IP == "" {
		return engine.Usage{}, engine.ErrNotRunning
	}
	usage := engine.Usage{Time: f.clock.Now(), RxBytes: 100, TxBytes: 200}
	for _, c := range g.Spec.Containers {
		usage.Containers = append(usage.Containers, engine.ContainerUsage{
			Name: c.Name, NanoCores: 250e6, CoreNanoSeconds: 9e9,
			UsageBytes: 64 << 20, WorkingSetBytes: 48 << 20, RSSBytes: 32 << 20,
		})
	}
	return usage, nil
}

// Start is when the tests' clocks begin.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
