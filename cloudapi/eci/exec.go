package eci

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/wsexec"
)

// Exec implements cloudapi.Client: the action mints a WebSocket address, and
// the command runs over that. The framing is undocumented; see wsexec for what
// is spoken. A call that mints an address is repeated only if it surely did
// nothing.
func (c *Client) Exec(ctx context.Context, id, container string, opts cloudapi.ExecOptions) (int, error) {
	request, err := c.execRequest(id, container, opts)
	if err != nil {
		return 0, err
	}
	cl := call{action: opExec, parameters: openapiutil.Query(request), writes: true}
	answer, err := do[execAnswer](ctx, c, cl)
	if err != nil {
		return 0, err
	}
	return wsexec.Run(ctx, wsexec.Options{
		URL: string(answer.WebSocketURI), Dialer: c.dialer(), ExecOptions: opts,
	})
}

func (c *Client) execRequest(id, container string, opts cloudapi.ExecOptions) (*sdk.ExecContainerCommandRequest, error) {
	switch {
	case id == "":
		return nil, invalid(opExec, "id: is empty")
	case container == "":
		return nil, invalid(opExec, "container: is empty")
	}
	if err := checkCommand(opts.Command); err != nil {
		return nil, err
	}
	command, err := json.Marshal(opts.Command)
	if err != nil {
		return nil, invalid(opExec, "Command: cannot be encoded")
	}
	stdin, sync, text := opts.Stdin != nil, false, string(command)
	return &sdk.ExecContainerCommandRequest{
		RegionId: &c.region, ContainerGroupId: &id, ContainerName: &container,
		Command: &text, TTY: &opts.TTY, Stdin: &stdin, Sync: &sync, // Stdin's default is true
	}, nil
}

func checkCommand(command []string) error {
	if n := len(command); n == 0 || n > maxExecCommand {
		return invalid(opExec, "Command: has %d elements; the cloud takes 1 to %d", n, maxExecCommand)
	}
	total := 0
	for i, element := range command {
		total += utf8.RuneCountInString(element)
		if n := utf8.RuneCountInString(element); n > maxExecElement {
			return invalid(opExec, "Command[%d]: has %d characters; the cloud takes at most %d", i, n, maxExecElement)
		}
		if !utf8.ValidString(element) {
			return invalid(opExec, "Command[%d]: is not UTF-8", i)
		}
	}
	if total > maxExecTotal {
		return invalid(opExec, "Command: has %d characters in all; the cloud takes at most %d", total, maxExecTotal)
	}
	return nil
}

// dialer takes proxy and TLS settings from the transport, where it shows them.
func (c *Client) dialer() *websocket.Dialer {
	dialer := &websocket.Dialer{HandshakeTimeout: 30 * time.Second}
	if base, ok := c.transport.client.Transport.(*http.Transport); ok {
		dialer.Proxy, dialer.TLSClientConfig, dialer.NetDialContext = base.Proxy, base.TLSClientConfig.Clone(), base.DialContext
		if dialer.TLSClientConfig != nil {
			dialer.TLSClientConfig.NextProtos = nil // a WebSocket needs HTTP/1.1
		}
	}
	return dialer
}
