package provider

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func (h *harness) deleteConfigMap() {
	h.t.Helper()
	if err := h.kube.CoreV1().ConfigMaps(testNamespace).Delete(h.t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
		h.t.Fatal(err)
	}
}

// TestRequiredFilesBackUnchanged: the group has had the right files all along.
func TestRequiredFilesBackUnchanged(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings)
		h.deleteConfigMap()
		h.wait(time.Minute)
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "False FilesOutdated") {
			t.Fatalf("condition %q without the ConfigMap", c)
		}
		h.configMap("2", map[string]string{"a": "one"})
		h.wait(2 * time.Second)
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "True FilesUpdated: config has version ") || len(sh.given()) != 0 {
			t.Errorf("condition %q and %d scripts after it came back as it was", c, len(sh.given()))
		}
	})
}

// TestOutdatedAcrossRestart: what an earlier process told of old files is taken
// back when they are found to be right.
func TestOutdatedAcrossRestart(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		sh.set("write", 0, nil)
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings)
		h.configMap("2", map[string]string{"a": "two"})
		h.wait(time.Minute)
		before := h.filesCurrent("web")
		if !strings.HasPrefix(before, "False FilesOutdated: config keeps its old files: container main: the volume cannot be written to; ") {
			t.Fatalf("condition %q", before)
		}
		h.halt()
		h.configMap("3", map[string]string{"a": "one"})
		h.start()
		h.wait(500 * time.Millisecond)
		if c := h.filesCurrent("web"); c != before {
			t.Errorf("condition %q before anything was looked at", c)
		}
		sh.set("same", 0, nil)
		h.wait(time.Minute)
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "True FilesUpdated: config has version ") {
			t.Errorf("condition %q", c)
		}
	})
}

// TestFilesAfterRestartAtSecondTry: a container that has just started may not
// take commands yet.
func TestFilesAfterRestartAtSecondTry(t *testing.T) {
	for name, first := range map[string]struct {
		answer string
		err    error
	}{
		"Unavailable": {"", cloudErr(cloudapi.CodeUnavailable, true)},
		"Conflict":    {"", cloudErr(cloudapi.CodeConflict, false)},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				sh := h.shell()
				h.configMap("1", map[string]string{"a": "one"})
				id := h.running("web", settings, restartAlways)
				h.configMap("2", map[string]string{"a": "eins"})
				h.wait(5 * time.Second)
				sh.set(first.answer, 0, first.err)
				h.cloud.Change(id, func(g *cloudapi.Group) {
					g.Containers[0].RestartCount++
					g.Containers[0].Current.StartedAt = time.Now()
				})
				h.until(10*time.Second, "the new run is written to", func() bool { return len(sh.given()) > 1 })
				sh.set("changed", 0, nil)
				tries := len(sh.given())
				h.wait(time.Minute)
				if n := len(sh.given()) - tries; n != 1 {
					t.Errorf("%d scripts after the one that failed, want 1", n)
				}
			})
		})
	}
}

// TestFilesThroughAnotherContainer: that one container takes no commands does
// not keep the files from the volume that they share.
func TestFilesThroughAnotherContainer(t *testing.T) {
	run(t, func(h *harness) {
		var wrote atomic.Int32
		h.cloud.OnExec(func(_ context.Context, c fakecloud.Call) (int, error) {
			if c.Container == "main" {
				return 0, cloudErr(cloudapi.CodeUnavailable, true)
			}
			wrote.Add(1)
			_, err := fmt.Fprintln(c.Stdout, "cumulet-files: changed")
			return 0, err
		})
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings, func(p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, *p.Spec.Containers[0].DeepCopy())
			p.Spec.Containers[1].Name = "second"
		})
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(5 * time.Second)
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "True") || wrote.Load() != 1 {
			t.Errorf("condition %q after %d writes", c, wrote.Load())
		}
	})
}

