package simulated

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// In these tests time.Sleep does not wait: testing/synctest runs them on a fake
// clock that advances once every goroutine of the test is idle.

// epoch is the time at which a synctest bubble begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// world is one group in a runtime, and what was reported of it.
type world struct {
	runtime  *Runtime
	instance engine.Instance

	mu     sync.Mutex
	last   engine.Observation
	events []engine.Event
}

// launch starts a group called web with id eci-1.
func launch(t *testing.T, spec engine.Spec, latency Latency) *world {
	t.Helper()
	spec.Name, spec.Address = "web", "10.0.0.2"
	w := &world{runtime: New(Options{Clock: clock.RealClock{}, Latency: latency})}
	t.Cleanup(w.runtime.Close)
	w.instance = w.runtime.Start("eci-1", &spec, w.report)
	synctest.Wait()
	return w
}

func (w *world) report(o engine.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = o
	w.events = append(w.events, o.NewEvents...)
}

// after lets time pass and returns what is known then, in lines such as
// "app Running ready" below the status.
func (w *world) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	head := string(w.last.Status)
	if w.last.Stopped {
		head += " stopped"
	}
	lines := []string{head}
	for _, s := range append(append([]engine.ContainerState(nil), w.last.InitContainers...), w.last.Containers...) {
		lines = append(lines, describe(s))
	}
	return lines
}

func describe(s engine.ContainerState) string {
	line := s.Name + " " + s.Current.Kind
	if s.Current.Reason != "" {
		line += " " + s.Current.Reason
	}
	if s.Current.Kind == engine.KindTerminated {
		line += fmt.Sprintf(" %d", s.Current.ExitCode)
	}
	if s.Ready {
		line += " ready"
	}
	if s.RestartCount > 0 {
		line += fmt.Sprintf(" restarts=%d", s.RestartCount)
	}
	if s.Previous != nil {
		line += fmt.Sprintf(" last=%d", s.Previous.ExitCode)
	}
	return line
}

// told are the events so far, as "container reason: message".
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, e := range w.events {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", e.Type, e.Container, e.Reason, e.Message))
	}
	return lines
}

// env makes variables of NAME=value words.
func env(words ...string) []engine.EnvVar {
	var all []engine.EnvVar
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		all = append(all, engine.EnvVar{Name: name, Value: value})
	}
	return all
}

// app is a container with a script.
func app(name string, words ...string) engine.Container {
	return engine.Container{Name: name, Image: "app:1", Env: env(words...)}
}

// shellApp is a container that runs a shell script.
func shellApp(name, script string) engine.Container {
	return engine.Container{Name: name, Image: "busybox", Command: []string{"sh", "-c", script}}
}

// moment is what is expected a while after the moment before.
type moment struct {
	after time.Duration
	want  []string
}

