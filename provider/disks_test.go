package provider

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// attachedError is a cloud's refusal of a disk that something else has.
func attachedError() error {
	return &cloudapi.Error{
		Op: "Create", Code: cloudapi.CodeInvalid, VendorCode: "DiskVolume.NotSupport",
		Message: "The specified disk d-1 is attached to the instance i-1.", RequestID: "r-1",
	}
}

// TestDiskOfAnOrdinaryNode: a pod waits for a disk that an ordinary node has, as
// under a kubelet, and gets it when that lets it go.
func TestDiskOfAnOrdinaryNode(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.cloud.FailAll(fakecloud.OpCreate, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Before: attachedError()} })
				h.claim("data")
				h.bindClaim("data", diskSource("d-1"))
				h.create("web", withClaim)
				h.wait(10 * time.Minute)
				pod := h.api.pod("web")
				const message = `AttachVolume.Attach failed for volume "data" : Create: Invalid: DiskVolume.NotSupport: ` +
					`The specified disk d-1 is attached to the instance i-1.`
				want := &corev1.ContainerStateWaiting{Reason: "ContainerCreating", Message: message}
				if pod.Status.Phase != corev1.PodPending || len(pod.Status.ContainerStatuses) != 1 {
					t.Fatalf("status %+v", pod.Status)
				}
				if diff := cmp.Diff(want, pod.Status.ContainerStatuses[0].State.Waiting); diff != "" {
					t.Errorf("waiting (-want +got):\n%s", diff)
				}
				if events := slices.Compact(h.events.with("Warning")); len(events) != 1 || events[0] != "Warning FailedAttachVolume: "+message {
					t.Errorf("events %q", events)
				}
				if n := h.cloud.Count(fakecloud.OpCreate); n < 10 || n > 15 {
					t.Errorf("%d creates in ten minutes, want those of the queue's back-off", n)
				}
				h.cloud.FailAll(fakecloud.OpCreate, nil)
				h.wait(createRetries)
				h.cloud.Start(h.group(pod.UID), "10.0.0.1")
				h.phase("web", corev1.PodRunning)
				h.api.end("web", 0)
				h.nothingLeft()
			}, append(s, withStorage)...)
		})
	}
}

// TestDiskOfTheLostAnswer: the disk may be attached to the pod's own group, of
// which the answer was lost. There is no second group, and the pod does not fail.
func TestDiskOfTheLostAnswer(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{After: cloudErr(cloudapi.CodeUnavailable, true)},
			fakecloud.Fault{Before: attachedError()}, fakecloud.Fault{Before: attachedError()})
		h.claim("data")
		h.bindClaim("data", diskSource("d-1"))
		h.create("web", withClaim)
		h.wait(time.Minute)
		h.cloud.Start(h.group("uid-web"), "10.0.0.1")
		h.phase("web", corev1.PodRunning)
		h.api.end("web", 0)
		h.nothingLeft()
	}, withStorage, withoutTags, lag(8*time.Second))
}

// TestDeletedWhileDiskIsAttached: nothing is left of a pod that waits for a disk.
func TestDeletedWhileDiskIsAttached(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.FailAll(fakecloud.OpCreate, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Before: attachedError()} })
		h.claim("data")
		h.bindClaim("data", diskSource("d-1"))
		h.create("web", withClaim)
		h.wait(time.Minute)
		h.api.end("web", 30)
		h.goneFromAPI(5*time.Second, "web")
		h.nothingLeft()
	}, withStorage)
}

// TestVolumeSecretOfTheSameName: once a group is made, the key of its bucket is
// no longer watched, though a Secret of the pod has the same name.
func TestVolumeSecretOfTheSameName(t *testing.T) {
	run(t, func(h *harness) {
		h.shell()
		for _, namespace := range []string{testNamespace, "storage"} {
			_, err := h.kube.CoreV1().Secrets(namespace).Create(t.Context(), &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "key"},
				Data:       map[string][]byte{"akId": []byte("id"), "akSecret": []byte("secret")},
			}, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
		}
		h.claim("data")
		h.bindClaim("data", corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
			Driver: "ossplugin.csi.alibabacloud.com", VolumeHandle: "o", VolumeAttributes: map[string]string{"bucket": "b", "url": "u"},
			NodePublishSecretRef: &corev1.SecretReference{Namespace: "storage", Name: "key"},
		}})
		h.running("web", withClaim, func(p *corev1.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "own", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "key"},
			}})
			p.Spec.Containers[0].VolumeMounts = append(p.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "own", MountPath: "/own"})
		})
		h.wait(5 * time.Second)
		secrets := h.p.refs.secrets
		secrets.mu.Lock()
		defer secrets.mu.Unlock()
		var watched []string
		for key := range secrets.watched {
			watched = append(watched, key.String())
		}
		if diff := cmp.Diff([]string{testNamespace + "/key"}, watched); diff != "" {
			t.Errorf("watched (-want +got):\n%s", diff)
		}
	}, withStorage)
}

