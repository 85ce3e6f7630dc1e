package shell

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// lineLimit bounds one line of a program that works line by line.
const lineLimit = 1 << 20 // bytes

// writeFlags are how tee opens its files.
func writeFlags(set map[rune]string) int {
	if _, ok := set['a']; ok {
		return os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	return os.O_WRONLY | os.O_CREATE | os.O_TRUNC
}

// lines reads all lines of the named files or stdin.
func (p *process) lines(ctx context.Context, names []string) ([]string, error) {
	var lines []string
	err := p.inputs(ctx, names, func(r io.Reader) error {
		return scanLines(r, func(line string) bool {
			lines = append(lines, line)
			return true
		})
	})
	return lines, err
}

// scanLines calls line for each line until it returns false.
func scanLines(r io.Reader, line func(string) bool) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, lineLimit)
	for scanner.Scan() {
		if !line(scanner.Text()) {
			return nil
		}
	}
	return scanner.Err()
}

// write writes lines and then returns err.
func (p *process) write(lines []string, err error) error {
	for _, l := range lines {
		if _, writeErr := io.WriteString(p.stdout, l+"\n"); writeErr != nil {
			return interp.ExitStatus(1)
		}
	}
	return err
}

// count takes the number of lines of head and tail: -n N or -N, 10 by default.
func (p *process) count(known string) (n int, set map[rune]string, names []string, err error) {
	if len(p.args) > 0 && len(p.args[0]) > 1 && p.args[0][0] == '-' {
		if n, err := strconv.Atoi(p.args[0][1:]); err == nil {
			return n, nil, p.args[1:], nil
		}
	}
	set, names, err = p.flags(known, "n")
	if err != nil {
		return 0, nil, nil, err
	}
	n = 10
	if text, ok := set['n']; ok {
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			return 0, nil, nil, fmt.Errorf("invalid number of lines: '%s'", text)
		}
	}
	return n, set, names, nil
}

func head(ctx context.Context, p *process) error {
	n, _, names, err := p.count("q")
	if err != nil {
		return err
	}
	return p.inputs(ctx, names, func(r io.Reader) error {
		left := n
		return scanLines(r, func(line string) bool {
			if left--; left >= 0 {
				_ = p.write([]string{line}, nil)
			}
			return left > 0
		})
	})
}

// tail prints the last lines; with -f it then waits for ever, since what is
// added to files of this kind is not followed.
func tail(ctx context.Context, p *process) error {
	n, set, names, err := p.count("fF")
	if err != nil {
		return err
	}
	lines, err := p.lines(ctx, names)
	err = p.write(lines[max(0, len(lines)-n):], err)
	_, follow := set['f']
	_, retry := set['F']
	if (follow || retry) && err == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func wc(ctx context.Context, p *process) error {
	set, names, err := p.flags("lwc", "")
	if err != nil {
		return err
	}
	lines, words, bytes := 0, 0, 0
	err = p.inputs(ctx, names, func(r io.Reader) error {
		content, err := io.ReadAll(r)
		lines += strings.Count(string(content), "\n")
		words += len(strings.Fields(string(content)))
		bytes += len(content)
		return err
	})
	var columns []string
	for _, c := range []struct {
		flag  rune
		value int
	}{{'l', lines}, {'w', words}, {'c', bytes}} {
		if _, ok := set[c.flag]; ok || len(set) == 0 {
			columns = append(columns, strconv.Itoa(c.value))
		}
	}
	return p.write([]string{strings.Join(append(columns, names...), " ")}, err)
}

func grep(ctx context.Context, p *process) error {
	set, rest, err := p.flags("qvicEF", "e")
	if err != nil {
		return err
	}
	pattern, given := set['e']
	if !given {
		if len(rest) == 0 {
			return fmt.Errorf("missing pattern")
		}
		pattern, rest = rest[0], rest[1:]
	}
	match, err := matcher(pattern, set)
	if err != nil {
		return err
	}
	lines, err := p.lines(ctx, rest)
	_, invert := set['v']
	found := slices.DeleteFunc(lines, func(l string) bool { return match(l) == invert })
	_, quiet := set['q']
	_, counted := set['c']
	switch {
	case quiet:
	case counted:
		err = p.write([]string{strconv.Itoa(len(found))}, err)
	default:
		err = p.write(found, err)
	}
	if err == nil && len(found) == 0 {
		return interp.ExitStatus(1)
	}
	return err
}

// matcher is grep's pattern: a regular expression in Go's syntax, which is that
// of grep -E in all that examples use, or with -F plain text.
func matcher(pattern string, set map[rune]string) (func(string) bool, error) {
	if _, fixed := set['F']; fixed {
		pattern = regexp.QuoteMeta(pattern)
	}
	if _, fold := set['i']; fold {
		pattern = "(?i)" + pattern
	}
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern '%s' is not simulated: %w", pattern, err)
	}
	return expression.MatchString, nil
}

func cut(ctx context.Context, p *process) error {
	set, names, err := p.flags("", "df")
	if err != nil {
		return err
	}
	field, err := strconv.Atoi(set['f'])
	if err != nil || field < 1 {
		return fmt.Errorf("only -f with one number is simulated, not '%s'", set['f'])
	}
	delimiter, ok := set['d']
	if !ok {
		delimiter = "\t"
	}
	lines, err := p.lines(ctx, names)
	for i, l := range lines {
		if parts := strings.Split(l, delimiter); len(parts) >= field {
			lines[i] = parts[field-1]
		} else if len(parts) > 1 {
			lines[i] = ""
		}
	}
	return p.write(lines, err)
}

func sortLines(ctx context.Context, p *process) error {
	set, names, err := p.flags("ru", "")
	if err != nil {
		return err
	}
	lines, err := p.lines(ctx, names)
	slices.Sort(lines)
	if _, unique := set['u']; unique {
		lines = slices.Compact(lines)
	}
	if _, reverse := set['r']; reverse {
		slices.Reverse(lines)
	}
	return p.write(lines, err)
}
