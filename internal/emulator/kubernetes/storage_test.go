package kubernetes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// TestStored: what outlives a group is a folder by its id, and no id leaves its
// place.
func TestStored(t *testing.T) {
	folder := func(path string) corev1.VolumeSource {
		return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
			Path: "/var/lib/cloud-volumes/eci/" + path, Type: ptr.To(corev1.HostPathDirectoryOrCreate),
		}}
	}
	scratch := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
	flex := func(driver string, options ...string) engine.Volume {
		f := &engine.Flex{Driver: driver, Options: map[string]string{}}
		for i := 0; i < len(options); i += 2 {
			f.Options[options[i]] = options[i+1]
		}
		return engine.Volume{Name: "data", Flex: f}
	}
	cases := map[string]struct {
		volume engine.Volume
		want   corev1.VolumeSource
	}{
		"Disk":          {flex("alicloud/disk", "volumeId", "d-1"), folder("disks/id-d-1")},
		"KingsoftDisk":  {flex("ksyun/ebs", "volumeId", "6e5b3f2a", "deleteWithInstance", "false"), folder("disks/id-6e5b3f2a")},
		"NewDisk":       {flex("alicloud/disk", "volumeSize", "20", "deleteWithInstance", "true"), scratch},
		"NewDiskStays":  {flex("alicloud/disk", "volumeSize", "20", "deleteWithInstance", "false"), folder("disks/id-new-eci-1-data")},
		"Share":         {engine.Volume{NFS: &engine.NFS{Server: "nas.example.com", Path: "/a/b"}}, folder("shares/id-nas.example.com/a/b")},
		"FlexShare":     {flex("alicloud/nas", "server", "nas.example.com", "path", "/a"), folder("shares/id-nas.example.com/a")},
		"Bucket":        {flex("alicloud/oss", "bucket", "b", "path", "x/y"), folder("buckets/id-b/x/y")},
		"BucketOutside": {flex("alicloud/oss", "bucket", "../../..", "path", "../../../etc"), folder("buckets/id-..%2F..%2F../etc")},
		"DiskOutside":   {flex("alicloud/disk", "volumeId", ".."), folder("disks/id-..")},
		"Machine":       {engine.Volume{HostPath: "/etc", HostPathType: "Directory"}, scratch},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := testBuilder.stored("eci-1", &c.volume)
			if !ok {
				t.Fatal("it has no source")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if _, ok := testBuilder.stored("eci-1", &engine.Volume{}); ok {
		t.Error("a volume without a source")
	}
}

func TestReadOnlyShare(t *testing.T) {
	spec := &engine.Spec{
		Containers: []engine.Container{{Name: "app", Image: "a", Mounts: []engine.Mount{{Volume: "ro", Path: "/ro"}, {Volume: "rw", Path: "/rw"}}}},
		Volumes: []engine.Volume{
			{Name: "ro", NFS: &engine.NFS{Server: "s", Path: "/", ReadOnly: true}}, {Name: "rw", NFS: &engine.NFS{Server: "s", Path: "/"}},
		},
	}
	p, err := testBuilder.plan("eci-1", "eci-1", spec)
	if err != nil {
		t.Fatal(err)
	}
	mounts := p.pod.Spec.Containers[0].VolumeMounts
	if !mounts[0].ReadOnly || mounts[1].ReadOnly {
		t.Errorf("mounts %+v", mounts)
	}
}
