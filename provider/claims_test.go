package provider

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// withStorage is a cloud that mounts what the tests' drivers have.
var withStorage = can(func(l *cloudapi.Limits) {
	l.VolumeDrivers = []string{"diskplugin.csi.alibabacloud.com", "ossplugin.csi.alibabacloud.com"}
	l.Can.Disks, l.Can.Buckets = true, true
})

func withClaim(p *corev1.Pod) {
	p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
	}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
}

func diskSource(id string) corev1.PersistentVolumeSource {
	return corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "diskplugin.csi.alibabacloud.com", VolumeHandle: id}}
}

// claim makes a claim that is not bound yet.
func (h *harness) claim(name string, owners ...metav1.OwnerReference) {
	h.t.Helper()
	claim := &corev1.PersistentVolumeClaim{Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}
	claim.Namespace, claim.Name, claim.UID, claim.OwnerReferences = testNamespace, name, "claim-uid", owners
	if _, err := h.kube.CoreV1().PersistentVolumeClaims(testNamespace).Create(h.t.Context(), claim, metav1.CreateOptions{}); err != nil {
		h.t.Fatal(err)
	}
}

// bindClaim gives a claim a volume.
func (h *harness) bindClaim(name string, source corev1.PersistentVolumeSource) {
	h.t.Helper()
	volume := &corev1.PersistentVolume{Spec: corev1.PersistentVolumeSpec{
		PersistentVolumeSource: source, ClaimRef: &corev1.ObjectReference{Namespace: testNamespace, Name: name, UID: "claim-uid"},
	}}
	volume.Name = "pv-1"
	if _, err := h.kube.CoreV1().PersistentVolumes().Create(h.t.Context(), volume, metav1.CreateOptions{}); err != nil {
		h.t.Fatal(err)
	}
	claims := h.kube.CoreV1().PersistentVolumeClaims(testNamespace)
	claim, err := claims.Get(h.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	claim.Spec.VolumeName, claim.Status.Phase = "pv-1", corev1.ClaimBound
	if _, err := claims.Update(h.t.Context(), claim, metav1.UpdateOptions{}); err != nil {
		h.t.Fatal(err)
	}
}

// volumes are those of the one group that was asked for.
func (h *harness) volumes() []cloudapi.Volume {
	h.t.Helper()
	calls := h.cloud.Calls(fakecloud.OpCreate)
	if len(calls) != 1 {
		h.t.Fatalf("%d creates, want 1; log:\n%s", len(calls), h.log)
	}
	return calls[0].Spec.Volumes
}

func TestUnboundClaim(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", withClaim)
		const missing = `Warning FailedMount: Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], ` +
			`failed to process volumes=[data]: error processing PVC shop/data: `
		h.until(10*time.Second, "an event of the missing claim", func() bool {
			return len(h.events.with(missing+`failed to fetch PVC from API server: persistentvolumeclaims "data" not found`)) > 0
		})
		h.claim("data")
		h.until(10*time.Second, "an event of the unbound claim", func() bool { return len(h.events.with(missing+"PVC is not bound")) > 0 })
		pod := h.api.pod("web")
		if got := pod.Status.ContainerStatuses[0].State.Waiting.Reason; got != "ContainerCreating" || pod.Status.Phase != corev1.PodPending {
			t.Errorf("waiting reason %q, phase %s", got, pod.Status.Phase)
		}
		h.bindClaim("data", diskSource("d-1"))
		h.wait(referencePause + time.Second)
		if diff := cmp.Diff([]cloudapi.Volume{{Name: "data", Disk: &cloudapi.Disk{ID: "d-1"}}}, h.volumes()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.api.end("web", 0)
		h.nothingLeft()
	}, withStorage)
}

