package e2e

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// diskOf is the disk driver of a cloud and a disk that nobody else has.
func (c *target) diskOf() (driver, id string) {
	fresh := uuid.New()
	if c.cloud == "eci" {
		return "diskplugin.csi.alibabacloud.com", "d-" + hex.EncodeToString(fresh[:10])
	}
	return "com.ksc.csi.diskplugin", fresh.String()
}

// claimDisk makes a PersistentVolume of the cloud's disk driver and a claim of
// its own, called data. That the driver's disks need to be attached is said as
// its own installation says it.
func (c *target) claimDisk(t *testing.T) {
	t.Helper()
	driver, id := c.diskOf()
	_, err := c.kube.StorageV1().CSIDrivers().Create(t.Context(), &storagev1.CSIDriver{
		ObjectMeta: metav1.ObjectMeta{Name: driver}, Spec: storagev1.CSIDriverSpec{AttachRequired: ptr.To(true)},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: c.namespace + "-data"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef:                      &corev1.ObjectReference{Namespace: c.namespace, Name: "data"},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
				Driver: driver, VolumeHandle: id, FSType: "ext4",
			}},
		},
	}
	if _, err := c.kube.CoreV1().PersistentVolumes().Create(t.Context(), volume, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.kube.CoreV1().PersistentVolumes().Delete(context.Background(), volume.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			VolumeName: volume.Name, StorageClassName: ptr.To(""), AccessModes: volume.Spec.AccessModes,
			Resources: corev1.VolumeResourceRequirements{Requests: size},
		},
	}
	if _, err := c.kube.CoreV1().PersistentVolumeClaims(c.namespace).Create(t.Context(), claim, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func onDisk(p *corev1.Pod) {
	p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
	}})
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
}

// TestContainersDisk writes to a disk of the cloud from one pod and reads it
// from another, which has to wait until the first is gone.
func TestContainersDisk(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		c.claimDisk(t)
		c.create(t, c.pod("writer", "echo kept > /data/word; "+lasting, onDisk))
		c.awaitPod(t, "writer", "ready", isReady)
		c.create(t, c.pod("reader", "cat /data/word", onDisk, func(p *corev1.Pod) {
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
		}))
		c.eventually(t, "the second pod waits for the disk", func(ctx context.Context) (bool, error) {
			events, err := c.kube.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return false, err
			}
			for i := range events.Items {
				e := &events.Items[i]
				if e.InvolvedObject.Name == "reader" && e.Reason == "FailedAttachVolume" && strings.Contains(e.Message, "already used by pod(s) writer") {
					return true, nil
				}
			}
			return false, nil
		})
		attachments, err := c.kube.StorageV1().VolumeAttachments().List(t.Context(), metav1.ListOptions{})
		if err != nil || len(attachments.Items) > 0 {
			t.Errorf("nobody but the cloud attaches disks: %v, %+v", err, attachments)
		}
		c.remove(t, "writer")
		c.awaitPod(t, "reader", "over", hasEnded)
		if got := c.mustKubectl(t, "", "logs", "reader"); got != "kept\n" {
			t.Errorf("the second pod read %q", got)
		}
	})
}