func TestLifeCycles(t *testing.T) {
	always := func(c ...engine.Container) engine.Spec {
		return engine.Spec{RestartPolicy: "Always", Grace: 30 * time.Second, Containers: c}
	}
	with := func(policy string, init []engine.Container, c ...engine.Container) engine.Spec {
		return engine.Spec{RestartPolicy: policy, Grace: 30 * time.Second, InitContainers: init, Containers: c}
	}
	probed := func(c engine.Container, readiness, liveness *engine.Probe) engine.Container {
		c.Readiness, c.Liveness = readiness, liveness
		return c
	}
	httpProbe := func(delay, period time.Duration, success, failure int) *engine.Probe {
		return &engine.Probe{Handler: engine.Handler{HTTP: &engine.HTTPGet{Port: 80}},
			InitialDelay: delay, Period: period, Success: success, Failure: failure}
	}
	second, minute := time.Second, time.Minute
	cases := map[string]struct {
		reason  string
		spec    engine.Spec
		latency Latency
		moments []moment
	}{
		"RunsForEver": {
			reason: "a container without a script runs",
			spec:   always(app("app")),
			moments: []moment{
				{0, []string{"Running", "app Running ready"}},
				{1000 * time.Hour, []string{"Running", "app Running ready"}},
			},
		},
		"Latencies": {
			reason: "pull, create and start take their time", spec: always(app("app")),
			latency: Latency{Pull: 3 * second, Create: second, Start: second},
			moments: []moment{
				{4900 * time.Millisecond, []string{"Pending", "app Waiting ContainerCreating"}},
				{100 * time.Millisecond, []string{"Running", "app Running ready"}},
			},
		},
		"Succeeds": {
			reason: "a job that ends with 0 has succeeded", spec: with("Never", nil, app("app", "SIM_RUN=3s")),
			moments: []moment{
				{2 * second, []string{"Running", "app Running ready"}},
				{second, []string{"Succeeded", "app Terminated Completed 0"}},
			},
		},
		"Fails": {
			reason: "one failure among several is a failure",
			spec:   with("Never", nil, app("a", "SIM_RUN=1s"), app("b", "SIM_RUN=2s", "SIM_EXIT=2")),
			moments: []moment{
				{second, []string{"Running", "a Terminated Completed 0", "b Running ready"}},
				{second, []string{"Failed", "a Terminated Completed 0", "b Terminated Error 2"}},
			},
		},
		"OnFailure": {
			reason: "OnFailure restarts until 0: at once, then after 10 s", spec: with("OnFailure", nil, app("app", "SIM_EXIT_SEQUENCE=1,1,0")),
			moments: []moment{
				{0, []string{"Running", "app Waiting CrashLoopBackOff restarts=1 last=1"}},
				{9 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=1 last=1"}},
				{second, []string{"Succeeded", "app Terminated Completed 0 restarts=2 last=1"}},
			},
		},
		"CrashLoop": {
			reason: "the back-off doubles from 10 s to 5 min", spec: always(app("app", "SIM_CRASH=true")),
			moments: []moment{
				{0, []string{"Running", "app Waiting CrashLoopBackOff restarts=1 last=1"}},
				{10 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=2 last=1"}},
				{19 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=2 last=1"}},
				{second, []string{"Running", "app Waiting CrashLoopBackOff restarts=3 last=1"}},
				{40 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=4 last=1"}},
				{80 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=5 last=1"}},
				{160 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=6 last=1"}},
				{5 * minute, []string{"Running", "app Waiting CrashLoopBackOff restarts=7 last=1"}},
				{299 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=7 last=1"}},
				{second, []string{"Running", "app Waiting CrashLoopBackOff restarts=8 last=1"}},
			},
		},
		"BackoffForgotten": {
			reason: "a run of more than 10 min starts the back-off anew: no wait, whatever came before",
			spec:   always(app("app", "SIM_RUN=11m", "SIM_EXIT=1")),
			moments: []moment{
				{11 * minute, []string{"Running", "app Running ready restarts=1 last=1"}},
				{11 * minute, []string{"Running", "app Running ready restarts=2 last=1"}},
			},
		},
		"BackoffKept": {
			reason: "a shorter run does not",
			spec:   always(app("app", "SIM_RUN=5m", "SIM_EXIT=1")),
			moments: []moment{
				{5 * minute, []string{"Running", "app Running ready restarts=1 last=1"}},
				{5 * minute, []string{"Running", "app Waiting CrashLoopBackOff restarts=1 last=1"}},
				{10 * second, []string{"Running", "app Running ready restarts=2 last=1"}},
			},
		},
		"InitOrder": {
			reason: "init containers run one after the other, then the containers",
			spec:   with("Always", []engine.Container{app("i1", "SIM_RUN=1s"), app("i2", "SIM_RUN=2s")}, app("app")),
			moments: []moment{
				{0, []string{"Pending", "i1 Running", "i2 Waiting PodInitializing", "app Waiting PodInitializing"}},
				{second, []string{"Pending", "i1 Terminated Completed 0 ready", "i2 Running", "app Waiting PodInitializing"}},
				{2 * second, []string{"Running", "i1 Terminated Completed 0 ready", "i2 Terminated Completed 0 ready", "app Running ready"}},
			},
		},
		"InitByDefault": {
			reason:  "an init container without a script ends with 0",
			spec:    with("Always", []engine.Container{{Name: "i1", Image: "x"}}, app("app")),
			moments: []moment{{0, []string{"Running", "i1 Terminated Completed 0 ready", "app Running ready"}}},
		},
		"InitRestarts": {
			reason: "an init container that fails is restarted with back-off, even with Always",
			spec:   with("Always", []engine.Container{app("i1", "SIM_EXIT_SEQUENCE=1,2,0")}, app("app")),
			moments: []moment{
				{0, []string{"Pending", "i1 Waiting CrashLoopBackOff restarts=1 last=2", "app Waiting PodInitializing"}},
				{10 * second, []string{"Running", "i1 Terminated Completed 0 ready restarts=2 last=2", "app Running ready"}},
			},
		},
		"InitFails": {
			reason: "with Never a failed init container fails the group",
			spec:   with("Never", []engine.Container{app("i1", "SIM_EXIT=1")}, app("app")),
			moments: []moment{
				{0, []string{"Failed", "i1 Terminated Error 1", "app Waiting PodInitializing"}},
			},
		},
		"NoImage": {
			reason: "an image that is not there is tried again with back-off",
			spec:   always(engine.Container{Name: "app", Image: "does-not-exist:1"}, app("b")),
			moments: []moment{
				{0, []string{"Pending", "app Waiting ErrImagePull", "b Running ready"}},
				{second, []string{"Pending", "app Waiting ImagePullBackOff", "b Running ready"}},
				{9 * second, []string{"Pending", "app Waiting ErrImagePull", "b Running ready"}},
				{20 * second, []string{"Pending", "app Waiting ErrImagePull", "b Running ready"}},
				{second, []string{"Pending", "app Waiting ImagePullBackOff", "b Running ready"}},
			},
		},
		"NeverPull": {
			reason: "a machine of its own has no image yet",
			spec:   always(engine.Container{Name: "app", Image: "app:1", PullPolicy: "Never"}),
			moments: []moment{
				{0, []string{"Pending", "app Waiting ErrImageNeverPull"}},
			},
		},
		"WrongScript": {
			reason: "a wrong script is told, not guessed", spec: always(app("app", "SIM_RNU=3s")),
			moments: []moment{{time.Hour, []string{"Pending", "app Waiting CreateContainerConfigError"}}},
		},
		"OOM": {
			reason: "too much memory is 137 and OOMKilled", spec: with("Never", nil, app("app", "SIM_OOM_AFTER=2s")),
			moments: []moment{{2 * second, []string{"Failed", "app Terminated OOMKilled 137"}}},
		},
		"ReadyLater": {
			reason: "SIM_READY_AFTER holds without a probe", spec: always(app("app", "SIM_READY_AFTER=5s")),
			moments: []moment{
				{4 * second, []string{"Running", "app Running"}},
				{second, []string{"Running", "app Running ready"}},
			},
		},
		"ReadinessDelay": {
			reason: "a probe begins in the first round after its delay and needs its successes",
			spec:   always(probed(app("app"), httpProbe(5*second, 3*second, 2, 3), nil)),
			moments: []moment{
				{8 * second, []string{"Running", "app Running"}},
				{second, []string{"Running", "app Running ready"}},
			},
		},
		"ReadinessScript": {
			reason: "a probe follows the script",
			spec:   always(probed(app("app", "SIM_READY_AFTER=5s", "SIM_UNHEALTHY_AFTER=20s"), httpProbe(0, 2*second, 1, 3), nil)),
			moments: []moment{
				{5 * second, []string{"Running", "app Running"}},
				{second, []string{"Running", "app Running ready"}},
				{17 * second, []string{"Running", "app Running ready"}},
				{second, []string{"Running", "app Running"}},
			},
		},
		"Liveness": {
			reason: "three failures in a row restart the container",
			spec:   always(probed(app("app", "SIM_UNHEALTHY_AFTER=10s"), nil, httpProbe(0, 5*second, 1, 3))),
			moments: []moment{
				{19 * second, []string{"Running", "app Running ready"}},
				{second, []string{"Running", "app Running ready restarts=1 last=143"}},
				{20 * second, []string{"Running", "app Waiting CrashLoopBackOff restarts=1 last=143"}},
			},
		},
		"LivenessByFile": {
			reason: "the example of Kubernetes' documentation works: half a minute of health, then three failures",
			spec: always(probed(shellApp("app", "touch /tmp/healthy; sleep 31; rm -f /tmp/healthy; sleep 600"), nil,
				&engine.Probe{Handler: engine.Handler{Exec: []string{"cat", "/tmp/healthy"}},
					InitialDelay: 5 * second, Period: 5 * second, Timeout: second, Success: 1, Failure: 3})),
			moments: []moment{
				{44 * second, []string{"Running", "app Running ready"}},
				{2 * second, []string{"Running", "app Running ready restarts=1 last=143"}},
			},
		},
		"Interpreted": {
			reason: "a known command is interpreted", spec: with("Never", nil, shellApp("app", "sleep 2; exit 4")),
			moments: []moment{
				{second, []string{"Running", "app Running ready"}},
				{2 * second, []string{"Failed", "app Terminated Error 4"}},
			},
		},
		"ArgumentsOnly": {
			reason:  "arguments alone count if they begin with a known command",
			spec:    with("Never", nil, engine.Container{Name: "app", Image: "busybox", Args: []string{"false"}}),
			moments: []moment{{second, []string{"Failed", "app Terminated Error 1"}}},
		},
		"UnknownCommand": {
			reason:  "an unknown command is a server that runs",
			spec:    with("Never", nil, engine.Container{Name: "app", Image: "nginx", Command: []string{"nginx", "-g", "daemon off;"}}),
			moments: []moment{{time.Hour, []string{"Running", "app Running ready"}}},
		},
		"OpenStdin": {
			reason:  "a shell whose stdin is kept open waits",
			spec:    with("Never", nil, engine.Container{Name: "app", Image: "busybox", Command: []string{"sh"}, Stdin: true, TTY: true}),
			moments: []moment{{time.Hour, []string{"Running", "app Running ready"}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := launch(t, tc.spec, tc.latency)
				for i, m := range tc.moments {
					if diff := cmp.Diff(m.want, w.after(m.after)); diff != "" {
						t.Errorf("%s: moment %d (-want +got):\n%s", tc.reason, i, diff)
					}
				}
			})
		})
	}
}

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

func TestStop(t *testing.T) {
	spec := func(c ...engine.Container) engine.Spec {
		return engine.Spec{RestartPolicy: "Always", Grace: 10 * time.Second, Containers: c}
	}
	hooked := shellApp("app", "sleep infinity")
	hooked.PreStop = &engine.Handler{Exec: []string{"sh", "-c", "sleep 4; echo bye > /proc/1/fd/1"}}
	slowHook := hooked
	slowHook.PreStop = &engine.Handler{Exec: []string{"sleep", "60"}}
	cases := map[string]struct {
		reason  string
		spec    engine.Spec
		latency Latency
		force   bool
		moments []moment
	}{
		"AtOnce": {
			reason: "containers end with TERM", spec: spec(app("app"), shellApp("sh", "while true; do sleep 1; done")),
			moments: []moment{{0, []string{"Failed stopped", "app Terminated Error 143", "sh Terminated Error 143"}}},
		},
		"Teardown": {
			reason: "the group itself takes its time", spec: spec(app("app", "SIM_TERM_EXIT=0")), latency: Latency{Stop: time.Second},
			moments: []moment{
				{0, []string{"Succeeded", "app Terminated Completed 0"}},
				{time.Second, []string{"Succeeded stopped", "app Terminated Completed 0"}},
			},
		},
		"TakesItsTime": {
			reason: "a slow container uses its grace", spec: spec(app("app", "SIM_TERM_AFTER=5s"), app("b")),
			moments: []moment{
				{4 * time.Second, []string{"Running", "app Running ready", "b Terminated Error 143"}},
				{time.Second, []string{"Failed stopped", "app Terminated Error 143", "b Terminated Error 143"}},
			},
		},
		"Killed": {
			reason: "grace ends with KILL", spec: spec(app("app", "SIM_TERM_AFTER=1h")),
			moments: []moment{
				{9 * time.Second, []string{"Running", "app Running ready"}},
				{time.Second, []string{"Failed stopped", "app Terminated Error 137"}},
			},
		},
		"Force": {
			reason: "force kills at once", spec: spec(app("app", "SIM_TERM_AFTER=1h")), force: true,
			moments: []moment{{0, []string{"Failed stopped", "app Terminated Error 137"}}},
		},
		"Hook": {
			reason: "the hook comes before TERM", spec: spec(hooked),
			moments: []moment{
				{3 * time.Second, []string{"Running", "app Running ready"}},
				{time.Second, []string{"Failed stopped", "app Terminated Error 143"}},
			},
		},
		"SlowHook": {
			reason: "the hook takes of the grace", spec: spec(slowHook),
			moments: []moment{{10 * time.Second, []string{"Failed stopped", "app Terminated Error 137"}}},
		},
		"BackingOff": {
			reason: "what waits never runs again", spec: spec(app("app", "SIM_CRASH=true")),
			moments: []moment{{time.Hour, []string{"Failed stopped", "app Waiting CrashLoopBackOff restarts=1 last=1"}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := launch(t, tc.spec, tc.latency)
				w.after(time.Second)
				w.instance.Stop(tc.force)
				for i, m := range tc.moments {
					if diff := cmp.Diff(m.want, w.after(m.after)); diff != "" {
						t.Errorf("%s: moment %d (-want +got):\n%s", tc.reason, i, diff)
					}
				}
				if len(w.runtime.groups) != 0 {
					t.Errorf("%s: the runtime still holds the group", tc.reason)
				}
			})
		})
	}
}

func TestStopThenForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t, engine.Spec{Grace: time.Hour, Containers: []engine.Container{app("app", "SIM_TERM_AFTER=1h")}}, Latency{})
		w.instance.Stop(false)
		w.after(time.Second)
		w.instance.Stop(true)
		want := []string{"Failed stopped", "app Terminated Error 137"}
		if diff := cmp.Diff(want, w.after(0)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := engine.Spec{RestartPolicy: "Always", Grace: 10 * time.Second,
			InitContainers: []engine.Container{app("i", "SIM_RUN=1s")},
			Containers:     []engine.Container{app("a", "SIM_TERM_AFTER=2s"), app("b"), app("c", "SIM_CRASH=true")}}
		w := launch(t, spec, Latency{})
		w.after(2 * time.Second)
		w.instance.Restart()
		for i, m := range []moment{
			{time.Second, []string{"Pending", "i Terminated Completed 0 ready", "a Running ready",
				"b Terminated Error 143", "c Waiting CrashLoopBackOff restarts=1 last=1"}},
			{time.Second, []string{"Pending", "i Running restarts=1 last=0", "a Waiting PodInitializing last=143",
				"b Waiting PodInitializing last=143", "c Waiting PodInitializing restarts=1 last=1"}},
			{time.Second, []string{"Running", "i Terminated Completed 0 ready restarts=1 last=0", "a Running ready restarts=1 last=143",
				"b Running ready restarts=1 last=143", "c Waiting CrashLoopBackOff restarts=3 last=1"}},
		} {
			if diff := cmp.Diff(m.want, w.after(m.after)); diff != "" {
				t.Errorf("moment %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := engine.Spec{RestartPolicy: "Always", Grace: 10 * time.Second,
			InitContainers: []engine.Container{app("i")},
			Containers:     []engine.Container{app("same"), app("changed", "SIM_TERM_AFTER=2s"), app("gone")}}
		w := launch(t, spec, Latency{})
		newer := app("changed")
		newer.Image = "app:2"
		spec.Name, spec.Address = "web", "10.0.0.2"
		spec.Containers = []engine.Container{app("same"), newer, app("new")}
		w.instance.Update(&spec)
		for i, m := range []moment{
			{time.Second, []string{"Pending", "i Terminated Completed 0 ready", "same Running ready", "changed Running ready", "new Running ready"}},
			{time.Second, []string{"Running", "i Terminated Completed 0 ready", "same Running ready", "changed Running ready restarts=1 last=143", "new Running ready"}},
		} {
			if diff := cmp.Diff(m.want, w.after(m.after)); diff != "" {
				t.Errorf("moment %d (-want +got):\n%s", i, diff)
			}
		}
		if got := w.last.Containers[1].Image; got != "app:2" {
			t.Errorf("image %q, want app:2", got)
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
