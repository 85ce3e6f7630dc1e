package kci

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

const diskID = "6e5b3f2a-1c7d-4f0b-9a58-3d2c1b0a9f8e"

// storageSpec is a group with one volume beside those of plainSpec.
func storageSpec(volume cloudapi.Volume) cloudapi.GroupSpec {
	spec := plainSpec()
	volume.Name = "data"
	spec.Volumes = []cloudapi.Volume{volume}
	spec.Containers[0].Mounts = []cloudapi.Mount{{Volume: "data", Path: "/data"}}
	return spec
}

func TestStorage(t *testing.T) {
	cases := map[string]struct {
		dialect Dialect
		volume  cloudapi.Volume
		want    string
	}{
		"OldDiskSeed": {Seed, cloudapi.Volume{Disk: &cloudapi.Disk{ID: diskID, FsType: "xfs"}},
			"EBSVolume.FsType=xfs EBSVolume.VolumeId=" + diskID + " Type=EBSVolume"},
		"OldDisk": {Extended, cloudapi.Volume{Disk: &cloudapi.Disk{ID: diskID}},
			"EBSVolume.FsType=ext4 EBSVolume.VolumeId=" + diskID + " Type=EBSVolume"},
		"NewDisk": {Extended, cloudapi.Volume{Disk: &cloudapi.Disk{Category: "ESSD_PL1", SizeGiB: 40, DeleteWithGroup: true, SnapshotID: "7"}},
			"EBSVolume.DeleteWithInstance=true EBSVolume.FsType=ext4 EBSVolume.Size=40 EBSVolume.SnapshotId=7 EBSVolume.Type=ESSD_PL1 Type=EBSVolume"},
		"HostPath": {Extended, cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "/var/log"}},
			"HostPathVolume.Path=/var/log Type=HostPathVolume"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, err := createForm(storageSpec(tc.volume), tc.dialect)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(parameters(t, f.encode(actionCreate))) {
				if rest, ok := strings.CutPrefix(line, "Volume.1."); ok && !strings.HasPrefix(rest, "Name=") {
					got = append(got, strings.TrimSpace(rest))
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestStorageRefuses(t *testing.T) {
	cases := map[string]struct {
		dialect Dialect
		volume  cloudapi.Volume
		want    string
	}{
		"NewDiskSeed": {Seed, cloudapi.Volume{Disk: &cloudapi.Disk{Category: "EHDD", SizeGiB: 10}},
			"Unsupported: volumes[data].disk without an id needs dialect extended"},
		"NewDiskOfWhat": {Extended, cloudapi.Volume{Disk: &cloudapi.Disk{SizeGiB: 10}},
			"Invalid: volumes[data].disk without an id is made, and needs a category and a size"},
		"Snapshot": {Extended, cloudapi.Volume{Disk: &cloudapi.Disk{Category: "EHDD", SizeGiB: 10, SnapshotID: "s-1"}},
			`Invalid: volumes[data].disk.snapshotID: "s-1" is not a number, as the SDKs have it`},
		"OldAndNew": {Extended, cloudapi.Volume{Disk: &cloudapi.Disk{ID: diskID, SizeGiB: 10}},
			"Invalid: volumes[data].disk.id: " + diskID + " exists; what only a new disk has must be left out"},
		"Encrypted": {Extended, cloudapi.Volume{Disk: &cloudapi.Disk{Category: "EHDD", SizeGiB: 10, Encrypted: true, PerformanceLevel: "PL1"}},
			"Unsupported: volumes[data].disk.performanceLevel cannot be told to KCI; volumes[data].disk.encrypted cannot be told to KCI"},
		"NotReadOnly": {Seed, cloudapi.Volume{Disk: &cloudapi.Disk{ID: diskID, ReadOnly: true}},
			"Invalid: containers[web].mounts[data] must be read-only, as the volume is"},
		"HostPathSeed": {Seed, cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "/var/log"}},
			"Unsupported: volumes[data].hostPath needs dialect extended"},
		"HostPathType": {Extended, cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "/var/log", Type: "File"}},
			"Unsupported: volumes[data].hostPath.type cannot be told to KCI"},
		"HostPathRelative": {Extended, cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "var"}},
			`Invalid: volumes[data].hostPath.path: "var" is not absolute`},
		"Bucket": {Extended, cloudapi.Volume{Bucket: &cloudapi.Bucket{Name: "b", AccessKeySecret: "CANARY"}},
			"Unsupported: volumes[data].bucket cannot be told to KCI"},
		"NFSOptions": {Extended, cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/", Version: "3", Options: "nolock"}},
			"Unsupported: volumes[data].nfs.version cannot be told to KCI; volumes[data].nfs.options cannot be told to KCI"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := createForm(storageSpec(tc.volume), tc.dialect)
			if diff := cmp.Diff("CreateContainerGroup: "+tc.want, errorText(err)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
