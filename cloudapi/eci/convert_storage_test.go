package eci

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestStorage(t *testing.T) {
	cases := map[string]struct {
		reason string
		volume cloudapi.Volume
		want   map[string]string
	}{
		"OldDisk": {"by its id alone", cloudapi.Volume{Disk: &cloudapi.Disk{ID: "d-1", FsType: "xfs", ReadOnly: true}}, map[string]string{
			"Type": "FlexVolume", "FlexVolume.Driver": "alicloud/disk", "FlexVolume.FsType": "xfs", "FlexVolume.Options": `{"volumeId":"d-1"}`}},
		"NewDisk": {"its end and its encryption are always said", cloudapi.Volume{Disk: &cloudapi.Disk{SizeGiB: 40}}, map[string]string{
			"Type": "FlexVolume", "FlexVolume.Driver": "alicloud/disk",
			"FlexVolume.Options": `{"deleteWithInstance":"false","encrypted":"false","volumeSize":"40"}`}},
		"NewDiskInFull": {"options in the order of their names", cloudapi.Volume{Disk: &cloudapi.Disk{
			FsType: "ext4", Category: "cloud_essd", PerformanceLevel: "PL1", SizeGiB: 40, DeleteWithGroup: true,
			Encrypted: true, KMSKeyID: "key-1", SnapshotID: "s-1",
		}}, map[string]string{
			"Type": "FlexVolume", "FlexVolume.Driver": "alicloud/disk", "FlexVolume.FsType": "ext4",
			"FlexVolume.Options": `{"deleteWithInstance":"true","encrypted":"true","kmsKeyId":"key-1","performanceLevel":"PL1","snapshotId":"s-1","volumeSize":"40"}`}},
		"NFS": {"by its own parameters", cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/p", ReadOnly: true}}, map[string]string{
			"Type": "NFSVolume", "NFSVolume.Server": "s", "NFSVolume.Path": "/p", "NFSVolume.ReadOnly": "true"}},
		"NFSWithOptions": {"which only the driver can say", cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/p", Version: "3", Options: "nolock,tcp", ReadOnly: true}}, map[string]string{
			"Type": "FlexVolume", "FlexVolume.Driver": "alicloud/nas", "FlexVolume.Options": `{"options":"nolock,tcp","path":"/p","server":"s","vers":"3"}`}},
		"Bucket": {"with its key", cloudapi.Volume{Bucket: &cloudapi.Bucket{
			Name: "b", Endpoint: "oss-cn-hangzhou-internal.aliyuncs.com", Path: "/a", Options: "-o allow_other", AccessKeyID: "id", AccessKeySecret: "bucket-secret",
		}}, map[string]string{
			"Type": "FlexVolume", "FlexVolume.Driver": "alicloud/oss",
			"FlexVolume.Options": `{"akId":"id","akSecret":"bucket-secret","bucket":"b","otherOpts":"-o allow_other","path":"/a","url":"oss-cn-hangzhou-internal.aliyuncs.com"}`}},
		"BucketByRole": {"its whole", cloudapi.Volume{Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", Path: "/", RAMRole: "reader", ReadOnly: true}}, map[string]string{
			"Type": "FlexVolume", "FlexVolume.Driver": "alicloud/oss", "FlexVolume.Options": `{"bucket":"b","ramRole":"reader","url":"u"}`}},
		"HostPath": {"a path", cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "/var/log"}}, map[string]string{
			"Type": "HostPathVolume", "HostPathVolume.Path": "/var/log"}},
		"HostPathType": {"and what is there", cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "/etc/hosts", Type: "File"}}, map[string]string{
			"Type": "HostPathVolume", "HostPathVolume.Path": "/etc/hosts", "HostPathVolume.Type": "File"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.volume.Name = "data"
			before := reflect.Indirect(reflect.ValueOf(&c.volume)).Interface()
			spec := cloudapi.GroupSpec{Name: "ab", Containers: []cloudapi.Container{{Name: "c", Image: "i"}}, Volumes: []cloudapi.Volume{c.volume}}
			request, err := createRequest(spec, "cn-hangzhou", "t")
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name, value := range openapiutil.Query(request) {
				if rest, ok := strings.CutPrefix(name, "Volume.1."); ok && rest != "Name" {
					got[rest] = *value
				}
			}
			if diff := cmp.Diff(c.want, got) + cmp.Diff(before, c.volume); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestStorageRefuses(t *testing.T) {
	cases := map[string]struct {
		volume cloudapi.Volume
		code   cloudapi.Code
		want   string
	}{
		"OldAndNew":   {cloudapi.Volume{Disk: &cloudapi.Disk{ID: "d-1", SizeGiB: 40}}, cloudapi.CodeInvalid, "Volumes[0].Disk.ID: d-1 exists; what only a new disk has must be left out"},
		"NoSize":      {cloudapi.Volume{Disk: &cloudapi.Disk{}}, cloudapi.CodeInvalid, "Volumes[0].Disk.SizeGiB: 0; a disk without an id is made, and needs a size"},
		"Category":    {cloudapi.Volume{Disk: &cloudapi.Disk{SizeGiB: 40, Category: "cloud_ssd"}}, cloudapi.CodeUnsupported, "Volumes[0].Disk.Category: cloud_ssd; the cloud makes disks of cloud_essd"},
		"TwoSources":  {cloudapi.Volume{Disk: &cloudapi.Disk{ID: "d-1"}, HostPath: &cloudapi.HostPath{Path: "/"}}, cloudapi.CodeInvalid, "Volumes[0].EmptyDir, Files, NFS, Disk, Bucket, HostPath: exactly one must be set, not 2"},
		"NotReadOnly": {cloudapi.Volume{Disk: &cloudapi.Disk{ID: "d-1", ReadOnly: true}}, cloudapi.CodeInvalid, "the mount of volume data in container c must be ReadOnly, as the volume is"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.volume.Name = "data"
			spec := cloudapi.GroupSpec{Name: "ab", Volumes: []cloudapi.Volume{c.volume},
				Containers: []cloudapi.Container{{Name: "c", Image: "i", Mounts: []cloudapi.Mount{{Volume: "data", Path: "/data"}}}}}
			_, err := createRequest(spec, "cn-hangzhou", "t")
			var e *cloudapi.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Message != c.want {
				t.Errorf("want %s %q, got %v", c.code, c.want, err)
			}
		})
	}
}

