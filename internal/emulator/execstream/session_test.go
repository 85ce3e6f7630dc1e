package execstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const patience = 10 * time.Second

// dial serves the session and connects to it.
func dial(t *testing.T, s Session, protocols ...string) *websocket.Conn {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Serve(w, r, s) }))
	t.Cleanup(server.Close)
	dialer := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: patience}
	socket, answer, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatalf("dialling: %v", err)
	}
	_ = answer.Body.Close()
	t.Cleanup(func() { _ = socket.Close() })
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatalf("setting the deadline: %v", err)
	}
	return socket
}

// readToEnd returns all messages and the close code.
func readToEnd(t *testing.T, socket *websocket.Conn) ([]string, int) {
	t.Helper()
	var messages []string
	for {
		_, message, err := socket.ReadMessage()
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return messages, closed.Code
		}
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		messages = append(messages, string(message))
	}
}

func send(t *testing.T, socket *websocket.Conn, message string) {
	t.Helper()
	if err := socket.WriteMessage(websocket.BinaryMessage, []byte(message)); err != nil {
		t.Fatalf("writing %q: %v", message, err)
	}
}

// speak writes on both outputs and ends as told.
func speak(exitCode int, err error) func(context.Context, engine.ExecRequest) (int, error) {
	return func(_ context.Context, req engine.ExecRequest) (int, error) {
		if _, writeErr := io.WriteString(req.Stdout, "out"); writeErr != nil {
			return 0, writeErr
		}
		if _, writeErr := io.WriteString(req.Stderr, "err"); writeErr != nil {
			return 0, writeErr
		}
		return exitCode, err
	}
}

func TestServeOutputAndResult(t *testing.T) {
	const (
		success = `{"metadata":{},"status":"Success"}`
		failure = `{"metadata":{},"status":"Failure","message":"command terminated with exit code 2",` +
			`"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"2"}]}}`
		broken = `{"metadata":{},"status":"Failure","message":"no shell","reason":"InternalError",` +
			`"details":{"causes":[{"message":"no shell"}]},"code":500}`
	)
	cases := map[string]struct {
		reason   string
		session  Session
		offered  []string
		protocol string
		want     []string
	}{
		"V5Success": {
			reason: "v5 tells success as a status object", offered: []string{"v5.channel.k8s.io", "v4.channel.k8s.io"},
			session: Session{Run: speak(0, nil)}, protocol: "v5.channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x02err", "\x03" + success},
		},
		"V4ExitCode": {
			reason: "v4 tells the exit code among the causes", offered: []string{"v4.channel.k8s.io"},
			session: Session{Run: speak(2, nil)}, protocol: "v4.channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x02err", "\x03" + failure},
		},
		"V4CannotRun": {
			reason: "a command that cannot be run is an internal error", offered: []string{"v4.channel.k8s.io"},
			session: Session{Run: speak(0, errors.New("no shell"))}, protocol: "v4.channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x02err", "\x03" + broken},
		},
		"UnversionedSuccess": {
			reason: "the unversioned protocol says nothing of success", offered: []string{"channel.k8s.io"},
			session: Session{Run: speak(0, nil)}, protocol: "channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x02err"},
		},
		"UnversionedExitCode": {
			reason: "the unversioned protocol says a failure in words", offered: []string{"channel.k8s.io"},
			session: Session{Run: speak(3, nil)}, protocol: "channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x02err", "\x03command terminated with exit code 3"},
		},
		"NoneOffered": {
			reason:  "without a sub-protocol channels are prefixed and no greeting is sent",
			session: Session{Run: speak(3, nil)},
			want:    []string{"\x01out", "\x02err", "\x03command terminated with exit code 3"},
		},
		"UnknownOffered": {
			reason: "an unknown sub-protocol counts as none", offered: []string{"v9.example"},
			session: Session{Run: speak(0, nil)},
			want:    []string{"\x01out", "\x02err"},
		},
		"Raw": {
			reason: "raw mode mixes the outputs and drops the exit code", session: Session{Raw: true, Run: speak(3, nil)},
			want: []string{"out", "err"},
		},
		"RawCannotRun": {
			reason:  "raw mode still says why nothing ran",
			session: Session{Raw: true, Run: speak(0, errors.New("no shell"))},
			want:    []string{"out", "err", "no shell"},
		},
		"RawNegotiated": {
			reason: "a negotiated sub-protocol wins over raw", offered: []string{"v4.channel.k8s.io"},
			session: Session{Raw: true, Run: speak(0, nil)}, protocol: "v4.channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x02err", "\x03" + success},
		},
		"TTY": {
			reason: "a terminal has one output", offered: []string{"v4.channel.k8s.io"},
			session: Session{TTY: true, Run: speak(0, nil)}, protocol: "v4.channel.k8s.io",
			want: []string{"\x01", "\x01out", "\x01err", "\x03" + success},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			socket := dial(t, tc.session, tc.offered...)
			if got := socket.Subprotocol(); got != tc.protocol {
				t.Errorf("%s: sub-protocol %q, want %q", tc.reason, got, tc.protocol)
			}
			got, code := readToEnd(t, socket)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: messages (-want +got):\n%s", tc.reason, diff)
			}
			if code != websocket.CloseNormalClosure {
				t.Errorf("%s: close code %d, want 1000", tc.reason, code)
			}
		})
	}
}

