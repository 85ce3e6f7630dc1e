package eci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/execstream"
)

// execPath is where WebSocketUri points to, on this server's own host.
const execPath = "/exec/"

type execRequest struct {
	RegionID         string `wire:"RegionId" req:"all"`
	ContainerGroupID string `wire:"ContainerGroupId" req:"all"`
	ContainerName    string `wire:"ContainerName" req:"all"`
	Command          string `wire:"Command" req:"all"`
	TTY              *bool  `wire:"TTY"`
	Stdin            *bool  `wire:"Stdin"`
	Sync             *bool  `wire:"Sync"`
}

type execAnswer struct {
	RequestID    string  `json:"RequestId"`
	WebSocketURI string  `json:"WebSocketUri,omitempty"`
	SyncResponse *string `json:",omitempty"`
}

// ticket is what one WebSocketUri allows, once.
type ticket struct {
	group, container string
	command          []string
	tty, stdin       bool
}

// execContainerCommand runs a command at once (Sync), or answers where to run it.
func (s *Server) execContainerCommand(c *call, r *execRequest) (any, error) {
	command, err := readCommand(r.Command)
	if err != nil {
		return nil, err
	}
	if value(r.Sync) {
		return s.execSync(c, r, command)
	}
	if err := s.mustRun(r.ContainerGroupID, r.ContainerName); err != nil {
		return nil, err
	}
	t := ticket{
		group: r.ContainerGroupID, container: r.ContainerName, command: command,
		tty: value(r.TTY), stdin: r.Stdin == nil || *r.Stdin,
	}
	secret := uuid.NewString()
	s.tickets.add(s.clock.Now(), secret, t)
	scheme := "ws://"
	if c.request.TLS != nil {
		scheme = "wss://"
	}
	return execAnswer{RequestID: c.id, WebSocketURI: scheme + c.request.Host + execPath + "?s=" + secret}, nil
}

// readCommand reads Command, a JSON list, and holds it to its limits.
func readCommand(text string) ([]string, error) {
	var command []string
	if err := json.Unmarshal([]byte(text), &command); err != nil || len(command) == 0 {
		return nil, fail(codeInvalidParameter, "The parameter Command must be a JSON list of strings, such as [\"ls\", \"-a\"].")
	}
	total := 0
	for i, word := range command {
		n := utf8.RuneCountInString(word)
		if n > maxCommandElement {
			return nil, fail(codeValueExceeded, "The parameter Command has %d characters in element %d; at most %d are allowed.",
				n, i+1, maxCommandElement)
		}
		total += n
	}
	if len(command) > maxCommand || total > maxCommandTotal {
		return nil, fail(codeValueExceeded, "The parameter Command has %d elements and %d characters; at most %d and %d are allowed.",
			len(command), total, maxCommand, maxCommandTotal)
	}
	return command, nil
}

// mustRun checks that a container is there and runs.
func (s *Server) mustRun(id, container string) error {
	g, err := s.groups.Get(id)
	if err != nil {
		return err
	}
	named := func(c engine.Container) bool { return c.Name == container }
	if !slices.ContainsFunc(g.Spec.Containers, named) && !slices.ContainsFunc(g.Spec.InitContainers, named) {
		return engine.ErrNoContainer
	}
	for _, state := range slices.Concat(g.Containers, g.InitContainers) {
		if state.Name == container && state.Current.Kind == engine.KindRunning {
			return nil
		}
	}
	return engine.ErrNotRunning
}

// shells are commands that make no sense without a terminal.
var shells = []string{"/bin/bash", "/bin/sh", "bash", "sh"}

// execSync runs a command to its end and answers its output, stdout and stderr
// mixed. The exit code is not told: so is the API.
func (s *Server) execSync(c *call, r *execRequest, command []string) (any, error) {
	if value(r.TTY) {
		return nil, fail(codeInvalidParameter, "The parameter TTY must be false with Sync.")
	}
	if len(command) == 1 && slices.Contains(shells, command[0]) {
		return nil, fail(codeInvalidParameter, "The parameter Command must not be a shell alone with Sync.")
	}
	ctx, cancel := context.WithTimeout(c.request.Context(), syncLimit)
	defer cancel()
	out := &boundedOutput{}
	_, err := s.groups.Exec(ctx, r.ContainerGroupID, r.ContainerName,
		engine.ExecRequest{Command: command, Stdout: out, Stderr: out})
	switch {
	case errors.Is(err, errOutputFull): // the answer is cut
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fail(codeInternal, "The command did not end within %s.", syncLimit)
	case err != nil:
		return nil, err
	}
	text := out.String()
	return execAnswer{RequestID: c.id, SyncResponse: &text}, nil
}

var errOutputFull = errors.New("output of a synchronous command is full")

// boundedOutput keeps the first bytes that are written to it, by whomever.
type boundedOutput struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (b *boundedOutput) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	room := maxSyncResponse - b.buffer.Len()
	if len(p) > room {
		b.buffer.Write(p[:room])
		return room, errOutputFull
	}
	return b.buffer.Write(p)
}

// String is what was written.
func (b *boundedOutput) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// serveExec serves a WebSocketUri. It bears no signature: the ticket in it is the
// credential, good once and for a short time.
func (s *Server) serveExec(w http.ResponseWriter, r *http.Request) {
	t, ok := s.tickets.take(s.clock.Now(), r.URL.Query().Get("s"))
	if !ok {
		s.WriteError(w, http.StatusForbidden, codeInvalidParameter.name, "The URI was used before or has expired.")
		return
	}
	execstream.Serve(w, r, execstream.Session{
		TTY: t.tty, Stdin: t.stdin,
		Run: func(ctx context.Context, req engine.ExecRequest) (int, error) {
			req.Command = t.command
			return s.groups.Exec(ctx, t.group, t.container, req)
		},
	})
}