func TestAttachedElsewhere(t *testing.T) {
	disk := func(name, id string) cloudapi.Volume {
		return cloudapi.Volume{Name: name, Disk: &cloudapi.Disk{ID: id}}
	}
	one := []cloudapi.Volume{{Name: "tmp"}, disk("data", "d-1")}
	for name, c := range map[string]struct {
		reason          string
		volumes         []cloudapi.Volume
		code            cloudapi.Code
		vendor, message string
		want            string
	}{
		"Emulator":  {"ECI's emulator", one, cloudapi.CodeInvalid, "DiskVolume.NotSupport", "The specified disk d-1 is attached to the container group eci-1.", "data"},
		"Kingsoft":  {"KCI's emulator", one, cloudapi.CodeInvalid, "InvalidParameterValue", `Volume.1.EBSVolume.VolumeId: disk "D-1" is attached already.`, "data"},
		"Status":    {"a status of ECS", one, cloudapi.CodeInvalid, "InvalidDiskId", "The status of the disk is In_use", "data"},
		"VendorTag": {"a code that says it", one, cloudapi.CodeInvalid, "InvalidDiskId.InUse", "no", "data"},
		"OfTwo": {"the one that is named", []cloudapi.Volume{disk("a", "d-1"), disk("b", "d-2")}, cloudapi.CodeInvalid,
			"DiskVolume.NotSupport", "disk d-2 is in use", "b"},
		"OtherFault": {"nothing that passes", one, cloudapi.CodeInvalid, "DiskVolume.NotInSameZone", "The disk is in another zone.", ""},
		"NotADisk": {"something else is in use", one, cloudapi.CodeInvalid, "PrivateIpAddress.Already.InUse",
			"The specified private IP address is in use.", ""},
		"NoDisk":   {"the request has none", one[:1], cloudapi.CodeInvalid, "DiskVolume.NotSupport", "The disk is attached.", ""},
		"NewDisk":  {"nor one that exists", []cloudapi.Volume{disk("new", "")}, cloudapi.CodeInvalid, "", "The disk is attached.", ""},
		"Twice":    {"never free", []cloudapi.Volume{disk("a", "d-1"), disk("b", "d-1")}, cloudapi.CodeInvalid, "", "disk d-1 is attached already", ""},
		"Retried":  {"tried again anyway", one, cloudapi.CodeConflict, "", "disk d-1 is attached", ""},
		"Unasked":  {"the cloud cannot do it", one, cloudapi.CodeUnsupported, "", "a disk cannot be attached", ""},
		"Wordless": {"nothing is said", one, cloudapi.CodeInvalid, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := attachedElsewhere(&cloudapi.GroupSpec{Volumes: c.volumes}, &cloudapi.Error{Code: c.code, VendorCode: c.vendor, Message: c.message})
			if got != c.want {
				t.Errorf("%s: %q, want %q", c.reason, got, c.want)
			}
		})
	}
}

// TestUnmountedClaimHoldsNothing: what no container mounts is not attached, as
// under a kubelet.
func TestUnmountedClaimHoldsNothing(t *testing.T) {
	run(t, func(h *harness) {
		h.claim("data")
		h.bindClaim("data", diskSource("d-1"))
		h.running("idle", withClaim, func(p *corev1.Pod) { p.Spec.Containers[0].VolumeMounts = nil })
		h.running("web", withClaim)
	}, withStorage)
}

// TestReadWriteOncePod: a share that is one pod's, whatever could mount it.
func TestReadWriteOncePod(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		modes  []corev1.PersistentVolumeAccessMode
		both   bool
	}{
		"OncePod": {"the one mode there is", []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOncePod}, false},
		"Many":    {"made to be shared", []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, true},
		"Either":  {"which mode a pod means is not known", []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOncePod, corev1.ReadWriteMany}, true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.claim("data")
				h.bindClaim("data", corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
					Driver: "ossplugin.csi.alibabacloud.com", VolumeHandle: "o",
					VolumeAttributes: map[string]string{"bucket": "b", "url": "u", "akId": "i", "akSecret": "s"},
				}})
				volumes := h.kube.CoreV1().PersistentVolumes()
				volume, err := volumes.Get(t.Context(), "pv-1", metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				volume.Spec.AccessModes = c.modes
				if _, err := volumes.Update(t.Context(), volume, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
				h.running("first", withClaim)
				h.create("second", withClaim)
				h.wait(30 * time.Second)
				if both := len(h.cloud.Groups()) == 2; both != c.both {
					t.Errorf("%s: %d groups; events %q", c.reason, len(h.cloud.Groups()), h.events.all())
				}
				h.api.end("first", 0)
				h.until(30*time.Second, "the second pod has a group", func() bool { return len(h.groups("uid-second")) == 1 })
			}, withStorage)
		})
	}
}
