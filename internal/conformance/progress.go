package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// tick is how often the progress line is drawn on a terminal.
	tick = time.Second
	// quietTicks is after how many ticks a line is written where there is no
	// terminal.
	quietTicks = 30
)

// errStalled is why a suite was broken off in which no test ended any more.
var errStalled = errors.New("no test has ended for too long")

// progress is told which tests have ended and tells it on.
type progress struct {
	out   io.Writer
	live  bool // out is a terminal
	clock clock.WithTicker
	total int
	begun time.Time

	mu    sync.Mutex
	ended map[string]Outcome
	// lastEnd is when a test ended last, or when a suite was begun.
	lastEnd time.Time
}

func newProgress(out io.Writer, live bool, c clock.WithTicker, total int) *progress {
	return &progress{out: out, live: live, clock: c, total: total, begun: c.Now(), ended: map[string]Outcome{}, lastEnd: c.Now()}
}

// end is called when a test has ended.
func (p *progress) end(spec string, o Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended[spec] = o
	p.lastEnd = p.clock.Now()
	if o == Failed {
		p.clear()
		p.printf("FAIL  %s\n", spec)
	}
}

// line is "37 of 200 tests, 3 failed, 4m10s".
func (p *progress) line() string {
	failed := 0
	for _, o := range p.ended {
		if o == Failed {
			failed++
		}
	}
	return fmt.Sprintf("%d of %d tests, %d failed, %s", len(p.ended), p.total, failed, p.clock.Since(p.begun).Round(time.Second))
}

// clear wipes the progress line off a terminal.
func (p *progress) clear() {
	if p.live {
		p.printf("\r\x1b[K")
	}
}

func (p *progress) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format, args...) // a terminal that is gone is no failure of the run
}

// tell writes a line of its own.
func (p *progress) tell(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.printf("%s\n", line)
}

func (p *progress) draw(ticks int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.live:
		p.printf("\r\x1b[K%s", p.line())
	case ticks%quietTicks == 0:
		p.printf("%s\n", p.line())
	}
}

// watch draws the progress line until the context ends, and calls stalled once
// if no test ends for longer than patience.
func (p *progress) watch(ctx context.Context, patience time.Duration, stalled func()) {
	p.mu.Lock()
	p.lastEnd = p.clock.Now()
	p.mu.Unlock()
	ticker := p.clock.NewTicker(tick)
	defer ticker.Stop()
	for ticks := 1; ; ticks++ {
		select {
		case <-ctx.Done():
			p.mu.Lock()
			p.clear()
			p.mu.Unlock()
			return
		case <-ticker.C():
		}
		p.draw(ticks)
		if p.quietFor() > patience {
			stalled()
			stalled = func() {}
		}
	}
}

func (p *progress) quietFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock.Since(p.lastEnd)
}

// heard returns what the suite told while it ran, for a suite that could not
// write its report.
func (p *progress) heard() map[string]Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	results := make(map[string]Result, len(p.ended))
	for spec, o := range p.ended {
		r := Result{Outcome: o}
		if o == Failed {
			r.Cause = "the suite wrote no report"
		}
		results[spec] = r
	}
	return results
}
