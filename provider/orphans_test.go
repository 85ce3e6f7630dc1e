package provider

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// TestOrphansHoldUpNobody: however long the cloud takes to delete what is
// nobody's, the groups of pods are looked at meanwhile.
func TestOrphansHoldUpNobody(t *testing.T) {
	run(t, func(h *harness) {
		id := h.group(h.create("web").UID)
		for i := range 5 {
			h.cloud.Add(orphanSpec(testNode, fmt.Sprintf("uid-of-nobody-%d", i)))
		}
		hold := make(chan struct{})
		h.cloud.FailAll(fakecloud.OpDelete, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Hold: hold} })
		h.until(time.Minute, "the first is being deleted", func() bool { return h.cloud.Count(fakecloud.OpDelete) > 0 })
		h.cloud.Start(id, "10.0.0.1")
		h.until(5*time.Second, "the pod runs", func() bool { return h.api.pod("web").Status.Phase == corev1.PodRunning })
		close(hold)
		h.until(2*time.Minute, "only the pod's group is left", func() bool { return len(h.cloud.Groups()) == 1 })
		if n := h.cloud.Count(fakecloud.OpDelete); n != 5 {
			t.Errorf("%d deletes, want one of each", n)
		}
	})
}

// TestManyOrphans: when most groups have no pod, this may be another cluster's API
// server, or one that has lost its memory. They are looked at twice.
func TestManyOrphans(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		const orphans = manyOrphans + 1
		for i := range orphans {
			h.cloud.Add(orphanSpec(testNode, fmt.Sprintf("uid-of-nobody-%d", i)))
		}
		h.wait(manyAge - time.Second)
		if n := h.cloud.Count(fakecloud.OpDelete); n != 0 {
			t.Errorf("%d deletes before %v", n, manyAge)
		}
		const want = "Warning UnknownGroups : 11 of 12 container groups belong to no pod of this node"
		if events := h.events.with("UnknownGroups"); len(events) != 1 || !strings.HasPrefix(events[0], want) {
			t.Errorf("events %q, want one %q", events, want)
		}
		h.until(10*time.Second, "they are deleted all the same", func() bool { return len(h.cloud.Groups()) == 1 })
		if n := h.cloud.Count(fakecloud.OpDelete); n != orphans {
			t.Errorf("%d deletes, want %d", n, orphans)
		}
	})
}

// TestManyOrphansOfMore: many that are a small part are what a clean-up leaves.
func TestManyOrphansOfMore(t *testing.T) {
	run(t, func(h *harness) {
		for i := range manyOrphans + 1 {
			h.running(fmt.Sprintf("web-%d", i))
			h.cloud.Add(orphanSpec(testNode, fmt.Sprintf("uid-of-nobody-%d", i)))
		}
		h.until(time.Minute, "they are deleted", func() bool { return len(h.cloud.Groups()) == manyOrphans+1 })
	})
}

// TestOrphanThatStays: a delete that fails is not repeated with every sweep.
func TestOrphanThatStays(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.FailAll(fakecloud.OpDelete, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeForbidden, false)}
		})
		h.cloud.Add(orphanSpec(testNode, "uid-of-nobody"))
		h.wait(10 * time.Minute)
		if n := h.cloud.Count(fakecloud.OpDelete); n < 15 || n > 20 {
			t.Errorf("%d deletes in ten minutes, want one in half a minute", n)
		}
		h.cloud.FailAll(fakecloud.OpDelete, nil)
		h.until(time.Minute, "it is deleted", func() bool { return len(h.cloud.Groups()) == 0 })
	})
}

// TestDeleteRefused: a group that the cloud does not delete is told of on its pod,
// which stays as long.
func TestDeleteRefused(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.cloud.FailAll(fakecloud.OpDelete, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: &cloudapi.Error{Op: "Delete", Code: cloudapi.CodeForbidden, Message: "not allowed", RequestID: "r-1"}}
		})
		h.api.end("web", 30)
		h.wait(time.Minute)
		const want = "Warning FailedKillPod: error killing pod: Delete: Forbidden: not allowed"
		if events := h.events.with("FailedKillPod"); len(events) < 2 || events[0] != want || events[1] != want {
			t.Errorf("events %q, want %q for each try", events, want)
		}
		if h.api.pod("web") == nil {
			t.Error("the pod is gone although its group runs")
		}
		h.cloud.FailAll(fakecloud.OpDelete, nil)
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
	})
}

// TestDeleteForgotten: a group that is still there long after a forced delete is
// paid for, so that it is deleted again.
func TestDeleteForgotten(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		var forgotten atomic.Int32
		h.cloud.FailAll(fakecloud.OpDelete, func(fakecloud.Call) fakecloud.Fault {
			if forgotten.Load() == 4 { // the first, that by force, and two more
				return fakecloud.Fault{}
			}
			forgotten.Add(1)
			return fakecloud.Fault{Forgotten: true}
		})
		h.api.end("web", 5)
		h.wait(time.Minute)
		if n := forgotten.Load(); n != 2 || h.api.pod("web") == nil {
			t.Errorf("%d deletes in the first minute, want one and one by force", n)
		}
		h.goneFromAPI(8*time.Minute, "web")
		if n := forgotten.Load(); n != 4 {
			t.Errorf("%d deletes were forgotten", n)
		}
		want := "Warning FailedKillPod: error killing pod: the container group is still there 2m0s after the cloud accepted to delete it by force"
		if events := h.events.with("FailedKillPod"); len(events) != 3 || events[0] != want {
			t.Errorf("events %q, want %q three times", events, want)
		}
		h.nothingLeft()
	})
}
