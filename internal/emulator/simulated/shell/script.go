package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// errProcessSubstitution: the interpreter would make a real named pipe for it.
var errProcessSubstitution = errors.New("process substitution is not simulated")

// runShell is the program sh with its usual forms: -c SCRIPT [NAME [ARG…]],
// FILE [ARG…], and without either the script is read from stdin.
func runShell(ctx context.Context, p *process) error {
	options, script, params, err := shellArguments(p)
	if err != nil {
		return err
	}
	runner, flush, err := p.machine.runner(p.streams(), p.exported(), p.dir)
	if err != nil {
		return err
	}
	defer flush()
	if err := interp.Params(append(append(options, "--"), params...)...)(runner); err != nil {
		return err
	}
	return runStatements(ctx, runner, statements(script))
}

// shellArguments splits the command line of a shell; script is what to read.
func shellArguments(p *process) (options []string, script io.Reader, params []string, err error) {
	options, command, rest, err := shellOptions(p.args)
	if err != nil {
		return nil, nil, nil, err
	}
	switch {
	case command && len(rest) == 0:
		return nil, nil, nil, errors.New("-c requires an argument")
	case command:
		return options, strings.NewReader(rest[0]), rest[min(2, len(rest)):], nil
	case len(rest) > 0:
		content, err := p.machine.Files.Read(absolute(p.dir, rest[0]))
		if err != nil {
			return nil, nil, nil, err
		}
		return options, bytes.NewReader(content), rest[1:], nil
	case p.stdin == nil:
		return options, strings.NewReader(""), nil, nil
	default:
		return options, oneByte{p.stdin}, nil, nil
	}
}

// shellOptions splits the options off a shell's arguments; command tells that
// the first of the rest is a script.
func shellOptions(args []string) (options []string, command bool, rest []string, err error) {
	rest = args
	for len(rest) > 0 && len(rest[0]) > 1 && strings.ContainsRune("-+", rune(rest[0][0])) {
		flags := rest[0]
		rest = rest[1:]
		switch {
		case flags == "--":
			return options, command, rest, nil
		case flags == "-o" || flags == "+o":
			if len(rest) == 0 {
				return nil, false, nil, fmt.Errorf("%s: option requires an argument", flags)
			}
			options, rest = append(options, flags, rest[0]), rest[1:]
		case strings.HasPrefix(flags, "--"): // --login, --norc: nothing to do without files of that kind
		default:
			command = command || strings.Contains(flags[1:], "c")
			// l, i and s change nothing here; the others are for the shell.
			if others := strings.NewReplacer("c", "", "l", "", "i", "", "s", "").Replace(flags); len(others) > 1 {
				options = append(options, others)
			}
		}
	}
	return options, command, rest, nil
}

// oneByte reads no further than asked, so that the commands of a script from
// stdin find there what the script has not consumed.
type oneByte struct{ reader io.Reader }

// Read implements io.Reader.
func (o oneByte) Read(p []byte) (int, error) { return o.reader.Read(p[:min(1, len(p))]) }

// statements parses a script: one from stdin as it is read, any other at once,
// so that no parser is kept while a loop runs for ever.
func statements(script io.Reader) iter.Seq2[*syntax.Stmt, error] {
	parsed := parse(script)
	if _, interactive := script.(oneByte); interactive {
		return parsed
	}
	var all []*syntax.Stmt
	var failed error
	for statement, err := range parsed {
		if err != nil {
			failed = err
			break
		}
		all = append(all, statement)
	}
	return func(yield func(*syntax.Stmt, error) bool) {
		for _, statement := range all {
			if !yield(statement, nil) {
				return
			}
		}
		if failed != nil {
			yield(nil, failed)
		}
	}
}

// parse yields the statements of a script as they are read. The parser itself
// may go on to yield an error after it was told to stop, which a range statement
// does not survive.
func parse(script io.Reader) iter.Seq2[*syntax.Stmt, error] {
	return func(yield func(*syntax.Stmt, error) bool) {
		goOn := true
		syntax.NewParser().StmtsSeq(script)(func(statement *syntax.Stmt, err error) bool {
			goOn = goOn && yield(statement, err)
			return goOn
		})
	}
}

// runStatements runs statements until one exits the shell. The error is an
// interp.ExitStatus for a non-zero exit code.
func runStatements(ctx context.Context, runner *interp.Runner, script iter.Seq2[*syntax.Stmt, error]) error {
	for statement, err := range script {
		if err != nil {
			return &syntaxError{err}
		}
		if err := prepare(statement); err != nil {
			return err
		}
		last := runner.Run(ctx, statement)
		var status interp.ExitStatus
		if last != nil && !errors.As(last, &status) {
			return last
		}
		if runner.Exited() {
			return last
		}
	}
	return runner.Run(ctx, leave) // runs the exit trap
}

// syntaxError is a script that does not parse.
type syntaxError struct{ err error }

// Error implements error.
func (e *syntaxError) Error() string { return "syntax error: " + e.err.Error() }

// shellName is the variable that holds $0, under bash's other name for it.
const shellName = "BASH_ARGV0"

// prepare makes a statement fit to run: it refuses what would reach outside the
// emulator, and gives $0 the shell's name instead of the interpreter's.
func prepare(statement *syntax.Stmt) error {
	var found error
	syntax.Walk(statement, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ProcSubst:
			found = errProcessSubstitution
		case *syntax.ParamExp:
			if n.Param != nil && n.Param.Value == "0" {
				n.Param.Value = shellName
			}
		}
		return found == nil
	})
	return found
}

// isShell tells whether a program is a shell.
func isShell(name string) bool {
	switch path.Base(name) {
	case "sh", "ash", "bash", "dash":
		return true
	default:
		return false
	}
}
