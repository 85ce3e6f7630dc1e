package provider

import (
	"context"
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

// tail reads one container's log window by window and writes each line once.
type tail struct {
	p         *Provider
	groupID   string
	container string
	namespace string
	pod       string
	options   LogOptions
	limits    cloudapi.LogLimits
	out       *limitedWriter
	window    window
	// run tells the run that is followed from a later one.
	run0 int32
}

// window finds what is new in an answer.
type window interface {
	// next returns the new lines of an answer. missed is true when lines
	// between the last answer and this one may be lost.
	next(content string, complete bool) (fresh string, missed bool)
	// since is the time from which the next answer is needed; zero for all.
	since() time.Time
}

func (p *Provider) newTail(r *record, container string, o LogOptions, out *limitedWriter) *tail {
	limits := p.Cloud.Limits().Log
	t := &tail{
		p: p, groupID: r.groupID, container: container, namespace: r.pod.Namespace, pod: r.pod.Name,
		options: o, limits: limits, out: out,
	}
	if status, ok := containerStatus(r.pod, container); ok {
		t.run0 = status.RestartCount
	}
	if limits.Timestamps && limits.Since {
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
		ended := !t.running()
		grew, err := t.more(ctx)
		if err != nil || ended {
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
	lines := 0
	if n := t.options.Tail; n != nil && *n > 0 && *n < int64(t.limits.MaxLines) {
		lines = int(*n)
	}
	text, missed, complete, err := t.read(ctx, lines)
	if err != nil {
		return err
	}
	if n := t.options.Tail; n != nil {
		text, missed = lastLines(text, *n), *n > int64(t.limits.MaxLines) && !complete
	} else {
		missed = !complete
	}
	return t.write(text, missed)
}

// more writes what was added since the last read and tells whether anything
// was.
func (t *tail) more(ctx context.Context) (bool, error) {
	text, missed, _, err := t.read(ctx, 0)
	if err != nil {
		if cloudapi.Is(err, cloudapi.CodeThrottled, cloudapi.CodeUnavailable) {
			return false, nil
		}
		return false, err
	}
	return text != "", t.write(text, missed)
}

func (t *tail) read(ctx context.Context, lines int) (text string, missed, complete bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	timed := t.limits.Timestamps && t.limits.Since
	chunk, err := t.p.Cloud.Logs(ctx, t.groupID, t.container, cloudapi.LogOptions{
		TailLines: lines, Since: t.window.since(), Previous: t.options.Previous, Timestamps: timed,
	})
	if err != nil {
		if !t.out.written {
			err = cloudError(err)
		}
		return "", false, false, err
	}
	text, missed = t.window.next(chunk.Content, chunk.Complete)
	return text, missed, chunk.Complete, nil
}

// write puts lines into the stream, after a word about lines that the cloud
// could not give any more: a hole in a log must never look like none.
func (t *tail) write(text string, missed bool) error {
	if missed {
		notice := fmt.Sprintf("[cumulet: lines are missing here: the cloud gives only the last %d lines of a log at a time]\n", t.limits.MaxLines)
		if err := t.out.writeString(notice); err != nil {
			return err
		}
	}
	if err := t.out.writeString(text); err != nil {
		return err
	}
	if f, ok := t.out.w.(interface{ Flush() }); ok {
		f.Flush()
	}
	return nil
}

// running tells whether the run that is followed still goes on.
func (t *tail) running() bool {
	r, ok := t.p.store.byGroup(t.groupID)
	if !ok || r.vanished || r.group == nil {
		return false
	}
	for _, list := range [][]cloudapi.ContainerState{r.group.Containers, r.group.InitContainers} {
		for _, c := range list {
			if c.Name == t.container {
				return c.Current.Kind == cloudapi.RunRunning && c.RestartCount == t.run0
			}
		}
	}
	// A cloud that hides init containers shows their end by the others' start.
	return !r.group.Status.Final() && !anyStarted(r.pod)
}

func anyStarted(pod *corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Waiting == nil {
			return true
		}
	}
	return false
}
