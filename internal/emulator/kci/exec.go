package kci

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/execstream"
)

// execPath is where the minted URIs point.
const execPath = "/exec/"

// execAnswer answers ExecContainerCommand.
type execAnswer struct {
	answerHead
	WebSocketURI string `json:"WebSocketUri"`
}

// execSession is a command that waits for its client.
type execSession struct {
	group, container string
	command          []string
	tty              bool
	until            time.Time
}

// readExec reads ExecContainerCommand.
func readExec(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	session := execSession{
		group:     r.required(n, "ContainerGroupId"),
		container: r.required(n, "ContainerName"),
		command:   r.requiredTexts(n, "Command"),
		tty:       r.flag(n, "TTY"),
	}
	return func(c *call) (answer, *apiError) {
		if err := s.checkRunning(session.group, session.container); err != nil {
			return nil, failure(err, session.group, session.container)
		}
		return &execAnswer{WebSocketURI: execURI(c.http, s.sessions.mint(session))}, nil
	}
}

// checkRunning tells in time what the socket could only tell by closing.
func (s *Server) checkRunning(id, container string) error {
	group, err := s.options.Groups.Get(id)
	if err != nil {
		return err
	}
	for _, state := range group.Containers {
		if state.Name == container {
			if state.Current.Kind != engine.KindRunning {
				return engine.ErrNotRunning
			}
			return nil
		}
	}
	for _, c := range group.Spec.Containers {
		if c.Name == container {
			return engine.ErrNotRunning
		}
	}
	return engine.ErrNoContainer
}

// execURI points at the host under which the caller reached the server.
func execURI(r *http.Request, token string) string {
	uri := url.URL{Scheme: "ws", Host: r.Host, Path: execPath, RawQuery: url.Values{"token": {token}}.Encode()}
	if r.TLS != nil {
		uri.Scheme = "wss"
	}
	return uri.String()
}

// serveExec runs the command of a minted URI. The token in it, good for one use,
// stands for a signature.
func (s *Server) serveExec(w http.ResponseWriter, r *http.Request) {
	session, ok := s.sessions.redeem(r.URL.Query().Get("token"))
	if !ok {
		err := invalidToken.with()
		s.WriteError(w, err.status, err.code, err.message)
		return
	}
	execstream.Serve(w, r, execstream.Session{
		TTY: session.tty, Stdin: true, Raw: true,
		Run: func(ctx context.Context, req engine.ExecRequest) (int, error) {
			req.Command = session.command
			return s.options.Groups.Exec(ctx, session.group, session.container, req)
		},
	})
}

// execSessions are the minted sessions that nobody has redeemed.
type execSessions struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	waiting map[string]execSession
}

func newExecSessions(c clock.PassiveClock) *execSessions {
	return &execSessions{clock: c, waiting: map[string]execSession{}}
}

// mint keeps a session and returns its token.
func (e *execSessions) mint(session execSession) string {
	now := e.clock.Now()
	session.until = now.Add(execLifetime)
	token := uuid.NewString()
	e.mu.Lock()
	defer e.mu.Unlock()
	for old, waiting := range e.waiting {
		if !now.Before(waiting.until) {
			delete(e.waiting, old)
		}
	}
	e.waiting[token] = session
	return token
}

// redeem hands a session out, once and in time.
func (e *execSessions) redeem(token string) (execSession, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	session, ok := e.waiting[token]
	delete(e.waiting, token)
	return session, ok && e.clock.Now().Before(session.until)
}
