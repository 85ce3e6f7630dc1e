package simulated

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// TestChaos does everything to many groups at once, in many orders, and then
// looks whether anything is left behind.
func TestChaos(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) { chaos(t, seed) })
	}
}

const (
	chaosWorkers = 8
	chaosSteps   = 150
)

func chaos(t *testing.T, seed uint64) {
	r := New(Options{Clock: clock.RealClock{}, Latency: Latency{Pull: time.Second, Create: 100 * time.Millisecond, Stop: time.Second}})
	e := engine.New(engine.Options{
		Clock: clock.RealClock{}, Runtime: r, NewID: numbered(), Addresses: netip.MustParsePrefix("10.0.0.0/16"),
		Latency: engine.Latency{Schedule: time.Second}, Retention: engine.Retention{Keep: time.Minute, Latest: 5},
	})
	var workers sync.WaitGroup
	for worker := range uint64(chaosWorkers) {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(seed, worker))
			for range chaosSteps {
				time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
				if err := disturb(t, r, e, random); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
	workers.Wait()
	for _, g := range e.List(nil) {
		if err := e.Delete(g.ID, false); err != nil && !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("seed %d: deleting %s: %v", seed, g.ID, err)
		}
	}
	time.Sleep(time.Minute) // longer than any grace
	synctest.Wait()
	for _, g := range e.List(nil) {
		t.Errorf("seed %d: %s is still %s", seed, g.ID, g.Status)
	}
	for _, g := range e.All() {
		if g.DeletedAt.IsZero() || g.EndedAt.IsZero() || g.EndedAt.Before(g.ScheduledAt) {
			t.Errorf("seed %d: %s ended %v, vanished %v", seed, g.ID, g.EndedAt, g.DeletedAt)
		}
		for _, c := range g.Containers {
			if c.Current.Kind == engine.KindRunning {
				t.Errorf("seed %d: %s is %s, but container %s is %s", seed, g.ID, g.Status, c.Name, describe(c))
			}
		}
	}
	if n := len(r.groups); n != 0 {
		t.Errorf("seed %d: the runtime still holds %d groups", seed, n)
	}
	e.Close()
	r.Close() // waits; synctest reports what is left
}

// disturb does one thing to one group. That a group is in the wrong state for it
// is no error.
func disturb(t *testing.T, r *Runtime, e *engine.Engine, random *rand.Rand) error {
	id := ""
	if groups := e.List(nil); len(groups) > 0 {
		id = groups[random.IntN(len(groups))].ID
	}
	code := random.IntN(3)
	var err error
	switch random.IntN(10) {
	case 0, 1, 2:
		e.Create(chaosSpec(random))
	case 3:
		err = e.Delete(id, false)
	case 4:
		err = e.Delete(id, true)
	case 5:
		err = e.Restart(id)
	case 6:
		err = e.Update(id, chaosSpec(random))
	case 7:
		err = r.SetFate(id, "a", Fate{Exit: &code, Log: "fate"})
	case 8:
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err = e.Exec(ctx, id, "b", engine.ExecRequest{Command: []string{"sleep", "2"}, Stdout: io.Discard, Stderr: io.Discard})
	case 9:
		err = e.Expire(id)
	}
	for _, expected := range []error{engine.ErrNotFound, engine.ErrState, engine.ErrNotRunning, engine.ErrNoContainer, context.DeadlineExceeded} {
		if errors.Is(err, expected) {
			return nil
		}
	}
	return err
}

// chaosSpec is a group of some of many kinds.
func chaosSpec(random *rand.Rand) engine.Spec {
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	probe := &engine.Probe{Handler: engine.Handler{Exec: []string{"cat", "/tmp/ok"}}, Period: time.Second, Timeout: time.Second, Success: 1, Failure: 2}
	b := shellApp("b", one("while true; do sleep 1; done", "sleep 3; exit 1", "exit 0", "touch /tmp/ok; sleep 5; rm /tmp/ok; sleep 100"))
	if random.IntN(2) == 0 {
		b.Liveness = probe
	}
	b.PreStop = &engine.Handler{Exec: []string{"sleep", one("0", "2", "100")}}
	spec := engine.Spec{
		Name: "chaos", RestartPolicy: one("Always", "OnFailure", "Never"), Grace: time.Duration(random.IntN(10)) * time.Second,
		Containers: []engine.Container{app("a", one("SIM_RUN=2s", "SIM_CRASH=true", "SIM_TERM_AFTER=4s", "SIM_READY_AFTER=1s", "SIM_LOG_EVERY=500ms")), b},
	}
	if random.IntN(2) == 0 {
		spec.InitContainers = []engine.Container{app("i", one("SIM_RUN=1s", "SIM_EXIT=0", "SIM_EXIT_SEQUENCE=1,0"))}
	}
	if random.IntN(4) == 0 {
		spec.Deadline = 10 * time.Second
	}
	return spec
}
