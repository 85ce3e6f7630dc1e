package provider

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func execHook(word string) *corev1.LifecycleHandler {
	return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{word}}}
}

func hooked(p *corev1.Pod) {
	p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PostStart: execHook("post-start"), PreStop: execHook("pre-stop")}
	restartAlways(p)
}

// hookTakes lets each command take this long, unless it is cut short.
func (h *harness) hookTakes(d time.Duration, code int) {
	h.cloud.OnExec(func(ctx context.Context, _ fakecloud.Call) (int, error) {
		select {
		case <-time.After(d):
			return code, nil
		case <-ctx.Done():
			return 0, &cloudapi.Error{Op: "Exec", Code: cloudapi.CodeCanceled, Err: ctx.Err()}
		}
	})
}

// commands are the commands that were run, each by its first word.
func (h *harness) commands() []string {
	var list []string
	for _, c := range h.cloud.Calls(fakecloud.OpExec) {
		list = append(list, c.Command[0])
	}
	return list
}

// begun starts a pod's group without waiting for the pod to show it.
func (h *harness) begun(name string, changes ...func(*corev1.Pod)) string {
	h.t.Helper()
	id := h.group(h.create(name, changes...).UID)
	h.cloud.Start(id, "10.0.0.1")
	return id
}

func TestPostStart(t *testing.T) {
	run(t, func(h *harness) {
		h.hookTakes(5*time.Second, 0)
		id := h.begun("web", hooked)
		h.wait(3 * time.Second)
		if got, want := h.state("web"), "Pending waiting ContainerCreating"; got != want {
			t.Errorf("while the hook runs: %q, want %q", got, want)
		}
		h.shows(4*time.Second, "web", "Running running started ready pod ready")
		h.restart()
		h.wait(time.Minute)
		if diff := cmp.Diff([]string{"post-start"}, h.commands()); diff != "" {
			t.Errorf("after a restart of the process, commands (-want +got):\n%s", diff)
		}
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Containers[0].RestartCount++
			g.Containers[0].Current.StartedAt = time.Now()
		})
		h.wait(10 * time.Second)
		if diff := cmp.Diff([]string{"post-start", "post-start"}, h.commands()); diff != "" {
			t.Errorf("after a restart of the container, commands (-want +got):\n%s", diff)
		}
		if got, want := h.state("web"), "Running running started ready pod ready"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}, can(func(l *cloudapi.Limits) { l.Can.Hooks = false }))
}

// TestPostStartOverRestart: a hook that a dying process did not see end is run
// again, for nobody knows how far it came.
func TestPostStartOverRestart(t *testing.T) {
	run(t, func(h *harness) {
		h.hookTakes(20*time.Second, 0)
		h.begun("web", hooked)
		h.wait(10 * time.Second)
		h.restart()
		h.shows(30*time.Second, "web", "Running running started ready pod ready")
		if diff := cmp.Diff([]string{"post-start", "post-start"}, h.commands()); diff != "" {
			t.Errorf("commands (-want +got):\n%s", diff)
		}
		if failed := h.events.with("Failed"); len(failed) > 0 {
			t.Errorf("events %q", failed)
		}
	})
}

func TestPostStartFails(t *testing.T) {
	run(t, func(h *harness) {
		h.hookTakes(time.Second, 3)
		h.cloud.FailAll(fakecloud.OpRestart, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeConflict, false)}
		})
		h.begun("web", hooked)
		h.until(5*time.Second, "a restart is asked for", func() bool { return h.cloud.Count(fakecloud.OpRestart) > 0 })
		h.wait(time.Second)
		if got, want := h.state("web"), "Pending waiting PostStartHookError"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		want := []string{"Warning FailedPostStartHook spec.containers{main}: PostStartHook failed"}
		if diff := cmp.Diff(want, h.events.with("FailedPostStartHook")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		h.hookTakes(time.Second, 0)
		h.cloud.FailAll(fakecloud.OpRestart, nil)
		h.shows(10*time.Second, "web", "Running running started ready pod ready")
		if diff := cmp.Diff([]string{"post-start", "post-start"}, h.commands()); diff != "" {
			t.Errorf("commands (-want +got):\n%s", diff)
		}
	})
}

// TestPostStartFailsForGood: a pod whose container cannot be restarted does not
// run on after its hook has failed.
func TestPostStartFailsForGood(t *testing.T) {
	runIdle(t, func(h *harness) {
		h.client = fakecloud.Rigid{Client: h.cloud}
		h.start()
		h.wait(time.Minute)
		h.hookTakes(time.Second, 3)
		h.begun("web", hooked)
		h.phase("web", corev1.PodFailed)
		status := h.api.pod("web").Status
		if status.Reason != "FailedPostStartHook" || status.Message != "Container main failed its postStart hook, and test cannot restart a container" {
			t.Errorf("reason %q, message %q", status.Reason, status.Message)
		}
		h.until(5*time.Second, "the group is deleted", func() bool { return len(h.cloud.Groups()) == 0 })
	})
}

// TestUnknownExitCode: that nobody tells how a hook's command ended is no
// failure of it.
func TestUnknownExitCode(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.OnExec(func(context.Context, fakecloud.Call) (int, error) {
			return 0, &cloudapi.Error{Op: "Exec", Code: cloudapi.CodeUnsupported, Message: "the exit code is not known"}
		})
		h.begun("web", hooked)
		h.shows(5*time.Second, "web", "Running running started ready pod ready")
		h.api.end("web", 30)
		h.goneFromAPI(5*time.Second, "web")
		if failed := h.events.with("Failed"); len(failed) > 0 {
			t.Errorf("events %q", failed)
		}
		h.nothingLeft()
	})
}

