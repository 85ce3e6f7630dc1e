package eci

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

const execLS = `POST Action=ExecContainerCommand&RegionId=cn-hangzhou&ContainerGroupId=eci-0001&ContainerName=app&Command=["fail","x"]`

// listen serves the rig on a real socket.
func (r *rig) listen() *httptest.Server {
	server := httptest.NewServer(r.server)
	r.t.Cleanup(server.Close)
	return server
}

// uri asks for a WebSocketUri and moves it to where the server listens.
func (r *rig) uri(server *httptest.Server, request string) string {
	r.t.Helper()
	text, _ := r.must(request)["WebSocketUri"].(string)
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "ws" || parsed.Host != "eci.test" {
		r.t.Fatalf("WebSocketUri is %q; want one of ws://eci.test", text)
	}
	parsed.Host = strings.TrimPrefix(server.URL, "http://")
	return parsed.String()
}

func TestExecWebSocket(t *testing.T) {
	cases := map[string]struct {
		reason, added, protocol, input string
		want                           []string
	}{
		"Stdin": {"stdin is open by default; output has its channel in front", "", "v4.channel.k8s.io", "\x00hello",
			[]string{"\x01fail x tty=false\n", "\x02on stderr\n", "\x01HELLO", "\x03"}},
		"NoStdin": {"without stdin the command gets none", "&Stdin=false", "v4.channel.k8s.io", "",
			[]string{"\x01fail x tty=false\n", "\x02on stderr\n", "\x03"}},
		"TTY": {"a terminal mixes the outputs", "&Stdin=false&TTY=true", "v4.channel.k8s.io", "",
			[]string{"\x01fail x tty=true\n", "\x01on stderr\n", "\x03"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			server := r.listen()
			r.must(simple)
			r.groups.Run("eci-0001")
			dialer := websocket.Dialer{Subprotocols: []string{c.protocol}, HandshakeTimeout: 10 * time.Second}
			socket, response, err := dialer.Dial(r.uri(server, execLS+c.added), nil)
			if err != nil {
				t.Fatalf("dialing: %v", err)
			}
			defer func() { _ = response.Body.Close(); _ = socket.Close() }()
			if c.input != "" {
				if err := socket.WriteMessage(websocket.BinaryMessage, []byte(c.input)); err != nil {
					t.Fatalf("writing stdin: %v", err)
				}
			}
			if diff := cmp.Diff(c.want, r.read(socket)); diff != "" {
				t.Errorf("%s: messages (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// read reads all messages that are not empty; of the one on channel 3, which says
// how the command ended, only that the exit code is in it.
func (r *rig) read(socket *websocket.Conn) []string {
	r.t.Helper()
	var messages []string
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		r.t.Fatalf("setting deadline: %v", err)
	}
	for {
		_, data, err := socket.ReadMessage()
		if err != nil {
			return messages
		}
		if len(data) > 1 && data[0] == 3 {
			if !strings.Contains(string(data), `"ExitCode"`) || !strings.Contains(string(data), `"3"`) {
				r.t.Errorf("status is %q; want exit code 3", data)
			}
			data = data[:1]
		}
		if len(data) > 1 || data[0] == 3 {
			messages = append(messages, string(data))
		}
	}
}

// A WebSocketUri is good once, and for less than 30 seconds.
func TestExecURI(t *testing.T) {
	r := newRig(t)
	server := r.listen()
	r.must(simple)
	r.groups.Run("eci-0001")
	status := func(uri string) int {
		socket, response, err := websocket.DefaultDialer.Dial(uri, nil)
		if err == nil {
			_ = socket.Close()
		}
		if response == nil {
			t.Fatalf("dialing: %v", err)
		}
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode
	}
	first, second := r.uri(server, execLS+"&Stdin=false"), r.uri(server, execLS+"&Stdin=false")
	if first == second {
		t.Errorf("both URIs are %s", first)
	}
	r.clock.Step(30*time.Second - 1)
	for i, want := range []int{http.StatusSwitchingProtocols, http.StatusForbidden} {
		if got := status(first); got != want {
			t.Errorf("use %d answered %d; want %d", i+1, got, want)
		}
	}
	r.clock.Step(1)
	if got := status(second); got != http.StatusForbidden {
		t.Errorf("use after 30 s answered %d; want 403", got)
	}
	if got := status(strings.Split(first, "?")[0]); got != http.StatusForbidden {
		t.Errorf("use without a ticket answered %d; want 403", got)
	}
}

// Over TLS the URI is of TLS too.
func TestExecURIOverTLS(t *testing.T) {
	r := newRig(t)
	r.must(simple)
	r.groups.Run("eci-0001")
	req := r.request(execLS, testKey)
	req.TLS = httptest.NewRequest(http.MethodGet, "https://x/", nil).TLS
	_, body := r.send(req)
	if uri, _ := parse(t, body)["WebSocketUri"].(string); !strings.HasPrefix(uri, "wss://eci.test/exec/?s=") {
		t.Errorf("WebSocketUri is %q; want wss://eci.test/exec/?s=…", uri)
	}
}
