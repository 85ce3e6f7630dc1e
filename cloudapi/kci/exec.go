package kci

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/wsexec"
)

// socketTimeout bounds the WebSocket's handshake.
const socketTimeout = 30 * time.Second

// Exec implements cloudapi.Client. The action is in Kingsoft's SDKs only, which
// tell nothing of what is spoken on the socket. Kubernetes' channel protocols
// are offered; a server that selects none is taken to send and take raw bytes.
// Then nobody tells the exit code, and when the command has ended Exec returns an
// error that says so (wsexec.Options.Raw).
func (c *Client) Exec(ctx context.Context, id, container string, opts cloudapi.ExecOptions) (int, error) {
	if c.options.Dialect == Seed {
		return 0, &cloudapi.Error{Op: actionExec, Code: cloudapi.CodeUnsupported, Message: "exec needs dialect " + string(Extended)}
	}
	switch {
	case id == "":
		return 0, invalid(actionExec, "the group's id is empty")
	case container == "":
		return 0, invalid(actionExec, "the container's name is empty")
	case len(opts.Command) == 0:
		return 0, invalid(actionExec, "the command is empty")
	}
	f := newForm()
	f.set("ContainerGroupId", id)
	f.set("ContainerName", container)
	f.list("Command", opts.Command)
	f.flag("TTY", opts.TTY)
	var out execAnswer
	if err := c.call(ctx, actionExec, f, &out); err != nil {
		return 0, err
	}
	address, err := socketURL(c.endpoint, out.WebSocketURI)
	if err != nil {
		return 0, err
	}
	return wsexec.Run(ctx, wsexec.Options{URL: address, Dialer: c.dialer(), Raw: true, ExecOptions: opts})
}

// dialer takes proxy and TLS settings from the transport, where it shows them.
func (c *Client) dialer() *websocket.Dialer {
	dialer := &websocket.Dialer{HandshakeTimeout: socketTimeout}
	transport, ok := c.options.Transport.(*http.Transport)
	if !ok {
		return dialer
	}
	dialer.Proxy, dialer.NetDialContext = transport.Proxy, transport.DialContext
	if dialer.TLSClientConfig = transport.TLSClientConfig.Clone(); dialer.TLSClientConfig != nil {
		dialer.TLSClientConfig.NextProtos = nil // a WebSocket needs HTTP/1.1
	}
	return dialer
}

// socketURL completes the address that the cloud handed out: it may be relative
// to the endpoint, and may be written as http. The ticket in it is all the
// authority it needs; it is not signed.
func socketURL(endpoint *url.URL, text string) (string, error) {
	u, err := endpoint.Parse(text)
	if err != nil {
		// The error would quote the ticket.
		return "", &cloudapi.Error{Op: actionExec, Code: cloudapi.CodeUnavailable, Message: "the cloud's WebSocketUri is not a URL"}
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	return u.String(), nil
}
