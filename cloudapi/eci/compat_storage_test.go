package eci_test

import (
	"strings"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestStorageAgrees asks the emulated cloud for every kind of storage that the
// limits tell of, at both ends of what they allow.
func TestStorageAgrees(t *testing.T) {
	client := connect(t, emulate(t, nil), account("static"))
	limits := client.Limits()
	kind := limits.Disk.Categories[0]
	disk := func(size int) *cloudapi.Disk { return &cloudapi.Disk{Category: kind.Name, SizeGiB: size} }
	volumes := []cloudapi.Volume{
		{Disk: disk(kind.MinGiB)}, {Disk: disk(kind.MaxGiB)},
		{Disk: &cloudapi.Disk{SizeGiB: 40, DeleteWithGroup: true, Encrypted: true, KMSKeyID: "k", SnapshotID: "s"}},
		{NFS: &cloudapi.NFS{Server: "s", Path: "/p"}}, {NFS: &cloudapi.NFS{Server: "s", Path: "/p", Version: "3", Options: "nolock"}},
		{Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", Path: "/p", AccessKeyID: "i", AccessKeySecret: "s", Options: "-o x"}},
		{Bucket: &cloudapi.Bucket{Name: "b", Endpoint: "u", RAMRole: "r"}},
	}
	for i, fsType := range limits.Disk.FsTypes {
		volumes = append(volumes, cloudapi.Volume{Disk: &cloudapi.Disk{ID: "d-" + strings.Repeat("1", i+1), FsType: fsType}})
	}
	for _, level := range limits.Disk.PerformanceLevels {
		volumes = append(volumes, cloudapi.Volume{Disk: &cloudapi.Disk{SizeGiB: 40, PerformanceLevel: level}})
	}
	for _, v := range volumes {
		v.Name = "data"
		spec := web("stored")
		spec.Volumes = []cloudapi.Volume{v}
		spec.Containers[0].Mounts = []cloudapi.Mount{{Volume: "data", Path: "/data"}}
		if _, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{}); err != nil {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

// TestStorageRefusalsAgree: what the cloud refuses of a disk is told as it is
// meant, and never with a bucket's key.
func TestStorageRefusalsAgree(t *testing.T) {
	client := connect(t, emulate(t, nil), account("static"))
	disks := func(n int) []cloudapi.Volume {
		var list []cloudapi.Volume
		for i := range n {
			list = append(list, cloudapi.Volume{Name: "v" + strings.Repeat("x", i), Disk: &cloudapi.Disk{ID: "d-" + strings.Repeat("1", i+1)}})
		}
		return list
	}
	for name, c := range map[string]struct {
		volumes []cloudapi.Volume
		code    cloudapi.Code
		vendor  string
	}{
		"NoDisk":       {[]cloudapi.Volume{{Name: "v", Disk: &cloudapi.Disk{ID: "vol-1"}}}, cloudapi.CodeInvalid, "InvalidDiskId.NotFound"},
		"TooManyDisks": {disks(client.Limits().Disk.Max + 1), cloudapi.CodeQuota, "DiskNumber.LimitExceed"},
		"NotInvited":   {[]cloudapi.Volume{{Name: "v", HostPath: &cloudapi.HostPath{Path: "/x"}}}, cloudapi.CodeForbidden, "Forbidden.OnlyForInvitedTest"},
		"NoURL": {[]cloudapi.Volume{{Name: "v", Bucket: &cloudapi.Bucket{Name: "b", AccessKeyID: "i", AccessKeySecret: "CANARY"}}},
			cloudapi.CodeInvalid, "MissingParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := web("stored")
			spec.Volumes = c.volumes
			_, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{})
			if !cloudapi.Is(err, c.code) || !strings.Contains(err.Error(), c.vendor) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("want %s and %s, got %v", c.code, c.vendor, err)
			}
		})
	}
	create(t, client, func() cloudapi.GroupSpec { s := web("a"); s.Volumes = disks(1); return s }(), "")
	spec := web("b")
	spec.Volumes = disks(1)
	if _, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("a disk of another group: %v", err)
	}
}
