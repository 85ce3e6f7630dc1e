package translate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

const (
	eciDisk = "d-bp1abcdefg12345hijkl"
	kciDisk = "6e5b3f2a-1c7d-4f0b-9a58-3d2c1b0a9f8e"
)

// storagePod mounts one volume, given as a manifest has it, at /data.
func storagePod(t testing.TB, volume string) *corev1.Pod {
	t.Helper()
	pod := simplePod()
	v := decode(t, []byte(volume), &corev1.Volume{})
	v.Name = "data"
	pod.Spec.Volumes = []corev1.Volume{*v}
	pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	return pod
}

const claimData = "persistentVolumeClaim: {claimName: data}"

// bound is a claim data, bound to a PersistentVolume pv-1 with this spec.
func bound(t testing.TB, pv string) translate.References {
	t.Helper()
	claim := &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{VolumeName: "pv-1"}}
	claim.Namespace, claim.Name, claim.UID, claim.Status.Phase = "shop", "data", "claim-uid", corev1.ClaimBound
	volume := &corev1.PersistentVolume{Spec: *decode(t, []byte(pv), &corev1.PersistentVolumeSpec{})}
	volume.Name = "pv-1"
	volume.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "shop", Name: "data", UID: "claim-uid"}
	return translate.References{
		Claims:  map[string]*corev1.PersistentVolumeClaim{"data": claim},
		Volumes: map[string]*corev1.PersistentVolume{"pv-1": volume},
		Secrets: map[string]*corev1.Secret{"oss": credentials("in-pod")},
		VolumeSecrets: map[types.NamespacedName]*corev1.Secret{
			{Namespace: "storage", Name: "oss"}: credentials("of-volume"),
			{Namespace: "shop", Name: "oss"}:    credentials("of-claim"),
			{Namespace: "storage", Name: "odd"}: {Data: map[string][]byte{"akId": []byte("id")}},
		},
	}
}

func credentials(id string) *corev1.Secret {
	return &corev1.Secret{Data: map[string][]byte{"akId": []byte(id), "akSecret": []byte("CANARY-of-" + id)}}
}

