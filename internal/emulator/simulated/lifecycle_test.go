package simulated

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

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
		"SidecarOfAJob": {
			reason: "a sidecar does not keep the group from ending: it is killed, and its exit code counts",
			spec:   with("Never", nil, sidecar(app("side", "SIM_TERM_EXIT=3"), 0), app("main", "SIM_RUN=5s")),
			moments: []moment{
				{4 * second, []string{"Running", "side Running ready", "main Running ready"}},
				{second, []string{"Failed", "side Terminated Error 3", "main Terminated Completed 0"}},
			},
		},
		"SidecarIsNotRestartedForNobody": {
			reason: "OnFailure would start it again for ever",
			spec:   with("OnFailure", nil, sidecar(app("side", "SIM_TERM_EXIT=3"), 0), app("main", "SIM_RUN=5s", "SIM_EXIT_SEQUENCE=1,0")),
			moments: []moment{
				{6 * second, []string{"Running", "side Running ready", "main Running ready restarts=1 last=1"}},
				{5 * second, []string{"Failed", "side Terminated Error 3", "main Terminated Completed 0 restarts=1 last=1"}},
			},
		},
		"SidecarOfAService": {
			reason: "Always: nothing is ever over", spec: always(sidecar(app("side"), 0), app("main", "SIM_RUN=5s")),
			moments: []moment{
				{5 * second, []string{"Running", "side Running ready", "main Running ready restarts=1 last=0"}},
			},
		},
		"LaunchPriorities": {
			reason: "the others wait until those of a higher priority are ready",
			spec: with("Never", []engine.Container{app("init", "SIM_RUN=1s")},
				app("low"), prioritised(app("high", "SIM_READY_AFTER=3s"), 1000), prioritised(app("middle", "SIM_READY_AFTER=2s"), 999)),
			moments: []moment{
				{1500 * time.Millisecond, []string{"Pending", "init Terminated Completed 0 ready",
					"low Waiting ContainerCreating", "high Running", "middle Waiting ContainerCreating"}},
				{3 * second, []string{"Pending", "init Terminated Completed 0 ready",
					"low Waiting ContainerCreating", "high Running ready", "middle Running"}},
				{2 * second, []string{"Running", "init Terminated Completed 0 ready", "low Running ready", "high Running ready", "middle Running ready"}},
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

// prioritised gives a container a launch priority.
func prioritised(c engine.Container, priority int) engine.Container {
	c.Launch = priority
	return c
}

// sidecar makes a container one.
func sidecar(c engine.Container, priority int) engine.Container {
	c.Sidecar = true
	return prioritised(c, priority)
}
