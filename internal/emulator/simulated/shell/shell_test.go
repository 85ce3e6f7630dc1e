package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
)

// In these tests time passes only while every goroutine is idle
// (testing/synctest), so a sleep of an hour takes none.

// screen collects output and tells how much of it there is.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newMachine has a config file, a read-only mount and a shared directory.
func newMachine() *Machine {
	root, config, shared := NewVolume(), NewVolume(), NewVolume()
	root.Put("/tmp/.keep", nil, 0o644)
	root.Put("/etc/hostname", []byte("web\n"), 0o644)
	config.Put("app.conf", []byte("port=80\n"), 0o644)
	config.Put("sub/deep.conf", []byte("deep\n"), 0o600)
	files := NewFiles(clock.RealClock{}, root, []Mount{
		{Volume: config, Path: "/config", ReadOnly: true},
		{Volume: config, Path: "/one.conf", SubPath: "sub/deep.conf", ReadOnly: true},
		{Volume: shared, Path: "/shared"},
	})
	return &Machine{
		Clock: clock.RealClock{}, Hostname: "web", Files: files,
		Env: []string{"NAME=World", "EMPTY="},
	}
}

// result is what a command left.
type result struct {
	Out, Err string
	Code     int
	Took     time.Duration
}

func run(t *testing.T, m *Machine, stdin io.Reader, argv ...string) result {
	t.Helper()
	var out, errs screen
	start := time.Now()
	code, err := m.Run(t.Context(), argv, Streams{Stdin: stdin, Stdout: &out, Stderr: &errs})
	if err != nil {
		t.Fatalf("running %q: %v", argv, err)
	}
	return result{out.String(), errs.String(), code, time.Since(start)}
}

