package provider

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	k8stesting "k8s.io/client-go/testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// TestDeleteUnseen: to an account that lost its rights a group that still ends looks
// gone; another pod in the place of this one would run beside it.
func TestDeleteUnseen(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeForbidden, false)}
		})
		h.cloud.FailAll(fakecloud.OpGet, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Empty: true} })
		h.wait(10 * time.Second)
		h.api.end("web", 120)
		h.never(59*time.Second, "the pod is gone before its group", func() bool { return h.api.pod("web") == nil })
		h.goneFromAPI(endRetries+5*time.Second, "web")
		h.cloud.FailAll(fakecloud.OpList, nil)
		h.cloud.FailAll(fakecloud.OpGet, nil)
		h.nothingLeft()
	}, endTakes(time.Minute))
}

// TestLastStatusRefused: a last status that the API server calls invalid does not keep
// the pod, in whose place another may have to come.
func TestLastStatusRefused(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web", field.ErrorList{field.Invalid(field.NewPath("status"), "", "odd")})
		h.api.mu.Lock()
		h.api.refusePatch = invalid
		h.api.mu.Unlock()
		h.api.end("web", 30)
		h.goneFromAPI(time.Minute, "web")
		h.nothingLeft()
		if !strings.Contains(h.log.String(), "odd") {
			t.Error("the refusal is not logged")
		}
	})
}

// TestDeletedWhileBeingPrepared: no group is asked for any more for a pod that was
// deleted while what it refers to was being read.
func TestDeletedWhileBeingPrepared(t *testing.T) {
	for name, grace := range map[string]int64{"with grace": 30, "by force": 0} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				var known atomic.Bool // whether the API server's authorizer knows the pod
				h.claim("data")
				h.bindClaim("data", diskSource("d-1"))
				h.kube.PrependReactor("get", "persistentvolumeclaims", func(k8stesting.Action) (bool, runtime.Object, error) {
					return !known.Load(), nil, apierrors.NewForbidden(corev1.Resource("persistentvolumeclaims"), "data", errors.New("not yet"))
				})
				h.create("web", withClaim, func(p *corev1.Pod) { p.Finalizers = []string{"example.com/hold"} })
				h.wait(500 * time.Millisecond)
				h.api.end("web", grace)
				known.Store(true)
				h.wait(time.Minute)
				if n := h.cloud.Count(fakecloud.OpCreate); n != 0 {
					t.Errorf("%d creates", n)
				}
				h.api.change("web", func(p *corev1.Pod) { p.Finalizers = nil })
				h.api.end("web", 0)
				h.nothingLeft()
			}, withStorage)
		})
	}
}
