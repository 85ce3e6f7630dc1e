package shell

import (
	"context"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// program runs a command besides the shell's own.
type program func(context.Context, *process) error

// programs are those that start no others.
var programs = map[string]program{
	"cat": cat, "chmod": chmod, "cmp": compare, "cut": cut, "date": date, "env": printEnvironment, "expr": expression,
	"grep": grep, "head": head, "hostname": hostname, "id": id, "ls": ls, "mkdir": mkdir,
	"mktemp": mktemp, "mv": mv, "printenv": printenv, "rm": rm, "rmdir": rmdir, "seq": seq, "sleep": sleep,
	"sort": sortLines, "tail": tail, "tee": tee, "touch": touch, "uname": uname, "wc": wc,
	"whoami": whoami, "yes": yes,
}

// programOf finds a program by its name or path. Those which look for programs
// themselves cannot stand in the table that they look into.
func programOf(file string) (program, bool) {
	name := path.Base(file)
	switch {
	case isShell(name):
		return runShell, true
	case name == "which":
		return which, true
	default:
		run, ok := programs[name]
		return run, ok
	}
}

func cat(ctx context.Context, p *process) error {
	_, names, err := p.flags("u", "")
	if err != nil {
		return err
	}
	return p.inputs(ctx, names, func(r io.Reader) error {
		_, err := io.Copy(p.stdout, r)
		return err
	})
}

// sleep takes numbers with the suffixes of coreutils, and infinity.
func sleep(ctx context.Context, p *process) error {
	if len(p.args) == 0 {
		return fmt.Errorf("missing operand")
	}
	var total time.Duration
	for _, a := range p.args {
		d, err := sleepTime(a)
		if err != nil {
			return err
		}
		if total += d; total < 0 || d == math.MaxInt64 {
			<-ctx.Done()
			return ctx.Err()
		}
	}
	return p.machine.sleep(ctx, total)
}

func sleepTime(text string) (time.Duration, error) {
	if text == "infinity" || text == "inf" {
		return math.MaxInt64, nil
	}
	unit := time.Second
	number := strings.TrimRight(text, "smhd")
	switch strings.TrimPrefix(text, number) {
	case "", "s":
	case "m":
		unit = time.Minute
	case "h":
		unit = time.Hour
	case "d":
		unit = 24 * time.Hour
	default:
		number = ""
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 || math.IsNaN(n) {
		return 0, fmt.Errorf("invalid time interval '%s'", text)
	}
	if n*float64(unit) >= math.MaxInt64 {
		return math.MaxInt64, nil
	}
	return time.Duration(n * float64(unit)), nil
}

func printEnvironment(ctx context.Context, p *process) error {
	if len(p.args) > 0 {
		return fmt.Errorf("running a command with a changed environment is not simulated; use NAME=value COMMAND")
	}
	return p.line(strings.Join(p.exported(), "\n"))
}

func printenv(ctx context.Context, p *process) error {
	if len(p.args) == 0 {
		return printEnvironment(ctx, p)
	}
	var failed error
	for _, name := range p.args {
		v := p.env.Get(name)
		if !v.IsSet() || !v.Exported {
			failed = interp.ExitStatus(1)
			continue
		}
		if err := p.line(v.String()); err != nil {
			return err
		}
	}
	return failed
}

// line writes a line, or nothing if it is empty.
func (p *process) line(text string) error {
	if text == "" {
		return nil
	}
	_, err := io.WriteString(p.stdout, text+"\n")
	return err
}

func hostname(_ context.Context, p *process) error {
	if _, _, err := p.flags("fs", ""); err != nil {
		return err
	}
	return p.line(p.machine.Hostname)
}

func whoami(_ context.Context, p *process) error { return p.line("root") }

func id(_ context.Context, p *process) error {
	set, _, err := p.flags("ung", "")
	if err != nil {
		return err
	}
	_, user := set['u']
	_, group := set['g']
	if _, name := set['n']; name {
		return p.line("root")
	}
	if user || group {
		return p.line("0")
	}
	return p.line("uid=0(root) gid=0(root) groups=0(root)")
}

func uname(_ context.Context, p *process) error {
	set, _, err := p.flags("asnrm", "")
	if err != nil {
		return err
	}
	parts := map[rune]string{'s': "Linux", 'n': p.machine.Hostname, 'r': "5.10.0-simulated", 'm': "x86_64"}
	_, all := set['a']
	var words []string
	for _, letter := range "snrm" {
		if _, ok := set[letter]; ok || all || (len(set) == 0 && letter == 's') {
			words = append(words, parts[letter])
		}
	}
	return p.line(strings.Join(words, " "))
}

func which(_ context.Context, p *process) error {
	var failed error
	for _, name := range p.args {
		switch {
		case !Recognises([]string{name}) && !interp.IsBuiltin(name):
			failed = interp.ExitStatus(1)
		case interp.IsBuiltin(name):
			_ = p.line(name)
		default:
			_ = p.line("/bin/" + path.Base(name))
		}
	}
	return failed
}

func yes(ctx context.Context, p *process) error {
	text := "y"
	if len(p.args) > 0 {
		text = strings.Join(p.args, " ")
	}
	for n := 1; ; n++ {
		if err := p.line(text); err != nil {
			return interp.ExitStatus(1) // the reader is gone
		}
		if n%paceCommands == 0 {
			if err := p.machine.sleep(ctx, paceTime); err != nil {
				return err
			}
		}
	}
}

// seqLimit bounds the numbers of one seq.
const seqLimit = 1_000_000

func seq(_ context.Context, p *process) error {
	numbers := make([]int, 0, 3)
	for _, a := range p.args {
		n, err := strconv.Atoi(a)
		if err != nil {
			return fmt.Errorf("invalid integer argument: '%s'", a)
		}
		numbers = append(numbers, n)
	}
	first, step := 1, 1
	var last int
	switch len(numbers) {
	case 1:
		last = numbers[0]
	case 2:
		first, last = numbers[0], numbers[1]
	case 3:
		first, step, last = numbers[0], numbers[1], numbers[2]
	default:
		return fmt.Errorf("want one to three numbers, not %d", len(numbers))
	}
	if step == 0 || (last-first)/step > seqLimit {
		return fmt.Errorf("more than %d numbers are not simulated", seqLimit)
	}
	for n := first; (step > 0 && n <= last) || (step < 0 && n >= last); n += step {
		if err := p.line(strconv.Itoa(n)); err != nil {
			return interp.ExitStatus(1)
		}
	}
	return nil
}

// dateWords are strftime's conversions as Go's layout.
var dateWords = strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%H", "15", "%M", "04", "%S", "05",
	"%F", "2006-01-02", "%T", "15:04:05", "%Z", "MST", "%z", "-0700", "%b", "Jan", "%a", "Mon", "%N", "000000000",
	"%I", "03", "%p", "PM", "%e", "_2", "%y", "06", "%%", "%")

func date(_ context.Context, p *process) error {
	_, rest, err := p.flags("u", "")
	if err != nil {
		return err
	}
	now := p.machine.Clock.Now().UTC()
	switch {
	case len(rest) == 0:
		return p.line(now.Format(time.UnixDate))
	case rest[0] == "+%s":
		return p.line(strconv.FormatInt(now.Unix(), 10))
	case rest[0] == "+%s%N":
		return p.line(strconv.FormatInt(now.UnixNano(), 10))
	case strings.HasPrefix(rest[0], "+"):
		return p.line(now.Format(dateWords.Replace(rest[0][1:])))
	default:
		return fmt.Errorf("setting the date is not simulated")
	}
}

// expression is integer arithmetic of two operands, as old loops count.
func expression(_ context.Context, p *process) error {
	if len(p.args) != 3 {
		return fmt.Errorf("only A + B, A - B, A * B, A / B and A %% B are simulated")
	}
	a, errA := strconv.Atoi(p.args[0])
	b, errB := strconv.Atoi(p.args[2])
	if errA != nil || errB != nil {
		return fmt.Errorf("non-integer argument")
	}
	operator := p.args[1]
	if b == 0 && (operator == "/" || operator == "%") {
		return fmt.Errorf("division by zero")
	}
	operations := map[string]func() int{
		"+": func() int { return a + b }, "-": func() int { return a - b }, "*": func() int { return a * b },
		"/": func() int { return a / b }, "%": func() int { return a % b },
	}
	operation, ok := operations[operator]
	if !ok {
		return fmt.Errorf("operator %s is not simulated", operator)
	}
	result := operation()
	if err := p.line(strconv.Itoa(result)); err != nil || result != 0 {
		return err
	}
	return interp.ExitStatus(1) // as expr does for a null result
}
