package kubernetes

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const stamp = "2000-01-01T00:00:00.000000001Z"

func line(text string) engine.LogLine {
	return engine.LogLine{Time: clockStart.Add(time.Nanosecond), Text: text}
}

func TestReadLog(t *testing.T) {
	broken := errors.New("broken")
	long := strings.Repeat("x", 100<<10) // more than the reader's buffer
	cases := map[string]struct {
		reason string
		from   io.Reader
		want   []engine.LogLine
		err    error
	}{
		"Lines":   {reason: "as a kubelet writes them", from: strings.NewReader(stamp + " a\n" + stamp + " b c\n"), want: []engine.LogLine{line("a"), line("b c")}},
		"Partial": {reason: "a program need not end with a newline", from: strings.NewReader(stamp + " a\n" + stamp + " b"), want: []engine.LogLine{line("a"), line("b")}},
		"Empty":   {reason: "empty lines are lines", from: strings.NewReader(stamp + " \n" + stamp + "\n"), want: []engine.LogLine{line(""), line("")}},
		"Return":  {reason: "a terminal's line ends are the program's", from: strings.NewReader(stamp + " a\r\n"), want: []engine.LogLine{line("a\r")}},
		"Long":    {reason: "longer than any buffer", from: strings.NewReader(stamp + " " + long + "\n"), want: []engine.LogLine{line(long)}},
		"Foreign": {
			reason: "the kubelet's own complaint",
			from:   strings.NewReader("unable to retrieve container logs for containerd://1\n" + stamp + " a\n"), want: []engine.LogLine{line("a")},
		},
		"NoLog": {
			reason: "nothing but a complaint", from: strings.NewReader("unable to retrieve container logs for containerd://1"), err: errNoLog,
		},
		"Zone": {
			reason: "a kubelet in another zone", from: strings.NewReader("2000-01-01T08:00:00.000000001+08:00 a\n"), want: []engine.LogLine{line("a")},
		},
		"Broken": {
			reason: "half a line of a stream that fails is nothing", err: broken,
			from: io.MultiReader(strings.NewReader(stamp+" a\n"+stamp+" hal"), iotest.ErrReader(broken)), want: []engine.LogLine{line("a")},
		},
		"Nothing": {reason: "an empty log", from: strings.NewReader("")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []engine.LogLine
			err := readLog(tc.from, func(l engine.LogLine) { got = append(got, l) })
			if !errors.Is(err, tc.err) {
				t.Errorf("%s: %v, want %v", tc.reason, err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// FuzzReadLog checks that no log makes the reader fail or lose count.
func FuzzReadLog(f *testing.F) {
	f.Add(stamp + " a\n" + stamp + " b")
	f.Add("\n\n " + stamp)
	f.Fuzz(func(t *testing.T, text string) {
		lines := 0
		err := readLog(strings.NewReader(text), func(l engine.LogLine) {
			lines++
			if strings.Contains(l.Text, "\n") {
				t.Errorf("a line with a newline: %q", l.Text)
			}
		})
		if (err != nil && !errors.Is(err, errNoLog)) || lines > strings.Count(text, "\n")+1 {
			t.Errorf("%d lines of %q, %v", lines, text, err)
		}
	})
}

func TestLogTail(t *testing.T) {
	var tail logTail
	big := strings.Repeat("x", logBytes/4)
	for _, text := range []string{"old", big, big, big, big} {
		tail.add(engine.LogLine{Text: text})
	}
	if len(tail.lines) != 4 || tail.lines[0].Text != big {
		t.Errorf("%d lines, want the 4 that fit", len(tail.lines))
	}
	for range logLines + 5 {
		tail.add(engine.LogLine{})
	}
	if len(tail.lines) != logLines {
		t.Errorf("%d lines, want %d", len(tail.lines), logLines)
	}
}

// TestLogs follows a group's log over its restart and its end.
func TestLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		check := func(step string, previous bool, want string, wantErr error) {
			t.Helper()
			lines, err := w.Logs("", previous)
			var texts []string
			for _, l := range lines {
				texts = append(texts, l.Text)
			}
			if got := strings.Join(texts, ","); got != want || !errors.Is(err, wantErr) {
				t.Errorf("%s, previous %t: %q, %v; want %q, %v", step, previous, got, err, want, wantErr)
			}
		}
		if _, err := w.Logs("none", false); !errors.Is(err, engine.ErrNoContainer) {
			t.Errorf("a container that there is not: %v", err)
		}
		check("before it runs", false, "", engine.ErrNotRunning)
		c.nodes.logs = map[string]string{"eci-1 app": stamp + " one\n"}
		c.pod("eci-1", runs("a"))
		check("running", false, "one", nil)
		check("running", true, "", engine.ErrNotRunning)
		c.pod("eci-1", func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].LastTerminationState.Terminated = terminated("Error", 1)
		})
		c.nodes.logs["eci-1 app previous"] = stamp + " zero\n"
		check("restarted by the kubelet", true, "zero", nil)

		w.Restart()
		synctest.Wait()
		c.nodes.logs = map[string]string{}
		check("while the pod ends", false, "one", nil)
		c.vanish("eci-1")
		check("while the next one starts", false, "one", nil)
		check("while the next one starts", true, "", engine.ErrNotRunning)
		c.nodes.logs["eci-1-2 app"] = stamp + " two\n"
		c.pod("eci-1-2", runs("b"))
		check("restarted", false, "two", nil)
		check("restarted", true, "one", nil)

		w.Stop(false)
		synctest.Wait()
		c.nodes.logs = map[string]string{}
		c.vanish("eci-1-2")
		check("stopped", false, "two", nil)
		check("stopped", true, "", engine.ErrNotRunning)
		want := []string{"eci-1 app follow", "eci-1-2 app follow"}
		var follows []string
		for _, call := range c.nodes.logCalls {
			if strings.HasSuffix(call, "follow") {
				follows = append(follows, call)
			}
		}
		if diff := cmp.Diff(want, follows); diff != "" {
			t.Errorf("followed (-want +got):\n%s", diff)
		}
	})
}

// TestLogsOfEnded checks that logs stay until the group is forgotten.
func TestLogsOfEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		c.pod("eci-1", exits(corev1.PodFailed, "Error", 1))
		c.nodes.logs = map[string]string{"eci-1 app": stamp + " why\n"}
		pass(time.Hour)
		if lines, err := w.Logs("app", false); err != nil || !cmp.Equal(lines, []engine.LogLine{line("why")}) {
			t.Errorf("after the end: %v, %v", lines, err)
		}
		w.Stop(true)
		synctest.Wait()
		if _, err := w.Logs("app", false); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("after the group is forgotten: %v, want %v", err, engine.ErrNotRunning)
		}
	})
}
