package provider

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// TestFilesChangedWhileCreating: the group is made of the old files and gets the
// new ones as soon as it can.
func TestFilesChangedWhileCreating(t *testing.T) {
	for name, lost := range map[string]error{"Answered": nil, "AnswerLost": cloudErr(cloudapi.CodeUnavailable, true)} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				sh := h.shell()
				hold := make(chan struct{})
				h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{Hold: hold, After: lost})
				h.configMap("1", map[string]string{"a": "one"})
				pod := h.create("web", settings)
				h.until(10*time.Second, "the create is under way", func() bool { return h.cloud.Count(fakecloud.OpCreate) == 1 })
				h.configMap("2", map[string]string{"a": "eins"})
				close(hold)
				id := h.group(pod.UID)
				h.wait(10 * time.Second)
				if n := len(sh.given()); n != 0 {
					t.Errorf("%d scripts for a group that does not run", n)
				}
				h.cloud.Start(id, "10.0.0.1")
				h.wait(10 * time.Second)
				if s := sh.given(); len(s) != 1 || !strings.Contains(s[0], "printf 'eins'") {
					t.Errorf("scripts %q", s)
				}
			})
		})
	}
}

// TestFilesOfManyPods: one change is brought into each group, and the last of
// several in quick succession is what all have in the end.
func TestFilesOfManyPods(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one", "b": "two"})
		for i := range 5 {
			h.running(fmt.Sprintf("web-%d", i), settings)
		}
		for version := 2; version < 12; version++ {
			h.configMap(fmt.Sprint(version), map[string]string{"a": fmt.Sprintf("last %d", version)})
		}
		h.wait(10 * time.Second)
		last := 0
		for _, s := range sh.given() {
			if strings.Contains(s, "printf 'last 11'") {
				last++
			}
			if strings.Contains(s, "./b") {
				t.Errorf("a script keeps the key that was removed:\n%s", s)
			}
		}
		if last != 5 || len(sh.given()) > 50 {
			t.Errorf("%d of %d scripts bring in the last change, want one for each of 5 pods", last, len(sh.given()))
		}
		h.api.end("web-0", 0)
		h.wait(5 * time.Second)
		h.configMap("99", map[string]string{"a": "later"})
		h.wait(5 * time.Second)
		later := 0
		for _, s := range sh.given() {
			if strings.Contains(s, "printf 'later'") {
				later++
			}
		}
		if later != 4 {
			t.Errorf("%d scripts for the 4 pods that are left", later)
		}
	})
}

// TestFilesOfASubPath: what a subPath has picked never changes.
func TestFilesOfASubPath(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings, func(p *corev1.Pod) { p.Spec.Containers[0].VolumeMounts[0].SubPath = "a" })
		h.configMap("2", map[string]string{"a": "eins"})
		h.deleteConfigMap()
		h.wait(time.Hour)
		if n := len(sh.given()); n != 0 || h.filesCurrent("web") != "" || len(h.events.with("Warning")) > 0 {
			t.Errorf("%d scripts, condition %q, events %q", n, h.filesCurrent("web"), h.events.all())
		}
		if n := len(h.p.refs.configMaps.watched); n != 0 {
			t.Errorf("%d ConfigMaps are watched", n)
		}
	}, can(func(l *cloudapi.Limits) { l.Can.SubPath = true }))
}

// TestFilesUnreadable: a running pod whose objects can no longer be read says so.
func TestFilesUnreadable(t *testing.T) {
	runIdle(t, func(h *harness) {
		var forbidden atomic.Bool
		h.kube.PrependReactor("list", "configmaps", func(k8stesting.Action) (bool, runtime.Object, error) {
			return forbidden.Load(), nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "settings", errors.New("no rule"))
		})
		h.start()
		h.wait(time.Minute)
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings)
		forbidden.Store(true)
		h.restart()
		const want = `Warning FailedSync: error syncing pod: waiting for configmaps shop/settings: configmaps "settings" is forbidden: no rule`
		h.until(2*time.Minute, "told", func() bool { return len(h.events.with("Warning")) > 0 })
		if events := h.events.with("Warning"); events[0] != want {
			t.Errorf("events %q, want %q", events, want)
		}
		forbidden.Store(false)
		h.restart() // in the bubble, whose clock is old, client-go's own pause after an error lasts for years
		h.until(2*time.Minute, "it is looked after again", func() bool { return len(sh.given()) == 1 })
		h.api.end("web", 0)
		h.nothingLeft()
	})
}
