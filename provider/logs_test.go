package provider

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// reader reads a followed log from another goroutine.
type reader struct {
	mu   sync.Mutex
	text bytes.Buffer
	err  error
	done bool
}

// Write takes what was written to the client.
func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *reader) ended() (string, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String(), r.done, r.err
}

// logs reads a log in the background.
func (h *harness) logs(ctx context.Context, pod string, o LogOptions) *reader {
	r := &reader{}
	go func() {
		err := h.p.Logs(ctx, ContainerName{testNamespace, pod, "main"}, o, r)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.done, r.err = true, err
	}()
	return r
}

func numbered(from, to int) string {
	var text strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&text, "line %d\n", n)
	}
	return text.String()
}

// The test cloud gives 10 lines at a time.
const missedNotice = "[cumulet: lines are missing here: the cloud gives only the last 10 lines of a log at a time]\n"

func TestLogs(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		log     string
		options LogOptions
		want    string
	}{
		"all":          {"the whole log", numbered(1, 3), LogOptions{}, numbered(1, 3)},
		"tail":         {"the last lines", numbered(1, 9), LogOptions{Tail: ptr.To[int64](2)}, numbered(8, 9)},
		"tail 0":       {"nothing", numbered(1, 9), LogOptions{Tail: ptr.To[int64](0)}, ""},
		"tail of less": {"there are no more lines", numbered(1, 3), LogOptions{Tail: ptr.To[int64](5)}, numbered(1, 3)},
		"too long":     {"a hole must not look like none", numbered(1, 20), LogOptions{}, missedNotice + numbered(11, 20)},
		"tail too long": {"nor here", numbered(1, 20), LogOptions{Tail: ptr.To[int64](15)},
			missedNotice + numbered(11, 20)},
		"tail of all there is": {"exactly what the cloud gives", numbered(1, 20), LogOptions{Tail: ptr.To[int64](10)}, numbered(11, 20)},
		"limit":                {"cut in the middle of a line", numbered(1, 3), LogOptions{LimitBytes: ptr.To[int64](10)}, "line 1\nlin"},
		"empty":                {"a container may say nothing", "", LogOptions{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.cloud.SetLog(h.running("web"), "main", c.log)
				var out bytes.Buffer
				if err := h.p.Logs(h.t.Context(), ContainerName{testNamespace, "web", "main"}, c.options, &out); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, out.String()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.reason, diff)
				}
			})
		})
	}
}

func TestLogsRefused(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.create("young")
		h.group("uid-young")
		h.running("lost")
		h.wait(youngest)
		h.cloud.Vanish(h.group("uid-lost"))
		h.phase("lost", corev1.PodFailed)
		for name, c := range map[string]struct {
			pod, container string
			options        LogOptions
			code           int32
			want           string
		}{
			"no pod":       {"none", "main", LogOptions{}, 404, `pods "none" not found`},
			"no container": {"web", "none", LogOptions{}, 404, `containers "none" not found`},
			"not started":  {"young", "main", LogOptions{}, 400, `container "main" in pod "young" is waiting to start: ContainerCreating`},
			"since": {"web", "main", LogOptions{Since: time.Now()}, 400,
				"--since and --since-time cannot be honoured: the log call of test knows only the last lines of a container's current run"},
			"previous": {"web", "main", LogOptions{Previous: true}, 400,
				"--previous cannot be honoured: the log call of test knows only the last lines of a container's current run"},
			"timestamps": {"web", "main", LogOptions{Timestamps: true}, 400,
				"--timestamps cannot be honoured: the log call of test knows only the last lines of a container's current run"},
			"group gone": {"lost", "main", LogOptions{}, 400,
				`the log of container "main" in pod "lost" is gone: its container group no longer exists`},
		} {
			err := h.p.Logs(h.t.Context(), ContainerName{testNamespace, c.pod, c.container}, c.options, &bytes.Buffer{})
			status, ok := err.(apierrors.APIStatus)
			if !ok || status.Status().Code != c.code || err.Error() != c.want {
				t.Errorf("%s: %v, want %d %s", name, err, c.code, c.want)
			}
		}
	})
}

