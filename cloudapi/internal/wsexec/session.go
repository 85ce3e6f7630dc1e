package wsexec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
)

// The channels, and the signal of protocol v5 that ends one of them.
const (
	channelStdin  = 0
	channelStdout = 1
	channelStderr = 2
	channelError  = 3
	channelResize = 4
	signalClose   = 255
)

const (
	// pingPeriod keeps idle sessions alive across load balancers. Dead peers
	// are found by TCP keep-alive: a missing pong proves nothing while the
	// command does not read its stdin.
	pingPeriod = 20 * time.Second
	// closeGrace is how long the server may take to close after it has told
	// the exit code.
	closeGrace = 2 * time.Second
	// maxStatus bounds the text on the error channel.
	maxStatus = 64 << 10
	// stdinChunk is the most that one frame of stdin carries.
	stdinChunk = 32 << 10
)

// realTime is the clock of sockets: their deadlines know no other.
var realTime clock.RealClock

// errStream marks a failure of the caller's stdout or stderr.
var errStream = errors.New("the caller's output stream failed")

type session struct {
	conn     *websocket.Conn
	protocol string
	options  Options
	stdout   io.Writer
	stderr   io.Writer
	outgoing chan []byte
	// outcome is what the error channel told; nil until it did.
	outcome *outcome
}

func newSession(conn *websocket.Conn, protocol string, options Options) *session {
	return &session{
		conn: conn, protocol: protocol, options: options,
		stdout: orDiscard(options.Stdout), stderr: orDiscard(options.Stderr),
		outgoing: make(chan []byte),
	}
}

// channels tells whether frames carry a channel byte.
func (s *session) channels() bool { return s.protocol != "" || !s.options.Raw }

func (s *session) run(parent context.Context) (int, error) {
	ctx, cancel := context.WithCancel(parent)
	var workers sync.WaitGroup
	workers.Go(func() { s.write(ctx) })
	workers.Go(func() { // ends the reading below
		<-ctx.Done()
		_ = s.conn.Close()
	})
	if s.options.Stdin != nil {
		go s.readStdin(ctx) // may outlive Run, see there
	}
	readErr := s.read()
	s.sayGoodbye()
	cancel()
	workers.Wait()
	return s.result(parent, readErr)
}

// sayGoodbye tells the server that we are done; it may be gone already.
func (s *session) sayGoodbye() {
	message := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = s.conn.WriteControl(websocket.CloseMessage, message, realTime.Now().Add(time.Second))
}

// result makes the exit code and error out of how the reading ended.
func (s *session) result(ctx context.Context, readErr error) (int, error) {
	switch {
	case s.outcome != nil:
		return s.outcome.exitCode, s.outcome.err
	case ctx.Err() != nil:
		return 0, &cloudapi.Error{Op: Op, Code: cloudapi.CodeCanceled, Uncertain: true, Err: ctx.Err()}
	case errors.Is(readErr, errStream):
		return 0, &cloudapi.Error{Op: Op, Code: cloudapi.CodeCanceled, Uncertain: true, Err: readErr}
	case websocket.IsCloseError(readErr, websocket.CloseNormalClosure) && !s.channels():
		return 0, &cloudapi.Error{Op: Op, Code: cloudapi.CodeUnsupported,
			Message: "the command has ended; its exit code is not known, because the cloud sent raw bytes instead of channels"}
	case websocket.IsCloseError(readErr, websocket.CloseNormalClosure) && !s.statusExpected():
		return 0, nil
	case websocket.IsCloseError(readErr, websocket.CloseNormalClosure):
		return 0, lost("the session was closed without an exit code", readErr)
	default:
		return 0, lost("the session broke", readErr)
	}
}

// statusExpected tells whether this protocol states success too, so that
// silence is not success.
func (s *session) statusExpected() bool {
	return s.protocol == remotecommand.StreamProtocolV5Name || s.protocol == remotecommand.StreamProtocolV4Name
}

func lost(message string, cause error) error {
	return &cloudapi.Error{Op: Op, Code: cloudapi.CodeUnavailable, Uncertain: true,
		Message: fmt.Sprintf("%s: %v", message, cause), Err: cause}
}

