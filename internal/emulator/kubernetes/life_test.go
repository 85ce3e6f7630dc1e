package kubernetes

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func webSpec() *engine.Spec {
	return &engine.Spec{
		Name: "web", RestartPolicy: "Always", Grace: 30 * time.Second, CPU: 1, Memory: 2,
		Containers: []engine.Container{{Name: "app", Image: "nginx:1"}},
	}
}

// TestLife follows a group from its start to its deletion.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		waiting := engine.ContainerState{Name: "app", Image: "nginx:1", Current: engine.RunState{Kind: "Waiting", Reason: "ContainerCreating"}}
		want := engine.Observation{Status: engine.Pending, InitContainers: []engine.ContainerState{}, Containers: []engine.ContainerState{waiting}}
		if diff := cmp.Diff([]engine.Observation{want}, w.all); diff != "" {
			t.Errorf("at the start (-want +got):\n%s", diff)
		}
		c.event("eci-1", "Scheduled", "Successfully assigned groups/eci-1 to machine", 1)
		c.event("eci-1", "Pulled", "Pulled image", 1)
		c.event("eci-1", "Pulled", "Pulled image", 1)
		c.event("eci-1", "Pulled", "Pulled image", 3)
		c.pod("eci-1", runs("containerd://a"))
		want = engine.Observation{
			IP: "10.1.0.5", HostIP: "10.0.0.1", Status: engine.Running, InitContainers: []engine.ContainerState{},
			Containers: []engine.ContainerState{{
				Name: "app", Image: "nginx:1", ImageID: "sha256:1", ContainerID: "containerd://a", Ready: true, Started: true,
				Current: engine.RunState{Kind: "Running", StartedAt: clockStart},
			}},
		}
		if diff := cmp.Diff(want, w.last()); diff != "" {
			t.Errorf("running (-want +got):\n%s", diff)
		}
		told := []string{"Normal Pulled: Pulled image (app 1)", "Normal Pulled: Pulled image (app 2)"}
		if diff := cmp.Diff(told, w.told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		before := w.count()
		pass(10 * time.Minute)
		if w.count() != before {
			t.Errorf("%d more observations without news", w.count()-before)
		}

		w.Stop(false)
		synctest.Wait()
		if diff := cmp.Diff([]string{"eci-1 30"}, c.noted()); diff != "" {
			t.Errorf("deleting (-want +got):\n%s", diff)
		}
		c.pod("eci-1", exits(corev1.PodFailed, "Error", 143))
		if o := w.last(); o.Stopped {
			t.Error("stopped before the pod is gone")
		}
		c.vanish("eci-1")
		want.Status, want.Stopped = engine.Failed, true
		want.Containers[0].Ready, want.Containers[0].Started = false, false
		want.Containers[0].Current = engine.RunState{
			Kind: "Terminated", Reason: "Error", ExitCode: 143, StartedAt: clockStart, FinishedAt: clockStart.Add(time.Minute),
		}
		if diff := cmp.Diff(want, w.last()); diff != "" {
			t.Errorf("stopped (-want +got):\n%s", diff)
		}
		if len(c.runtime.groups) != 0 || len(c.runtime.routes) != 0 {
			t.Errorf("the runtime still has %d groups and %d routes", len(c.runtime.groups), len(c.runtime.routes))
		}
	})
}