// TestVolumeSecret reads credentials out of another namespace than the pod's.
func TestVolumeSecret(t *testing.T) {
	run(t, func(h *harness) {
		h.claim("data")
		h.bindClaim("data", corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
			Driver: "ossplugin.csi.alibabacloud.com", VolumeHandle: "o", VolumeAttributes: map[string]string{"bucket": "b", "url": "u"},
			NodePublishSecretRef: &corev1.SecretReference{Namespace: "storage", Name: "key"},
		}})
		h.create("web", withClaim)
		h.until(10*time.Second, "an event of the missing secret", func() bool {
			return len(h.events.with(`Warning FailedMount: MountVolume.SetUp failed for volume "data" : secret "key" not found`)) > 0
		})
		_, err := h.kube.CoreV1().Secrets("storage").Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "storage", Name: "key"},
			Data:       map[string][]byte{"akId": []byte("id"), "akSecret": []byte("CANARY")},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		h.wait(time.Second) // at once: secrets are watched
		want := []cloudapi.Volume{{Name: "data", Bucket: &cloudapi.Bucket{
			Name: "b", Endpoint: "u", Path: "/", AccessKeyID: "id", AccessKeySecret: "CANARY",
		}}}
		if diff := cmp.Diff(want, h.volumes()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if told := strings.Join(h.events.all(), "\n") + h.log.String(); strings.Contains(told, "CANARY") {
			t.Errorf("the key is told:\n%s", told)
		}
		h.api.end("web", 0)
		h.nothingLeft()
	}, withStorage)
}

// TestForeignVolume: the secrets of a volume that is bound to another claim are
// not read.
func TestForeignVolume(t *testing.T) {
	run(t, func(h *harness) {
		h.claim("data")
		h.bindClaim("data", corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
			Driver: "ossplugin.csi.alibabacloud.com", VolumeHandle: "o", NodePublishSecretRef: &corev1.SecretReference{Namespace: "storage", Name: "key"},
		}})
		volumes := h.kube.CoreV1().PersistentVolumes()
		volume, err := volumes.Get(t.Context(), "pv-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		volume.Spec.ClaimRef.UID = "another"
		if _, err := volumes.Update(t.Context(), volume, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		h.kube.PrependReactor("list", "secrets", func(a k8stesting.Action) (bool, runtime.Object, error) {
			t.Errorf("secrets of namespace %s are read", a.GetNamespace())
			return false, nil, nil
		})
		h.create("web", withClaim)
		h.until(10*time.Second, "an event of the foreign volume", func() bool {
			return len(h.events.with("pv.Spec.ClaimRef.UID another does not point to claim.UID claim-uid")) > 0
		})
	}, withStorage)
}

// TestClaimForbiddenAtFirst: the authorizer learns of a pod, and of the binding
// of its claim, later than the node.
func TestClaimForbiddenAtFirst(t *testing.T) {
	run(t, func(h *harness) {
		forbid := map[string]int{"persistentvolumeclaims": 3, "persistentvolumes": 4}
		for resource := range forbid {
			h.kube.PrependReactor("get", resource, func(k8stesting.Action) (bool, runtime.Object, error) {
				if forbid[resource]--; forbid[resource] >= 0 {
					return true, nil, apierrors.NewForbidden(corev1.Resource(resource), "data", errors.New("no relationship found"))
				}
				return false, nil, nil
			})
		}
		h.claim("data")
		forbidden := forbid["persistentvolumeclaims"]
		forbid["persistentvolumeclaims"] = 0
		h.bindClaim("data", diskSource("d-1"))
		forbid["persistentvolumeclaims"] = forbidden
		h.create("web", withClaim)
		h.wait(1500 * time.Millisecond)
		if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
			t.Errorf("%d creates after 1.5 s, want 1", n)
		}
		if log := h.log.String(); strings.Contains(log, "forbidden") || strings.Contains(log, "Error") {
			t.Errorf("the race is logged:\n%s", log)
		}
	}, withStorage)
}

