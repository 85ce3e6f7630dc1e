package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// execute implements kubelet over a WebSocket, or over SPDY where that cannot be
// had.
func (r remote) execute(ctx context.Context, pod string, options *corev1.PodExecOptions, streams remotecommand.StreamOptions) error {
	target := r.client.Post().Namespace(r.namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(options, scheme.ParameterCodec).URL()
	stream, err := newStream(r.config, target)
	if err != nil {
		return fmt.Errorf("preparing a command: %w", err)
	}
	return stream.StreamWithContext(ctx, streams)
}

func newStream(config *rest.Config, target *url.URL) (remotecommand.Executor, error) {
	webSocket, err := remotecommand.NewWebSocketExecutor(config, "GET", target.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(config, "POST", target)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(webSocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// Exec implements engine.Instance. A command that cannot be started is an error in
// the words of the container runtime.
func (g *group) Exec(ctx context.Context, container string, req engine.ExecRequest) (int, error) {
	in := g.look()
	name, err := nameOf(in.spec, container)
	if err != nil {
		return 0, err
	}
	status := statusOfContainer(in.seen, name)
	if status == nil || status.State.Running == nil || in.gone || in.over {
		return 0, engine.ErrNotRunning
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(g.runtime.closing, func() { cancel(engine.ErrNotRunning) })
	defer stop()
	options := &corev1.PodExecOptions{
		Container: name, Command: req.Command, TTY: req.TTY,
		Stdin: req.Stdin != nil, Stdout: req.Stdout != nil, Stderr: req.Stderr != nil && !req.TTY,
	}
	err = g.runtime.kubelet.execute(ctx, in.podName, options, streamsOf(ctx, cancel, &req))
	return g.execResult(ctx, &in, err)
}

// execResult is how a command ended, from what its stream ended with.
func (g *group) execResult(ctx context.Context, in *inbox, err error) (int, error) {
	if exit, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		return exit.Code, nil
	}
	switch {
	case ctx.Err() != nil: // also when the stream ended well: what it brought was not taken
		return 0, context.Cause(ctx)
	case err == nil:
		return 0, nil
	}
	text := g.scrubberFor(in, in.podName, string(in.podUID)).scrub(err.Error())
	if strings.Contains(text, "container not found (") {
		return 0, engine.ErrNotRunning
	}
	return 0, errors.New(runtimeError(text))
}

// ociError begins what the container runtime says of a command that it cannot
// start; before it, each party on the way says that there was an error.
const ociError = "OCI runtime exec failed"

func runtimeError(text string) string {
	at := strings.Index(text, ociError)
	if at < 0 {
		return text
	}
	return strings.TrimSuffix(text[at:], ": unknown")
}

// streamsOf connects a command with its streams. A stream that takes no more
// output ends the command, with the stream's error as the cause.
func streamsOf(ctx context.Context, cancel context.CancelCauseFunc, req *engine.ExecRequest) remotecommand.StreamOptions {
	streams := remotecommand.StreamOptions{Stdin: req.Stdin, Tty: req.TTY}
	if req.Stdout != nil {
		streams.Stdout = &output{to: req.Stdout, failed: cancel}
	}
	if req.Stderr != nil && !req.TTY {
		streams.Stderr = &output{to: req.Stderr, failed: cancel}
	}
	if req.TTY && req.Resize != nil {
		streams.TerminalSizeQueue = &sizes{ctx, req.Resize}
	}
	return streams
}

// output passes a command's output on. Once it cannot, it takes the rest and ends
// the command, since a stream does not end because its output fails.
type output struct {
	to     io.Writer
	failed context.CancelCauseFunc
	ended  bool
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if o.ended {
		return len(p), nil
	}
	if _, err := o.to.Write(p); err != nil {
		o.ended = true
		o.failed(err)
	}
	return len(p), nil
}

// sizes passes a terminal's sizes on.
type sizes struct {
	ctx  context.Context
	from <-chan engine.Size
}

// Next implements remotecommand.TerminalSizeQueue; nil is the end.
func (s *sizes) Next() *remotecommand.TerminalSize {
	select {
	case size, ok := <-s.from:
		if !ok {
			return nil
		}
		return &remotecommand.TerminalSize{Width: size.Width, Height: size.Height}
	case <-s.ctx.Done():
		return nil
	}
}
