package prober

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/translate"
)

// worker runs one probe of one container for as long as its pod is known.
type worker struct {
	translate.NodeProbe
	prober *Prober
	pod    types.UID
	// from is the earliest moment of the first probe.
	from time.Time
	// news wakes the worker after the fields below have changed.
	news chan struct{}

	mu     sync.Mutex
	target Target
	// running is whether there is anything to be probed now; ending that the
	// pod is being deleted.
	running, ending bool
	// run is the run that is probed, since when it is known to run.
	run   Run
	since time.Time
	known bool
	// open is whether the container's startup probe lets this one begin.
	open bool
	// last is when the run was last probed, zero if it never was.
	last time.Time
	// outcome and streak are what the last checks of this run found, and how
	// many in a row.
	outcome Outcome
	streak  int
	// result is what the thresholds make of it: Unknown until they are reached.
	result Outcome
	// hold: the result is final for this run.
	hold bool
}

func (p *Prober) newWorker(uid types.UID, probe translate.NodeProbe) *worker {
	return &worker{
		NodeProbe: probe, prober: p, pod: uid, open: true,
		from: p.Clock.Now().Add(p.stagger(seconds(probe.Probe.PeriodSeconds))),
		news: make(chan struct{}, 1),
	}
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// observe takes notice of the container as it is now.
func (w *worker) observe(pod *Pod, now time.Time) {
	defer w.wake()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running, w.ending = false, pod.Ending
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if c.Name != w.Container {
			continue
		}
		w.running = c.Running
		w.target = Target{Group: pod.Group, Container: c.Name, Address: pod.Address}
		if c.Running && (!w.known || w.run != c.Run) {
			w.begin(c, now)
		}
	}
}

// begin forgets what was found of an earlier run. Of a run that an earlier
// process has probed, that process's results go on.
func (w *worker) begin(c *Container, now time.Time) {
	w.run, w.known, w.since = c.Run, true, now
	if !c.Run.StartedAt.IsZero() && c.Run.StartedAt.Before(now) {
		w.since = c.Run.StartedAt
	}
	w.last, w.outcome, w.streak = time.Time{}, Unknown, 0
	w.result = inherited(w.Kind, c.Before)
	w.hold = w.Kind == translate.ProbeStartup && w.result == Success
}

// inherited is the result that an earlier process has left of a run.
func inherited(kind translate.ProbeKind, before *Before) Outcome {
	switch {
	case before == nil:
	case kind == translate.ProbeStartup && before.Started, kind == translate.ProbeReadiness && before.Ready:
		return Success
	}
	return Unknown
}

// admit opens or closes the gate of the startup probe.
func (w *worker) admit(open bool) {
	w.mu.Lock()
	changed := w.open != open
	w.open = open
	w.mu.Unlock()
	if changed {
		w.wake()
	}
}

func (w *worker) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *worker) succeeded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known && w.result == Success
}

// resultIn is the result of this run; false if it is not known.
func (w *worker) resultIn(run Run) (Outcome, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.result, w.known && w.run == run
}

// work probes until ctx ends.
func (w *worker) work(ctx context.Context) {
	clk := w.prober.Clock
	for ctx.Err() == nil {
		due, waits := w.due()
		if waits && !due.After(clk.Now()) {
			w.probe(ctx)
			continue
		}
		var at <-chan time.Time
		stop := func() bool { return false }
		if waits {
			timer := clk.NewTimer(due.Sub(clk.Now()))
			at, stop = timer.C(), timer.Stop
		}
		select {
		case <-ctx.Done():
		case <-w.news:
		case <-at:
		}
		stop()
	}
}

// due is when the next probe is to be made; false means that nothing is to be
// done before there is news.
func (w *worker) due() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.running, w.hold, !w.open, w.ending && w.Kind != translate.ProbeReadiness:
		return time.Time{}, false
	}
	due := w.since.Add(seconds(w.Probe.InitialDelaySeconds))
	if w.from.After(due) {
		due = w.from
	}
	if next := w.last.Add(seconds(w.Probe.PeriodSeconds)); !w.last.IsZero() && next.After(due) {
		due = next
	}
	return due, true
}

// probe checks once and hands on what came of it.
func (w *worker) probe(ctx context.Context) {
	w.mu.Lock()
	run, target := w.run, w.target
	w.last = w.prober.Clock.Now()
	w.mu.Unlock()
	outcome, text, err := w.prober.Checker.Check(ctx, target, &w.Probe)
	if ctx.Err() != nil {
		return // what was cut short tells nothing
	}
	counted, changed, failed := w.note(run, outcome, err)
	if !counted {
		return
	}
	w.tell(outcome, text, err)
	if changed {
		w.prober.settled(w.pod)
	}
	if failed {
		w.prober.Failed(w.pod, Failed{Container: w.Container, Kind: w.Kind, Run: run})
	}
}

// note counts an outcome: unless the run has ended meanwhile or the pod is
// being deleted, when a probe may fail without anybody's fault.
func (w *worker) note(run Run, outcome Outcome, err error) (counted, changed, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run != run || !w.running || w.ending && w.Kind != translate.ProbeReadiness {
		return false, false, false
	}
	if err != nil {
		return true, false, false
	}
	if outcome == Warning {
		outcome = Success
	}
	if w.outcome != outcome {
		w.outcome, w.streak = outcome, 0
	}
	w.streak++
	if w.streak < w.threshold(outcome) {
		return true, false, false
	}
	changed, w.result = w.result != outcome, outcome
	mortal := w.Kind != translate.ProbeReadiness
	failed = mortal && outcome != Success
	w.hold = failed || w.Kind == translate.ProbeStartup
	return true, changed, failed
}

func (w *worker) threshold(outcome Outcome) int {
	if outcome == Success {
		return int(w.Probe.SuccessThreshold)
	}
	return int(w.Probe.FailureThreshold)
}

// tell says what a kubelet says of this outcome.
func (w *worker) tell(outcome Outcome, text string, err error) {
	event := Event{Container: w.Container, Reason: ReasonUnhealthy}
	switch {
	case err != nil:
		event.Message = fmt.Sprintf("%s probe errored and resulted in %s state: %s", w.Kind, outcome, err)
	case outcome == Warning:
		event.Reason, event.Message = ReasonProbeWarning, fmt.Sprintf("%s probe warning: %s", w.Kind, text)
	case outcome == Failure:
		event.Message = fmt.Sprintf("%s probe failed: %s", w.Kind, text)
	default:
		return
	}
	w.prober.Tell(w.pod, event)
}