// echo copies its input to its output and exits with the number of bytes.
func echo(_ context.Context, req engine.ExecRequest) (int, error) {
	if req.Stdin == nil {
		return 0, errors.New("no stdin")
	}
	n, err := io.Copy(req.Stdout, req.Stdin)
	return int(n), err
}

func TestServeStdinHalfClose(t *testing.T) {
	socket := dial(t, Session{Stdin: true, Run: echo}, "v5.channel.k8s.io")
	send(t, socket, "\x00hello")
	send(t, socket, "\xff\x00")
	send(t, socket, "\x00late")
	got, _ := readToEnd(t, socket)
	want := []string{"\x01", "\x01hello", "\x03" +
		`{"metadata":{},"status":"Failure","message":"command terminated with exit code 5",` +
		`"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"5"}]}}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestServeWithoutStdin(t *testing.T) {
	socket := dial(t, Session{Run: echo})
	got, _ := readToEnd(t, socket)
	if diff := cmp.Diff([]string{"\x03no stdin"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestServeRawStdin(t *testing.T) {
	run := func(_ context.Context, req engine.ExecRequest) (int, error) {
		line := make([]byte, 2)
		if _, err := io.ReadFull(req.Stdin, line); err != nil {
			return 0, err
		}
		_, err := fmt.Fprintf(req.Stdout, "got %q", line)
		return 0, err
	}
	socket := dial(t, Session{Stdin: true, Raw: true, Run: run})
	send(t, socket, "\x00")
	send(t, socket, "x")
	got, _ := readToEnd(t, socket)
	if diff := cmp.Diff([]string{`got "\x00x"`}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestServeResize(t *testing.T) {
	run := func(ctx context.Context, req engine.ExecRequest) (int, error) {
		select {
		case size := <-req.Resize:
			_, err := fmt.Fprintf(req.Stdout, "%dx%d", size.Width, size.Height)
			return 0, err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	socket := dial(t, Session{TTY: true, Stdin: true, Run: run})
	send(t, socket, "\x04not json")
	send(t, socket, `{"Width":1,"Height":1}`) // channel '{' does not exist
	send(t, socket, "\x04"+`{"Width":120,"Height":40}`)
	got, _ := readToEnd(t, socket)
	if diff := cmp.Diff([]string{"\x01120x40"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestServePeerGoesAway(t *testing.T) {
	ended := make(chan error, 1)
	run := func(ctx context.Context, req engine.ExecRequest) (int, error) {
		_, err := io.ReadAll(req.Stdin)
		if err == nil {
			<-ctx.Done()
		}
		ended <- err
		return 0, ctx.Err()
	}
	socket := dial(t, Session{Stdin: true, Run: run}, "v4.channel.k8s.io")
	if err := socket.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("reading stdin: %v", err)
		}
	case <-time.After(patience):
		t.Error("the command still runs after its peer went away")
	}
}

func TestServeManyBytes(t *testing.T) {
	const size = 3 << 20
	socket := dial(t, Session{Stdin: true, Run: echo}, "v5.channel.k8s.io")
	go func() {
		chunk := "\x00" + strings.Repeat("x", 64<<10)
		for range size / (64 << 10) {
			if err := socket.WriteMessage(websocket.BinaryMessage, []byte(chunk)); err != nil {
				t.Errorf("writing: %v", err)
				return
			}
		}
		if err := socket.WriteMessage(websocket.BinaryMessage, []byte{255, 0}); err != nil {
			t.Errorf("closing stdin: %v", err)
		}
	}()
	messages, _ := readToEnd(t, socket)
	got := 0
	for _, m := range messages[:len(messages)-1] {
		got += len(m) - 1
	}
	if got != size {
		t.Errorf("%d bytes came back, want %d", got, size)
	}
}

func TestServeRefusesPlainRequests(t *testing.T) {
	run := func(context.Context, engine.ExecRequest) (int, error) {
		t.Error("a command ran without a WebSocket")
		return 0, nil
	}
	answer := httptest.NewRecorder()
	Serve(answer, httptest.NewRequest(http.MethodGet, "/", nil), Session{Run: run})
	if answer.Code != http.StatusBadRequest {
		t.Errorf("status %d, want 400", answer.Code)
	}
}
