package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The bytes that a terminal sends for Ctrl-C and Ctrl-U, and the exit code of
// what Ctrl-C ended.
const (
	keyInterrupt  = 0x03
	keyKillLine   = 0x15
	exitInterrupt = 130
	// keyQueue is how many keys typed ahead are kept, as in Linux' terminals.
	keyQueue = 4096
)

// IsInteractive tells whether a command is a shell that reads from its terminal.
func IsInteractive(argv []string) bool {
	if len(argv) == 0 || !isShell(argv[0]) {
		return false
	}
	for _, a := range argv[1:] {
		switch a {
		case "-i", "-l", "--login", "-il", "-li":
		default:
			return false
		}
	}
	return true
}

// Interact runs an interactive shell on a terminal: s.Stdin are its keys,
// s.Stdout its screen. It returns as Run does; resize may be nil.
func (m *Machine) Interact(ctx context.Context, s Streams, resize <-chan engine.Size) (code int, err error) {
	defer survive(s.Stdout, &code)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keys := newKeyboard(ctx, s.Stdin)
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, s.Stdout}, "")
	go followSize(ctx, screen, resize)
	runner, flush, err := m.runner(Streams{Stdout: screen, Stderr: screen}, m.Env, m.Dir)
	if err != nil {
		return 0, err
	}
	session := &interaction{machine: m, keys: keys, screen: screen, runner: runner, flush: flush}
	return session.run(ctx)
}

func followSize(ctx context.Context, screen *term.Terminal, resize <-chan engine.Size) {
	for {
		select {
		case size, ok := <-resize:
			if !ok {
				return
			}
			_ = screen.SetSize(max(int(size.Width), 1), max(int(size.Height), 1)) // fails only with its writer
		case <-ctx.Done():
			return
		}
	}
}

// interaction is one interactive shell.
type interaction struct {
	machine *Machine
	keys    *keyboard
	screen  *term.Terminal
	runner  *interp.Runner
	flush   func()
	code    int
}

// run reads and runs lines until exit or the end of input.
func (i *interaction) run(ctx context.Context) (int, error) {
	script := ""
	for {
		i.screen.SetPrompt(i.prompt(script))
		line, err := i.screen.ReadLine()
		if err != nil {
			return i.machine.finish(ctx, i.screen, codeError(i.code))
		}
		script += line + "\n"
		file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
		if err != nil && syntax.IsIncomplete(err) {
			continue
		}
		script = ""
		if err != nil {
			complain(i.screen, "sh", err)
			i.code = exitSyntax
			continue
		}
		if i.perform(ctx, file.Stmts) || ctx.Err() != nil {
			return i.machine.finish(ctx, i.screen, codeError(i.code))
		}
	}
}

// prompt is what an Alpine or BusyBox container shows.
func (i *interaction) prompt(script string) string {
	if script != "" {
		return "> "
	}
	return i.runner.Dir + " # "
}

// codeError is an exit code as the interpreter returns it.
func codeError(code int) error {
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(code & 0xff)
}

// perform runs the statements of one line; exited tells that the shell ends.
func (i *interaction) perform(ctx context.Context, statements []*syntax.Stmt) (exited bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	i.keys.foreground(cancel)
	defer i.keys.foreground(nil)
	defer i.flush()
	for _, statement := range statements {
		err := prepare(statement)
		if err == nil {
			err = i.runner.Run(ctx, statement)
		}
		var status interp.ExitStatus
		switch {
		case ctx.Err() != nil:
			i.code = exitInterrupt
			i.flush()
			_, _ = io.WriteString(i.screen, "^C\n")
			return false
		case err == nil:
			i.code = 0
		case errors.As(err, &status):
			i.code = int(status)
		case errors.Is(err, context.Canceled): // exit after an interrupted command
			i.code = exitInterrupt
		default:
			complain(i.screen, "sh", err)
			i.code = exitSyntax
		}
		if i.runner.Exited() {
			return true
		}
	}
	return false
}

// keyboard queues what is typed, and takes Ctrl-C out.
type keyboard struct {
	keys chan byte
	ctx  context.Context

	mu        sync.Mutex
	interrupt context.CancelFunc
}

// newKeyboard reads keys until their reader ends, which its owner must bring
// about when the terminal goes away.
func newKeyboard(ctx context.Context, r io.Reader) *keyboard {
	k := &keyboard{keys: make(chan byte, keyQueue), ctx: ctx}
	go k.readAll(r)
	return k
}

// foreground sets what Ctrl-C ends; nil is the line being typed.
func (k *keyboard) foreground(cancel context.CancelFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.interrupt = cancel
}

func (k *keyboard) readAll(r io.Reader) {
	defer close(k.keys)
	if r == nil {
		return
	}
	buffer := make([]byte, 256)
	for {
		n, err := r.Read(buffer)
		for _, key := range buffer[:n] {
			k.press(key)
		}
		if err != nil || k.ctx.Err() != nil {
			return
		}
	}
}

// press queues a key; beyond the queue keys are lost, as on a real terminal.
func (k *keyboard) press(key byte) {
	if key == keyInterrupt {
		k.mu.Lock()
		interrupt := k.interrupt
		k.mu.Unlock()
		if interrupt != nil {
			interrupt()
			return
		}
		key = keyKillLine
	}
	if key == '\n' { // a terminal takes both for the end of a line
		key = '\r'
	}
	select {
	case k.keys <- key:
	default:
	}
}

// Read implements io.Reader.
func (k *keyboard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	select {
	case key, ok := <-k.keys:
		if !ok {
			return 0, io.EOF
		}
		p[0] = key
		return 1, nil
	case <-k.ctx.Done():
		return 0, io.EOF
	}
}

// TerminalWriter ends lines the way a terminal in raw mode needs it.
func TerminalWriter(w io.Writer) io.Writer { return carriageWriter{w} }

type carriageWriter struct{ writer io.Writer }

// Write implements io.Writer.
func (c carriageWriter) Write(p []byte) (int, error) {
	if _, err := c.writer.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