func TestScripts(t *testing.T) {
	cases := map[string]struct {
		reason string
		script string
		want   result
	}{
		"Echo":         {"words are written", `echo hello "big  world"`, result{Out: "hello big  world\n"}},
		"Semicolons":   {"commands follow each other", `echo a; sleep 2; echo b; exit 3`, result{Out: "a\nb\n", Code: 3, Took: 2 * time.Second}},
		"And":          {"the second needs the first", `false && echo no; true && echo yes`, result{Out: "yes\n"}},
		"Newlines":     {"lines are commands", "echo a\n\n# nothing\necho b", result{Out: "a\nb\n"}},
		"LastCode":     {"the last command tells the exit code", `true; false`, result{Code: 1}},
		"Variables":    {"the environment is there", `echo "$NAME ${NAME}! ${MISSING:-none}"`, result{Out: "World World! none\n"}},
		"Assignments":  {"variables can be set and computed", `i=1; i=$((i+2)); echo $i`, result{Out: "3\n"}},
		"Export":       {"only exported variables reach programs", `A=1; export B=2; printenv A; printenv B`, result{Out: "2\n"}},
		"Printenv":     {"a missing variable fails", `printenv NOPE`, result{Code: 1}},
		"Env":          {"env shows all, sorted", `env | grep -v -E "PATH|PWD|HOME|OLDPWD"`, result{Out: "EMPTY=\nNAME=World\n"}},
		"Hostname":     {"the hostname is the machine's", `hostname; uname -n`, result{Out: "web\nweb\n"}},
		"Cat":          {"config files can be read", `cat /config/app.conf /one.conf`, result{Out: "port=80\ndeep\n"}},
		"CatMissing":   {"a missing file fails on stderr", `cat /nope`, result{Err: "cat: /nope: No such file or directory\n", Code: 1}},
		"CatDirectory": {"a directory cannot be read", `cat /config`, result{Err: "cat: /config: is a directory\n", Code: 1}},
		"ReadOnly":     {"read-only mounts stay", `echo x > /config/app.conf`, result{Err: "open /config/app.conf: read-only file system\n", Code: 1}},
		"Redirect":     {"files can be written and appended to", `echo a > /shared/f; echo b >> /shared/f; cat /shared/f`, result{Out: "a\nb\n"}},
		"Truncate":     {"> empties the file", `echo long > /tmp/f; echo s > /tmp/f; cat /tmp/f`, result{Out: "s\n"}},
		"NoDirectory":  {"a directory must exist", `echo a > /no/f`, result{Err: "open /no/f: no such file or directory\n", Code: 1}},
		"Input":        {"files can be stdin", `cat < /config/app.conf`, result{Out: "port=80\n"}},
		"Heredoc":      {"documents can be stdin", "cat <<END\nhi $NAME\nEND\n", result{Out: "hi World\n"}},
		"Pipe":         {"output can be input", `printf "b\na\nb\n" | sort -u | head -n 1`, result{Out: "a\n"}},
		"Substitution": {"output can be a word", `echo "<$(cat /etc/hostname)>"`, result{Out: "<web>\n"}},
		"Stderr":       {"the two outputs are apart", `echo out; echo err >&2`, result{Out: "out\n", Err: "err\n"}},
		"Discard":      {"/dev/null swallows", `echo a > /dev/null; cat /nope 2>/dev/null; echo $?`, result{Out: "1\n"}},
		"Device":       {"/dev/stderr writes", `echo a > /dev/stderr`, result{Err: "a\n"}},
		"If":           {"files can be tested", `if [ -f /config/app.conf ]; then echo yes; else echo no; fi; test -d /nope || echo none`, result{Out: "yes\nnone\n"}},
		"For":          {"loops loop", `for i in 1 2 3; do echo $i; sleep 1; done`, result{Out: "1\n2\n3\n", Took: 3 * time.Second}},
		"While": {"a loop that counts ends", `i=0; while [ $i -lt 3 ]; do i=$((i+1)); sleep 0.5; done; echo $i`,
			result{Out: "3\n", Took: 1500 * time.Millisecond}},
		"Functions":  {"functions work", `f() { echo "f $1"; return 4; }; f x; echo $?`, result{Out: "f x\n4\n"}},
		"Errexit":    {"set -e ends at the first failure", `set -e; false; echo no`, result{Code: 1}},
		"Trap":       {"an exit trap runs", `trap "echo bye" EXIT; echo hi`, result{Out: "hi\nbye\n"}},
		"Cd":         {"directories can be changed to", `cd /config && pwd && cat app.conf && ls sub`, result{Out: "/config\nport=80\ndeep.conf\n"}},
		"Ls":         {"directories list their mounts", `ls /; ls -a /tmp`, result{Out: "config\netc\none.conf\nshared\ntmp\n.keep\n"}},
		"LsMissing":  {"a missing directory fails", `ls /nope`, result{Err: "ls: /nope: No such file or directory\n", Code: 1}},
		"Touch":      {"the liveness example of Kubernetes works", `touch /tmp/healthy; cat /tmp/healthy && echo ok; rm -f /tmp/healthy; cat /tmp/healthy`, result{Out: "ok\n", Err: "cat: /tmp/healthy: No such file or directory\n", Code: 1}},
		"Mkdir":      {"directories can be made and removed", `mkdir -p /shared/a/b && touch /shared/a/b/c && ls /shared/a && rm -r /shared/a && ls /shared`, result{Out: "b\n"}},
		"Glob":       {"patterns find files", `echo /config/*.conf`, result{Out: "/config/app.conf\n"}},
		"Wc":         {"lines are counted", `printf "a b\nc\n" | wc -l; printf "a b\nc\n" | wc`, result{Out: "2\n2 3 6\n"}},
		"Tail":       {"the last lines", `seq 1 20 | tail -n 2; seq 3 | head -1`, result{Out: "19\n20\n1\n"}},
		"Grep":       {"lines are found", `printf "ab\ncd\n" | grep -i AB; grep -q zz /config/app.conf`, result{Out: "ab\n", Code: 1}},
		"Tee":        {"output goes to both", `echo x | tee /tmp/t; cat /tmp/t`, result{Out: "x\nx\n"}},
		"Cut":        {"fields are cut", `cut -d = -f 2 /config/app.conf`, result{Out: "80\n"}},
		"Expr":       {"old arithmetic", `expr 2 + 3`, result{Out: "5\n"}},
		"Date":       {"the clock is the machine's", `date +%s; date +%Y-%m-%dT%H:%M:%SZ`, result{Out: "946684800\n2000-01-01T00:00:00Z\n"}},
		"Identity":   {"everybody is root", `id -u; whoami`, result{Out: "0\nroot\n"}},
		"Nested":     {"shells in shells see exported variables only", `A=1; sh -c 'echo "[$A$NAME]"; exit 5'; echo $?`, result{Out: "[World]\n5\n"}},
		"Which":      {"programs are looked up in our own list", `command -v cat; command -v docker || echo none`, result{Out: "/bin/cat\nnone\n"}},
		"Unknown":    {"unknown programs fail aloud", `apk add curl`, result{Err: "sh: apk: not found (the simulated runtime has no such program)\n", Code: 127}},
		"NoProcess":  {"the disk of this machine is out of reach", `/bin/dd if=/etc/passwd; cat /etc/passwd`, result{Err: "sh: /bin/dd: not found (the simulated runtime has no such program)\ncat: /etc/passwd: No such file or directory\n", Code: 1}},
		"Option":     {"unknown options fail aloud", `ls -Z`, result{Err: "ls: option -Z is not simulated\n", Code: 1}},
		"FIFO":       {"what needs the real disk is refused", `cat <(echo a)`, result{Err: "sh: process substitution is not simulated\n", Code: 1}},
		"Background": {"a script does not wait for what it left behind", `sleep 100 & echo now`, result{Out: "now\n"}},
		"Wait":       {"wait waits", `sleep 3 & wait; echo done`, result{Out: "done\n", Took: 3 * time.Second}},
		"BusyLoop":   {"a loop without sleeps costs time, not the core", `i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done`, result{Took: 10 * time.Millisecond}},
		"Syntax":     {"what does not parse is exit code 2", `echo a; if`, result{Out: "a\n", Err: "sh: syntax error: 1:9: `if` must be followed by a statement list\n", Code: 2}},
		"SleepUnits": {"sleep knows units", `sleep 1m 0.5s`, result{Took: 60500 * time.Millisecond}},
		"SleepWrong": {"sleep refuses nonsense", `sleep soon`, result{Err: "sleep: invalid time interval 'soon'\n", Code: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := run(t, newMachine(), nil, "/bin/sh", "-c", tc.script)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestCommands(t *testing.T) {
	cases := map[string]struct {
		reason string
		stdin  string
		argv   []string
		want   result
	}{
		"Echo":      {reason: "builtins are programs too", argv: []string{"echo", "$NAME"}, want: result{Out: "$NAME\n"}},
		"False":     {reason: "false fails", argv: []string{"/bin/false"}, want: result{Code: 1}},
		"Cat":       {reason: "cat copies stdin", argv: []string{"cat"}, stdin: "in\nput", want: result{Out: "in\nput"}},
		"Stdin":     {reason: "sh reads a script from stdin", argv: []string{"sh"}, stdin: "read x\nword\necho got $x\nexit 7\necho no", want: result{Out: "got word\n", Code: 7}},
		"Params":    {reason: "sh -c takes parameters", argv: []string{"sh", "-c", "echo $0 $1 $#", "name", "a", "b"}, want: result{Out: "sh a 2\n"}},
		"Options":   {reason: "options may stand together", argv: []string{"bash", "-ec", "false; echo no"}, want: result{Code: 1}},
		"LongForm":  {reason: "-o takes a name", argv: []string{"bash", "-o", "errexit", "-c", "false; echo no"}, want: result{Code: 1}},
		"NoScript":  {reason: "-c needs a script", argv: []string{"sh", "-c"}, want: result{Err: "sh: -c requires an argument\n", Code: 1}},
		"File":      {reason: "a script may be a file", argv: []string{"sh", "/nope.sh"}, want: result{Err: "sh: read /nope.sh: no such file or directory\n", Code: 1}},
		"Unknown":   {reason: "an unknown program is 127", argv: []string{"nginx"}, want: result{Err: "sh: nginx: not found (the simulated runtime has no such program)\n", Code: 127}},
		"SleepLong": {reason: "sleep sleeps", argv: []string{"sleep", "1h"}, want: result{Took: time.Hour}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stdin io.Reader
				if tc.stdin != "" {
					stdin = strings.NewReader(tc.stdin)
				}
				if diff := cmp.Diff(tc.want, run(t, newMachine(), stdin, tc.argv...)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	for name, argv := range map[string][]string{
		"Sleep":    {"sleep", "infinity"},
		"Loop":     {"sh", "-c", "while true; do sleep 10; done"},
		"BusyLoop": {"sh", "-c", "while :; do :; done"},
		"Tail":     {"tail", "-f", "/dev/null"},
		"Yes":      {"sh", "-c", "yes > /dev/null"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				code, err := newMachine().Run(ctx, argv, Streams{Stdout: io.Discard, Stderr: io.Discard})
				if code != 137 || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %d, %v; want 137 and the context's error", code, err)
				}
			})
		})
	}
}

// TestRunEndsPipelines is apart because reading a pipe counts as busy there.
func TestRunEndsPipelines(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	ended := make(chan int, 1)
	go func() {
		code, _ := newMachine().Run(ctx, []string{"sh", "-c", "sleep 100000 | cat"}, Streams{Stdout: io.Discard, Stderr: io.Discard})
		ended <- code
	}()
	select {
	case code := <-ended:
		if code != 137 {
			t.Errorf("exit code %d, want 137", code)
		}
	case <-time.After(10 * time.Second):
		t.Error("the pipeline still runs")
	}
}

func TestFilesOutliveTheirContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := NewVolume()
		machine := func() *Machine {
			files := NewFiles(clock.RealClock{}, NewVolume(), []Mount{{Volume: shared, Path: "/scratch"}})
			return &Machine{Clock: clock.RealClock{}, Files: files, Dir: "/scratch"}
		}
		run(t, machine(), nil, "sh", "-c", "echo ready > state; echo lost > /lost")
		got := run(t, machine(), nil, "sh", "-c", "cat state; ls /")
		if diff := cmp.Diff(result{Out: "ready\nscratch\n"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestVolumeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := run(t, newMachine(), nil, "sh", "-c", "yes 0123456789012345678901234567890123456789 > /tmp/full; ls -l /tmp/full | wc -l")
		if got.Out != "1\n" {
			t.Errorf("got %+v", got)
		}
	})
}

// writes notes each write.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

func TestOutputComesInLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		script := `echo one two; printf "%s-%s" a b; sleep 1; echo -n c; printf "d\ne"; cat /config/app.conf; echo "$(echo x; echo y)"; printf end`
		if _, err := newMachine().Run(t.Context(), []string{"sh", "-c", script}, Streams{Stdout: &out, Stderr: io.Discard}); err != nil {
			t.Fatalf("running: %v", err)
		}
		want := writes{"one two\n", "a-b", "c", "d\ne", "port=80\n", "x\ny\n", "end"}
		if diff := cmp.Diff(want, out); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
}

func TestRecognises(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "sh -c x": true, "/usr/bin/env": true, "echo": true, "[ 1 ]": true,
		"nginx": false, "exit 1": false, "cd /": false, "/pause": false,
	} {
		if got := Recognises(strings.Fields(text)); got != want {
			t.Errorf("Recognises(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestInteract(t *testing.T) {
	cases := map[string]struct {
		reason string
		keys   []string // typed when the shell is idle
		want   string
		code   int
	}{
		"Exit":      {"what is typed is echoed", []string{"echo $NAME\r", "exit 3\r"}, "/ # echo $NAME\r\nWorld\r\n/ # exit 3\r\n", 3},
		"EOF":       {"Ctrl-D ends the shell with the last code", []string{"false\n", "\x04"}, "/ # false\r\n/ # ", 1},
		"Continued": {"an unfinished command asks for more", []string{"if true\r", "then echo ok; fi\r", "exit\r"}, "/ # if true\r\n> then echo ok; fi\r\nok\r\n/ # exit\r\n", 0},
		"State":     {"directories and variables stay", []string{"cd /config; A=7\r", "echo $A\r", "exit\r"}, "/ # cd /config; A=7\r\n/config # echo $A\r\n7\r\n/config # exit\r\n", 0},
		"Interrupt": {"Ctrl-C ends the command, not the shell", []string{"sleep 1d\r", "\x03", "exit\r"}, "/ # sleep 1d\r\n^C\r\n/ # exit\r\n", 130},
		"Unknown":   {"errors show", []string{"foo\r", "exit\r"}, "/ # foo\r\nsh: foo: not found (the simulated runtime has no such program)\r\n/ # exit\r\n", 127},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				keys, typist := io.Pipe()
				out := &screen{}
				done := make(chan int, 1)
				go func() {
					code, err := newMachine().Interact(t.Context(), Streams{Stdin: keys, Stdout: out}, nil)
					if err != nil {
						t.Errorf("interacting: %v", err)
					}
					_ = keys.Close()
					done <- code
				}()
				for _, k := range tc.keys {
					synctest.Wait()
					if _, err := io.WriteString(typist, k); err != nil {
						t.Fatalf("typing %q: %v", k, err)
					}
				}
				if code := <-done; code != tc.code {
					t.Errorf("%s: exit code %d, want %d", tc.reason, code, tc.code)
				}
				if diff := cmp.Diff(tc.want, out.String()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
				}
			})
		})
	}
}