// read delivers frames until the connection ends and returns why it did. Once
// the exit code is known it waits for the close only a moment.
func (s *session) read() error {
	for {
		kind, frame, err := s.conn.NextReader()
		if err == nil {
			err = s.deliver(kind, frame)
		}
		if err != nil {
			return err
		}
		if s.outcome != nil {
			if err := s.conn.SetReadDeadline(realTime.Now().Add(closeGrace)); err != nil {
				return fmt.Errorf("setting the closing deadline: %w", err)
			}
		}
	}
}

// deliver passes one frame on. In the fallback without a selected protocol a
// first byte above the last channel is data, and so is a text frame.
func (s *session) deliver(kind int, frame io.Reader) error {
	if !s.channels() || s.protocol == "" && kind == websocket.TextMessage {
		return pass(s.stdout, frame)
	}
	var channel [1]byte
	if _, err := io.ReadFull(frame, channel[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // an empty frame
		}
		return err
	}
	switch {
	case channel[0] == channelStdout:
		return pass(s.stdout, frame)
	case channel[0] == channelStderr:
		return pass(s.stderr, frame)
	case channel[0] == channelError:
		return s.learn(frame)
	case channel[0] > channelResize && s.protocol == "":
		if err := pass(s.stdout, oneByte(channel[0])); err != nil {
			return err
		}
		return pass(s.stdout, frame)
	}
	return nil // stdin, resize and signals say nothing to a client
}

// learn takes in the error channel: what it says first, stands.
func (s *session) learn(frame io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(frame, maxStatus))
	if err != nil {
		return err
	}
	if s.outcome == nil {
		s.outcome = parseOutcome(text)
	}
	return nil
}

// pass copies and tells a failure of the writer from one of the connection.
func pass(to io.Writer, from io.Reader) error {
	w := &streamWriter{Writer: to}
	_, err := io.Copy(w, from)
	if w.failed != nil {
		return fmt.Errorf("%w: %w", errStream, w.failed)
	}
	return err
}

type streamWriter struct {
	io.Writer
	failed error
}

func (w *streamWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.failed = err
	}
	return n, err
}

// write is the connection's only writer of data: frames of stdin, terminal
// sizes, and pings.
func (s *session) write(ctx context.Context) {
	ping := realTime.NewTicker(pingPeriod)
	defer ping.Stop()
	resize := s.options.Resize
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case frame := <-s.outgoing:
			err = s.conn.WriteMessage(websocket.BinaryMessage, frame)
		case size, ok := <-resize:
			if !ok {
				resize = nil
				continue
			}
			err = s.writeSize(size)
		case <-ping.C():
			err = s.conn.WriteControl(websocket.PingMessage, nil, realTime.Now().Add(pingPeriod))
		}
		if err != nil && !isTimeout(err) {
			return // the reader sees the broken connection and tells why
		}
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// writeSize tells a terminal size, where frames have channels.
func (s *session) writeSize(size cloudapi.TerminalSize) error {
	if !s.channels() {
		return nil
	}
	text, err := json.Marshal(size)
	if err != nil {
		return fmt.Errorf("encoding the terminal size: %w", err)
	}
	return s.conn.WriteMessage(websocket.BinaryMessage, append([]byte{channelResize}, text...))
}

// readStdin turns stdin into frames and, where the protocol can, tells its
// end. It ends with ctx, but not while it is blocked in Stdin.Read.
func (s *session) readStdin(ctx context.Context) {
	buffer := make([]byte, stdinChunk)
	for {
		n, err := s.options.Stdin.Read(buffer)
		if n > 0 && !s.send(ctx, s.stdinFrame(buffer[:n])) {
			return
		}
		if err != nil {
			break
		}
	}
	if s.protocol == remotecommand.StreamProtocolV5Name {
		s.send(ctx, []byte{signalClose, channelStdin})
	}
}

// stdinFrame copies data into a frame.
func (s *session) stdinFrame(data []byte) []byte {
	if !s.channels() {
		return append([]byte(nil), data...)
	}
	return append([]byte{channelStdin}, data...)
}

func (s *session) send(ctx context.Context, frame []byte) bool {
	select {
	case s.outgoing <- frame:
		return true
	case <-ctx.Done():
		return false
	}
}
