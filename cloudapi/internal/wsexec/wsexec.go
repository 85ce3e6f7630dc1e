// Package wsexec runs a command in a container over a WebSocket that a cloud
// hands out for it.
//
// It speaks the channel protocols of Kubernetes (k8s.io/apimachinery,
// pkg/util/remotecommand): each binary frame starts with a byte that names its
// channel. It offers v5, v4 and the unversioned protocol, and speaks the one
// that the server selects. A server that selects none is taken to speak the
// unversioned one, or no channels at all if Options.Raw says so.
package wsexec

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
	"k8s.io/apimachinery/pkg/util/remotecommand"

	"github.com/cumulet/cumulet/cloudapi"
)

// Op is the operation named in this package's errors; both clouds call it so.
const Op = "ExecContainerCommand"

// protocolUnversioned is the oldest channel protocol: no JSON status, no
// closing of stdin.
const protocolUnversioned = "channel.k8s.io"

const handshakeTimeout = 30 * time.Second

// Options describe one exec session.
type Options struct {
	// URL is the address that the cloud handed out. It holds a ticket, so
	// it appears in no error. It must be wss unless its host is loopback.
	URL string
	// Header is sent with the handshake; may be nil.
	Header http.Header
	// Dialer opens the connection; nil means one with a handshake timeout
	// of 30 s and no proxy. Its Subprotocols are ignored.
	Dialer *websocket.Dialer
	// Raw is for a cloud that, when it selects no protocol, has no channels:
	// frames are then the bytes of stdin and of stdout. Terminal sizes and
	// the exit code cannot be told then: a clean close ends with an error of
	// code Unsupported after all output has been delivered.
	Raw bool
	// ExecOptions give the streams. Command and TTY play no part here: the
	// cloud already knows them.
	cloudapi.ExecOptions
}

// Run connects the streams and returns when the command has ended, with its
// exit code, or when ctx ends. Every error is a *cloudapi.Error; one that comes
// after the handshake is Uncertain, for the command may have run.
//
// End of stdin is told to the command only under protocol v5: the others have
// no word for it. A goroutine that is blocked in Stdin.Read outlives Run until
// that Read returns; close the reader to end it.
func Run(ctx context.Context, options Options) (int, error) {
	conn, protocol, err := dial(ctx, options)
	if err != nil {
		return 0, err
	}
	s := newSession(conn, protocol, options)
	return s.run(ctx)
}

func dial(ctx context.Context, options Options) (*websocket.Conn, string, error) {
	if err := checkURL(options.URL); err != nil {
		return nil, "", err
	}
	dialer := websocket.Dialer{HandshakeTimeout: handshakeTimeout}
	if options.Dialer != nil {
		dialer = *options.Dialer
	}
	dialer.Subprotocols = []string{
		remotecommand.StreamProtocolV5Name, remotecommand.StreamProtocolV4Name, protocolUnversioned,
	}
	conn, answer, err := dialer.DialContext(ctx, options.URL, options.Header)
	if err != nil {
		return nil, "", dialError(ctx, answer, err)
	}
	return conn, conn.Subprotocol(), nil
}

// checkURL refuses addresses that would carry the session in clear text over
// a network.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return &cloudapi.Error{Op: Op, Code: cloudapi.CodeUnavailable,
			Message: "the cloud's WebSocket address is not a URL"}
	}
	if u.Scheme == "wss" || u.Scheme == "ws" && isLoopback(u.Hostname()) {
		return nil
	}
	return &cloudapi.Error{Op: Op, Code: cloudapi.CodeUnavailable,
		Message: "the cloud's WebSocket address has scheme " + u.Scheme + " and host " + u.Hostname() +
			"; only wss is allowed, or ws to a loopback address"}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// dialError keeps the handshake's HTTP status, and of the cause only what
// cannot hold the URL.
func dialError(ctx context.Context, answer *http.Response, err error) error {
	out := &cloudapi.Error{Op: Op, Code: cloudapi.CodeUnavailable,
		Message: "opening the exec WebSocket failed", Err: withoutURL(err)}
	if ctx.Err() != nil {
		out.Code, out.Message, out.Err = cloudapi.CodeCanceled, "", ctx.Err()
		return out
	}
	if answer == nil {
		out.Message += ": " + out.Err.Error()
		return out
	}
	_ = answer.Body.Close() // gorilla has read it already
	out.HTTPStatus = answer.StatusCode
	out.Message += ": the server answered " + answer.Status
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		out.Code = cloudapi.CodeUnauthorized
	case http.StatusForbidden:
		out.Code = cloudapi.CodeForbidden
	case http.StatusNotFound, http.StatusGone:
		out.Code = cloudapi.CodeNotFound
	case http.StatusTooManyRequests:
		out.Code = cloudapi.CodeThrottled
	}
	return out
}

func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
