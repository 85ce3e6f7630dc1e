package execstream

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// How long a peer may be silent, slow or gone before the session ends.
const (
	pingPeriod   = 30 * time.Second
	silenceLimit = 4 * pingPeriod
	writeLimit   = 2 * time.Minute
	closeLimit   = 5 * time.Second
	messageLimit = 4 << 20 // bytes in one message from the client
)

// Session is one command that a client may run over one WebSocket.
type Session struct {
	// TTY merges stderr into stdout and takes resizes; Stdin lets the client
	// send input, else its input is dropped.
	TTY, Stdin bool
	// Raw is what to speak when the client negotiates no sub-protocol: false is
	// the one-byte channel prefix of channel.k8s.io, true is bare bytes.
	Raw bool
	// Run runs the command until it ends or ctx does, which it does when the
	// peer goes away. err is a failure to run it, not a non-zero exit code.
	Run func(ctx context.Context, req engine.ExecRequest) (exitCode int, err error)
}

// Serve upgrades the request to a WebSocket and runs the session over it. It
// returns when the command has ended and the socket is closed. A request that
// cannot be upgraded is answered with 400 or 426 and runs nothing.
func Serve(w http.ResponseWriter, r *http.Request, s Session) {
	upgrader := websocket.Upgrader{
		Subprotocols: []string{protocolV5, protocolV4, protocolUnversioned},
		// The one-time URI is the credential; browsers on any page may use it.
		CheckOrigin: func(*http.Request) bool { return true },
	}
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := newConnection(socket, framingOf(socket.Subprotocol(), s.Raw), cancel)
	c.run(ctx, s)
}

// run runs the command, tells how it ended, and closes the connection.
func (c *connection) run(ctx context.Context, s Session) {
	c.start(ctx, s.Stdin, s.TTY)
	if c.framing.greets {
		_ = c.send(ctx, c.framing.message(channelStdout, nil)) // a dead peer ends ctx
	}
	exitCode, err := s.Run(ctx, c.request(ctx, s))
	c.input.end()
	if last, encodeErr := c.framing.result(exitCode, err); encodeErr == nil && last != nil {
		_ = c.send(ctx, last) // nobody is left to tell that the peer is gone
	}
	c.finish()
}

// request is the command's side of the connection.
func (c *connection) request(ctx context.Context, s Session) engine.ExecRequest {
	stdout := channelWriter{ctx: ctx, connection: c, channel: channelStdout}
	req := engine.ExecRequest{TTY: s.TTY, Stdout: stdout, Stderr: stdout}
	if !s.TTY {
		req.Stderr = channelWriter{ctx: ctx, connection: c, channel: channelStderr}
	}
	if s.Stdin {
		req.Stdin = c.input
	}
	if s.TTY {
		req.Resize = c.resize
	}
	return req
}

// channelWriter writes a command's output to the peer.
type channelWriter struct {
	ctx        context.Context
	connection *connection
	channel    byte
}

// Write implements io.Writer. It fails once the peer is gone.
func (w channelWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := w.connection.send(w.ctx, w.connection.framing.message(w.channel, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
