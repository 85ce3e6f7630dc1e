package kci_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/kci"
)

// TestStorageAgrees asks the emulated cloud for every kind of storage that the
// limits tell of, at both ends of what they allow.
func TestStorageAgrees(t *testing.T) {
	for _, dialect := range []kci.Dialect{kci.Seed, kci.Extended} {
		t.Run(string(dialect), func(t *testing.T) {
			client := newCloud(t, dialect).client(t, func(o *kci.Options) { o.Dialect = dialect })
			limits := client.Limits()
			var volumes []cloudapi.Volume
			for i, fsType := range limits.Disk.FsTypes {
				volumes = append(volumes, cloudapi.Volume{Disk: &cloudapi.Disk{ID: fmt.Sprintf("6e5b3f2a-1c7d-4f0b-9a58-%012d", i), FsType: fsType}})
			}
			for _, kind := range limits.Disk.Categories {
				volumes = append(volumes, cloudapi.Volume{Disk: &cloudapi.Disk{Category: kind.Name, SizeGiB: kind.MinGiB, SnapshotID: "7"}},
					cloudapi.Volume{Disk: &cloudapi.Disk{Category: kind.Name, SizeGiB: kind.MaxGiB, DeleteWithGroup: true}})
			}
			if limits.Can.NFS {
				volumes = append(volumes, cloudapi.Volume{NFS: &cloudapi.NFS{Server: "s", Path: "/p", ReadOnly: true}})
			}
			if limits.Can.HostPath {
				volumes = append(volumes, cloudapi.Volume{HostPath: &cloudapi.HostPath{Path: "/var/log"}})
			}
			for i, v := range volumes {
				if err := createWith(t, client, fmt.Sprintf("web-%d", i), v); err != nil {
					t.Errorf("%+v: %v", v, err)
				}
			}
			err := createWith(t, client, "again", volumes[0])
			if !cloudapi.Is(err, cloudapi.CodeInvalid) || !strings.Contains(err.Error(), "is attached already") {
				t.Errorf("a disk of another group: %v", err)
			}
		})
	}
}

func createWith(t *testing.T, client *kci.Client, name string, v cloudapi.Volume) error {
	t.Helper()
	v.Name = "data"
	spec := kci.PlainSpec()
	spec.Name = name
	spec.Volumes = []cloudapi.Volume{v}
	spec.Containers[0].Mounts = []cloudapi.Mount{{Volume: "data", Path: "/data", ReadOnly: true}}
	_, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{})
	return err
}