func TestStop(t *testing.T) {
	cases := map[string]struct {
		reason  string
		grace   time.Duration
		before  func(c *cluster)
		stops   []bool
		deletes []string
		killed  []string
		stopped bool
		// last is the final state of container app.
		last engine.RunState
	}{
		"Graceful": {
			reason: "the kubelet gets the spec's grace, rounded up", grace: 1500 * time.Millisecond,
			before: func(c *cluster) { c.pod("eci-1", runs("a")) },
			stops:  []bool{false, false}, deletes: []string{"eci-1 2"},
			last: engine.RunState{Kind: "Running", StartedAt: clockStart},
		},
		"Forced": {
			reason: "with no grace at all the API server would forget the pod before it has ended", grace: time.Minute,
			before: func(c *cluster) { c.pod("eci-1", runs("a")) },
			stops:  []bool{true, false, true}, deletes: []string{"eci-1 1"}, killed: []string{"uid-9"},
			last: engine.RunState{Kind: "Running", StartedAt: clockStart},
		},
		"Hurried": {
			reason: "force after grace kills", grace: time.Minute,
			before: func(c *cluster) { c.pod("eci-1", runs("a")) },
			stops:  []bool{false, true}, deletes: []string{"eci-1 60", "eci-1 1"}, killed: []string{"uid-9"},
			last: engine.RunState{Kind: "Running", StartedAt: clockStart},
		},
		"NoGrace": {
			reason: "a grace of nothing kills at once", before: func(c *cluster) { c.pod("eci-1", runs("a")) },
			stops: []bool{false}, deletes: []string{"eci-1 1"}, killed: []string{"uid-9"},
			last: engine.RunState{Kind: "Running", StartedAt: clockStart},
		},
		"NeverRan": {
			reason: "nothing to kill yet", grace: time.Minute, before: func(*cluster) {},
			stops: []bool{true}, deletes: []string{"eci-1 1"},
			last: engine.RunState{Kind: "Waiting", Reason: "ContainerCreating"},
		},
		"EndedByItself": {
			reason: "what has ended is freed", grace: time.Minute,
			before: func(c *cluster) {
				c.pod("eci-1", runs("a"))
				c.pod("eci-1", exits(corev1.PodSucceeded, "Completed", 0))
			},
			stops: []bool{true}, deletes: []string{"eci-1 1"}, stopped: true,
			last: engine.RunState{Kind: "Terminated", Reason: "Completed", StartedAt: clockStart, FinishedAt: clockStart.Add(time.Minute)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				c.uids = 8 // the pod gets uid-9
				spec := webSpec()
				spec.Grace = tc.grace
				w := c.start("eci-1", spec)
				tc.before(c)
				for _, force := range tc.stops {
					w.Stop(force)
					synctest.Wait()
				}
				if diff := cmp.Diff(tc.deletes, c.noted()); diff != "" {
					t.Errorf("%s: deletes (-want +got):\n%s", tc.reason, diff)
				}
				if diff := cmp.Diff(tc.killed, c.killed); diff != "" {
					t.Errorf("%s: killed (-want +got):\n%s", tc.reason, diff)
				}
				o := w.last()
				if diff := cmp.Diff(tc.last, o.Containers[0].Current); diff != "" || o.Stopped != tc.stopped {
					t.Errorf("%s: stopped %t, want %t; container (-want +got):\n%s", tc.reason, o.Stopped, tc.stopped, diff)
				}
				if !tc.stopped {
					c.vanish("eci-1")
					if !w.last().Stopped {
						t.Errorf("%s: not stopped after the pod is gone", tc.reason)
					}
				}
			})
		})
	}
}

// TestNodeLost checks that a group ends although its kubelet does not answer.
func TestNodeLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		stopped := time.Now() // the informers have taken a moment, or none
		w.Stop(false)
		pass(149 * time.Second)
		if w.last().Stopped {
			t.Fatal("stopped too early")
		}
		pass(2 * time.Second)
		want := engine.RunState{
			Kind: "Terminated", Reason: "ContainerStatusUnknown", ExitCode: 137, StartedAt: clockStart, FinishedAt: stopped.Add(150 * time.Second),
			Message: "The container could not be located when the pod was deleted.  The container used to be Running",
		}
		if diff := cmp.Diff(want, w.last().Containers[0].Current); diff != "" || !w.last().Stopped {
			t.Errorf("stopped %t; container (-want +got):\n%s", w.last().Stopped, diff)
		}
		if diff := cmp.Diff([]string{"eci-1 30", "eci-1 0"}, c.noted()); diff != "" {
			t.Errorf("deletes (-want +got):\n%s", diff)
		}
	})
}