// TestLogsSinceTheStart: to be asked for the whole run is to be asked for no
// more than any cloud can give.
func TestLogsSinceTheStart(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.SetLog(h.running("web"), "main", numbered(1, 3))
		h.wait(time.Minute)
		var out bytes.Buffer
		err := h.p.Logs(h.t.Context(), ContainerName{testNamespace, "web", "main"}, LogOptions{Since: time.Now().Add(-time.Hour)}, &out)
		if err != nil || out.String() != numbered(1, 3) {
			t.Errorf("log %q, error %v", out.String(), err)
		}
		err = h.p.Logs(h.t.Context(), ContainerName{testNamespace, "web", "main"}, LogOptions{Since: time.Now().Add(-10 * time.Second)}, &out)
		if !apierrors.IsBadRequest(err) {
			t.Errorf("since 10 s: %v, want a bad request", err)
		}
	})
}

func TestPreviousLogs(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyAlways })
		err := h.p.Logs(h.t.Context(), ContainerName{testNamespace, "web", "main"}, LogOptions{Previous: true}, &bytes.Buffer{})
		if err == nil || err.Error() != `previous terminated container "main" in pod "web" not found` {
			t.Errorf("before a restart: %v", err)
		}
		err = h.p.Logs(h.t.Context(), ContainerName{testNamespace, "web", "main"}, LogOptions{Previous: true, Follow: true}, &bytes.Buffer{})
		if !apierrors.IsBadRequest(err) {
			t.Errorf("follow of the previous run: %v", err)
		}
		h.cloud.Change(id, func(g *cloudapi.Group) {
			g.Containers[0].RestartCount = 1
			g.Containers[0].Previous = &cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: 1}
		})
		h.wait(5 * time.Second)
		if err := h.p.Logs(h.t.Context(), ContainerName{testNamespace, "web", "main"}, LogOptions{Previous: true}, &bytes.Buffer{}); err != nil {
			t.Error(err)
		}
		calls := h.cloud.Calls(fakecloud.OpLogs)
		if len(calls) != 1 || !calls[0].Logs.Previous {
			t.Errorf("calls %+v", calls)
		}
	}, can(func(l *cloudapi.Limits) { l.Log.Previous = true }))
}

func TestFollow(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.SetLog(id, "main", numbered(1, 8))
		r := h.logs(h.t.Context(), "web", LogOptions{Follow: true, Tail: ptr.To[int64](2)})
		h.wait(10 * time.Second)
		h.cloud.SetLog(id, "main", numbered(1, 12)) // the window slides
		h.wait(10 * time.Second)
		h.cloud.Fail(fakecloud.OpLogs, fakecloud.Fault{Before: cloudErr(cloudapi.CodeThrottled, false)})
		h.cloud.SetLog(id, "main", numbered(1, 15)+"half")
		h.wait(10 * time.Second)
		h.cloud.SetLog(id, "main", numbered(1, 15)+"half a line\n")
		h.wait(10 * time.Second)
		h.cloud.SetLog(id, "main", numbered(1, 15)+"half a line\n"+numbered(17, 40)) // more than a window
		h.wait(10 * time.Second)
		h.cloud.SetLog(id, "main", numbered(1, 15)+"half a line\n"+numbered(17, 41)) // the last words
		h.cloud.Fail(fakecloud.OpLogs, fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)})
		h.cloud.Finish(id, 0)
		h.wait(10 * time.Second)
		got, done, err := r.ended()
		if want := numbered(7, 15) + "half a line\n" + missedNotice + numbered(31, 41); !done || err != nil || got != want {
			t.Errorf("done %t, error %v (-want +got):\n%s", done, err, cmp.Diff(want, got))
		}
	})
}

// TestFollowTailTimed: a cloud that is asked for lines by their time gives those
// of the last second again, and before the tail there may be others of it.
func TestFollowTailTimed(t *testing.T) {
	stamped := func(from, to int) string {
		var text strings.Builder
		for n := from; n <= to; n++ {
			fmt.Fprintf(&text, "2026-01-02T03:04:05.%03dZ line %d\n", 100*n, n)
		}
		return text.String()
	}
	run(t, func(h *harness) {
		id := h.running("web")
		h.cloud.SetLog(id, "main", stamped(1, 6))
		r := h.logs(h.t.Context(), "web", LogOptions{Follow: true, Tail: ptr.To[int64](2)})
		h.wait(10 * time.Second)
		h.cloud.SetLog(id, "main", stamped(1, 9))
		h.wait(10 * time.Second)
		h.cloud.Finish(id, 0)
		h.wait(10 * time.Second)
		if got, done, err := r.ended(); !done || err != nil || got != numbered(5, 9) {
			t.Errorf("done %t, error %v (-want +got):\n%s", done, err, cmp.Diff(numbered(5, 9), got))
		}
	}, can(func(l *cloudapi.Limits) { l.Log.Timestamps, l.Log.Since = true, true }))
}

