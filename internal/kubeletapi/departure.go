package kubeletapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// Hijack implements http.Hijacker. Whoever takes the connection over reads it
// all the time, for frames may come at any moment.
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
	watched := &watchedConn{Conn: conn, in: io.MultiReader(bytes.NewReader(early), conn), gone: t.cancel}
	return watched, bufio.NewReadWriter(bufio.NewReader(watched), bufio.NewWriter(watched)), nil
}

// watchedConn calls gone when it can be read no more.
type watchedConn struct {
	net.Conn
	in   io.Reader
	gone func()
}

// Read implements net.Conn.
func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	if err != nil {
		c.gone()
	}
	return n, err
}
