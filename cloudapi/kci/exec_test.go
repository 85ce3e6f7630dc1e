package kci

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/cloudapi"
)

// socket is a server of exec sockets that selects a protocol and then does as
// the test says.
func socket(t *testing.T, protocols []string, do func(*websocket.Conn)) *httptest.Server {
	t.Helper()
	upgrader := websocket.Upgrader{Subprotocols: protocols}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != "/exec?ticket=t-1" || r.Header.Get("Authorization") != "" {
			t.Errorf("the socket is opened at %s with headers %v", r.URL, r.Header)
		}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("upgrading: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		do(conn)
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	}))
	t.Cleanup(server.Close)
	return server
}

func sends(t *testing.T, frames ...string) func(*websocket.Conn) {
	return func(conn *websocket.Conn) {
		for _, frame := range frames {
			if err := conn.WriteMessage(websocket.BinaryMessage, []byte(frame)); err != nil {
				t.Errorf("sending: %v", err)
			}
		}
	}
}

func TestExec(t *testing.T) {
	const exit3 = "\x03" + `{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`
	ends := socket(t, []string{"v5.channel.k8s.io", "v4.channel.k8s.io"}, sends(t, "\x01out", "\x02err", exit3))
	server := script(t, step{actionExec, map[string]string{
		"ContainerGroupId": "g-1", "ContainerName": "web", "Command.1": "sh", "Command.2": "-c", "Command.3": "exit 3", "TTY": "false",
	}, answers(200, fmt.Sprintf(`{"RequestId":"r","WebSocketUri":"%s/exec?ticket=t-1"}`, ends.URL))})
	var stdout, stderr bytes.Buffer
	code, err := connect(t, server).Exec(t.Context(), "g-1", "web", cloudapi.ExecOptions{
		Command: []string{"sh", "-c", "exit 3"}, Stdout: &stdout, Stderr: &stderr,
	})
	if err != nil || code != 3 || stdout.String() != "out" || stderr.String() != "err" {
		t.Errorf("exit code %d, error %v, stdout %q, stderr %q", code, err, &stdout, &stderr)
	}
}

// A server that selects no protocol sends raw bytes.
func TestExecRaw(t *testing.T) {
	raw := socket(t, nil, sends(t, "\x03raw ", "\x01bytes"))
	server := script(t, step{action: actionExec,
		do: answers(200, fmt.Sprintf(`{"WebSocketUri":"%s/exec?ticket=t-1"}`, strings.Replace(raw.URL, "http", "ws", 1)))})
	var stdout bytes.Buffer
	_, err := connect(t, server).Exec(t.Context(), "g-1", "web", cloudapi.ExecOptions{Command: []string{"cat"}, Stdout: &stdout})
	if stdout.String() != "\x03raw \x01bytes" {
		t.Errorf("stdout %q", &stdout)
	}
	if !cloudapi.Is(err, cloudapi.CodeUnsupported) {
		t.Errorf("error %v; raw bytes carry no exit code, so none may be claimed", err)
	}
}

func TestExecRefuses(t *testing.T) {
	cases := map[string]struct {
		id, container string
		command       []string
		options       []func(*Options)
		steps         []step
		want          string
	}{
		"InSeed":    {"g", "c", []string{"ls"}, []func(*Options){inSeed}, nil, "ExecContainerCommand: Unsupported: exec needs dialect extended"},
		"NoGroup":   {"", "c", []string{"ls"}, nil, nil, "ExecContainerCommand: Invalid: the group's id is empty"},
		"NoName":    {"g", "", []string{"ls"}, nil, nil, "ExecContainerCommand: Invalid: the container's name is empty"},
		"NoCommand": {"g", "c", nil, nil, nil, "ExecContainerCommand: Invalid: the command is empty"},
		"LacksTheAction": {"g", "c", []string{"ls"}, nil, []step{{action: actionExec, do: refuses(404, "NoSuchEntity", "no")}},
			"ExecContainerCommand: Unsupported: NoSuchEntity: no (request req-err)"},
		"NotRepeated": {"g", "c", []string{"ls"}, nil, []step{{action: actionExec, do: refuses(500, "ServiceTimeout", "t")}},
			"ExecContainerCommand: Unavailable: ServiceTimeout: t (request req-err)"},
		"ClearText": {"g", "c", []string{"ls"}, nil, []step{{action: actionExec, do: answers(200, `{"WebSocketUri":"ws://exec.example.com/?ticket=t-1"}`)}},
			"ExecContainerCommand: Unavailable: the cloud's WebSocket address has scheme ws and host exec.example.com; only wss is allowed, or ws to a loopback address"},
		"NoURL": {"g", "c", []string{"ls"}, nil, []step{{action: actionExec, do: answers(200, `{"WebSocketUri":"ws://[?ticket=t-1"}`)}},
			"ExecContainerCommand: Unavailable: the cloud's WebSocketUri is not a URL"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			client := connect(t, script(t, tc.steps...), tc.options...)
			_, err := client.Exec(t.Context(), tc.id, tc.container, cloudapi.ExecOptions{Command: tc.command})
			if errorText(err) != tc.want {
				t.Errorf("error %q, want %q", errorText(err), tc.want)
			}
		})
	}
}

func TestSocketURL(t *testing.T) {
	cases := map[string]struct{ endpoint, uri, want string }{
		"Absolute":     {"https://kci.example.com/", "wss://exec.example.com/e?t=1", "wss://exec.example.com/e?t=1"},
		"Relative":     {"https://kci.example.com/", "/e?t=1", "wss://kci.example.com/e?t=1"},
		"RelativeHTTP": {"http://127.0.0.1:80/", "/e?t=1", "ws://127.0.0.1:80/e?t=1"},
		"WithoutHost":  {"https://kci.example.com/", "//exec.example.com/e", "wss://exec.example.com/e"},
		"HTTPS":        {"https://kci.example.com/", "https://exec.example.com/e", "wss://exec.example.com/e"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			endpoint, err := url.Parse(tc.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := socketURL(endpoint, tc.uri); err != nil || got != tc.want {
				t.Errorf("got %s and error %v, want %s", got, err, tc.want)
			}
		})
	}
}