// TestFileUpdateFails: a cloud that does not let its own call be made is told of,
// whatever the reason.
func TestFileUpdateFails(t *testing.T) {
	run(t, func(h *harness) {
		h.shell().set("write", 0, nil)
		denied := &cloudapi.Error{Op: "Update", Code: cloudapi.CodeForbidden, Message: "not allowed", RequestID: "r-1"}
		h.cloud.FailAll(fakecloud.OpUpdate, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Before: denied} })
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings, restartAlways)
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(20 * time.Second)
		if c := h.filesCurrent("web"); c != "" {
			t.Errorf("condition %q at once", c)
		}
		h.wait(2 * time.Minute)
		want := "False FilesOutdated: config keeps its old files: container main: the volume cannot be written to; Update: Forbidden: not allowed"
		if c := h.filesCurrent("web"); c != want {
			t.Errorf("condition %q, want %q", c, want)
		}
		if events := h.events.with("FilesOutdated"); len(events) != 1 {
			t.Errorf("events %q", events)
		}
		h.cloud.FailAll(fakecloud.OpUpdate, nil)
		h.until(2*time.Minute, "the files are current", func() bool { return strings.HasPrefix(h.filesCurrent("web"), "True") })
	}, withFiles)
}

// TestHungExecLeavesRoom: containers whose shell never answers must not keep the
// files of all other pods waiting.
func TestHungExecLeavesRoom(t *testing.T) {
	run(t, func(h *harness) {
		var hung, wrote atomic.Int32
		h.cloud.OnExec(func(ctx context.Context, c fakecloud.Call) (int, error) {
			if !strings.Contains(c.Stdin, "robot") {
				hung.Add(1)
				<-ctx.Done()
				return 0, cloudErr(cloudapi.CodeCanceled, true)
			}
			wrote.Add(1)
			_, err := fmt.Fprintln(c.Stdout, "cumulet-files: changed")
			return 0, err
		})
		h.configMap("1", map[string]string{"a": "one"})
		for i := range 2 * fileWorkers {
			h.running(fmt.Sprintf("hung-%d", i), settings)
		}
		h.running("web", mounted(corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "labels", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.labels"}},
		}}}))
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(20 * time.Minute)
		before := hung.Load()
		h.wait(time.Hour)
		// A try takes half a minute of a worker.
		if n := hung.Load() - before; n > 2*fileWorkers*7 {
			t.Errorf("%d tries in an hour, want one of each pod every ten minutes", n)
		}
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"who": "robot"} })
		h.until(40*time.Second, "the other pod's files are written", func() bool { return wrote.Load() == 1 })
	})
}

// TestFilesWrittenUnheard: the files are there, though the answer was lost or the
// process ended before it could tell. The version is shown all the same.
func TestFilesWrittenUnheard(t *testing.T) {
	for name, killed := range map[string]bool{"AnswerLost": false, "Killed": true} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				sh := h.shell()
				h.configMap("1", map[string]string{"a": "one"})
				h.running("web", settings)
				h.configMap("2", map[string]string{"a": "zwei"})
				h.wait(2 * time.Second)
				before := h.filesCurrent("web")
				sh.set("same", 0, nil) // as the next try finds it
				if killed {
					h.halt()
					h.configMap("3", map[string]string{"a": "eins"})
					h.start()
				} else {
					h.cloud.Fail(fakecloud.OpExec, fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, true)})
					h.configMap("3", map[string]string{"a": "eins"})
				}
				h.wait(time.Minute)
				// The sum that TestConfigMapChanges states.
				if c := h.filesCurrent("web"); c == before || !strings.HasPrefix(c, "True FilesUpdated: config has version b98a65587d55 since ") {
					t.Errorf("condition %q", c)
				}
				writes := h.api.statusWrites()
				h.restart()
				h.wait(time.Hour)
				if n := h.api.statusWrites() - writes; n != 0 {
					t.Errorf("%d status writes although nothing changed", n)
				}
			})
		})
	}
}
