package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	// logPoll and logPollMax bound the pause between two reads of a followed
	// log: short while lines come, longer while it is quiet. ECI allows 500
	// reads a minute for the whole account.
	logPoll    = 500 * time.Millisecond
	logPollMax = 3 * time.Second
	logTimeout = 30 * time.Second
)

// The words for holes: a hole in a log must never look like none.
const (
	noticeMissed   = "[cumulet: lines are missing here: the cloud gives only the last %d lines of a log at a time]\n"
	noticeReplaced = "[cumulet: the container was restarted: the last lines of its ended run may be missing]\n"
)

// tail reads one container's log window by window and writes each line once.
type tail struct {
	p         *Provider
	groupID   string
	container string
	options   LogOptions
	limits    cloudapi.LogLimits
	out       *limitedWriter
	// timed tells that the cloud can put each line's time before it.
	timed  bool
	window window
	// restarts is the container's restart count when following began: it
	// tells the run that is followed from a later one.
	restarts int32
}

func (p *Provider) newTail(r *record, container string, o LogOptions, out *limitedWriter) *tail {
	limits := p.limits.Log
	t := &tail{
		p: p, groupID: r.groupID, container: container, options: o, limits: limits, out: out,
		timed: limits.Timestamps && limits.Since,
	}
	if state := containerState(r.group, container); state != nil {
		t.restarts = state.RestartCount
	} else if status, ok := containerStatus(r.pod, container); ok {
		t.restarts = status.RestartCount
	}
	if t.timed {
		t.window = &timedWindow{keep: o.Timestamps, from: o.Since}
	} else {
		t.window = &slidingWindow{}
	}
	return t
}

func (t *tail) run(ctx context.Context) error {
	if err := t.first(ctx); err != nil || !t.options.Follow {
		return err
	}
	pause := logPoll
	for {
		now := t.phase()
		if now == runReplaced && !t.limits.Previous {
			return t.out.writeString(noticeReplaced)
		}
		t.options.Previous = now == runReplaced
		grew, err := t.more(ctx)
		switch {
		case errors.Is(err, errLater):
		case cloudapi.Is(err, cloudapi.CodeNotFound) && (now != runGoesOn || t.leaves()):
			return nil // the log has gone with its group
		case err != nil, now != runGoesOn:
			return err
		}
		if pause = min(pause*3/2, logPollMax); grew {
			pause = logPoll
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.p.Clock.After(pause):
		}
	}
}

// first writes what there is already.
func (t *tail) first(ctx context.Context) error {
	chunk, err := t.read(ctx, t.firstLines())
	if err != nil {
		return cloudError(err)
	}
	text, _ := t.window.next(chunk.Content, chunk.Complete)
	missed := !chunk.Complete
	if n := t.options.Tail; n != nil {
		missed = missed && int64(len(splitLines(text))) < *n
		text = lastLines(text, *n)
	}
	return t.write(text, missed)
}

// firstLines is how many lines to ask for at first; 0 for all there are. A
// window that goes on must start as wide as it will be: without times the next
// answer could not be joined to it, and with them lines before the tail, which
// the next answer brings for their time, would seem new.
func (t *tail) firstLines() int {
	n := t.options.Tail
	if n == nil || *n <= 0 || *n >= int64(t.limits.MaxLines) || t.options.Follow {
		return 0
	}
	return int(*n)
}

// errLater tells that a log could not be read just now: the next look finds
// the same, and more.
var errLater = errors.New("the log cannot be read now")

// more writes what was added since the last read and tells whether anything
// was.
func (t *tail) more(ctx context.Context) (bool, error) {
	chunk, err := t.read(ctx, 0)
	switch {
	case ctx.Err() != nil, cloudapi.Is(err, cloudapi.CodeThrottled, cloudapi.CodeUnavailable):
		return false, errLater
	case err != nil:
		return false, err
	}
	text, missed := t.window.next(chunk.Content, chunk.Complete)
	return text != "", t.write(text, missed)
}

func (t *tail) read(ctx context.Context, lines int) (cloudapi.LogChunk, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	return t.p.Cloud.Logs(ctx, t.groupID, t.container, cloudapi.LogOptions{
		TailLines: lines, Since: t.window.since(), Previous: t.options.Previous, Timestamps: t.timed,
	})
}

// write puts lines into the stream, after a word about lines that the cloud
// could not give any more.
func (t *tail) write(text string, missed bool) error {
	if missed {
		if err := t.out.writeString(fmt.Sprintf(noticeMissed, t.limits.MaxLines)); err != nil {
			return err
		}
	}
	return t.out.writeString(text)
}

// leaves tells whether the group is on its way out by our own wish: it may have
// gone a moment before anybody noticed.
func (t *tail) leaves() bool {
	r, ok := t.p.store.byGroup(t.groupID)
	return !ok || r.ending() || !r.deleteAskedAt.IsZero()
}

// runPhase is what became of the run that is followed.
type runPhase int

const (
	runGoesOn runPhase = iota
	runEnded
	// runReplaced: it has ended and the container's next run has begun.
	runReplaced
)

func (t *tail) phase() runPhase {
	r, ok := t.p.store.byGroup(t.groupID)
	if !ok || r.vanished || r.group == nil {
		return runEnded
	}
	state := containerState(r.group, t.container)
	switch {
	case state == nil:
		// A cloud that hides init containers shows their end by the others'
		// start.
		if r.group.Status.Final() || anyStarted(r.pod) {
			return runEnded
		}
		return runGoesOn
	case state.RestartCount != t.restarts:
		return runReplaced
	case state.Current.Kind == cloudapi.RunRunning && !r.group.Status.Final():
		return runGoesOn
	default:
		return runEnded
	}
}

func containerState(group *cloudapi.Group, container string) *cloudapi.ContainerState {
	if group == nil {
		return nil
	}
	for _, list := range [][]cloudapi.ContainerState{group.Containers, group.InitContainers} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}

func anyStarted(pod *corev1.Pod) bool {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].State.Waiting == nil {
			return true
		}
	}
	return false
}
