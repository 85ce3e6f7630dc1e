package kci

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// TestDiskIsOneGroups: while a group has a disk no other gets it.
func TestDiskIsOneGroups(t *testing.T) {
	const id = "6e5b3f2a-1c7d-4f0b-9a58-3d2c1b0a9f8e"
	const refused = "400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter "
	disk := []string{"Volume.1.Name", "v", "Volume.1.Type", "EBSVolume", "Volume.1.EBSVolume.FsType", "ext4", "Volume.1.EBSVolume.VolumeId", id}
	for _, dialect := range []Dialect{Seed, Extended} {
		t.Run(string(dialect), func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Dialect = dialect })
			ask := func(set ...string) string {
				t.Helper()
				answer := b.post("CreateContainerGroup", minimal(set...))
				if answer.Code == 200 {
					return "made"
				}
				return errorText(t, answer)
			}
			if diff := cmp.Diff("made", ask(disk...)); diff != "" {
				t.Fatal(diff)
			}
			attached := refused + `Volume.1.EBSVolume.VolumeId: disk "` + id + `" is attached already.`
			for _, status := range []engine.Status{engine.Scheduling, engine.Running, engine.Terminating} {
				b.groups.groups[0].Status = status
				if diff := cmp.Diff(attached, ask(disk...)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", status, diff)
				}
			}
			b.groups.groups[0].Status = engine.Failed
			if diff := cmp.Diff("made", ask(disk...)); diff != "" {
				t.Errorf("after its end (-want +got):\n%s", diff)
			}
			odd := refused + `Volume.1.EBSVolume.VolumeId: disk "d-1" does not exist.`
			if diff := cmp.Diff(odd, ask(append(disk[:7:7], "d-1")...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			const free = "00000000-1c7d-4f0b-9a58-3d2c1b0a9f8e"
			twice := slices.Concat(disk[:7], []string{free, "Volume.2.Name", "w", "Volume.2.Type", "EBSVolume",
				"Volume.2.EBSVolume.FsType", "ext4", "Volume.2.EBSVolume.VolumeId", free})
			want := refused + `Volume.2.EBSVolume.VolumeId: disk "` + free + `" is attached already.`
			if diff := cmp.Diff(want, ask(twice...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
