package kubeletapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/cumulet/cumulet/cloudapi"
)

func clientOf(e *endpoint) (*http.Client, error) { return rest.HTTPClientFor(e.config()) }

// executors are the two ways by which a command is run.
func executors(t *testing.T, e *endpoint, query string) map[string]remotecommand.Executor {
	t.Helper()
	return executorsOf(t, e, "/exec/shop/web/main?"+query)
}

func executorsOf(t *testing.T, e *endpoint, path string) map[string]remotecommand.Executor {
	t.Helper()
	target, err := url.Parse(e.url + path)
	if err != nil {
		t.Fatal(err)
	}
	bySPDY, err := remotecommand.NewSPDYExecutor(e.config(), "POST", target)
	if err != nil {
		t.Fatal(err)
	}
	byWebSocket, err := remotecommand.NewWebSocketExecutorForProtocols(e.config(), "GET", target.String(), "v4.channel.k8s.io")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]remotecommand.Executor{"SPDY": bySPDY, "WebSocket": byWebSocket}
}

func TestExec(t *testing.T) {
	e := serve(t)
	e.pods.exec = func(_ context.Context, o cloudapi.ExecOptions) (int, error) {
		if o.TTY || o.Stdin != nil || o.Resize != nil {
			t.Errorf("options %+v", o)
		}
		_, err := fmt.Fprintf(o.Stdout, "out of %s", strings.Join(o.Command, "|"))
		if err == nil {
			_, err = io.WriteString(o.Stderr, "err")
		}
		return 0, err
	}
	for name, executor := range executors(t, e, "command=ls&command=-l+%2Ftmp&output=1&error=1") {
		var out, errOut bytes.Buffer
		if err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: &out, Stderr: &errOut}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if out.String() != "out of ls|-l /tmp" || errOut.String() != "err" {
			t.Errorf("%s: stdout %q, stderr %q", name, out.String(), errOut.String())
		}
	}
	want := []string{"create nodes/proxy virtual-1", "create nodes/proxy virtual-1"}
	if diff := cmp.Diff(want, e.gate.questions()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestExecStdin(t *testing.T) {
	e := serve(t)
	e.pods.exec = func(_ context.Context, o cloudapi.ExecOptions) (int, error) {
		_, err := io.Copy(o.Stdout, o.Stdin) // until stdin is closed
		return 0, err
	}
	executor := executors(t, e, "command=cat&input=1&output=1")["SPDY"] // v4 over WebSocket cannot close stdin
	text := strings.Repeat("many lines\n", 50_000)
	var out bytes.Buffer
	if err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: strings.NewReader(text), Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if out.String() != text {
		t.Errorf("%d bytes came back of %d", out.Len(), len(text))
	}
}

func TestExecExitCode(t *testing.T) {
	e := serve(t)
	for _, c := range []struct {
		code int
		err  error
		want string
	}{
		{code: 7, want: "command terminated with exit code 7"},
		{err: apierrors.NewBadRequest(`container "main" in pod "web" is not running`), want: `error executing command in container: container "main" in pod "web" is not running`},
	} {
		e.pods.exec = func(context.Context, cloudapi.ExecOptions) (int, error) { return c.code, c.err }
		for name, executor := range executors(t, e, "command=false&output=1") {
			err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: io.Discard})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
			var exit utilexec.ExitError
			if errors.As(err, &exit) && exit.ExitStatus() != c.code || c.code != 0 && exit == nil {
				t.Errorf("%s: %v, want exit code %d", name, err, c.code)
			}
		}
	}
}

func TestAttach(t *testing.T) {
	e := serve(t)
	e.pods.attach = func(_ context.Context, o cloudapi.ExecOptions) error {
		if o.Stdin != nil || o.Stderr != nil || o.TTY {
			t.Errorf("streams that nobody asked for: %+v", o)
		}
		_, err := io.WriteString(o.Stdout, "attached")
		return err
	}
	for name, executor := range executorsOf(t, e, "/attach/shop/web/main?output=1") {
		var out bytes.Buffer
		if err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: &out}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if out.String() != "attached" {
			t.Errorf("%s: output %q", name, out.String())
		}
	}
}