// TestBucketKeyIsSecret: the cloud may quote a parameter or a part of it.
func TestBucketKeyIsSecret(t *testing.T) {
	const options = `{"akId":"id","akSecret":"bucket-secret","bucket":"b"}`
	plain, value := `{"volumeId":"d-1"}`, options
	c := call{action: opCreate, parameters: map[string]*string{"Volume.1.FlexVolume.Options": &value, "Volume.2.FlexVolume.Options": &plain}}
	if diff := cmp.Diff([]string{options, "bucket-secret"}, c.secrets()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	spec := cloudapi.GroupSpec{Name: "ab", Containers: []cloudapi.Container{{Name: "c", Image: "i"}}, Volumes: []cloudapi.Volume{
		{Name: "b", Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", AccessKeyID: "id", AccessKeySecret: "bucket-secret"}},
	}}
	request, err := Request(spec, "cn-hangzhou", "t")
	if err != nil {
		t.Fatal(err)
	}
	if text := request.Redacted().Body(); strings.Contains(text, "bucket-secret") || !strings.Contains(request.Body(), "bucket-secret") {
		t.Errorf("redacted: %s", text)
	}
}

// TestEveryFieldOfADiskAndABucketIsSent: a field that cloudapi gains must be
// converted, or refused.
func TestEveryFieldOfADiskAndABucketIsSent(t *testing.T) {
	disk := cloudapi.Disk{
		ID: "d-1", FsType: "ext4", ReadOnly: true, Category: "cloud_essd", PerformanceLevel: "PL1", SizeGiB: 40,
		DeleteWithGroup: true, Encrypted: true, KMSKeyID: "k", SnapshotID: "s",
	}
	bucket := cloudapi.Bucket{
		Name: "b", Endpoint: "u", Path: "/p", ReadOnly: true, Options: "-o x", RAMRole: "r", AccessKeyID: "i", AccessKeySecret: "s",
	}
	for _, value := range []any{disk, bucket, cloudapi.HostPath{Path: "/", Type: "File"}} {
		v := reflect.ValueOf(value)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%T.%s is new: convert it, test it in TestStorage, and set it here", value, v.Type().Field(i).Name)
			}
		}
	}
}
