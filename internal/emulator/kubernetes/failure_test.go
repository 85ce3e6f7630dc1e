package kubernetes

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

var getOptions = metav1.GetOptions{}

func invalid(path, message string) error {
	return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Pod").GroupKind(), "eci-1",
		field.ErrorList{field.Forbidden(field.NewPath(path), message)})
}

// TestCreateFails checks that a group is made in the end, and that its client
// learns what went wrong but not where.
func TestCreateFails(t *testing.T) {
	cases := map[string]struct {
		reason string
		refuse map[string][]error
		wait   time.Duration
		told   []string
		sized  bool
	}{
		"NoAnswer": {
			reason: "the network fails twice", wait: 3 * time.Second, sized: true,
			refuse: map[string][]error{"create pods": {errors.New("dial tcp 10.0.0.1:6443: refused"), context.DeadlineExceeded}},
			told: []string{
				"Warning FailedCreate: Error creating: the machine does not answer ( 0)",
				"Warning FailedCreate: Error creating: the machine does not answer ( 0)",
			},
		},
		"Refused": {
			reason: "the API server objects", wait: time.Second, sized: true,
			refuse: map[string][]error{"create pods": {invalid("spec.containers", "no")}},
			told:   []string{`Warning FailedCreate: Error creating: Pod "web" is invalid: spec.containers: Forbidden: no ( 0)`},
		},
		"SecretFails": {
			reason: "files come before the pod", wait: time.Second, sized: true,
			refuse: map[string][]error{"create secrets": {apierrors.NewInternalError(errors.New("etcd"))}},
			told:   []string{"Warning FailedCreate: Error creating: the machine does not answer ( 0)"},
		},
		"NoSize": {
			reason: "an older API server takes no size of a whole pod",
			refuse: map[string][]error{"create pods": {invalid("spec.resources", "may not be set")}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				c.refuse = tc.refuse
				spec := webSpec()
				spec.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{}}}
				w := c.start("eci-1", spec)
				pass(tc.wait)
				pod, err := c.find("eci-1")
				if err != nil {
					t.Fatalf("%s: %v", tc.reason, err)
				}
				if sized := pod.Spec.Resources != nil; sized != tc.sized {
					t.Errorf("%s: a pod with a size of its own: %t, want %t", tc.reason, sized, tc.sized)
				}
				if diff := cmp.Diff(tc.told, w.told()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
				}
			})
		})
	}
}

// TestLostAnswer checks that a pod whose creation was not answered is found again.
func TestLostAnswer(t *testing.T) {
	lost := func(c *cluster) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "eci-1", Namespace: "groups", UID: "uid-lost"}}
		if err := c.client.Tracker().Create(podResource, pod, "groups"); err != nil {
			c.t.Fatal(err)
		}
	}
	t.Run("Runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			lost(c)
			w := c.start("eci-1", webSpec())
			c.pod("eci-1", runs("a"))
			if w.last().Status != engine.Running {
				t.Errorf("%s, want Running", w.last().Status)
			}
		})
	})
	t.Run("StoppedMeanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			c.refuse["create pods"] = []error{context.DeadlineExceeded}
			w := c.start("eci-1", webSpec())
			lost(c)
			w.Stop(true)
			synctest.Wait()
			if w.last().Stopped {
				t.Fatal("stopped while its pod is there")
			}
			c.vanish("eci-1")
			if !w.last().Stopped {
				t.Error("not stopped")
			}
		})
	})
}

// TestDeleteFails checks that a stop is tried again, at once if it is urgent.
func TestDeleteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		down := errors.New("down")
		c.refuse["delete pods"] = []error{down, down, down}
		w.Stop(false)
		pass(time.Second)
		if deletes := c.noted(); deletes != nil {
			t.Fatalf("deleted: %v", deletes)
		}
		w.Stop(true) // one more failure, and not at once again
		synctest.Wait()
		if got := len(c.refuse["delete pods"]); got != 0 {
			t.Errorf("%d calls are left that fail, want 0", got)
		}
		pass(10 * time.Second)
		if diff := cmp.Diff([]string{"eci-1 1"}, c.noted()); diff != "" {
			t.Errorf("deletes (-want +got):\n%s", diff)
		}
	})
}

// TestBeforeConnect checks that groups wait for the backing cluster.
func TestBeforeConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		late := newRuntime(Options{Namespace: "groups", Cloud: "kci"}, c.client, c.nodes)
		defer func() {
			if err := late.Close(); err != nil {
				t.Error(err)
			}
		}()
		started := make(chan engine.Observation, 10)
		waiting := late.Start("kci-1", webSpec(), func(o engine.Observation) { started <- o })
		late.Start("kci-2", webSpec(), func(engine.Observation) {})
		waiting.Stop(false)
		synctest.Wait()
		if o := <-started; o.Status != engine.Pending {
			t.Errorf("%+v, want Pending", o)
		}
		if o := <-started; !o.Stopped {
			t.Errorf("%+v, want Stopped", o)
		}
		c.refuse["create namespaces"] = []error{errors.New("not yet")}
		if err := late.Connect(t.Context()); err == nil {
			t.Error("connected to a cluster that refuses")
		}
		if err := late.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"kci-2"}, c.objects("pods")); diff != "" {
			t.Errorf("pods (-want +got):\n%s", diff)
		}
		if err := late.Connect(t.Context()); err == nil {
			t.Error("connected twice")
		}
	})
}

// TestSweep checks that what an earlier runtime left is deleted, and nothing else.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		for name, cloud := range map[string]string{"old-eci": "eci", "old-kci": "kci", "foreign": ""} {
			meta := metav1.ObjectMeta{Name: name, Namespace: "groups"}
			if cloud != "" {
				meta.Labels = map[string]string{labelCloud: cloud}
			}
			for _, object := range []interface {
				metav1.Object
			}{&corev1.Pod{ObjectMeta: meta}, &corev1.Secret{ObjectMeta: meta}} {
				var err error
				switch object := object.(type) {
				case *corev1.Pod:
					err = c.client.Tracker().Add(object)
				case *corev1.Secret:
					err = c.client.Tracker().Add(object)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := c.runtime.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, resource := range []string{"pods", "secrets"} {
			if diff := cmp.Diff([]string{"foreign", "old-kci"}, c.objects(resource)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", resource, diff)
			}
		}
	})
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Options{Namespace: "a", Cloud: "eci"}); err == nil {
		t.Error("a runtime without a backing cluster")
	}
}