// terminal tells one size and then no more.
type terminal struct {
	sizes chan remotecommand.TerminalSize
}

func (q *terminal) Next() *remotecommand.TerminalSize {
	size, open := <-q.sizes
	if !open {
		return nil
	}
	return &size
}

func TestExecTerminal(t *testing.T) {
	e := serve(t)
	e.pods.exec = func(ctx context.Context, o cloudapi.ExecOptions) (int, error) {
		if !o.TTY || o.Stderr != nil {
			t.Errorf("options %+v", o)
		}
		for want := range 2 {
			select {
			case size := <-o.Resize:
				if int(size.Width) != 80+want || size.Height != 24 {
					t.Errorf("size %+v", size)
				}
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		_, err := io.WriteString(o.Stdout, "resized")
		return 0, err
	}
	for name, executor := range executors(t, e, "command=sh&output=1&tty=1") {
		queue := &terminal{sizes: make(chan remotecommand.TerminalSize, 2)}
		queue.sizes <- remotecommand.TerminalSize{Width: 80, Height: 24}
		queue.sizes <- remotecommand.TerminalSize{Width: 81, Height: 24}
		close(queue.sizes)
		var out bytes.Buffer
		err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: &out, Tty: true, TerminalSizeQueue: queue})
		if err != nil || out.String() != "resized" {
			t.Errorf("%s: %v, output %q", name, err, out.String())
		}
	}
}

// TestExecEndsWithClient: a command that neither reads nor writes still ends
// when nobody waits for it any more.
func TestExecEndsWithClient(t *testing.T) {
	e := serve(t)
	for name, executor := range executors(t, e, "command=sleep&output=1") {
		begun, ended := make(chan struct{}), make(chan struct{})
		e.pods.exec = func(ctx context.Context, _ cloudapi.ExecOptions) (int, error) {
			close(begun)
			<-ctx.Done()
			close(ended)
			return 0, ctx.Err()
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: io.Discard}) }()
		soon(t, name+": the command begins", begun)
		cancel()
		_ = soon(t, name+": the client leaves", left)
		soon(t, name+": the command ends", ended)
	}
}

// TestExecEndsWithServer: streams do not outlive the node agent.
func TestExecEndsWithServer(t *testing.T) {
	e := serve(t)
	begun, ended := make(chan struct{}), make(chan struct{})
	e.pods.exec = func(ctx context.Context, _ cloudapi.ExecOptions) (int, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return 0, ctx.Err()
	}
	left := make(chan error, 1)
	go func() {
		left <- executors(t, e, "command=sleep&output=1")["SPDY"].StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: io.Discard})
	}()
	soon(t, "the command begins", begun)
	if err := e.stop(); err != nil {
		t.Errorf("serving: %v", err)
	}
	soon(t, "the command ends", ended)
	_ = soon(t, "the client hears of it", left)
}

// echo is a server that sends back what it gets.
func echo(t *testing.T) int32 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return int32(listener.Addr().(*net.TCPAddr).Port)
}

func TestPortForward(t *testing.T) {
	e := serve(t)
	port := echo(t)
	ended := make(chan error, 1)
	e.pods.forward = func(ctx context.Context, asked int32, stream io.ReadWriteCloser) error {
		if asked != port {
			t.Errorf("port %d, want %d", asked, port)
		}
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(asked))))
		if err != nil {
			return err
		}
		defer conn.Close()
		go func() { _, _ = io.Copy(conn, stream) }()
		go func() { _, _ = io.Copy(stream, conn) }()
		<-ctx.Done()
		ended <- ctx.Err()
		return nil
	}
	transport, upgrader, err := spdy.RoundTripperFor(e.config())
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(e.url + "/portForward/shop/web")
	if err != nil {
		t.Fatal(err)
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", target)
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- forwarder.ForwardPorts() }()
	soon(t, "port-forward is ready", ready)
	ports, err := forwarder.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(ports[0].Local))))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, 5)
	if _, err := io.ReadFull(conn, back); err != nil || string(back) != "hello" {
		t.Errorf("echo %q, %v", back, err)
	}
	close(stop)
	_ = soon(t, "the client leaves", over)
	_ = soon(t, "the connection to the pod ends", ended)
}