// TestTakenAway checks what a group tells whose pod somebody else deletes.
func TestTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		c.vanish("eci-1")
		o := w.last()
		got := []any{o.Status, o.Reason, o.Message, o.Stopped, o.Containers[0].Current.ExitCode, c.noted()}
		want := []any{engine.Failed, "SystemFailure", "The machine has lost the container group", true, 137, []string(nil)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestDoubted checks that news of an end that may be wrong is looked into.
func TestDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		pod, err := c.find("eci-1")
		if err != nil {
			t.Fatal(err)
		}
		g := c.runtime.groupOf("eci-1")
		g.lostPod(pod, false)
		synctest.Wait()
		if got := w.last(); got.Stopped || got.Status != engine.Running {
			t.Errorf("a pod that is there was taken for gone: %+v", got)
		}
		// The watch never tells of a pod that goes while it is broken.
		c.runtime.mu.Lock()
		clear(c.runtime.routes)
		c.runtime.mu.Unlock()
		c.vanish("eci-1")
		pass(checkPeriod + time.Second)
		if !w.last().Stopped {
			t.Error("a pod that is gone was never missed")
		}
	})
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		spec := webSpec()
		spec.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{Items: []engine.File{{Path: "a", Content: []byte("1")}}}}}
		w := c.start("eci-1", spec)
		c.pod("eci-1", runs("a"))
		c.pod("eci-1", func(s *corev1.PodStatus) { s.ContainerStatuses[0].RestartCount = 2 })
		w.Restart()
		synctest.Wait()
		if diff := cmp.Diff([]string{"eci-1 30"}, c.noted()); diff != "" {
			t.Errorf("deletes (-want +got):\n%s", diff)
		}
		c.pod("eci-1", exits(corev1.PodFailed, "Error", 137))
		c.vanish("eci-1")
		if diff := cmp.Diff([]string{"eci-1-2"}, c.objects("pods")); diff != "" {
			t.Fatalf("pods (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"eci-1-2-files-conf"}, c.objects("secrets")); diff != "" {
			t.Errorf("secrets (-want +got):\n%s", diff)
		}
		previous := &engine.RunState{
			Kind: "Terminated", Reason: "Error", ExitCode: 137, StartedAt: clockStart, FinishedAt: clockStart.Add(time.Minute),
		}
		want := engine.ContainerState{
			Name: "app", Image: "nginx:1", RestartCount: 2, Previous: previous,
			Current: engine.RunState{Kind: "Waiting", Reason: "ContainerCreating"},
		}
		if diff := cmp.Diff(want, w.last().Containers[0]); diff != "" || w.last().Status != engine.Pending {
			t.Errorf("while it starts anew: %s (-want +got):\n%s", w.last().Status, diff)
		}
		c.pod("eci-1-2", runs("b"))
		c.pod("eci-1-2", func(s *corev1.PodStatus) { s.PodIP = "10.1.0.6" })
		want.ContainerID, want.ImageID, want.Ready, want.Started, want.RestartCount = "b", "sha256:1", true, true, 3
		want.Current = engine.RunState{Kind: "Running", StartedAt: clockStart}
		if diff := cmp.Diff(want, w.last().Containers[0]); diff != "" || w.last().IP != "10.1.0.6" {
			t.Errorf("restarted, at %s (-want +got):\n%s", w.last().IP, diff)
		}
		if diff := cmp.Diff([]engine.Status{engine.Pending, engine.Running, engine.Pending, engine.Running}, w.statuses()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		// A second time, before the container runs: nothing is counted twice.
		w.Restart()
		synctest.Wait()
		c.vanish("eci-1-2")
		w.Restart()
		synctest.Wait()
		c.vanish("eci-1-3")
		c.pod("eci-1-4", runs("d"))
		if got := w.last().Containers[0].RestartCount; got != 4 {
			t.Errorf("%d restarts, want 4: the third pod's container never ran", got)
		}
	})
}

func TestStopWhileRestarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		w.Restart()
		synctest.Wait()
		w.Stop(true)
		synctest.Wait()
		c.vanish("eci-1")
		if !w.last().Stopped || len(c.objects("pods")) != 0 {
			t.Errorf("stopped %t with pods %v, want none", w.last().Stopped, c.objects("pods"))
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w, kept := c.start("eci-1", webSpec()), c.start("eci-2", webSpec())
		c.pod("eci-1", runs("a"))
		c.pod("eci-2", runs("b"))
		c.pod("eci-2", exits(corev1.PodSucceeded, "Completed", 0))
		begun := time.Now()
		if err := c.runtime.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != closeLimit {
			t.Errorf("closing took %v, want %v: a container does not end", took, closeLimit)
		}
		if !kept.last().Stopped || w.last().Stopped {
			t.Errorf("stopped: %t and %t, want true and false", kept.last().Stopped, w.last().Stopped)
		}
		if pods := c.objects("pods"); len(pods) != 0 {
			t.Errorf("left behind: %v", pods)
		}
		late := c.runtime.Start("eci-3", webSpec(), func(engine.Observation) { t.Error("a closed runtime reports") })
		late.Stop(true)
		if _, err := late.Logs("app", false); err == nil {
			t.Error("a closed runtime has logs")
		}
	})
}

// TestMany checks that many groups live beside one another.
func TestMany(t *testing.T) {
	const groups = 100
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var all []*watched
		for i := range groups {
			all = append(all, c.start(fmt.Sprintf("eci-%d", i), webSpec()))
		}
		for i := range groups {
			c.pod(fmt.Sprintf("eci-%d", i), runs("a"))
		}
		for i, w := range all {
			if w.last().Status != engine.Running {
				t.Fatalf("group %d: %s, want Running", i, w.last().Status)
			}
			w.Stop(true)
		}
		synctest.Wait()
		if got := len(c.noted()); got != groups {
			t.Fatalf("%d pods were deleted, want %d", got, groups)
		}
		for i, w := range all {
			c.vanish(fmt.Sprintf("eci-%d", i))
			if !w.last().Stopped {
				t.Fatalf("group %d is not stopped", i)
			}
		}
	})
}
