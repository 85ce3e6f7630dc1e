package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func TestExec(t *testing.T) {
	full := errors.New("no room")
	cases := map[string]struct {
		reason  string
		request engine.ExecRequest
		run     func(ctx context.Context, streams remotecommand.StreamOptions) error
		options corev1.PodExecOptions
		code    int
		err     string
	}{
		"Plain": {
			reason: "output and errors apart, no input", request: engine.ExecRequest{Command: []string{"ls", "$HOME"}, Stderr: &bytes.Buffer{}},
			run:     func(context.Context, remotecommand.StreamOptions) error { return nil },
			options: corev1.PodExecOptions{Container: "app", Command: []string{"ls", "$HOME"}, Stdout: true, Stderr: true},
		},
		"Terminal": {
			reason:  "one stream and sizes",
			request: engine.ExecRequest{Command: []string{"sh"}, TTY: true, Stdin: strings.NewReader(""), Stderr: &bytes.Buffer{}, Resize: sizesOf(engine.Size{Width: 80, Height: 24})},
			run: func(_ context.Context, streams remotecommand.StreamOptions) error {
				size, end := streams.TerminalSizeQueue.Next(), streams.TerminalSizeQueue.Next()
				if !streams.Tty || streams.Stderr != nil || size.Width != 80 || size.Height != 24 || end != nil {
					return errors.New("not a terminal")
				}
				return nil
			},
			options: corev1.PodExecOptions{Container: "app", Command: []string{"sh"}, Stdin: true, Stdout: true, TTY: true},
		},
		"ExitCode": {
			reason: "a code is no error",
			run: func(context.Context, remotecommand.StreamOptions) error {
				return utilexec.CodeExitError{Err: errors.New("command terminated with exit code 3"), Code: 3}
			},
			options: corev1.PodExecOptions{Container: "app", Stdout: true}, code: 3,
		},
		"NoSuchProgram": {
			reason: "the runtime's own words",
			run: func(context.Context, remotecommand.StreamOptions) error {
				return errors.New(`Internal error occurred: error executing command in container: failed to exec in container: ` +
					`failed to start exec "1": OCI runtime exec failed: exec failed: unable to start container process: ` +
					`exec: "x": executable file not found in $PATH: unknown`)
			},
			options: corev1.PodExecOptions{Container: "app", Stdout: true},
			err:     `OCI runtime exec failed: exec failed: unable to start container process: exec: "x": executable file not found in $PATH`,
		},
		"GoneMeanwhile": {
			reason: "it ended just now",
			run: func(context.Context, remotecommand.StreamOptions) error {
				return errors.New(`container not found ("app")`)
			},
			options: corev1.PodExecOptions{Container: "app", Stdout: true}, err: engine.ErrNotRunning.Error(),
		},
		"Other": {
			reason: "without the names of the backing cluster",
			run: func(context.Context, remotecommand.StreamOptions) error {
				return errors.New("pods eci-1_groups is odd")
			},
			options: corev1.PodExecOptions{Container: "app", Stdout: true}, err: "pods web_default is odd",
		},
		"OutputFull": {
			reason: "nobody takes the output: the command ends", request: engine.ExecRequest{Stdout: failing{full}},
			run: func(ctx context.Context, streams remotecommand.StreamOptions) error {
				for range 2 {
					if n, err := streams.Stdout.Write([]byte("abc")); n != 3 || err != nil {
						return errors.New("the stream fails")
					}
				}
				<-ctx.Done()
				return ctx.Err()
			},
			options: corev1.PodExecOptions{Container: "app", Stdout: true}, err: "no room",
		},
		"Cancelled": {
			reason: "the caller goes",
			run: func(ctx context.Context, _ remotecommand.StreamOptions) error {
				<-ctx.Done()
				return ctx.Err()
			},
			options: corev1.PodExecOptions{Container: "app", Stdout: true}, err: context.DeadlineExceeded.Error(),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				w := c.start("eci-1", webSpec())
				if _, err := w.Exec(t.Context(), "app", tc.request); !errors.Is(err, engine.ErrNotRunning) {
					t.Errorf("%s: before it runs: %v", tc.reason, err)
				}
				c.pod("eci-1", runs("a"))
				if _, err := w.Exec(t.Context(), "none", tc.request); !errors.Is(err, engine.ErrNoContainer) {
					t.Errorf("%s: in no container: %v", tc.reason, err)
				}
				c.nodes.run = func(ctx context.Context, pod string, options *corev1.PodExecOptions, streams remotecommand.StreamOptions) error {
					if diff := cmp.Diff(&tc.options, options); diff != "" || pod != "eci-1" {
						t.Errorf("%s: in %s (-want +got):\n%s", tc.reason, pod, diff)
					}
					return tc.run(ctx, streams)
				}
				if tc.request.Stdout == nil {
					tc.request.Stdout = &bytes.Buffer{}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				code, err := w.Exec(ctx, "", tc.request)
				text := ""
				if err != nil {
					text = err.Error()
				}
				if code != tc.code || text != tc.err {
					t.Errorf("%s: %d, %v; want %d, %s", tc.reason, code, err, tc.code, tc.err)
				}
			})
		})
	}
}

// sizesOf is a channel that brings sizes and closes.
func sizesOf(all ...engine.Size) <-chan engine.Size {
	sizes := make(chan engine.Size, len(all))
	for _, size := range all {
		sizes <- size
	}
	close(sizes)
	return sizes
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestUsage checks that nodes are asked seldom, and that a node that cannot tell
// is no failure.
func TestUsage(t *testing.T) {
	const summary = `{"pods":[{"podRef":{"uid":"uid-9"},
		"containers":[{"name":"app","cpu":{"usageNanoCores":5,"usageCoreNanoSeconds":6},"memory":{"usageBytes":7,"workingSetBytes":8,"rssBytes":9}},
			{"name":"gone"}],
		"network":{"rxBytes":10,"txBytes":11}}]}`
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.uids = 8
		w := c.start("eci-1", webSpec())
		empty := engine.Usage{Time: time.Now()}
		if diff := cmp.Diff(empty, w.Usage()); diff != "" {
			t.Errorf("before it runs (-want +got):\n%s", diff)
		}
		c.pod("eci-1", runs("a"))
		if got := w.Usage(); len(got.Containers) != 0 {
			t.Errorf("from a node that does not tell: %+v", got)
		}
		c.nodes.summaries = map[string]string{"machine lean": summary}
		w.Usage() // not asked again so soon
		if diff := cmp.Diff([]string{"machine", "machine lean"}, c.nodes.asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		pass(usageRetry)
		want := engine.Usage{
			Time: time.Now(), RxBytes: 10, TxBytes: 11,
			Containers: []engine.ContainerUsage{{Name: "app", NanoCores: 5, CoreNanoSeconds: 6, UsageBytes: 7, WorkingSetBytes: 8, RSSBytes: 9}},
		}
		for range 3 {
			if diff := cmp.Diff(want, w.Usage()); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
		}
		if got := len(c.nodes.asked); got != 4 {
			t.Errorf("%d calls, want 4", got)
		}
		c.nodes.summaries["machine"] = "{"
		pass(usageAge)
		if got := w.Usage(); len(got.Containers) != 0 {
			t.Errorf("from an answer that cannot be read: %+v", got)
		}
	})
}
