package shell

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
)

func ls(_ context.Context, p *process) error {
	set, names, err := p.flags("la1dAh", "")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	_, long := set['l']
	_, dots := set['a']
	if _, almost := set['A']; almost {
		dots = true
	}
	_, itself := set['d']
	var failed error
	for _, name := range names {
		if err := p.list(name, listing{long: long, dots: dots, itself: itself, title: len(names) > 1}); err != nil {
			complain(p.stderr, "ls", brief(err))
			failed = interp.ExitStatus(1)
		}
	}
	return failed
}

// listing is how ls shows a directory.
type listing struct{ long, dots, itself, title bool }

func (p *process) list(name string, how listing) error {
	full := absolute(p.dir, name)
	info, err := p.machine.Files.Stat(full)
	if err != nil {
		return err
	}
	if !info.IsDir() || how.itself {
		return p.line(entryLine(name, info.Mode().String(), info.Size(), info.ModTime(), how.long))
	}
	entries, err := p.machine.Files.ReadDir(full)
	if err != nil {
		return err
	}
	if how.title {
		_ = p.line(name + ":")
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !how.dots {
			continue
		}
		i, err := e.Info()
		if err != nil {
			return err
		}
		if err := p.line(entryLine(e.Name(), i.Mode().String(), i.Size(), i.ModTime(), how.long)); err != nil {
			return err
		}
	}
	return nil
}

func entryLine(name, mode string, size int64, modified time.Time, long bool) string {
	if !long {
		return name
	}
	return fmt.Sprintf("%s 1 root root %8d %s %s", mode, size, modified.UTC().Format("Jan _2 15:04"), name)
}

func touch(_ context.Context, p *process) error {
	return p.each(p.args, func(name string) error { return p.machine.Files.Touch(name) })
}

func mkdir(_ context.Context, p *process) error {
	set, names, err := p.flags("p", "m")
	if err != nil {
		return err
	}
	_, parents := set['p']
	return p.each(names, func(name string) error {
		if !parents {
			return p.machine.Files.Mkdir(name)
		}
		return p.mkdirAll(name)
	})
}

func (p *process) mkdirAll(name string) error {
	info, err := p.machine.Files.Stat(name)
	if err == nil && info.IsDir() {
		return nil
	}
	if name != "/" {
		if err := p.mkdirAll(path.Dir(name)); err != nil {
			return err
		}
	}
	return p.machine.Files.Mkdir(name)
}

func rm(_ context.Context, p *process) error {
	set, names, err := p.flags("rRf", "")
	if err != nil {
		return err
	}
	_, small := set['r']
	_, capital := set['R']
	_, force := set['f']
	return p.each(names, func(name string) error {
		_, err := p.machine.Files.Stat(name)
		if err != nil && force {
			return nil
		}
		return p.machine.Files.Remove(name, small || capital)
	})
}

func mktemp(_ context.Context, p *process) error {
	set, _, err := p.flags("d", "")
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		name := fmt.Sprintf("/tmp/tmp.%06d", n)
		if _, err := p.machine.Files.Stat(name); err == nil {
			continue
		}
		create := p.machine.Files.Touch
		if _, dir := set['d']; dir {
			create = p.machine.Files.Mkdir
		}
		if err := create(name); err != nil {
			return brief(err)
		}
		return p.line(name)
	}
}

// each does something to every named file and complains of those that fail.
func (p *process) each(names []string, do func(name string) error) error {
	if len(names) == 0 {
		return fmt.Errorf("missing operand")
	}
	var failed error
	for _, name := range names {
		if err := do(absolute(p.dir, name)); err != nil {
			complain(p.stderr, p.name, brief(err))
			failed = interp.ExitStatus(1)
		}
	}
	return failed
}

func tee(ctx context.Context, p *process) error {
	set, names, err := p.flags("a", "")
	if err != nil {
		return err
	}
	flag := writeFlags(set)
	writers := []io.Writer{p.stdout}
	for _, name := range names {
		f, err := p.machine.Files.Open(absolute(p.dir, name), flag)
		if err != nil {
			return brief(err)
		}
		writers = append(writers, f)
	}
	r, release := p.input(ctx)
	defer release()
	_, err = io.Copy(io.MultiWriter(writers...), r)
	return err
}
