package wsexec

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	v5 = "v5.channel.k8s.io"
	v4 = "v4.channel.k8s.io"
	v1 = "channel.k8s.io"

	statusSuccess = "\x03" + `{"metadata":{},"status":"Success"}`
	statusExit7   = "\x03" + `{"metadata":{},"status":"Failure","message":"command terminated with exit code 7",` +
		`"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}`
)

// serve answers exec sessions with a protocol ("" selects none) and a script.
func serve(t *testing.T, protocol string, script func(*websocket.Conn)) string {
	t.Helper()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	if protocol != "" {
		upgrader.Subprotocols = []string{protocol}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		script(conn)
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http") + "/exec/?s=ticket"
}

// frames writes binary frames and then closes with a code (0: not at all).
func frames(code int, list ...string) func(*websocket.Conn) {
	return func(conn *websocket.Conn) {
		for _, frame := range list {
			if conn.WriteMessage(websocket.BinaryMessage, []byte(frame)) != nil {
				return
			}
		}
		if code != 0 {
			message := websocket.FormatCloseMessage(code, "")
			_ = conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
			_, _, _ = conn.ReadMessage()
		}
	}
}

func TestRun(t *testing.T) {
	type want struct {
		Stdout, Stderr string
		Exit           int
		Code           cloudapi.Code // of the error
		Message        string        // in the error
	}
	cases := map[string]struct {
		reason   string
		protocol string
		raw      bool
		script   func(*websocket.Conn)
		want     want
	}{
		"V5Success": {
			reason: "success is stated", protocol: v5,
			script: frames(1000, "\x01", "\x01out", "\x02err", "\x01put", statusSuccess),
			want:   want{Stdout: "output", Stderr: "err"},
		},
		"V4ExitCode": {
			reason: "the status names the exit code", protocol: v4,
			script: frames(1000, statusExit7),
			want:   want{Exit: 7},
		},
		"V4StatusThenBroken": {
			reason: "once the exit code is known, how the connection ends is no matter", protocol: v4,
			script: frames(0, "\x01out", statusExit7),
			want:   want{Stdout: "out", Exit: 7},
		},
		"V4NoStatus": {
			reason: "these protocols state success, so silence is none", protocol: v4,
			script: frames(1000, "\x01out"),
			want:   want{Stdout: "out", Code: cloudapi.CodeUnavailable, Message: "without an exit code"},
		},
		"V4NotRun": {
			reason: "a failure without exit code is an error", protocol: v4,
			script: frames(1000, "\x03"+`{"status":"Failure","message":"no such container","code":404}`),
			want:   want{Code: cloudapi.CodeNotFound, Message: "no such container"},
		},
		"V1Success": {
			reason: "nothing on the error channel and a normal close is success", protocol: v1,
			script: frames(1000, "\x01", "\x03", "\x01out"),
			want:   want{Stdout: "out"},
		},
		"V1ExitCode": {
			reason: "the sentence names the exit code", protocol: v1,
			script: frames(1000, "\x03command terminated with exit code 137"),
			want:   want{Exit: 137},
		},
		"V1NonZeroSentence": {
			reason: "a kubelet's older sentence", protocol: v1,
			script: frames(1000, "\x03command terminated with non-zero exit code: error executing command [sh], exit code 3"),
			want:   want{Exit: 3},
		},
		"V1NotRun": {
			reason: "another sentence is an error", protocol: v1,
			script: frames(1000, "\x03container not running"),
			want:   want{Code: cloudapi.CodeUnavailable, Message: "container not running"},
		},
		"Abnormal": {
			reason: "a broken connection is an error, whatever came", protocol: v1,
			script: frames(0, "\x01out"),
			want:   want{Stdout: "out", Code: cloudapi.CodeUnavailable, Message: "the session broke"},
		},
		"GoingAway": {
			reason: "a server that leaves has not said how the command ended", protocol: v1,
			script: frames(1001),
			want:   want{Code: cloudapi.CodeUnavailable, Message: "the session broke"},
		},
		"NoneSelected": {
			reason: "without a selection frames have channels all the same",
			script: frames(1000, "\x01out", "\x02err", "\x04ignored", "\x03command terminated with exit code 2"),
			want:   want{Stdout: "out", Stderr: "err", Exit: 2},
		},
		"NoneSelectedPlain": {
			reason: "a first byte that is no channel is data",
			script: frames(1000, "plain ", "\x01text"),
			want:   want{Stdout: "plain text"},
		},
		"NoneSelectedText": {
			reason: "text frames are data",
			script: func(conn *websocket.Conn) {
				_ = conn.WriteMessage(websocket.TextMessage, []byte("\x01as it is"))
				frames(1000)(conn)
			},
			want: want{Stdout: "\x01as it is"},
		},
		"Raw": {
			reason: "raw frames are data whatever they start with", raw: true,
			script: frames(1000, "\x01a", "\x03b"),
			want:   want{Stdout: "\x01a\x03b", Code: cloudapi.CodeUnsupported, Message: "its exit code is not known"},
		},
		"RawButSelected": {
			reason: "a selected protocol counts", raw: true, protocol: v4,
			script: frames(1000, "\x01a", statusSuccess),
			want:   want{Stdout: "a"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			var got want
			exit, err := Run(t.Context(), Options{
				URL: serve(t, tc.protocol, tc.script), Raw: tc.raw,
				ExecOptions: cloudapi.ExecOptions{Stdout: &stdout, Stderr: &stderr},
			})
			got.Stdout, got.Stderr, got.Exit = stdout.String(), stderr.String(), exit
			if err != nil {
				got.Code = cloudapi.CodeOf(err)
				if strings.Contains(err.Error(), tc.want.Message) {
					got.Message = tc.want.Message
				} else {
					got.Message = err.Error()
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// echoStdin sends stdin back until it is closed or the word end comes, then
// the terminal sizes that came, then the status.
func echoStdin(conn *websocket.Conn) {
	var sizes []string
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return
		}
		switch {
		case frame[0] == 0 && string(frame[1:]) != "end":
			_ = conn.WriteMessage(websocket.BinaryMessage, append([]byte{1}, frame[1:]...))
			continue
		case frame[0] == 4:
			sizes = append(sizes, string(frame[1:]))
			continue
		}
		ended := "\x02signal"
		if frame[0] == 0 {
			ended = "\x02word"
		}
		frames(1000, ended+strings.Join(sizes, ""), statusSuccess)(conn)
		return
	}
}

func TestStdinAndResize(t *testing.T) {
	cases := map[string]struct {
		reason, protocol, stdin, wantErr string
	}{
		"V5": {"the end of stdin is signalled", v5, "hello", `signal{"Width":80,"Height":24}`},
		"V4": {"v4 has no such signal", v4, "end", `word{"Width":80,"Height":24}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			resize := make(chan cloudapi.TerminalSize)
			stdin, feed := io.Pipe()
			go func() {
				resize <- cloudapi.TerminalSize{Width: 80, Height: 24}
				close(resize)
				_, _ = io.WriteString(feed, tc.stdin)
				_ = feed.Close()
			}()
			var stdout, stderr bytes.Buffer
			exit, err := Run(t.Context(), Options{
				URL: serve(t, tc.protocol, echoStdin),
				ExecOptions: cloudapi.ExecOptions{
					Stdin: stdin, Stdout: &stdout, Stderr: &stderr, TTY: true, Resize: resize,
				},
			})
			if err != nil || exit != 0 {
				t.Fatalf("%s: exit code %d, error %v", tc.reason, exit, err)
			}
			if diff := cmp.Diff(tc.wantErr, stderr.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if tc.protocol == v5 && stdout.String() != "hello" {
				t.Errorf("%s: stdout %q", tc.reason, stdout.String())
			}
		})
	}
}

func TestRawStdin(t *testing.T) {
	url := serve(t, "", func(conn *websocket.Conn) {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return
		}
		frames(1000, string(frame))(conn)
	})
	var stdout bytes.Buffer
	_, err := Run(t.Context(), Options{URL: url, Raw: true, ExecOptions: cloudapi.ExecOptions{
		Stdin: strings.NewReader("bare"), Stdout: &stdout,
	}})
	if !cloudapi.Is(err, cloudapi.CodeUnsupported) || stdout.String() != "bare" {
		t.Errorf("got %q (%v), want the bytes without a channel, and no exit code claimed", stdout.String(), err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, v5, func(conn *websocket.Conn) {
		cancel()
		_, _, _ = conn.ReadMessage() // until the client hangs up
	})
	stdin, _ := io.Pipe() // never ends
	began := time.Now()
	_, err := Run(ctx, Options{URL: url, ExecOptions: cloudapi.ExecOptions{Stdin: stdin}})
	if cloudapi.CodeOf(err) != cloudapi.CodeCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want code Canceled", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("client gone") }

func TestCallerGone(t *testing.T) {
	url := serve(t, v5, func(conn *websocket.Conn) {
		for conn.WriteMessage(websocket.BinaryMessage, []byte("\x01out")) == nil {
			continue
		}
	})
	_, err := Run(t.Context(), Options{URL: url, ExecOptions: cloudapi.ExecOptions{Stdout: failingWriter{}}})
	if cloudapi.CodeOf(err) != cloudapi.CodeCanceled {
		t.Errorf("got %v, want code Canceled", err)
	}
}

// TestLargeOutput has more output than any buffer in between.
func TestLargeOutput(t *testing.T) {
	chunk := "\x01" + strings.Repeat("x", 1<<20)
	url := serve(t, v5, frames(1000, chunk, chunk, chunk, statusSuccess))
	var stdout bytes.Buffer
	exit, err := Run(t.Context(), Options{URL: url, ExecOptions: cloudapi.ExecOptions{Stdout: &stdout}})
	if err != nil || exit != 0 || stdout.Len() != 3<<20 {
		t.Errorf("%d bytes, exit code %d, error %v; want 3 MiB", stdout.Len(), exit, err)
	}
}

func TestRefusals(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "expired", http.StatusForbidden)
	}))
	t.Cleanup(refusing.Close)
	redirecting := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	t.Cleanup(redirecting.Close)
	cases := map[string]struct {
		reason, url string
		want        cloudapi.Code
		status      int
	}{
		"PlainToTheWorld": {"clear text is for loopback only", "ws://192.0.2.1/exec?s=t1cket", cloudapi.CodeUnavailable, 0},
		"OtherScheme":     {"not a WebSocket", "https://127.0.0.1/exec?s=t1cket", cloudapi.CodeUnavailable, 0},
		"NoURL":           {"not a URL", "://t1cket", cloudapi.CodeUnavailable, 0},
		"Forbidden":       {"the status is kept", "ws" + refusing.URL[4:] + "/?s=t1cket", cloudapi.CodeForbidden, 403},
		"Redirect":        {"redirects are not followed", "ws" + redirecting.URL[4:] + "/?s=t1cket", cloudapi.CodeUnavailable, 302},
		"NobodyThere":     {"nobody listens", "ws://127.0.0.1:1/?s=t1cket", cloudapi.CodeUnavailable, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Run(t.Context(), Options{URL: tc.url})
			var got *cloudapi.Error
			if !errors.As(err, &got) || got.Code != tc.want || got.HTTPStatus != tc.status || got.Uncertain {
				t.Fatalf("%s: got %#v, want code %s, status %d, certain", tc.reason, err, tc.want, tc.status)
			}
			if strings.Contains(err.Error(), "t1cket") {
				t.Errorf("the error shows the ticket: %v", err)
			}
		})
	}
}

func FuzzParseOutcome(f *testing.F) {
	for _, seed := range []string{statusSuccess[1:], statusExit7[1:], "command terminated with exit code 5", "", "{", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := parseOutcome(text)
		if got == nil && len(bytes.TrimSpace(text)) > 0 {
			t.Errorf("%q says nothing", text)
		}
		if got != nil && got.err != nil && got.exitCode != 0 {
			t.Errorf("%q is both an error and an exit code", text)
		}
	})
}