func TestPersistentVolumes(t *testing.T) {
	eci, kci, seed := eciLimits(), kciLimits(), kciSeedLimits()
	cases := map[string]struct {
		reason string
		limits cloudapi.Limits
		pv     string
		want   cloudapi.Volume
		// readOnly is what the mount becomes.
		readOnly bool
	}{
		"Disk": {"a disk by its id", eci, `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `, fsType: xfs}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: eciDisk, FsType: "xfs"}}, false},
		"DiskAsProvisioned": {"how it was made is of no account", eci, `
mountOptions: [noatime, ro]
csi:
  driver: diskplugin.csi.alibabacloud.com
  volumeHandle: ` + eciDisk + `
  volumeAttributes: {type: cloud_essd, performanceLevel: PL1, fstype: ext4, storage.kubernetes.io/csiProvisionerIdentity: x}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: eciDisk, FsType: "ext4", ReadOnly: true}}, true},
		"DiskReadOnly": {"attached to be read only", eci, `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `, readOnly: true}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: eciDisk, ReadOnly: true}}, true},
		"FlexDisk": {"the driver before", eci, `flexVolume: {driver: alicloud/disk, fsType: ext4, options: {volumeId: ` + eciDisk + `}}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: eciDisk, FsType: "ext4"}}, false},
		"KingsoftDisk": {"Kingsoft's disks have UUIDs", kci, `csi: {driver: com.ksc.csi.diskplugin, volumeHandle: ` + kciDisk + `, volumeAttributes: {type: SSD3.0}}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: kciDisk}}, false},
		"KingsoftDiskDocumented": {"in the API document too", seed, `csi: {driver: com.ksc.csi.diskplugin, volumeHandle: ` + kciDisk + `, fsType: ext3}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: kciDisk, FsType: "ext3"}}, false},
		"Share": {"a network file system", eci, `csi: {driver: nasplugin.csi.alibabacloud.com, volumeHandle: nas, volumeAttributes: {server: a.nas.aliyuncs.com, path: /k8s}}`,
			cloudapi.Volume{NFS: &cloudapi.NFS{Server: "a.nas.aliyuncs.com", Path: "/k8s"}}, false},
		"ShareWithOptions": {"as ECI's user guide has it", eci, `
mountOptions: ["nolock,tcp,noresvport", vers=3]
csi: {driver: nasplugin.csi.alibabacloud.com, volumeHandle: nas, volumeAttributes: {server: a.nas.aliyuncs.com, volumeAs: subpath}}`,
			cloudapi.Volume{NFS: &cloudapi.NFS{Server: "a.nas.aliyuncs.com", Path: "/", Version: "3", Options: "nolock,tcp,noresvport"}}, false},
		"FlexShare": {"options in the driver's own attributes", eci,
			`flexVolume: {driver: alicloud/nas, readOnly: true, options: {server: s, path: /p, vers: "4.0", options: "noresvport"}}`,
			cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/p", Version: "4.0", Options: "noresvport", ReadOnly: true}}, true},
		"NFS": {"no driver at all", kci, `{nfs: {server: s, path: /p, readOnly: true}}`,
			cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/p", ReadOnly: true}}, true},
		"KingsoftShare": {"share and folder are one path", kci, `csi: {driver: com.ksc.csi.nfsplugin, volumeHandle: x, volumeAttributes: {Server: s, share: /a, subDir: b}}`,
			cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/a/b"}}, false},
		"Bucket": {"credentials are in a Secret of any namespace", eci, `
csi:
  driver: ossplugin.csi.alibabacloud.com
  volumeHandle: oss
  nodePublishSecretRef: {namespace: storage, name: oss}
  volumeAttributes: {bucket: photos, url: oss-cn-hangzhou-internal.aliyuncs.com, otherOpts: "-o max_stat_cache_size=0 -o allow_other", path: /2026}`,
			cloudapi.Volume{Bucket: &cloudapi.Bucket{
				Name: "photos", Endpoint: "oss-cn-hangzhou-internal.aliyuncs.com", Path: "/2026",
				Options: "-o max_stat_cache_size=0 -o allow_other", AccessKeyID: "of-volume", AccessKeySecret: "CANARY-of-of-volume",
			}}, false},
		"FlexBucket": {"a FlexVolume's Secret may be the claim's", eci,
			`flexVolume: {driver: alicloud/oss, readOnly: true, secretRef: {name: oss}, options: {bucket: b, url: u}}`,
			cloudapi.Volume{Bucket: &cloudapi.Bucket{
				Name: "b", Endpoint: "u", Path: "/", ReadOnly: true, AccessKeyID: "of-claim", AccessKeySecret: "CANARY-of-of-claim",
			}}, true},
		"BucketByRole": {"a PersistentVolume is the administrator's", eci,
			`csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: oss, volumeAttributes: {bucket: b, url: u, ramRole: reader}}`,
			cloudapi.Volume{Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", Path: "/", RAMRole: "reader"}}, false},
		"BucketWithKey": {"credentials in the volume itself", eci,
			`csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: oss, volumeAttributes: {bucket: b, url: u, akId: i, akSecret: s}}`,
			cloudapi.Volume{Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", Path: "/", AccessKeyID: "i", AccessKeySecret: "s"}}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec, _, err := translate.Group(storagePod(t, claimData), bound(t, c.pv), options(c.limits))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Name = "data"
			if diff := cmp.Diff([]cloudapi.Volume{c.want}, spec.Volumes); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if m := spec.Containers[0].Mounts[0]; m.Volume != "data" || m.ReadOnly != c.readOnly {
				t.Errorf("%s: mount %+v", c.reason, m)
			}
		})
	}
}

func TestRefusedVolumes(t *testing.T) {
	eci, kci, seed := eciLimits(), kciLimits(), kciSeedLimits()
	const at = "spec.volumes[0].persistentVolumeClaim: PersistentVolume pv-1 "
	cases := map[string]struct {
		limits cloudapi.Limits
		volume string // claimData if empty
		pv     string
		want   string
	}{
		"OtherDriver": {eci, "", `csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}`,
			at + "(csi ebs.csi.aws.com): driver ebs.csi.aws.com: the cloud mounts those of diskplugin.csi.alibabacloud.com, "},
		"OtherCloud": {kci, "", `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `}`,
			at + "(csi diskplugin.csi.alibabacloud.com): driver diskplugin.csi.alibabacloud.com: the cloud mounts those of com.ksc.csi.diskplugin, com.ksc.csi.nfsplugin"},
		"OtherSource": {eci, "", `iscsi: {targetPortal: p, iqn: i, lun: 0}`, at + "(iscsi): container groups do not mount this kind of volume"},
		"NoSource":    {eci, "", `{}`, at + "(without a source): container groups do not mount this kind of volume"},
		"Block":       {eci, "", `{volumeMode: Block, csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `}}`, "volumeMode Block: the cloud attaches no raw devices"},
		"DiskID":      {eci, "", `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: pvc-1}`, `"pvc-1" is not the id of a disk of this cloud, which is like ^d-`},
		"NoDiskID":    {eci, "", `flexVolume: {driver: alicloud/disk}`, "it names no disk: a PersistentVolume of alicloud/disk needs csi.volumeHandle"},
		"FsType":      {eci, "", `csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `, fsType: btrfs}`, `fsType "btrfs": the cloud makes ext4, ext3, xfs, vfat`},
		"MountOptions": {eci, "", `{mountOptions: [data=writeback], csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: ` + eciDisk + `}}`,
			"mount options data=writeback: the cloud takes none for such a volume"},
		"ShareOptions": {kci, "", `{mountOptions: [hard, nfsvers=4.1], nfs: {server: s, path: /p}}`,
			at + "(nfs): mount options hard,vers=4.1: the cloud takes a server and a path, no options of NFS"},
		"ShareNowhere":    {seed, "", `nfs: {server: s, path: /p}`, at + "(nfs): the cloud mounts no NFS"},
		"ShareProtocol":   {eci, "", `csi: {driver: nasplugin.csi.alibabacloud.com, volumeHandle: nas, volumeAttributes: {server: s, mountProtocol: efc}}`, `mountProtocol "efc": the cloud mounts NFS`},
		"ShareMode":       {eci, "", `csi: {driver: nasplugin.csi.alibabacloud.com, volumeHandle: nas, volumeAttributes: {server: s, mode: "755"}}`, "the cloud has no word for mode"},
		"ShareTemplate":   {kci, "", `csi: {driver: com.ksc.csi.nfsplugin, volumeHandle: nas, volumeAttributes: {server: s, share: /, subDir: "${pvc.metadata.name}"}}`, "subDir is made of the claim's metadata"},
		"ShareServerless": {eci, "", `csi: {driver: nasplugin.csi.alibabacloud.com, volumeHandle: nas}`, "it names no server"},
		"BucketNoKey":     {eci, "", `csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: o, volumeAttributes: {bucket: b, url: u}}`, "it needs ramRole, or a Secret with akId and akSecret"},
		"BucketNothing":   {eci, "", `csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: o, volumeAttributes: {ramRole: r}}`, "it needs a bucket and a url"},
		"BucketFuse":      {eci, "", `csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: o, volumeAttributes: {bucket: b, url: u, ramRole: r, fuseType: ossfs2}}`, `fuseType "ossfs2": the cloud mounts by ossfs`},
		"BucketEncrypted": {eci, "", `csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: o, volumeAttributes: {bucket: b, url: u, ramRole: r, encrypted: kms}}`, "the cloud has no word for encrypted"},
		"Machine":         {eci, "", `hostPath: {path: /srv}`, at + `(hostPath): the node's policy (policy.options) does not allow hostPath "/srv" in namespace shop`},
		"Local":           {eci, "", `local: {path: /mnt/disks/1}`, at + `(local): the node's policy (policy.options) does not allow hostPath "/mnt/disks/1" in namespace shop`},
		"MachineNowhere":  {seed, "", `local: {path: /mnt/disks/1}`, at + "(local): the cloud has no word for a path of the group's machine"},

		"InPodRole":         {eci, `flexVolume: {driver: alicloud/oss, options: {bucket: b, url: u, ramRole: admin}}`, "{}", `spec.volumes[0].flexVolume: ramRole: the node's policy (policy.options) does not allow ram-role "admin" in namespace shop`},
		"InPodDisk":         {eci, `flexVolume: {driver: alicloud/disk, options: {volumeId: ` + eciDisk + `}}`, "{}", `spec.volumes[0].flexVolume: the node's policy (policy.options) does not allow disk "` + eciDisk + `" in namespace shop`},
		"InPodSnapshot":     {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "40", snapshotId: s-2}}`, "{}", `spec.volumes[0].flexVolume: snapshotId: the node's policy (policy.options) does not allow disk "s-2" in namespace shop`},
		"InPodRoleOption":   {eci, `flexVolume: {driver: alicloud/oss, options: {bucket: b, url: u, akId: i, akSecret: s, otherOpts: "-o allow_other -oram_role=admin"}}`, "{}", "spec.volumes[0].flexVolume: otherOpts: a role is named by ramRole, not by ram_role"},
		"InPodBucketOption": {eci, `flexVolume: {driver: alicloud/oss, options: {bucket: b, url: "u -oram_role=admin", akId: i, akSecret: s}}`, "{}", "spec.volumes[0].flexVolume: url must have no spaces"},
		"InPodDriver":       {eci, `csi: {driver: secrets-store.csi.k8s.io}`, "{}", "spec.volumes[0].csi: driver secrets-store.csi.k8s.io: the cloud mounts those of "},
		"NewDiskSize":       {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "10"}}`, "{}", `spec.volumes[0].flexVolume: volumeSize "10": a disk of cloud_essd has 20 to 32768 GiB`},
		"NewDiskLevel":      {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "40", performanceLevel: PL9}}`, "{}", `performanceLevel "PL9": the cloud has PL0, PL1, PL2, PL3`},
		"NewDiskType":       {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "40", type: cloud_ssd}}`, "{}", `type "cloud_ssd": the cloud makes disks of cloud_essd`},
		"NewDiskTags":       {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "40", tags: "a:b"}}`, "{}", "the cloud has no word for tags"},
		"NewDiskTruth":      {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "40", encrypted: "1"}}`, "{}", "encrypted must be true or false"},
		"NewDiskKey":        {eci, `flexVolume: {driver: alicloud/disk, options: {volumeSize: "40", kmsKeyId: k}}`, "{}", "kmsKeyId is of a disk that is encrypted"},
		"NewDiskPlain":      {kci, `csi: {driver: com.ksc.csi.diskplugin, volumeAttributes: {type: EHDD, volumeSize: "40", encrypted: "true"}}`, "{}", "the cloud encrypts no disk that it makes with a group"},
		"NewDiskKind":       {kci, `csi: {driver: com.ksc.csi.diskplugin, volumeAttributes: {volumeSize: "40"}}`, "{}", `type "": the cloud makes disks of SSD3.0, EHDD, ESSD_PL0, ESSD_PL1, ESSD_PL2`},
		"NewDiskNever":      {seed, `csi: {driver: com.ksc.csi.diskplugin, volumeAttributes: {type: EHDD, volumeSize: "40"}}`, "{}", "it names no disk by volumeId, and the cloud makes none with a group"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.volume == "" {
				c.volume = claimData
			}
			_, _, err := translate.Group(storagePod(t, c.volume), bound(t, c.pv), options(c.limits))
			var refused *translate.Refused
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want a refusal %q, got %v", c.want, err)
			}
		})
	}
}

// TestVolumesInPods are volumes of drivers that a pod declares itself.
func TestVolumesInPods(t *testing.T) {
	cases := map[string]struct {
		reason string
		limits cloudapi.Limits
		volume string
		want   cloudapi.Volume
	}{
		"OldDisk": {"by its id", eciLimits(), `flexVolume: {driver: alicloud/disk, readOnly: true, options: {volumeId: ` + eciDisk + `, volumeSize: "40"}}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{ID: eciDisk, ReadOnly: true}}},
		"NewDisk": {"it ends with the pod", eciLimits(), `flexVolume: {driver: alicloud/disk, fsType: ext4, options: {volumeSize: "40"}}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{FsType: "ext4", Category: "cloud_essd", SizeGiB: 40, DeleteWithGroup: true}}},
		"NewDiskInFull": {"with all that the cloud knows", eciLimits(),
			`csi: {driver: diskplugin.csi.alibabacloud.com, fsType: xfs, volumeAttributes: {volumeSize: 100Gi, performanceLevel: PL2, deleteWithInstance: "False", encrypted: "true", kmsKeyId: k-1, snapshotId: s-1}}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{FsType: "xfs", Category: "cloud_essd", PerformanceLevel: "PL2", SizeGiB: 100, Encrypted: true, KMSKeyID: "k-1", SnapshotID: "s-1"}}},
		"KingsoftNewDisk": {"the level is part of the type there", kciLimits(),
			`csi: {driver: com.ksc.csi.diskplugin, volumeAttributes: {type: ESSD, performanceLevel: PL1, volumeSize: "40"}}`,
			cloudapi.Volume{Disk: &cloudapi.Disk{Category: "ESSD_PL1", SizeGiB: 40, DeleteWithGroup: true}}},
		"Bucket": {"the Secret is of the pod's namespace", eciLimits(), `csi: {driver: ossplugin.csi.alibabacloud.com, nodePublishSecretRef: {name: oss}, volumeAttributes: {bucket: b, url: u}}`,
			cloudapi.Volume{Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", Path: "/", AccessKeyID: "in-pod", AccessKeySecret: "CANARY-of-in-pod"}}},
		"Share": {"options and all", eciLimits(), `flexVolume: {driver: alicloud/nas, options: {server: s, path: /p, vers: "3", options: "nolock,tcp"}}`,
			cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/p", Version: "3", Options: "nolock,tcp"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := options(c.limits)
			o.Rules = []translate.OptionRule{{Namespaces: []string{"shop"}, Allow: map[string][]string{translate.PolicyDisk: {eciDisk, "s-1"}}}}
			spec, _, err := translate.Group(storagePod(t, c.volume), bound(t, "{}"), o)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Name = "data"
			if diff := cmp.Diff([]cloudapi.Volume{c.want}, spec.Volumes); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestHostPath(t *testing.T) {
	allow := []translate.OptionRule{{Namespaces: []string{"shop"}, Allow: map[string][]string{translate.PolicyHostPath: {"/var/log", "relative", "/a/../etc"}}}}
	const denied = `spec.volumes[0].hostPath: the node's policy (policy.options) does not allow hostPath "%s" in namespace shop`
	cases := map[string]struct {
		limits cloudapi.Limits
		volume string
		rules  []translate.OptionRule
		want   *cloudapi.HostPath
		err    string
	}{
		"Allowed":    {eciLimits(), "hostPath: {path: /var/log}", allow, &cloudapi.HostPath{Path: "/var/log"}, ""},
		"Directory":  {eciLimits(), "hostPath: {path: /var/log, type: Directory}", allow, &cloudapi.HostPath{Path: "/var/log", Type: "Directory"}, ""},
		"File":       {eciLimits(), "hostPath: {path: /var/log, type: File}", allow, &cloudapi.HostPath{Path: "/var/log", Type: "File"}, ""},
		"Kingsoft":   {kciLimits(), "hostPath: {path: /var/log, type: ''}", allow, &cloudapi.HostPath{Path: "/var/log"}, ""},
		"Unchecked":  {kciLimits(), "hostPath: {path: /var/log, type: Directory}", allow, nil, "spec.volumes[0].hostPath.type: type Directory: the cloud does not look what is at a path of the machine"},
		"Made":       {eciLimits(), "hostPath: {path: /var/log, type: DirectoryOrCreate}", allow, nil, "spec.volumes[0].hostPath.type: type DirectoryOrCreate: the cloud knows Directory and File"},
		"NoRule":     {eciLimits(), "hostPath: {path: /var/log}", nil, nil, fmt.Sprintf(denied, "/var/log")},
		"OtherPath":  {eciLimits(), "hostPath: {path: /var/log/pods}", allow, nil, fmt.Sprintf(denied, "/var/log/pods")},
		"Relative":   {eciLimits(), "hostPath: {path: relative}", allow, nil, `spec.volumes[0].hostPath: path "relative" must be absolute and without ..`},
		"Up":         {eciLimits(), "hostPath: {path: /a/../etc}", allow, nil, `spec.volumes[0].hostPath: path "/a/../etc" must be absolute and without ..`},
		"Documented": {kciSeedLimits(), "hostPath: {path: /var/log}", allow, nil, "spec.volumes[0].hostPath: the cloud has no word for a path of the group's machine"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := options(c.limits)
			o.Rules = c.rules
			spec, _, err := translate.Group(storagePod(t, c.volume), translate.References{}, o)
			if text(err) != c.err {
				t.Fatalf("want %q, got %v", c.err, err)
			}
			if c.want != nil {
				if diff := cmp.Diff([]cloudapi.Volume{{Name: "data", HostPath: c.want}}, spec.Volumes); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestRecursiveReadOnly(t *testing.T) {
	rules := []translate.OptionRule{{Namespaces: []string{"*"}, Allow: map[string][]string{translate.PolicyHostPath: {"*"}}}}
	const refusal = "spec.containers[0].volumeMounts[0].recursiveReadOnly: the cloud makes a mount read-only, not what is mounted below it, and there may be something: "
	cases := map[string]struct {
		volume        string
		mode          corev1.RecursiveReadOnlyMode
		bidirectional bool
		want          string // the refusal, or the reason of a note
	}{
		"NothingBelow":  {"emptyDir: {}", corev1.RecursiveReadOnlyEnabled, false, ""},
		"Machine":       {"hostPath: {path: /srv}", corev1.RecursiveReadOnlyEnabled, false, refusal + "the volume is a path of the machine"},
		"MachineIf":     {"hostPath: {path: /srv}", corev1.RecursiveReadOnlyIfPossible, false, "note"},
		"PassedOn":      {"emptyDir: {}", corev1.RecursiveReadOnlyEnabled, true, refusal + "container mounter passes on what it mounts there"},
		"NothingAsked":  {"hostPath: {path: /srv}", corev1.RecursiveReadOnlyDisabled, false, ""},
		"PassedOnMaybe": {"emptyDir: {}", corev1.RecursiveReadOnlyIfPossible, true, "note"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := storagePod(t, c.volume)
			pod.Spec.Containers[0].VolumeMounts[0].ReadOnly = true
			pod.Spec.Containers[0].VolumeMounts[0].RecursiveReadOnly = &c.mode
			if c.bidirectional {
				both := corev1.MountPropagationBidirectional
				pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "mounter", Image: "m",
					VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data", MountPropagation: &both}}})
			}
			o := options(eciLimits())
			o.Rules = rules
			spec, report, err := translate.Group(pod, translate.References{}, o)
			noted := false
			for _, n := range report.Notes {
				noted = noted || n.Decision == translate.DecisionIgnored && n.Field == "spec.containers[0].volumeMounts[0].recursiveReadOnly"
			}
			switch {
			case c.want == "note" || c.want == "":
				if err != nil || noted != (c.want == "note") || !spec.Containers[0].Mounts[0].ReadOnly {
					t.Errorf("%v, report %+v", err, report)
				}
			case text(err) != c.want:
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// TestBucketKeysAreNotTold looks for a bucket's keys in all that is told.
func TestBucketKeysAreNotTold(t *testing.T) {
	for _, volume := range []string{
		`flexVolume: {driver: alicloud/oss, options: {akId: i, akSecret: CANARY}}`,
		`flexVolume: {driver: alicloud/disk, options: {akSecret: CANARY, volumeSize: "1"}}`,
		`csi: {driver: nasplugin.csi.alibabacloud.com, volumeAttributes: {akSecret: CANARY}}`,
		`flexVolume: {driver: alicloud/disk, options: {volumeId: d-1, akSecret: CANARY}}`,
	} {
		_, report, err := translate.Group(storagePod(t, volume), bound(t, "{}"), options(eciLimits()))
		told := fmt.Sprintf("%+v %v", report, err)
		if strings.Contains(told, "CANARY") {
			t.Errorf("%s: %s", volume, told)
		}
	}
	spec, _, err := translate.Group(storagePod(t, `csi: {driver: ossplugin.csi.alibabacloud.com, nodePublishSecretRef: {name: oss}, volumeAttributes: {bucket: b, url: u}}`),
		bound(t, "{}"), options(eciLimits()))
	if err != nil {
		t.Fatal(err)
	}
	if told := fmt.Sprintf("%v %#v", *spec.Volumes[0].Bucket, *spec.Volumes[0].Bucket); strings.Contains(told, "CANARY") {
		t.Error(told)
	}
}

// FuzzPersistentVolume holds that any PersistentVolume is translated without a
// panic, twice alike and unchanged, and that no credentials are told.
func FuzzPersistentVolume(f *testing.F) {
	for _, pv := range []string{
		`csi: {driver: diskplugin.csi.alibabacloud.com, volumeHandle: d-1, volumeAttributes: {readOnly: "true"}}`,
		`csi: {driver: nasplugin.csi.alibabacloud.com, volumeHandle: nas, volumeAttributes: {server: s, options: "ro,vers=3,,x"}}`,
		`csi: {driver: ossplugin.csi.alibabacloud.com, volumeHandle: o, nodePublishSecretRef: {namespace: storage, name: oss}, volumeAttributes: {bucket: b, url: u}}`,
		`flexVolume: {driver: alicloud/disk, options: {volumeSize: "40"}}`,
		`csi: {driver: com.ksc.csi.nfsplugin, volumeHandle: nas, volumeAttributes: {server: s, share: /, subDir: ../x}}`,
		`{mountOptions: ["a,b", ro], nfs: {server: s, path: p}}`, `hostPath: {path: /}`, `local: {path: ../}`,
	} {
		doc, err := yaml.YAMLToJSON([]byte(pv))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc, false)
		f.Add(doc, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, readOnly bool) {
		var pv corev1.PersistentVolumeSpec
		if yaml.Unmarshal(data, &pv) != nil {
			return
		}
		pod := storagePod(t, claimData)
		pod.Spec.Volumes[0].PersistentVolumeClaim.ReadOnly = readOnly
		refs := bound(t, "{}")
		claimRef := refs.Volumes["pv-1"].Spec.ClaimRef
		refs.Volumes["pv-1"].Spec = pv
		refs.Volumes["pv-1"].Spec.ClaimRef = claimRef
		before := refs.Volumes["pv-1"].DeepCopy()
		for _, limits := range []cloudapi.Limits{eciLimits(), kciLimits(), kciSeedLimits(), {}} {
			spec, report, err := translate.Group(pod, refs, options(limits))
			again, reportAgain, errAgain := translate.Group(pod, refs, options(limits))
			if diff := cmp.Diff(spec, again) + cmp.Diff(report, reportAgain) + cmp.Diff(text(err), text(errAgain)); diff != "" {
				t.Errorf("a second run differs:\n%s", diff)
			}
			if told := fmt.Sprintf("%+v %v", report, err); strings.Contains(told, "CANARY") {
				t.Errorf("credentials are told: %s", told)
			}
			if err == nil && (len(spec.Volumes) != 1 || readOnly && !spec.Containers[0].Mounts[0].ReadOnly) {
				t.Errorf("the volume is lost: %+v", spec)
			}
		}
		if diff := cmp.Diff(before, refs.Volumes["pv-1"]); diff != "" {
			t.Errorf("the PersistentVolume was changed:\n%s", diff)
		}
	})
}
