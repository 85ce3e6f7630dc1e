package kubeletapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	remotecommandconsts "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	streaming "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider"
)

// The kubelet's own times: a session may be silent for four hours.
const (
	idleTimeout     = 4 * time.Hour
	creationTimeout = remotecommandconsts.DefaultStreamCreationTimeout
)

func (s *Server) exec(w http.ResponseWriter, r *http.Request) {
	options, err := streaming.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	command := r.URL.Query()[corev1.ExecCommandParam]
	if len(command) == 0 {
		http.Error(w, "query parameter command is missing: the program to run and its arguments, one each", http.StatusBadRequest)
		return
	}
	namespace, pod, container := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container")
	w, r, cancel := untilGone(w, r)
	defer cancel()
	streaming.ServeExec(w, r, executor{pods: s.options.Pods, namespace: namespace, asked: *options}, pod, types.UID(r.PathValue("uid")), container,
		command, options, idleTimeout, creationTimeout, remotecommandconsts.SupportedStreamingProtocols)
}

// executor carries one exec from the kubelet's streaming library to the cloud.
type executor struct {
	pods      Pods
	namespace string
	// asked tells which streams the client asked for: over WebSocket the
	// library makes all of them.
	asked streaming.Options
}

// ExecInContainer implements the library's Executor. A command that ends with
// another code than 0 is an utilexec.ExitError, as the library wants it.
func (e executor) ExecInContainer(ctx context.Context, pod string, _ types.UID, container string, command []string, //nolint:revive // the library's signature
	in io.Reader, out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := e.options(ctx, in, out, errOut, tty, resize)
	o.Command = command
	code, err := e.pods.Exec(ctx, provider.ContainerName{Namespace: e.namespace, Pod: pod, Container: container}, o)
	if err != nil {
		return err
	}
	if code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}
	return nil
}

// options are the streams that the client asked for.
func (e executor) options(ctx context.Context, in io.Reader, out, errOut io.Writer, tty bool, //nolint:revive // as the library has them
	resize <-chan remotecommand.TerminalSize,
) cloudapi.ExecOptions {
	o := cloudapi.ExecOptions{TTY: tty}
	if tty {
		o.Resize = sizes(ctx, resize)
	}
	if e.asked.Stdin && in != nil {
		o.Stdin = in
	}
	if e.asked.Stdout && out != nil {
		o.Stdout = out
	}
	if e.asked.Stderr && errOut != nil {
		o.Stderr = errOut
	}
	return o
}

// sizes passes terminal sizes on until ctx ends. A nil channel means no
// terminal; a closed one is dropped, or it would be read for ever.
func sizes(ctx context.Context, in <-chan remotecommand.TerminalSize) <-chan cloudapi.TerminalSize {
	if in == nil {
		return nil
	}
	out := make(chan cloudapi.TerminalSize)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case size, open := <-in:
				if !open {
					return
				}
				select {
				case out <- cloudapi.TerminalSize{Width: size.Width, Height: size.Height}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

// attach serves what Provider.Attach makes of it.
func (s *Server) attach(w http.ResponseWriter, r *http.Request) {
	options, err := streaming.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w, r, cancel := untilGone(w, r)
	defer cancel()
	a := attacher{ctx: r.Context(), streams: executor{pods: s.options.Pods, namespace: r.PathValue("namespace"), asked: *options}}
	streaming.ServeAttach(w, r, a, r.PathValue("pod"), types.UID(r.PathValue("uid")), r.PathValue("container"),
		options, idleTimeout, creationTimeout, remotecommandconsts.SupportedStreamingProtocols)
}

// attacher carries one attach to the provider. The library may call it with a
// context that outlives the request, so it keeps the request's.
type attacher struct {
	ctx     context.Context //nolint:containedctx // see the type's comment
	streams executor
}

// AttachContainer implements the library's Attacher.
func (a attacher) AttachContainer(_ context.Context, pod string, _ types.UID, container string, //nolint:revive // the library's signature
	in io.Reader, out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize,
) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	of := provider.ContainerName{Namespace: a.streams.namespace, Pod: pod, Container: container}
	return a.streams.pods.Attach(ctx, of, a.streams.options(ctx, in, out, errOut, tty, resize))
}

func (s *Server) portForward(w http.ResponseWriter, r *http.Request) {
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w, r, cancel := untilGone(w, r)
	defer cancel()
	f := forwarder{ctx: r.Context(), pods: s.options.Pods, namespace: r.PathValue("namespace")}
	portforward.ServePortForward(w, r, f, r.PathValue("pod"), types.UID(r.PathValue("uid")), options,
		idleTimeout, creationTimeout, portforward.SupportedProtocols)
}

// forwarder carries port-forward streams. The library calls it with a context
// that never ends, so it keeps the request's.
type forwarder struct {
	ctx       context.Context //nolint:containedctx // see the type's comment
	pods      Pods
	namespace string
}

// PortForward implements the library's PortForwarder.
func (f forwarder) PortForward(_ context.Context, pod string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	if err := f.pods.PortForward(f.ctx, f.namespace, pod, port, stream); err != nil {
		return fmt.Errorf("forwarding to port %s: %w", strconv.Itoa(int(port)), err)
	}
	return nil
}
