package kubernetes

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func TestRespell(t *testing.T) {
	cases := map[string]struct {
		reason, image, imageID string
		want                   string
		refused                bool
	}{
		"Short":    {reason: "by digest instead of by tag", image: "nginx", imageID: "docker.io/library/nginx@sha256:1", want: "nginx:again-3@sha256:1"},
		"Tag":      {reason: "another tag", image: "nginx:1.25", imageID: "docker.io/library/nginx@sha256:1", want: "nginx:again-3@sha256:1"},
		"User":     {reason: "a repository of somebody's", image: "a/b:1", imageID: "docker.io/a/b@sha256:1", want: "a/b:again-3@sha256:1"},
		"Port":     {reason: "a port is no tag", image: "127.0.0.1:5000/a", imageID: "127.0.0.1:5000/a@sha256:1", want: "127.0.0.1:5000/a:again-3@sha256:1"},
		"Host":     {reason: "a registry by name", image: "localhost/a:1", imageID: "localhost/a@sha256:1", want: "localhost/a:again-3@sha256:1"},
		"Digest":   {reason: "a digest stays", image: "r.io/a@sha256:1", imageID: "r.io/a@sha256:1", want: "r.io/a:again-3@sha256:1"},
		"Again":    {reason: "after another restart", image: "r.io/a:again-2@sha256:1", imageID: "r.io/a@sha256:1", want: "r.io/a:again-3@sha256:1"},
		"Imported": {reason: "the node knows no digest of the repository", image: "nginx", imageID: "sha256:1", refused: true},
		"Mirror":   {reason: "the node knows it by another repository too", image: "r.io/a:1", imageID: "docker.io/library/a@sha256:1", want: "r.io/a:again-3@sha256:1"},
		"Nothing":  {reason: "the node knows nothing", image: "nginx", refused: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := respell(tc.image, tc.imageID, 3)
			if ok == tc.refused || (ok && got != tc.want) {
				t.Errorf("%s: %q, %t; want %q, %t", tc.reason, got, ok, tc.want, !tc.refused)
			}
		})
	}
}

func TestRespelledRefuses(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*corev1.Pod)
		ok     bool
	}{
		"Runs":       {reason: "all that can be restarted", change: func(*corev1.Pod) {}, ok: true},
		"Pending":    {reason: "not everything has run", change: func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }},
		"Init":       {reason: "init containers run again on the clouds", change: func(p *corev1.Pod) { p.Spec.InitContainers = make([]corev1.Container, 1) }},
		"Leaving":    {reason: "it ends", change: func(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(metav1.Now()) }},
		"NoStatus":   {reason: "a container of which nothing is known", change: func(p *corev1.Pod) { p.Status.ContainerStatuses = nil }},
		"NeverRan":   {reason: "a container that never ran", change: func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ContainerID = "" }},
		"Odd":        {reason: "an image by no digest", change: func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ImageID = "sha256:1" }},
		"NeverAgain": {reason: "a kubelet starts no container that ended for good", change: func(p *corev1.Pod) { exits(corev1.PodRunning, "Error", 1)(&p.Status); p.Spec.RestartPolicy = "Never" }},
		"Crashed":    {reason: "it starts what is to restart", change: func(p *corev1.Pod) { exits(corev1.PodRunning, "Error", 1)(&p.Status) }, ok: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: "Always", Containers: []corev1.Container{{Name: "app", Image: "nginx:1"}}}}
			runsImage("a")(&pod.Status)
			tc.change(pod)
			if images, ok := respelled(pod, 1); ok != tc.ok {
				t.Errorf("%s: %v, %t; want %t", tc.reason, images, ok, tc.ok)
			}
		})
	}
	if _, ok := respelled(nil, 1); ok {
		t.Error("no pod at all")
	}
}

// runsImage is runs with an image that is known by digest.
func runsImage(container string) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		runs(container)(s)
		s.ContainerStatuses[0].ImageID = "docker.io/library/nginx@sha256:1"
	}
}

