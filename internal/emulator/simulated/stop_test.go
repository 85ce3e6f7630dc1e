package simulated

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

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
