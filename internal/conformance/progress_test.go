package conformance

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
)

// screen is a terminal that may be written to and read at the same time.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestProgressLine(t *testing.T) {
	tests := map[string]struct {
		reason string
		live   bool
		want   string
	}{
		"Terminal": {"the line is overwritten", true, "\r\x1b[KFAIL  b\n\r\x1b[K2 of 3 tests, 1 failed, 1m30s"},
		"File":     {"a line now and then", false, "FAIL  b\n2 of 3 tests, 1 failed, 1m30s\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			clock := clocktesting.NewFakeClock(time.Unix(0, 0))
			p := newProgress(&out, tt.live, clock, 3)
			p.end("a", Passed)
			p.end("b", Failed)
			clock.Step(90 * time.Second)
			p.draw(quietTicks)
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestProgressHeard(t *testing.T) {
	p := newProgress(&strings.Builder{}, false, clocktesting.NewFakeClock(time.Unix(0, 0)), 2)
	p.end("a", Passed)
	p.end("b", Failed)
	want := map[string]Result{"a": {Outcome: Passed}, "b": {Outcome: Failed, Cause: "the suite wrote no report"}}
	if diff := cmp.Diff(want, p.heard()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProgressStalled lets time pass: a test that ends renews the patience, and
// when none does that is told once.
func TestProgressStalled(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	out := &screen{}
	p := newProgress(out, false, clock, 2)
	ctx, cancel := context.WithCancel(t.Context())
	stalled := make(chan struct{}, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.watch(ctx, time.Minute, func() { stalled <- struct{}{} })
	}()
	await(t, "the watch began", clock.HasWaiters)
	clock.Step(40 * time.Second)
	p.end("a", Passed)
	clock.Step(40 * time.Second)
	select {
	case <-stalled:
		t.Fatal("stalled although a test ended 40 s ago")
	default:
	}
	clock.Step(21 * time.Second)
	await(t, "it was told", func() bool { return len(stalled) == 1 })
	for range 5 {
		clock.Step(time.Minute)
	}
	cancel()
	<-done
	if len(stalled) != 1 {
		t.Errorf("told %d times, want once", len(stalled))
	}
}
