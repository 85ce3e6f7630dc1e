package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const (
	// followsAtOnce bounds the logs that are followed to their end while groups
	// stop: each takes a kubelet one of its few inotify instances.
	followsAtOnce = 32
	// followStart is how long a group that is to stop waits until its logs are
	// being followed.
	followStart = 2 * time.Second
	// followEnd is how long after its end a group waits for the rest of its logs.
	followEnd = 2 * time.Second
)

// Logs implements engine.Instance. After the end of the pod, and for the run
// before a restart, they are what was kept of it.
func (g *group) Logs(container string, previous bool) ([]engine.LogLine, error) {
	in := g.look()
	name, err := nameOf(in.spec, container)
	if err != nil {
		return nil, err
	}
	status := statusOfContainer(in.seen, name)
	here := status != nil && !in.gone && !in.over
	earlier := in.kept != nil && in.kept.pod != in.podName
	switch {
	case here && previous && status.LastTerminationState.Terminated != nil, here && !previous && hasRun(status):
		return g.fetchLog(&in, name, previous)
	case in.kept == nil:
		return nil, engine.ErrNotRunning
	case previous && !(earlier && here && hasRun(status)):
		return nil, engine.ErrNotRunning
	default:
		return in.kept.lines(name)
	}
}

// hasRun tells whether a container has run in its pod.
func hasRun(status *corev1.ContainerStatus) bool {
	return status.State.Running != nil || status.State.Terminated != nil || status.LastTerminationState.Terminated != nil
}

// fetchLog asks the kubelet. If the pod ends meanwhile, it is what was kept.
func (g *group) fetchLog(in *inbox, name string, previous bool) ([]engine.LogLine, error) {
	ctx, cancel := context.WithTimeout(g.runtime.closing, callLimit)
	defer cancel()
	tail := &logTail{}
	err := g.runtime.readLogOf(ctx, in.podName, &corev1.PodLogOptions{Container: name, Previous: previous}, tail.add)
	switch {
	case err == nil:
		return tail.lines, nil
	case errors.Is(err, errNoLog), apierrors.IsNotFound(err), apierrors.IsBadRequest(err): // it is gone, or waits again
		if now := g.look(); !previous && now.kept != nil && now.kept.pod == in.podName {
			return now.kept.lines(name)
		}
		return nil, engine.ErrNotRunning
	default:
		g.log.Error(err, "Reading a log", "container", name)
		return nil, fmt.Errorf("reading the log of container %s: %s", name, publicMessage(err))
	}
}

// readLogOf reads the newest lines of a container's log, and with options.Follow
// those to come.
func (r *Runtime) readLogOf(ctx context.Context, pod string, options *corev1.PodLogOptions, add func(engine.LogLine)) error {
	stream, err := r.openLog(ctx, pod, options)
	if err != nil {
		return err
	}
	defer stream.Close()
	return readLog(stream, add)
}

func (r *Runtime) openLog(ctx context.Context, pod string, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	options.Timestamps = true
	options.TailLines = ptr.To(int64(logLines))
	return r.kubelet.log(ctx, pod, options)
}

// keptLogs are the logs of a pod that ends.
type keptLogs struct {
	pod string
	// opened is closed once all logs are being read, done once they are read.
	opened, done chan struct{}

	mu    sync.Mutex
	tails map[string]*logTail
}

// lines are what was kept of a container's log.
func (k *keptLogs) lines(container string) ([]engine.LogLine, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	tail, ok := k.tails[container]
	if !ok {
		return nil, engine.ErrNotRunning
	}
	return append([]engine.LogLine(nil), tail.lines...), nil
}

// begin makes room for a container's log.
func (k *keptLogs) begin(container string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tails[container] = &logTail{}
}

// add keeps a line.
func (k *keptLogs) add(container string, line engine.LogLine) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tails[container].add(line)
}

// keepLogs begins to keep the logs of a pod that is about to end. It returns once
// they are being read, or after a while.
func (g *group) keepLogs(ctx context.Context, in *inbox) {
	if in.seen == nil || (in.kept != nil && in.kept.pod == in.podName) {
		return
	}
	k := &keptLogs{
		pod: in.podName, opened: make(chan struct{}), done: make(chan struct{}), tails: map[string]*logTail{},
	}
	if !g.runtime.background(func() { g.keep(ctx, k, in.seen) }) {
		return
	}
	g.change(func(in *inbox) { in.kept = k })
	g.await(ctx, k.opened, followStart)
}

// awaitLogs waits, not for long, until the logs of a pod that has ended are read.
func (g *group) awaitLogs(ctx context.Context, in *inbox) {
	if in.kept != nil && in.kept.pod == in.podName {
		g.await(ctx, in.kept.done, followEnd)
	}
}

// await waits for a channel to close, for ctx to end, or for d to pass.
func (g *group) await(ctx context.Context, closed <-chan struct{}, d time.Duration) {
	timer := g.runtime.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C():
	case <-ctx.Done():
	}
}

// keep reads the logs of all containers of a pod to their ends.
func (g *group) keep(ctx context.Context, k *keptLogs, pod *corev1.Pod) {
	var opening, reading sync.WaitGroup
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if !hasRun(&list[i]) {
				continue
			}
			opening.Add(1)
			reading.Go(func() { g.keepLog(ctx, k, list[i].Name, sync.OnceFunc(opening.Done)) })
		}
	}
	opening.Wait()
	close(k.opened)
	reading.Wait()
	close(k.done)
}

// keepLog reads one log to its end, that is until the container ends, if one more
// log may be followed; else as far as it has come.
func (g *group) keepLog(ctx context.Context, k *keptLogs, name string, opened func()) {
	defer opened()
	limited, cancel := context.WithTimeout(ctx, g.look().spec.Grace+patience)
	defer cancel()
	options := &corev1.PodLogOptions{Container: name}
	select {
	case g.runtime.follows <- struct{}{}:
		defer func() { <-g.runtime.follows }()
		options.Follow = true
	default:
	}
	stream, err := g.runtime.openLog(limited, k.pod, options)
	opened()
	if err == nil {
		defer stream.Close()
		k.begin(name)
		err = readLog(stream, func(line engine.LogLine) { k.add(name, line) })
	}
	if err != nil && ctx.Err() == nil {
		g.log.Error(err, "Keeping a log", "container", name)
	}
}
