package execstream

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// connection is one WebSocket with its reader and its only writer.
type connection struct {
	socket  *websocket.Conn
	framing framing
	gone    context.CancelFunc // the peer went away

	input  *stdin
	resize chan engine.Size
	output chan outgoing

	readDone  chan struct{}
	writeStop chan struct{}
	writeDone chan struct{}
}

// outgoing is a message for the writer and where it tells the outcome.
type outgoing struct {
	payload []byte
	result  chan<- error
}

func newConnection(socket *websocket.Conn, f framing, gone context.CancelFunc) *connection {
	return &connection{
		socket:    socket,
		framing:   f,
		gone:      gone,
		input:     newStdin(),
		resize:    make(chan engine.Size, 1),
		output:    make(chan outgoing),
		readDone:  make(chan struct{}),
		writeStop: make(chan struct{}),
		writeDone: make(chan struct{}),
	}
}

// start begins to read and write.
func (c *connection) start(ctx context.Context, takesInput, tty bool) {
	if !takesInput {
		c.input.end()
	}
	go c.readAll(ctx, tty)
	go c.writeAll()
}

// finish closes the socket as a normal end and waits for both loops.
func (c *connection) finish() {
	close(c.writeStop)
	<-c.writeDone
	timer := time.NewTimer(closeLimit)
	defer timer.Stop()
	select { // let the peer answer the close, so that nothing it has yet to read is lost
	case <-c.readDone:
	case <-timer.C:
	}
	_ = c.socket.Close() // also ends a reader that is still waiting
	<-c.readDone
}

// send hands one message to the writer and waits until it is written.
func (c *connection) send(ctx context.Context, payload []byte) error {
	result := make(chan error, 1)
	select {
	case c.output <- outgoing{payload, result}:
	case <-ctx.Done():
		return fmt.Errorf("writing to the exec client: %w", context.Cause(ctx))
	case <-c.writeDone:
		return fmt.Errorf("writing to the exec client: %w", websocket.ErrCloseSent)
	}
	return <-result
}

// writeAll is the only writer of the socket. Its last word is the close.
func (c *connection) writeAll() {
	defer close(c.writeDone)
	ping := time.NewTicker(pingPeriod)
	defer ping.Stop()
	for {
		select {
		case out := <-c.output:
			err := c.write(out.payload)
			out.result <- err
			if err != nil {
				c.gone()
			}
		case <-ping.C:
			if err := c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeLimit)); err != nil {
				c.gone()
			}
		case <-c.writeStop:
			farewell := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			_ = c.socket.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(closeLimit))
			return
		}
	}
}

func (c *connection) write(payload []byte) error {
	if err := c.socket.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("setting the exec client's write deadline: %w", err)
	}
	if err := c.socket.WriteMessage(websocket.BinaryMessage, payload); err != nil {
		return fmt.Errorf("writing to the exec client: %w", err)
	}
	return nil
}

// readAll reads until the peer closes, fails or falls silent; each of these
// ends the command.
func (c *connection) readAll(ctx context.Context, tty bool) {
	defer close(c.readDone)
	defer close(c.resize)
	defer c.input.end()
	defer c.gone()
	extend := func() error { return c.socket.SetReadDeadline(time.Now().Add(silenceLimit)) }
	c.socket.SetReadLimit(messageLimit)
	c.socket.SetPongHandler(func(string) error { return extend() })
	for {
		if err := extend(); err != nil {
			return
		}
		_, message, err := c.socket.ReadMessage()
		if err != nil {
			return
		}
		c.accept(ctx, message, tty)
	}
}

// accept takes one message of the peer. What it cannot understand it drops, as
// a kubelet does.
func (c *connection) accept(ctx context.Context, message []byte, tty bool) {
	if !c.framing.prefixed {
		c.input.push(ctx, message)
		return
	}
	if len(message) == 0 {
		return
	}
	switch payload := message[1:]; message[0] {
	case channelStdin:
		c.input.push(ctx, payload)
	case channelResize:
		if tty {
			c.acceptResize(payload)
		}
	case channelClose:
		if c.framing.closable && len(payload) == 1 && payload[0] == channelStdin {
			c.input.end()
		}
	}
}

// acceptResize keeps the newest size only: a command that does not look must
// not stop the reader.
func (c *connection) acceptResize(payload []byte) {
	var size engine.Size
	if err := json.Unmarshal(payload, &size); err != nil {
		return
	}
	select {
	case <-c.resize:
	default:
	}
	c.resize <- size // room for one, and only this goroutine sends
}
