package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// The exit codes that shells and container runtimes share.
const (
	exitSyntax   = 2
	exitNotFound = 127
	exitAborted  = 134
	exitKilled   = 137
)

// A loop that never sleeps would take a whole core of the emulator, so every
// paceCommands commands cost paceTime on the clock.
const (
	paceCommands = 1000
	paceTime     = 10 * time.Millisecond
)

// Machine is what a command sees around it.
type Machine struct {
	Clock    clock.Clock
	Hostname string
	// Env is the environment as NAME=value.
	Env []string
	// Dir is the working directory; "" is "/".
	Dir   string
	Files *Files

	commands atomic.Uint64
}

// Streams are a command's standard files. A nil Stdin is empty; a Stdin that is
// not an *os.File is read to its end, or until the reader's owner ends it.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Recognises tells whether Run knows how to run a command.
func Recognises(argv []string) bool {
	if len(argv) == 0 {
		return false
	}
	_, known := programOf(argv[0])
	return known || standalone[path.Base(argv[0])]
}

// standalone are the shell's own commands that are programs too.
var standalone = map[string]bool{"echo": true, "printf": true, "pwd": true, "test": true, "[": true,
	"true": true, "false": true}

// Run runs a command to its end and returns its exit code. It returns an error
// only if ctx ended first; what is wrong with the command itself is written to
// Stderr, as a shell does.
func (m *Machine) Run(ctx context.Context, argv []string, s Streams) (code int, err error) {
	defer survive(s.Stderr, &code)
	stdin, release, err := stdinFile(s.Stdin)
	if err != nil {
		return 0, err
	}
	defer release()
	s.Stdin = stdin
	if isShell(argv[0]) { // needs no shell around it
		p := &process{machine: m, name: argv[0], args: argv[1:], env: environment(m.Env), dir: m.Dir,
			stdin: s.Stdin, stdout: s.Stdout, stderr: s.Stderr}
		return m.finish(ctx, s.Stderr, p.conclude(ctx, runShell(ctx, p)))
	}
	runner, flush, err := m.runner(s, m.Env, m.Dir)
	if err != nil {
		return 0, err
	}
	runner.Params = append([]string{path.Base(argv[0])}, argv[1:]...)
	err = runner.Run(ctx, invocation)
	flush()
	return m.finish(ctx, s.Stderr, err)
}

// survive ends a command on which the interpreter panics like one that aborted:
// a script of one group must not end both clouds.
func survive(stderr io.Writer, code *int) {
	if cause := recover(); cause != nil {
		complain(stderr, "sh", fmt.Errorf("the interpreter failed: %v", cause))
		*code = exitAborted
	}
}

// invocation runs the positional parameters as one command.
var invocation = mustParse(`"$@"`)

// leave ends a script with the exit code of its last command.
var leave = mustParse(`exit`).Stmts[0]

func mustParse(script string) *syntax.File {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		panic(fmt.Errorf("parsing the built-in script %s: %w", script, err))
	}
	return file
}

// finish turns what the interpreter returned into an exit code.
func (m *Machine) finish(ctx context.Context, stderr io.Writer, err error) (int, error) {
	var status interp.ExitStatus
	switch {
	case ctx.Err() != nil:
		return exitKilled, fmt.Errorf("running a command: %w", context.Cause(ctx))
	case err == nil:
		return 0, nil
	case errors.As(err, &status):
		return int(status), nil
	default:
		complain(stderr, "sh", err)
		return exitSyntax, nil
	}
}

// complain writes an error as programs do. That nobody reads it is no error.
func complain(stderr io.Writer, name string, err error) {
	_, _ = fmt.Fprintf(stderr, "%s: %v\n", path.Base(name), err)
}

// runner returns an interpreter that touches nothing but the machine. flush
// writes what it has held back of its output.
func (m *Machine) runner(s Streams, env []string, dir string) (r *interp.Runner, flush func(), err error) {
	stdout, stderr := &output{writer: s.Stdout}, &output{writer: s.Stderr}
	flush = func() {
		_ = stdout.flush() // there is nobody left to tell that nobody reads
		_ = stderr.flush()
	}
	r, err = interp.New(
		interp.Env(environment(env)),
		interp.Dir("/"), // the real root exists; the virtual directory follows below
		interp.StdIO(s.Stdin, stdout, stderr),
		interp.CallHandler(m.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return m.exec }),
		interp.OpenHandler(m.open),
		interp.StatHandler(func(_ context.Context, name string, _ bool) (fs.FileInfo, error) {
			return m.Files.Stat(path.Clean(name))
		}),
		interp.ReadDirHandler2(func(ctx context.Context, name string) ([]fs.DirEntry, error) {
			return m.Files.ReadDir(absolute(interp.HandlerCtx(ctx).Dir, name))
		}),
		interp.AccessHandler(func(_ context.Context, name string, _ interp.AccessMode) error {
			_, err := m.Files.Stat(path.Clean(name))
			return err
		}),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("making an interpreter: %w", err)
	}
	r.Dir = path.Clean("/" + dir)
	return r, flush, nil
}

