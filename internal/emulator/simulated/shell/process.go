package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// process is one run of a program.
type process struct {
	machine        *Machine
	name           string
	args           []string
	env            expand.Environ
	dir            string
	stdin          io.Reader // nil: empty
	stdout, stderr io.Writer
}

// streams are the process's standard files.
func (p *process) streams() Streams { return Streams{p.stdin, p.stdout, p.stderr} }

// conclude turns what a program returned into what the interpreter expects: an
// exit code, with the complaint written, or the end of the context.
func (p *process) conclude(ctx context.Context, err error) error {
	var status interp.ExitStatus
	var unreadable *syntaxError
	switch {
	case err == nil || errors.As(err, &status) || ctx.Err() != nil:
		return err
	case errors.As(err, &unreadable):
		complain(p.stderr, p.name, err)
		return interp.ExitStatus(exitSyntax)
	default:
		complain(p.stderr, p.name, err)
		return interp.ExitStatus(1)
	}
}

// exported is the environment that a program sees, sorted by name.
func (p *process) exported() []string {
	var env []string
	for name, v := range p.env.Each {
		if v.Exported && v.IsSet() {
			env = append(env, name+"="+v.String())
		}
	}
	slices.Sort(env)
	return env
}

// input returns stdin, and makes its reads fail once ctx ends. The caller calls
// release when done.
func (p *process) input(ctx context.Context) (r io.Reader, release func()) {
	if p.stdin == nil {
		return strings.NewReader(""), func() {}
	}
	file, ok := p.stdin.(*os.File)
	if !ok {
		return p.stdin, func() {}
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) }) // pipes have deadlines
	return file, func() { stop() }
}

// inputs calls read with each named file in turn, or with stdin if there is
// none. A file that cannot be read is complained of and the rest still read.
func (p *process) inputs(ctx context.Context, names []string, read func(io.Reader) error) error {
	if len(names) == 0 {
		names = []string{"-"}
	}
	var failed error
	for _, name := range names {
		r, release, err := p.openInput(ctx, name)
		if err == nil {
			err = read(r)
			release()
		}
		if err != nil && ctx.Err() == nil {
			complain(p.stderr, p.name, brief(err))
			failed = interp.ExitStatus(1)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed
}

func (p *process) openInput(ctx context.Context, name string) (io.Reader, func(), error) {
	switch name {
	case "-", "/dev/stdin":
		r, release := p.input(ctx)
		return r, release, nil
	case "/dev/null":
		return strings.NewReader(""), func() {}, nil
	}
	content, err := p.machine.Files.Read(absolute(p.dir, name))
	if err != nil {
		return nil, nil, err
	}
	return strings.NewReader(string(content)), func() {}, nil
}

// brief is an error in the words of coreutils: "NAME: No such file or directory".
func brief(err error) error {
	var pathError *os.PathError
	if !errors.As(err, &pathError) {
		return err
	}
	text := pathError.Err.Error()
	if errors.Is(pathError.Err, os.ErrNotExist) {
		text = "No such file or directory"
	}
	return fmt.Errorf("%s: %s", pathError.Path, text)
}

// flags splits one-letter options off the arguments. known lists those without
// a value; those of valued take one. An unknown option is an error, so that
// nothing is ignored in silence.
func (p *process) flags(known, valued string) (set map[rune]string, rest []string, err error) {
	set, rest = map[rune]string{}, p.args
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		letters := rest[0][1:]
		rest = rest[1:]
		if letters == "-" {
			break
		}
		for i, letter := range letters {
			if strings.ContainsRune(known, letter) {
				set[letter] = ""
				continue
			}
			if !strings.ContainsRune(valued, letter) {
				return nil, nil, fmt.Errorf("option -%c is not simulated", letter)
			}
			value := letters[i+1:]
			if value == "" {
				if len(rest) == 0 {
					return nil, nil, fmt.Errorf("option -%c requires an argument", letter)
				}
				value, rest = rest[0], rest[1:]
			}
			set[letter] = value
			break
		}
	}
	return set, rest, nil
}
