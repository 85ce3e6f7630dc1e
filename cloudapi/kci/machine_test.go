package kci_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi/kci"
	"github.com/cumulet/cumulet/internal/emulator/engine"
	server "github.com/cumulet/cumulet/internal/emulator/kci"
)

// machine is a runtime whose groups run at once, log two lines, and echo stdin.
type machine struct{ tasks sync.WaitGroup }

type runningGroup struct {
	machine *machine
	spec    *engine.Spec
	report  func(engine.Observation)
}

var startedAt = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func (m *machine) Start(_ string, spec *engine.Spec, report func(engine.Observation)) engine.Instance {
	g := &runningGroup{machine: m, spec: spec, report: report}
	m.tasks.Go(func() {
		report(engine.Observation{
			IP: "10.0.0.5", Status: engine.Running, Containers: g.states(engine.KindRunning),
			NewEvents: []engine.Event{{Type: "Warning", Reason: "Tested", Message: "m", Count: 1, First: startedAt, Last: startedAt}},
		})
	})
	return g
}

func (g *runningGroup) states(kind string) []engine.ContainerState {
	var states []engine.ContainerState
	for _, c := range g.spec.Containers {
		states = append(states, engine.ContainerState{
			Name: c.Name, Image: c.Image, Current: engine.RunState{Kind: kind, StartedAt: startedAt},
		})
	}
	return states
}

func (g *runningGroup) Stop(bool) {
	g.machine.tasks.Go(func() {
		g.report(engine.Observation{Status: engine.Succeeded, Stopped: true, Containers: g.states(engine.KindTerminated)})
	})
}

func (g *runningGroup) Restart()            {}
func (g *runningGroup) Update(*engine.Spec) {}

func (g *runningGroup) Logs(container string, _ bool) ([]engine.LogLine, error) {
	if !slices.ContainsFunc(g.spec.Containers, func(c engine.Container) bool { return c.Name == container }) {
		return nil, engine.ErrNoContainer
	}
	return []engine.LogLine{{Time: startedAt, Text: "first"}, {Time: startedAt, Text: "second"}}, nil
}

func (g *runningGroup) Exec(_ context.Context, container string, rq engine.ExecRequest) (int, error) {
	if _, err := fmt.Fprintf(rq.Stdout, "%s ran %q and read ", container, rq.Command); err != nil {
		return 0, err
	}
	if rq.Stdin != nil {
		if _, err := io.Copy(rq.Stdout, rq.Stdin); err != nil {
			return 0, err
		}
	}
	_, err := io.WriteString(rq.Stderr, "and failed")
	return 7, err
}

func (g *runningGroup) Usage() engine.Usage { return engine.Usage{} }

// cloud is an emulated KCI.
type cloud struct {
	engine *engine.Engine
	http   *httptest.Server
}

func newCloud(t *testing.T, dialect kci.Dialect) *cloud {
	t.Helper()
	runtime := &machine{}
	ids := 0
	var mu sync.Mutex
	groups := engine.New(engine.Options{
		Clock: clock.RealClock{}, Runtime: runtime,
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			ids++
			return fmt.Sprintf("9f0c0be6-f6fe-4e29-af1a-%012d", ids)
		},
	})
	api := server.New(server.Options{
		Groups: groups, Dialect: server.Dialect(dialect),
		Keys: []server.AccessKey{{ID: "AK", Secret: "SK=="}, {ID: "TEMP", Secret: "SK==", SecurityToken: "TOKEN"}},
	})
	http := httptest.NewServer(api)
	t.Cleanup(func() {
		http.Close()
		groups.Close()
		runtime.tasks.Wait()
	})
	return &cloud{engine: groups, http: http}
}

// client makes a client of the cloud with one of its keys.
func (c *cloud) client(t *testing.T, change func(*kci.Options)) *kci.Client {
	t.Helper()
	key, err := kci.FixedKey("AK", "SK==", "")
	if err != nil {
		t.Fatal(err)
	}
	options := kci.Options{Region: "cn-beijing-6", Endpoint: c.http.URL, Credentials: key, CallsPerSecond: 10_000}
	if change != nil {
		change(&options)
	}
	client, err := kci.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
