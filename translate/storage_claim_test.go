package translate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// TestClaimsAreWaitedFor holds the words of a kubelet.
func TestClaimsAreWaitedFor(t *testing.T) {
	const pv = `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `}`
	now := metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	cases := map[string]struct {
		change func(*translate.References)
		want   string
	}{
		"NoClaim": {func(r *translate.References) { r.Claims = nil },
			`error processing PVC shop/data: failed to fetch PVC from API server: persistentvolumeclaims "data" not found`},
		"Pending":  {func(r *translate.References) { r.Claims["data"].Status.Phase = corev1.ClaimPending }, "error processing PVC shop/data: PVC is not bound"},
		"Lost":     {func(r *translate.References) { r.Claims["data"].Status.Phase = corev1.ClaimLost }, "error processing PVC shop/data: PVC is not bound"},
		"Deleting": {func(r *translate.References) { r.Claims["data"].DeletionTimestamp = &now }, "error processing PVC shop/data: PVC is being deleted"},
		"NoName":   {func(r *translate.References) { r.Claims["data"].Spec.VolumeName = "" }, "error processing PVC shop/data: PVC has empty pvc.Spec.VolumeName"},
		"NoVolume": {func(r *translate.References) { r.Volumes = nil },
			`error processing PVC shop/data: failed to fetch PV pv-1 from API server: persistentvolumes "pv-1" not found`},
		"NotYetBound": {func(r *translate.References) { r.Volumes["pv-1"].Spec.ClaimRef = nil },
			"error processing PVC shop/data: found PV object pv-1 but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim"},
		"OtherClaim": {func(r *translate.References) { r.Volumes["pv-1"].Spec.ClaimRef.UID = "another" },
			"error processing PVC shop/data: found PV object pv-1 but its pv.Spec.ClaimRef.UID another does not point to claim.UID claim-uid"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			refs := bound(t, pv)
			c.change(&refs)
			_, _, err := translate.Group(storagePod(t, claimData), refs, options(eciLimits()))
			var missing *translate.MissingReference
			if !errors.As(err, &missing) || missing.Reason() != "FailedMount" {
				t.Fatalf("want a missing reference, got %v", err)
			}
			want := "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: " + c.want
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	refs := bound(t, pv)
	refs.Claims["data"].DeletionTimestamp, refs.Claims["data"].Finalizers = &now, []string{"kubernetes.io/pvc-protection"}
	if _, _, err := translate.Group(storagePod(t, claimData), refs, options(eciLimits())); err != nil {
		t.Errorf("a claim that is protected still serves its pods: %v", err)
	}
}

// TestCredentialsAreWaitedFor: they may appear later.
func TestCredentialsAreWaitedFor(t *testing.T) {
	const bucket = `csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: o, volumeAttributes: {bucket: b, url: u}, nodePublishSecretRef: {namespace: storage, name: %s}}`
	for secret, want := range map[string]string{
		"none": `MountVolume.SetUp failed for volume "data" : secret "none" not found`,
		"odd":  `MountVolume.SetUp failed for volume "data" : references non-existent secret key: akSecret`,
	} {
		_, _, err := translate.Group(storagePod(t, claimData), bound(t, fmt.Sprintf(bucket, secret)), options(eciLimits()))
		var missing *translate.MissingReference
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestEphemeralVolume(t *testing.T) {
	pod := storagePod(t, `ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}`)
	if diff := cmp.Diff([]string{"web-data"}, translate.Needs(pod).Claims); diff != "" {
		t.Fatalf("claims (-want +got):\n%s", diff)
	}
	refs := bound(t, `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: `+eciDisk+`}`)
	refs.Claims = map[string]*corev1.PersistentVolumeClaim{"web-data": refs.Claims["data"]}
	refs.Claims["web-data"].Name = "web-data"
	_, _, err := translate.Group(pod, refs, options(eciLimits()))
	const foreign = "failed to process volumes=[data]: PVC shop/web-data was not created for pod shop/web (pod is not owner)"
	if err == nil || !strings.HasSuffix(err.Error(), foreign) {
		t.Errorf("a claim of somebody else: want %q, got %v", foreign, err)
	}
	refs.Claims["web-data"].OwnerReferences = []metav1.OwnerReference{
		*metav1.NewControllerRef(pod, corev1.SchemeGroupVersion.WithKind("Pod")),
	}
	spec, _, err := translate.Group(pod, refs, options(eciLimits()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]cloudapi.Volume{{Name: "data", Disk: &cloudapi.Disk{ID: eciDisk}}}, spec.Volumes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNeedsOfVolumes(t *testing.T) {
	pod := simplePod()
	for i, v := range []string{claimData, claimData, "ephemeral: {}",
		"csi: {driver: x, nodePublishSecretRef: {name: publish}}", "flexVolume: {driver: x, secretRef: {name: flex}}"} {
		volume := decode(t, []byte(v), &corev1.Volume{})
		volume.Name = fmt.Sprintf("v%d", i)
		pod.Spec.Volumes = append(pod.Spec.Volumes, *volume)
		pod.Spec.Containers[0].VolumeMounts = append(pod.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: volume.Name, MountPath: "/" + volume.Name})
	}
	got := translate.Needs(pod)
	want := []translate.Reference{{Name: "flex"}, {Name: "publish"}}
	if diff := cmp.Diff([]string{"data", "web-v2"}, got.Claims) + cmp.Diff(want, got.Secrets); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for pv, want := range map[string]string{
		"nfs: {server: s, path: /}":                                                     "/",
		"csi: {driver: d, volumeHandle: h}":                                             "/",
		"csi: {driver: d, volumeHandle: h, nodePublishSecretRef: {name: s}}":            "/s",
		"{claimRef: {namespace: space}, flexVolume: {driver: d, secretRef: {name: s}}}": "space/s",
	} {
		volume := &corev1.PersistentVolume{Spec: *decode(t, []byte(pv), &corev1.PersistentVolumeSpec{})}
		name, ok := translate.VolumeSecret(volume)
		if name.String() != want || ok != (want != "/") {
			t.Errorf("%s: secret %s, %v", pv, name, ok)
		}
	}
}

func TestReadOnlyClaim(t *testing.T) {
	pod := storagePod(t, "persistentVolumeClaim: {claimName: data, readOnly: true}")
	o := options(eciLimits())
	o.Rules = []translate.OptionRule{{Namespaces: []string{"shop"}, Allow: map[string][]string{translate.PolicyHostPath: {"/srv"}}}}
	for _, pv := range []string{
		"csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: " + eciDisk + "}", "nfs: {server: s, path: /p}", "hostPath: {path: /srv}",
	} {
		spec, _, err := translate.Group(pod, bound(t, pv), o)
		if err != nil || !spec.Containers[0].Mounts[0].ReadOnly {
			t.Errorf("%s: %v, mounts %+v", pv, err, spec.Containers)
		}
	}
}

// TestUnusedClaim: what no container mounts is not waited for, as on a kubelet.
func TestUnusedClaim(t *testing.T) {
	pod := storagePod(t, claimData)
	pod.Spec.Containers[0].VolumeMounts = nil
	spec, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
	if err != nil || len(spec.Volumes) > 0 {
		t.Errorf("%v, volumes %+v", err, spec.Volumes)
	}
}

// TestAttributesOfADisk: how a disk was made is no matter any more; how it is to
// be mounted is told.
func TestAttributesOfADisk(t *testing.T) {
	for attributes, want := range map[string]string{
		"{type: cloud_essd, performanceLevel: PL1, encrypted: 'true', regionId: r}": "",
		"{type: cloud_essd, mkfsOptions: -O x, sysConfig: /queue=1}": "PersistentVolume pv-1 (csi diskplugin.csi.alibabacloud.com): " +
			"the cloud attaches a disk that exists as it does: mkfsOptions, sysConfig",
	} {
		pv := "csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: " + eciDisk + ", volumeAttributes: " + attributes + "}"
		_, report, err := translate.Group(storagePod(t, claimData), bound(t, pv), options(eciLimits()))
		got := ""
		for _, n := range report.Notes {
			if n.Field == "spec.volumes[0].persistentVolumeClaim" && n.Decision == translate.DecisionIgnored {
				got += n.Reason
			}
		}
		if err != nil || got != want {
			t.Errorf("%s: %v, want the remark %q, got %q", attributes, err, want, got)
		}
	}
}

func TestDisksOfOnePod(t *testing.T) {
	pod := simplePod()
	for i := range 8 {
		id := fmt.Sprintf("d-%d", i)
		if i == 7 {
			id = "d-0"
		}
		v := decode(t, []byte("flexVolume: {driver: alicloud/disk, options: {volumeId: "+id+"}}"), &corev1.Volume{})
		v.Name = fmt.Sprintf("v%d", i)
		pod.Spec.Volumes = append(pod.Spec.Volumes, *v)
		pod.Spec.Containers[0].VolumeMounts = append(pod.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: v.Name, MountPath: "/" + v.Name})
	}
	o := options(eciLimits())
	o.Rules = []translate.OptionRule{{Namespaces: []string{"*"}, Allow: map[string][]string{translate.PolicyDisk: {"*"}}}}
	_, _, err := translate.Group(pod, translate.References{}, o)
	const want = `spec.volumes: 8 disks; the cloud takes at most 6; spec.volumes[7]: it is the same disk as volume "v0": mount that one twice`
	if diff := cmp.Diff(want, text(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