// TestRestartInPlace checks that a group keeps its pod where it can, and that
// nobody sees how.
func TestRestartInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runsImage("a"))
		image := func() string {
			pod, err := c.find("eci-1")
			if err != nil {
				t.Fatal(err)
			}
			return pod.Spec.Containers[0].Image
		}
		w.Restart()
		synctest.Wait()
		if got := image(); got != "nginx:again-1@sha256:1" {
			t.Fatalf("image %s, want another spelling", got)
		}
		c.event("eci-1", "Killing", "Container app definition changed, will be restarted", 1)
		c.event("eci-1", "Pulled", `Container image "nginx:again-1@sha256:1" already present on machine`, 1)
		if w.last().Status != engine.Pending {
			t.Errorf("%s before it has restarted, want Pending", w.last().Status)
		}
		c.pod("eci-1", func(s *corev1.PodStatus) {
			runsImage("b")(s)
			s.ContainerStatuses[0].RestartCount = 1
			s.ContainerStatuses[0].LastTerminationState.Terminated = terminated("Error", 143)
		})
		o := w.last()
		if o.Status != engine.Running || o.Containers[0].RestartCount != 1 || o.Containers[0].Image != "nginx:1" || o.Containers[0].Previous.ExitCode != 143 {
			t.Errorf("restarted: %+v", o)
		}
		want := []string{
			"Normal Killing: Stopping container app (app 1)",
			`Normal Pulled: Container image "nginx:1" already present on machine (app 1)`,
		}
		if diff := cmp.Diff(want, w.told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if deletes := c.noted(); deletes != nil {
			t.Errorf("deleted: %v", deletes)
		}
		w.Restart()
		synctest.Wait()
		if got := image(); got != "nginx:again-2@sha256:1" {
			t.Errorf("image %s the second time, want yet another spelling", got)
		}
		c.pod("eci-1", runsImage("c"))

		same := *webSpec()
		same.Containers = []engine.Container{{Name: "app", Image: "nginx:again-2@sha256:1"}}
		w.Update(&same) // what runs already
		synctest.Wait()
		if w.last().Status != engine.Running {
			t.Errorf("%s after an update to the image that runs, want Running", w.last().Status)
		}
		fresh := same
		fresh.Containers = []engine.Container{{Name: "app", Image: "nginx:2"}}
		w.Update(&fresh)
		synctest.Wait()
		c.event("eci-1", "Killing", "Container app definition changed, will be restarted", 2)
		told := w.told()
		if got := told[len(told)-1]; got != "Normal Killing: Container app definition changed, will be restarted (app 1)" {
			t.Errorf("an update tells %s", got)
		}
	})
}

// TestRestartInVain checks that a group whose image is not found in another spelling
// gets another pod.
func TestRestartInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runsImage("a"))
		w.Restart()
		synctest.Wait()
		c.pod("eci-1", func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}
			s.ContainerStatuses[0].LastTerminationState.Terminated = terminated("Error", 143)
		})
		if diff := cmp.Diff([]string{"eci-1 30"}, c.noted()); diff != "" {
			t.Fatalf("deletes (-want +got):\n%s", diff)
		}
		c.vanish("eci-1")
		pod, err := c.find("eci-1-2")
		if err != nil || pod.Spec.Containers[0].Image != "nginx:1" {
			t.Fatalf("the next pod: %v, %v", pod, err)
		}
		c.pod("eci-1-2", runs("b"))
		if o := w.last(); o.Status != engine.Running || o.Containers[0].RestartCount != 1 || o.Containers[0].Previous.ExitCode != 143 {
			t.Errorf("restarted: %+v", o)
		}
	})
}

func TestRestartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runsImage("a"))
		c.refuse["patch pods"] = []error{errors.New("down")}
		w.Restart()
		pass(2 * time.Second)
		pod, err := c.find("eci-1")
		if err != nil || pod.Spec.Containers[0].Image != "nginx:again-1@sha256:1" {
			t.Errorf("not tried again: %v, %v", pod, err)
		}
		want := []string{"Warning FailedCreate: Error restarting: the machine does not answer ( 0)"}
		if diff := cmp.Diff(want, w.told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestTakenAwaySlowly checks that what somebody else ends has failed, however its
// containers take it.
func TestTakenAwaySlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		if err := c.runtime.deletePod(t.Context(), "eci-1", "", 30); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if w.last().Status != engine.Running {
			t.Errorf("%s while its containers run, want Running", w.last().Status)
		}
		c.pod("eci-1", exits(corev1.PodSucceeded, "Completed", 0))
		if o := w.last(); o.Status != engine.Failed || o.Reason != "SystemFailure" {
			t.Errorf("%s %s, want Failed SystemFailure", o.Status, o.Reason)
		}
	})
}
