package simulated

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// In these tests time.Sleep does not wait: testing/synctest runs them on a fake
// clock that advances once every goroutine of the test is idle.

// epoch is the time at which a synctest bubble begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// world is one group in a runtime, and what was reported of it.
type world struct {
	runtime  *Runtime
	instance engine.Instance

	mu     sync.Mutex
	last   engine.Observation
	events []engine.Event
}

// launch starts a group called web with id eci-1.
func launch(t *testing.T, spec engine.Spec, latency Latency) *world {
	t.Helper()
	spec.Name, spec.Address = "web", "10.0.0.2"
	w := &world{runtime: New(Options{Clock: clock.RealClock{}, Latency: latency})}
	t.Cleanup(w.runtime.Close)
	w.instance = w.runtime.Start("eci-1", &spec, w.report)
	synctest.Wait()
	return w
}

func (w *world) report(o engine.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = o
	w.events = append(w.events, o.NewEvents...)
}

// after lets time pass and returns what is known then, in lines such as
// "app Running ready" below the status.
func (w *world) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	head := string(w.last.Status)
	if w.last.Stopped {
		head += " stopped"
	}
	lines := []string{head}
	for _, s := range append(append([]engine.ContainerState(nil), w.last.InitContainers...), w.last.Containers...) {
		lines = append(lines, describe(s))
	}
	return lines
}

func describe(s engine.ContainerState) string {
	line := s.Name + " " + s.Current.Kind
	if s.Current.Reason != "" {
		line += " " + s.Current.Reason
	}
	if s.Current.Kind == engine.KindTerminated {
		line += fmt.Sprintf(" %d", s.Current.ExitCode)
	}
	if s.Ready {
		line += " ready"
	}
	if s.RestartCount > 0 {
		line += fmt.Sprintf(" restarts=%d", s.RestartCount)
	}
	if s.Previous != nil {
		line += fmt.Sprintf(" last=%d", s.Previous.ExitCode)
	}
	return line
}

// told are the events so far, as "container reason: message".
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, e := range w.events {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", e.Type, e.Container, e.Reason, e.Message))
	}
	return lines
}

// env makes variables of NAME=value words.
func env(words ...string) []engine.EnvVar {
	var all []engine.EnvVar
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		all = append(all, engine.EnvVar{Name: name, Value: value})
	}
	return all
}

// app is a container with a script.
func app(name string, words ...string) engine.Container {
	return engine.Container{Name: name, Image: "app:1", Env: env(words...)}
}

// shellApp is a container that runs a shell script.
func shellApp(name, script string) engine.Container {
	return engine.Container{Name: name, Image: "busybox", Command: []string{"sh", "-c", script}}
}

// moment is what is expected a while after the moment before.
type moment struct {
	after time.Duration
	want  []string
}