func TestFollowEnds(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		end    func(h *harness, id string, cancel func())
		want   string
		err    bool
	}{
		"client leaves":  {"nobody reads any more", func(_ *harness, _ string, cancel func()) { cancel() }, "", false},
		"pod is deleted": {"the log goes with the group", func(h *harness, _ string, _ func()) { h.api.end("web", 0) }, "", false},
		"log goes first": {"the group is gone before a sweep has seen it", func(h *harness, _ string, _ func()) {
			h.api.end("web", 30)
			h.cloud.FailAll(fakecloud.OpLogs, func(fakecloud.Call) fakecloud.Fault {
				return fakecloud.Fault{Before: cloudErr(cloudapi.CodeNotFound, false)}
			})
			h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
				return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)}
			})
		}, "", false},
		"group vanishes": {"the same", func(h *harness, id string, _ func()) { h.cloud.Vanish(id) }, "", true},
		"container ends": {"the run is over", func(h *harness, id string, _ func()) { h.cloud.Finish(id, 0) }, "", false},
		"log is forbidden": {"an error is told", func(h *harness, _ string, _ func()) {
			h.cloud.Fail(fakecloud.OpLogs, fakecloud.Fault{Before: cloudErr(cloudapi.CodeForbidden, false)})
		}, "", true},
		"container restarts": {"this cloud does not have the run's end any more", func(h *harness, id string, _ func()) {
			h.cloud.SetLog(id, "main", "again\n")
			h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].RestartCount++ })
			h.cloud.Fail(fakecloud.OpLogs, make([]fakecloud.Fault, 20)...)
		}, noticeReplaced, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("web", func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyAlways })
				h.cloud.SetLog(id, "main", numbered(1, 3))
				ctx, cancel := context.WithCancel(h.t.Context())
				defer cancel()
				r := h.logs(ctx, "web", LogOptions{Follow: true})
				h.wait(20 * time.Second)
				if name == "container restarts" {
					h.cloud.FailAll(fakecloud.OpLogs, func(fakecloud.Call) fakecloud.Fault {
						return fakecloud.Fault{Before: cloudErr(cloudapi.CodeThrottled, false)}
					})
				}
				c.end(h, id, cancel)
				h.wait(20 * time.Second)
				got, done, err := r.ended()
				if !done || (err != nil) != c.err || got != numbered(1, 3)+c.want {
					t.Errorf("%s: done %t, error %v, log %q", c.reason, done, err, got)
				}
			})
		})
	}
}

// TestFollowPreviousRun: where the cloud has it, the end of a run that was
// replaced comes from there.
func TestFollowPreviousRun(t *testing.T) {
	run(t, func(h *harness) {
		id := h.running("web", func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyAlways })
		h.cloud.SetLog(id, "main", numbered(1, 3))
		r := h.logs(h.t.Context(), "web", LogOptions{Follow: true})
		h.wait(20 * time.Second)
		h.cloud.SetLog(id, "main", numbered(1, 5))
		h.cloud.Change(id, func(g *cloudapi.Group) { g.Containers[0].RestartCount++ })
		h.wait(20 * time.Second)
		calls := h.cloud.Calls(fakecloud.OpLogs)
		if _, done, err := r.ended(); !done || err != nil || !calls[len(calls)-1].Logs.Previous {
			t.Errorf("done %t, error %v, last call %+v", done, err, calls[len(calls)-1])
		}
	}, can(func(l *cloudapi.Limits) { l.Log.Previous = true }))
}

func TestCloudError(t *testing.T) {
	for code, want := range map[cloudapi.Code]int32{
		cloudapi.CodeUnsupported: 400, cloudapi.CodeInvalid: 400, cloudapi.CodeConflict: 400,
		cloudapi.CodeNotFound: 404, cloudapi.CodeThrottled: 429, cloudapi.CodeUnavailable: 500, cloudapi.CodeForbidden: 500,
	} {
		err := cloudError(&cloudapi.Error{Op: "Logs", Code: code})
		status, ok := err.(apierrors.APIStatus)
		if !ok || status.Status().Code != want {
			t.Errorf("%s: %v, want code %d", code, err, want)
		}
	}
}