// TestUnreadableClaim: an error is none of the pod's faults, and not a missing
// claim.
func TestUnreadableClaim(t *testing.T) {
	run(t, func(h *harness) {
		h.kube.PrependReactor("get", "persistentvolumeclaims", func(k8stesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewInternalError(errors.New("the store is away"))
		})
		h.create("web", withClaim)
		h.until(2*time.Minute, "the reason is logged", func() bool { return strings.Contains(h.log.String(), "reading claim shop/data: ") })
		if n := h.cloud.Count(fakecloud.OpCreate); n != 0 || h.api.pod("web").Status.Phase != corev1.PodPending {
			t.Errorf("%d creates, pod %+v", n, h.api.pod("web").Status)
		}
	}, withStorage)
}

func TestRefusedPersistentVolume(t *testing.T) {
	run(t, func(h *harness) {
		h.claim("data")
		h.bindClaim("data", corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: "vol-1"}})
		h.create("web", withClaim)
		h.phase("web", corev1.PodFailed)
		const want = "Pod was rejected: spec.volumes[0].persistentVolumeClaim: PersistentVolume pv-1 (csi ebs.csi.aws.com): driver ebs.csi.aws.com: " +
			"the cloud mounts those of diskplugin.csi.alibabacloud.com, ossplugin.csi.alibabacloud.com"
		if got := h.api.pod("web").Status; got.Reason != "UnsupportedPodSpec" || got.Message != want {
			t.Errorf("reason %q, message %q", got.Reason, got.Message)
		}
	}, withStorage)
}

func TestGenericEphemeralVolume(t *testing.T) {
	run(t, func(h *harness) {
		pod := newPod("web", func(p *corev1.Pod) {
			withClaim(p)
			p.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{
				VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{},
			}}
		})
		h.claim("web-data", *metav1.NewControllerRef(pod, corev1.SchemeGroupVersion.WithKind("Pod")))
		h.bindClaim("web-data", diskSource("d-2"))
		h.api.create(pod)
		h.group(pod.UID)
		if diff := cmp.Diff([]cloudapi.Volume{{Name: "data", Disk: &cloudapi.Disk{ID: "d-2"}}}, h.volumes()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}, withStorage)
}

// TestDiskIsOnePods: a second pod waits until the group of the first is gone,
// with two at once and after a restart too.
func TestDiskIsOnePods(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.claim("data")
				h.bindClaim("data", diskSource("d-1"))
				h.create("web-0", withClaim)
				h.create("web-1", withClaim)
				h.wait(10 * time.Second)
				first, second := "web-0", "web-1"
				if len(h.groups("uid-web-0")) == 0 {
					first, second = second, first
				}
				h.volumes() // there is one create
				h.cloud.Start(h.group(h.api.pod(first).UID), "10.0.0.1")
				h.phase(first, corev1.PodRunning)
				attached := `Warning FailedAttachVolume: Multi-Attach error for volume "pv-1" Volume is already used by pod(s) ` + first
				if len(h.events.with(attached)) == 0 {
					t.Errorf("events %q", h.events.all())
				}
				if got := h.api.pod(second).Status.ContainerStatuses[0].State.Waiting.Reason; got != "ContainerCreating" {
					t.Errorf("waiting reason %q", got)
				}
				h.restart()
				h.wait(2 * time.Minute)
				h.volumes()
				h.api.end(first, 0)
				h.until(time.Minute, "the other pod has the disk", func() bool { return len(h.groups(h.api.pod(second).UID)) == 1 })
			}, append(s, withStorage)...)
		})
	}
}

// TestDiskOfAnEndedPod is free although the pod is still there.
func TestDiskOfAnEndedPod(t *testing.T) {
	run(t, func(h *harness) {
		h.claim("data")
		h.bindClaim("data", diskSource("d-1"))
		id := h.running("first", withClaim)
		h.cloud.Finish(id, 0)
		h.phase("first", corev1.PodSucceeded)
		h.create("second", withClaim)
		h.wait(5 * time.Second)
		if n := h.cloud.Count(fakecloud.OpCreate); n != 2 {
			t.Errorf("%d creates, want 2; events %q", n, h.events.all())
		}
	}, withStorage)
}
