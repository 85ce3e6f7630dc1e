package simulated

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// patience is how long a test polls for what must come.
const patience = 60 * time.Second

// eventually polls until the condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if holds() {
			return
		}
		runtime.Gosched()
	}
	tb.Fatalf("not in %v: %s", patience, what)
}

func numbered() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("eci-%06d", n.Add(1)) }
}

// TestOnAFakeClock shows that engine and runtime also live on the fake clock of
// k8s.io/utils, which calls back while it holds its lock.
func TestOnAFakeClock(t *testing.T) {
	fake := clocktesting.NewFakeClock(epoch)
	r := New(Options{Clock: fake, Latency: Latency{Pull: time.Second}})
	e := engine.New(engine.Options{Clock: fake, Runtime: r, NewID: numbered(), Latency: engine.Latency{Schedule: time.Second}})
	defer r.Close()
	defer e.Close()
	id := e.Create(engine.Spec{Name: "web", RestartPolicy: "Never", Containers: []engine.Container{app("app", "SIM_RUN=5s")}}).ID
	status := func(want engine.Status) func() bool {
		return func() bool {
			g, err := e.Get(id)
			if err != nil {
				t.Fatalf("getting: %v", err)
			}
			return g.Status == want && fake.HasWaiters() != want.Final()
		}
	}
	for _, want := range []engine.Status{engine.Pending, engine.Running, engine.Succeeded} {
		fake.Step(5 * time.Second)
		eventually(t, string(want), status(want))
	}
}

// BenchmarkStart10000 starts ten thousand groups until all run, and tells the
// memory and goroutines they hold at rest.
func BenchmarkStart10000(b *testing.B) {
	benchmarkStart(b, engine.Container{Name: "app", Image: "app:1"})
}

// BenchmarkStart10000Loops does so with a loop that sleeps in each of them.
func BenchmarkStart10000Loops(b *testing.B) {
	benchmarkStart(b, shellApp("app", "while true; do echo tick; sleep 10; done"))
}

func benchmarkStart(b *testing.B, c engine.Container) {
	const groups = 10_000
	for range b.N {
		before := heap()
		r := New(Options{Clock: clock.RealClock{}})
		e := engine.New(engine.Options{Clock: clock.RealClock{}, Runtime: r, NewID: numbered(),
			Addresses: netip.MustParsePrefix("10.0.0.0/12")})
		for i := range groups {
			e.Create(engine.Spec{Name: fmt.Sprintf("web-%d", i), RestartPolicy: "Always", Containers: []engine.Container{c}})
		}
		const pause = 20 * time.Millisecond // leaves the core to the groups
		err := wait.PollUntilContextTimeout(b.Context(), pause, patience, true, func(context.Context) (bool, error) {
			return len(e.List(func(g *engine.Group) bool { return g.Status == engine.Running })) == groups, nil
		})
		if err != nil {
			b.Fatalf("waiting until all groups run: %v", err)
		}
		b.ReportMetric(float64(heap()-before)/groups, "B/group")
		b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
		b.StopTimer()
		e.Close()
		r.Close()
		b.StartTimer()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
