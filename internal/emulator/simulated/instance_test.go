package simulated

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func TestEventsAndMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{RestartPolicy: "Always", Containers: []engine.Container{app("app", "SIM_PULL=1500ms", "SIM_CRASH=true")}}, Latency{})
		w.after(2 * time.Second)
		const backOff = "restarting failed container"
		want := []string{
			`Normal app Pulling: Pulling image "app:1"`,
			`Normal app Pulled: Successfully pulled image "app:1" in 1.5s (1.5s including waiting). Image size: 20000000 bytes.`,
			`Normal app Created: Created container app`,
			`Normal app Started: Started container app`,
			`Normal app Pulled: Container image "app:1" already present on machine`,
			`Normal app Created: Created container app`,
			`Normal app Started: Started container app`,
			`Warning app BackOff: Back-off ` + backOff + ` app in pod web_default(eci-1)`,
		}
		if diff := cmp.Diff(want, w.told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		state := w.last.Containers[0]
		if want := "back-off 10s " + backOff + "=app pod=web_default(eci-1)"; state.Current.Message != want {
			t.Errorf("message %q, want %q", state.Current.Message, want)
		}
		if !strings.HasPrefix(state.ContainerID, "containerd://") || !strings.HasPrefix(state.ImageID, "app:1@sha256:") {
			t.Errorf("ids %q and %q", state.ContainerID, state.ImageID)
		}
	})
}

func TestPullMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{Containers: []engine.Container{app("app", "SIM_PULL_ERROR=denied")}}, Latency{})
		w.after(time.Second)
		want := []string{
			`Normal app Pulling: Pulling image "app:1"`,
			`Warning app Failed: Failed to pull image "app:1": denied`,
			`Warning app Failed: Error: ErrImagePull`,
			`Normal app BackOff: Back-off pulling image "app:1"`,
			`Warning app Failed: Error: ImagePullBackOff`,
		}
		if diff := cmp.Diff(want, w.told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if got := w.last.Containers[0].Current.Message; got != `Back-off pulling image "app:1": ErrImagePull: denied` {
			t.Errorf("message %q", got)
		}
	})
}

func TestFilesAndLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mounts := []engine.Mount{{Volume: "shared", Path: "/shared"}, {Volume: "config", Path: "/config", ReadOnly: true}}
		first := shellApp("init", "cat /config/greeting > /shared/message; echo from $WHO >> /shared/message")
		first.Env, first.Mounts = env("WHO=init"), mounts
		second := shellApp("app", "cat /shared/message; echo $ADDRESS; hostname; echo oops >&2; printf last; exit 3")
		second.Mounts = mounts
		second.Env = []engine.EnvVar{{Name: "ADDRESS", FieldPath: "status.podIP"}}
		w := launch(t, engine.Spec{RestartPolicy: "Always",
			InitContainers: []engine.Container{first}, Containers: []engine.Container{second},
			Volumes: []engine.Volume{{Name: "shared", Type: "EmptyDirVolume", EmptyDir: &engine.EmptyDir{}},
				{Name: "config", Type: "ConfigFileVolume", Files: &engine.Files{Items: []engine.File{{Path: "greeting", Content: []byte("hello\n")}}}}},
		}, Latency{})
		w.after(time.Second)
		for _, previous := range []bool{false, true} {
			lines, err := w.instance.Logs("app", previous)
			if err != nil {
				t.Fatalf("reading the log: %v", err)
			}
			want := []engine.LogLine{{Time: epoch, Text: "hello"}, {Time: epoch, Text: "from init"}, {Time: epoch, Text: "10.0.0.2"},
				{Time: epoch, Text: "web"}, {Time: epoch, Text: "oops"}, {Time: epoch, Text: "last"}}
			sameMoment := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
			if diff := cmp.Diff(want, lines, sameMoment); diff != "" {
				t.Errorf("log, previous %t (-want +got):\n%s", previous, diff)
			}
		}
		if _, err := w.instance.Logs("nope", false); !errors.Is(err, engine.ErrNoContainer) {
			t.Errorf("log of an unknown container: %v, want ErrNoContainer", err)
		}
		if _, err := w.instance.Logs("init", true); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("previous log of a first run: %v, want ErrNotRunning", err)
		}
	})
}

func TestTerminationMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := shellApp("file", "echo why > /dev/termination-log; exit 1")
		fallback := shellApp("log", "echo one; echo two; exit 1")
		fallback.MessagePolicy = "FallbackToLogsOnError"
		w := launch(t, engine.Spec{RestartPolicy: "Never", Containers: []engine.Container{file, fallback}}, Latency{})
		w.after(time.Second)
		got := []string{w.last.Containers[0].Current.Message, w.last.Containers[1].Current.Message}
		if diff := cmp.Diff([]string{"why\n", "one\ntwo"}, got); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

func TestScriptedLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{Containers: []engine.Container{
			app("once", `SIM_LOG=a\nb`), app("often", "SIM_LOG=tick", "SIM_LOG_EVERY=100ms", "SIM_LOG_COUNT=3")}}, Latency{})
		w.after(time.Hour)
		for name, want := range map[string][]string{"once": {"a", "b"}, "often": {"tick 1", "tick 2", "tick 3"}} {
			lines, err := w.instance.Logs(name, false)
			if err != nil {
				t.Fatalf("reading the log: %v", err)
			}
			var got []string
			for _, l := range lines {
				got = append(got, l.Text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestExec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{Grace: time.Second, RestartPolicy: "Never",
			Containers: []engine.Container{app("app", "A=1"), app("over", "SIM_EXIT=0")}}, Latency{})
		var out, errs bytes.Buffer
		code, err := w.instance.Exec(t.Context(), "app", engine.ExecRequest{
			Command: []string{"sh", "-c", "echo $A; cat; echo e >&2; echo kept > /tmp/f; exit 3"},
			Stdin:   strings.NewReader("in\n"), Stdout: &out, Stderr: &errs})
		if err != nil || code != 3 || out.String() != "1\nin\n" || errs.String() != "e\n" {
			t.Errorf("exec: %d, %v, %q, %q", code, err, out.String(), errs.String())
		}
		out.Reset()
		code, err = w.instance.Exec(t.Context(), "app", engine.ExecRequest{Command: []string{"cat", "/tmp/f"}, TTY: true, Stdout: &out, Stderr: &out})
		if err != nil || code != 0 || out.String() != "kept\r\n" {
			t.Errorf("second exec: %d, %v, %q", code, err, out.String())
		}
		if _, err := w.instance.Exec(t.Context(), "over", engine.ExecRequest{Command: []string{"true"}}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("exec in a container that is over: %v, want ErrNotRunning", err)
		}
		if _, err := w.instance.Exec(t.Context(), "nope", engine.ExecRequest{Command: []string{"true"}}); !errors.Is(err, engine.ErrNoContainer) {
			t.Errorf("exec in an unknown container: %v, want ErrNoContainer", err)
		}
		if _, err := w.instance.Exec(t.Context(), "app", engine.ExecRequest{Command: []string{"nginx"}}); err == nil ||
			!strings.Contains(err.Error(), `exec: "nginx": executable file not found in $PATH`) {
			t.Errorf("exec of an unknown program: %v", err)
		}
		time.AfterFunc(time.Minute, func() { w.instance.Stop(false) })
		code, err = w.instance.Exec(t.Context(), "app", engine.ExecRequest{Command: []string{"sleep", "1h"}})
		if err != nil || code != 137 {
			t.Errorf("exec whose container ends: %d, %v, want 137", code, err)
		}
	})
}

func TestExecEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{Containers: []engine.Container{app("app")}}, Latency{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := w.instance.Exec(ctx, "app", engine.ExecRequest{Command: []string{"sleep", "1h"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("exec: %v, want the context's error", err)
		}
	})
}

func TestFate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := &engine.Probe{Handler: engine.Handler{TCP: &engine.TCPSocket{Port: 80}}, Period: 10 * time.Second, Success: 1, Failure: 2}
		c := app("app")
		c.Readiness = probe
		w := launch(t, engine.Spec{RestartPolicy: "Always", Containers: []engine.Container{c}}, Latency{})
		number, no, yes := 5, false, true
		steps := []struct {
			fate Fate
			moment
		}{
			{Fate{Log: "hello"}, moment{0, []string{"Running", "app Running ready"}}},
			{Fate{Ready: &no}, moment{10 * time.Second, []string{"Running", "app Running"}}},
			{Fate{Ready: &yes}, moment{10 * time.Second, []string{"Running", "app Running ready"}}},
			{Fate{Exit: &number}, moment{0, []string{"Running", "app Running ready restarts=1 last=5"}}},
			{Fate{OOM: true}, moment{0, []string{"Running", "app Waiting CrashLoopBackOff restarts=1 last=137"}}},
		}
		for i, s := range steps {
			if err := w.runtime.SetFate("eci-1", "app", s.fate); err != nil {
				t.Fatalf("fate %d: %v", i, err)
			}
			if diff := cmp.Diff(s.want, w.after(s.after)); diff != "" {
				t.Errorf("fate %d (-want +got):\n%s", i, diff)
			}
		}
		if err := w.runtime.SetFate("eci-1", "", Fate{OOM: true}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("fate of what does not run: %v, want ErrNotRunning", err)
		}
		if err := w.runtime.SetFate("eci-9", "", Fate{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("fate of an unknown group: %v, want ErrNotFound", err)
		}
		number = 300
		if err := w.runtime.SetFate("eci-1", "", Fate{Exit: &number}); err == nil {
			t.Error("exit code 300 was accepted")
		}
	})
}

func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{Containers: []engine.Container{app("app", "SIM_CPU=0.5", "SIM_MEMORY=64")}}, Latency{})
		w.after(10 * time.Second)
		got := w.instance.Usage()
		want := engine.Usage{Time: got.Time, RxBytes: 10240, TxBytes: 10240, Containers: []engine.ContainerUsage{{
			Name: "app", NanoCores: 500_000_000, CoreNanoSeconds: 5_000_000_000,
			UsageBytes: 67_108_864, WorkingSetBytes: 67_108_864, RSSBytes: 67_108_864}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