func TestPreStop(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", hooked)
		h.hookTakes(10*time.Second, 0)
		h.api.end("web", 30)
		h.wait(9 * time.Second)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes while the hook runs", n)
		}
		want := []string{"Normal Killing spec.containers{main}: Stopping container main"}
		if diff := cmp.Diff(want, h.events.with("Killing")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		h.goneFromAPI(3*time.Second, "web")
		if diff := cmp.Diff([]bool{false}, h.forces()); diff != "" {
			t.Errorf("deletes (-want +got):\n%s", diff)
		}
		if got := h.commands(); !slices.Equal(got, []string{"post-start", "pre-stop"}) {
			t.Errorf("commands %q", got)
		}
		if n := len(h.events.with("Killing")); n != 1 {
			t.Errorf("%d events Killing, want 1", n)
		}
		h.nothingLeft()
	})
}

// TestPreStopTakesTooLong: its time is the pod's grace, which a second delete
// may shorten.
func TestPreStopTakesTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		second int64 // the grace of a second delete after 5 s; -1 for none
		after  time.Duration
		forces []bool
	}{
		"Alone":   {"the grace is over", -1, 20 * time.Second, []bool{false}},
		"Shorter": {"the new grace is over", 10, 10 * time.Second, []bool{false}},
		"AtOnce":  {"nobody waits any more", 0, 5 * time.Second, []bool{true}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.running("web", hooked)
				h.hookTakes(time.Hour, 0)
				h.api.end("web", 20)
				h.wait(5 * time.Second)
				if c.second >= 0 {
					h.api.end("web", c.second)
				}
				h.wait(c.after - 5*time.Second - 500*time.Millisecond)
				if n := h.cloud.Count(fakecloud.OpDelete); n != 0 && c.second != 0 {
					t.Errorf("%s: %d deletes too early", c.reason, n)
				}
				h.wait(2500 * time.Millisecond)
				if diff := cmp.Diff(c.forces, h.forces()); diff != "" {
					t.Errorf("%s: deletes (-want +got):\n%s", c.reason, diff)
				}
				h.goneFromAPI(5*time.Second, "web")
				h.wait(time.Minute)
				if failed := h.events.with("Failed"); len(failed) > 0 {
					t.Errorf("events %q", failed)
				}
				h.nothingLeft()
			})
		})
	}
}

func TestPreStopFails(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", hooked)
		h.cloud.Fail(fakecloud.OpExec, fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)})
		h.api.end("web", 30)
		h.goneFromAPI(5*time.Second, "web")
		want := []string{"Warning FailedPreStopHook spec.containers{main}: PreStopHook failed"}
		if diff := cmp.Diff(want, h.events.with("FailedPreStopHook")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		h.nothingLeft()
	})
}

// TestPreStopNotRun: there is nobody to run it in, or no time.
func TestPreStopNotRun(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(h *harness, id string)
		grace int64
	}{
		"Ended":    {func(h *harness, id string) { h.cloud.Finish(id, 0) }, 30},
		"NoGrace":  {func(*harness, string) {}, 0},
		"Vanished": {func(h *harness, id string) { h.cloud.Vanish(id) }, 30},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("web", hooked)
				h.wait(youngest)
				c.end(h, id)
				h.wait(10 * time.Second)
				h.api.end("web", c.grace)
				h.wait(10 * time.Second)
				if diff := cmp.Diff([]string{"post-start"}, h.commands()); diff != "" {
					t.Errorf("commands (-want +got):\n%s", diff)
				}
				h.nothingLeft()
			})
		})
	}
}

// TestPreStopAtDeadline: a pod that ran too long gets its hook too.
func TestPreStopAtDeadline(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", hooked, func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](20) })
		h.wait(30 * time.Second)
		if diff := cmp.Diff([]string{"post-start", "pre-stop"}, h.commands()); diff != "" {
			t.Errorf("commands (-want +got):\n%s", diff)
		}
		if n := len(h.cloud.Groups()); n != 0 {
			t.Errorf("%d groups are left", n)
		}
	})
}

// TestHooksOfTheCloud: what the cloud runs itself is not run again.
func TestHooksOfTheCloud(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web", hooked)
		h.api.end("web", 30)
		h.goneFromAPI(5*time.Second, "web")
		if n := h.cloud.Count(fakecloud.OpExec); n != 0 {
			t.Errorf("%d commands", n)
		}
	}, can(func(l *cloudapi.Limits) { l.Can.Hooks = true }))
}

func TestBackground(t *testing.T) {
	var b background
	if b.begin(func(context.Context) { t.Error("began too early") }) {
		t.Error("began before it was open")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	b.open(ctx)
	ended := false
	if !b.begin(func(ctx context.Context) {
		<-ctx.Done()
		ended = true
	}) {
		t.Error("did not begin")
	}
	cancel(errors.New("the end"))
	b.close()
	if !ended {
		t.Error("close did not wait")
	}
	if b.begin(func(context.Context) { t.Error("began too late") }) {
		t.Error("began after the end")
	}
}