// environment adds what the interpreter would else take from its own process.
func environment(env []string) expand.Environ {
	defaults := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	return hidden{expand.ListEnviron(append(defaults, env...)...)}
}

// hidden adds variables that a shell has but does not export.
type hidden struct{ expand.Environ }

// Get implements expand.Environ.
func (h hidden) Get(name string) expand.Variable {
	switch v := h.Environ.Get(name); {
	case v.IsSet():
		return v
	case name == shellName:
		return expand.Variable{Set: true, Kind: expand.String, Str: "sh"}
	case name == "UID" || name == "EUID" || name == "GID":
		return expand.Variable{Set: true, Kind: expand.String, Str: "0"}
	default:
		return v
	}
}

// call comes before each command: it lets out what the one before has written,
// paces loops that never sleep, and answers where a program is from our
// own list instead of the disk of this machine.
func (m *Machine) call(ctx context.Context, args []string) ([]string, error) {
	hc := interp.HandlerCtx(ctx)
	direct(hc.Stdout)
	direct(hc.Stderr)
	if m.commands.Add(1)%paceCommands == 0 {
		if err := m.sleep(ctx, paceTime); err != nil {
			return nil, err
		}
	}
	switch {
	case args[0] == "type":
		return append([]string{"which"}, args[1:]...), nil
	case args[0] == "command" && len(args) > 1 && (args[1] == "-v" || args[1] == "-V"):
		return append([]string{"which"}, args[2:]...), nil
	default:
		return args, nil
	}
}

// sleep waits on the machine's clock.
func (m *Machine) sleep(ctx context.Context, d time.Duration) error {
	timer := m.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exec runs one of the programs.
func (m *Machine) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	run, ok := programOf(args[0])
	if !ok {
		_, _ = fmt.Fprintf(hc.Stderr, "sh: %s: not found (the simulated runtime has no such program)\n", args[0])
		return interp.ExitStatus(exitNotFound)
	}
	p := &process{
		machine: m, name: args[0], args: args[1:], env: hc.Env, dir: hc.Dir,
		stdin: hc.Stdin, stdout: direct(hc.Stdout), stderr: direct(hc.Stderr),
	}
	return p.conclude(ctx, run(ctx, p))
}

// open opens a file for a redirection.
func (m *Machine) open(ctx context.Context, name string, flag int, _ os.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	switch name {
	case "/dev/null":
		return device{reader: bytes.NewReader(nil), writer: io.Discard}, nil
	case "/dev/stdout", "/proc/1/fd/1":
		return device{reader: bytes.NewReader(nil), writer: hc.Stdout}, nil
	case "/dev/stderr", "/proc/1/fd/2":
		return device{reader: bytes.NewReader(nil), writer: hc.Stderr}, nil
	default:
		return m.Files.Open(absolute(hc.Dir, name), flag)
	}
}

// device is a special file.
type device struct {
	reader io.Reader
	writer io.Writer
}

// Read implements io.Reader.
func (d device) Read(p []byte) (int, error) { return d.reader.Read(p) }

// Write implements io.Writer.
func (d device) Write(p []byte) (int, error) { return d.writer.Write(p) }

// Close implements io.Closer.
func (d device) Close() error { return nil }

// stdinFile makes the pipe that the interpreter needs. release closes it: the
// copying goroutine ends with its next read.
func stdinFile(r io.Reader) (file io.Reader, release func(), err error) {
	switch r := r.(type) {
	case nil:
		return nil, func() {}, nil
	case *os.File:
		return r, func() {}, nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("making a pipe for stdin: %w", err)
	}
	go func() {
		_, _ = io.Copy(write, r) // the command may end before its input
		_ = write.Close()
	}()
	return read, func() {
		_ = read.Close()
		_ = write.Close()
	}, nil
}
