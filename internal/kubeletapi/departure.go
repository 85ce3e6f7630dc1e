package kubeletapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// untilGone prepares a request whose connection will be taken over: its
// context then also ends when the client goes away. net/http watches only
// connections that are its own, and a silent command would run on for nobody.
func untilGone(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	return &takenOver{ResponseWriter: w, cancel: cancel}, r.WithContext(ctx), cancel
}

// takenOver is a response whose connection ends a context when it does.
type takenOver struct {
	http.ResponseWriter
	cancel context.CancelFunc
}

// Unwrap lets http.ResponseController find the response.
func (t *takenOver) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Flush implements http.Flusher.
func (t *takenOver) Flush() {
	// A response that cannot be flushed is sent when it ends.
	_ = http.NewResponseController(t.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker.
func (t *takenOver) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, ok := t.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("taking over the connection: the response does not allow it")
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("taking over the connection: %w", err)
	}
	early := make([]byte, buffered.Reader.Buffered())
	if _, err := io.ReadFull(buffered.Reader, early); err != nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("taking over the connection: %w", err)
	}
	watched := &watchedConn{Conn: conn, rest: early, chunks: make(chan []byte, chunksAhead), closed: make(chan struct{}), gone: t.cancel}
	go watched.readAhead()
	return watched, bufio.NewReadWriter(bufio.NewReader(watched), bufio.NewWriter(watched)), nil
}

// chunkSize and chunksAhead bound what is read before anybody asks for it.
const (
	chunkSize   = 4 << 10
	chunksAhead = 16
)

// watchedConn calls gone when it can be read no more. It reads ahead, because
// after a client's word of farewell (GOAWAY in SPDY) nobody else reads on, and
// the end of the connection would not be seen.
type watchedConn struct {
	net.Conn
	gone   func()
	chunks chan []byte
	// err is why chunks ended.
	err error
	// rest is what Read has not given out yet of the last chunk.
	rest []byte

	once   sync.Once
	closed chan struct{}
}

// readAhead ends with the connection, whichever side closed it.
func (c *watchedConn) readAhead() {
	defer c.gone()
	defer close(c.chunks)
	for {
		chunk := make([]byte, chunkSize)
		n, err := c.Conn.Read(chunk)
		select {
		case c.chunks <- chunk[:n]:
		case <-c.closed:
			return
		}
		if err != nil {
			c.err = err
			return
		}
	}
}

// Read implements net.Conn. It is called by one goroutine at a time.
func (c *watchedConn) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		chunk, more := <-c.chunks
		if !more {
			return 0, c.reason()
		}
		c.rest = chunk
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *watchedConn) reason() error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
		return c.err
	}
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
