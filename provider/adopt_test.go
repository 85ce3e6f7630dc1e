package provider

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestGroupOfAWaitingPod: the group that an earlier process asked for shows only
// after the pod has been told to wait, for what it refers to is gone by now.
func TestGroupOfAWaitingPod(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.create("web", envFromConfigMap)
				h.until(10*time.Second, "the pod waits", func() bool { return len(h.api.pod("web").Status.ContainerStatuses) > 0 })
				h.addLate("uid-web")
				h.phase("web", corev1.PodRunning)
			}, s...)
		})
	}
}

// TestGroupOfARefusedPod: the same while what a pod refers to is still being read
// that this process would refuse. Its group runs, so that it is let be.
func TestGroupOfARefusedPod(t *testing.T) {
	run(t, func(h *harness) {
		var known atomic.Bool // whether the API server's authorizer knows the pod
		h.kube.PrependReactor("list", "configmaps", func(k8stesting.Action) (bool, runtime.Object, error) {
			return !known.Load(), nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "settings", errors.New("not yet"))
		})
		h.create("web", envFromConfigMap, func(p *corev1.Pod) { p.Spec.HostNetwork = true })
		h.wait(2 * time.Second)
		h.addLate("uid-web")
		h.wait(5 * time.Second)
		known.Store(true)
		h.wait(time.Minute)
		if got := h.api.pod("web").Status.Phase; got != corev1.PodRunning {
			t.Errorf("phase %s, want Running", got)
		}
		h.group("uid-web")
	})
}

// addLate makes a group that runs, as an earlier process asked for it.
func (h *harness) addLate(uid string) {
	spec := orphanSpec(testNode, uid)
	spec.Name = h.p.owner.NamePrefix + "late"
	spec.Containers = []cloudapi.Container{{Name: "main"}}
	h.cloud.Start(h.cloud.Add(spec), "10.0.0.1")
}
