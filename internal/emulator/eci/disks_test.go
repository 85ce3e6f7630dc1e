package eci

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// flexVolume is a volume of a driver, as part of a request.
func flexVolume(n int, driver, fsType, options string) string {
	at := fmt.Sprintf("&Volume.%d.", n)
	return at + fmt.Sprintf("Name=v%d", n) + at + "Type=FlexVolume" + at + "FlexVolume.Driver=" + driver +
		at + "FlexVolume.FsType=" + fsType + at + "FlexVolume.Options=" + url.QueryEscape(options)
}

func TestFlexVolumes(t *testing.T) {
	const disk, nas, oss = "alicloud/disk", "alicloud/nas", "alicloud/oss"
	cases := map[string]struct {
		driver, fsType, options string
		code, message           string // both empty where the request passes
	}{
		"OldDisk":       {disk, "xfs", `{"volumeId":"d-2ze1"}`, "", ""},
		"OldDiskIgnore": {disk, "", `{"volumeId":"d-2ze1","volumeSize":"1","performanceLevel":"x"}`, "", ""},
		"NewDisk":       {disk, "vfat", `{"volumeSize":"20","performanceLevel":"PL3","deleteWithInstance":"false","encrypted":"true","kmsKeyId":"k","snapshotId":"s","tags":"a:b"}`, "", ""},
		"NoSuchDisk":    {disk, "", `{"volumeId":"pvc-1"}`, "InvalidDiskId.NotFound", `"pvc-1"`},
		"NoSize":        {disk, "", `{}`, "InvalidParameter", "volumeSize"},
		"TooLarge":      {disk, "", `{"volumeSize":"32769"}`, "InvalidParameter", "20 to 32768 GiB"},
		"FsType":        {disk, "btrfs", `{"volumeId":"d-1"}`, "InvalidParameter", "ext4, ext3, xfs, vfat"},
		"Level":         {disk, "", `{"volumeSize":"20","performanceLevel":"PL4"}`, "InvalidParameter", "PL0, PL1, PL2, PL3"},
		"Truth":         {disk, "", `{"volumeSize":"20","encrypted":"yes"}`, "InvalidParameter", "true or false"},
		"Key":           {disk, "", `{"volumeSize":"20","kmsKeyId":"k"}`, "InvalidParameter.KMS.EncryptedIllegal", "kmsKeyId"},
		"Unknown":       {disk, "", `{"volumeSize":"20","type":"cloud_ssd"}`, "InvalidParameter", `"type"`},
		"NAS":           {nas, "", `{"server":"s","path":"/p","vers":"3","options":"nolock"}`, "", ""},
		"NASNowhere":    {nas, "", `{"path":"/p"}`, "InvalidParameter", "server"},
		"OSS":           {oss, "", `{"bucket":"b","url":"u","akId":"i","akSecret":"CANARY","path":"/p","otherOpts":"-o x"}`, "", ""},
		"OSSByRole":     {oss, "", `{"bucket":"b","url":"u","ramRole":"r"}`, "", ""},
		"OSSNoBucket":   {oss, "", `{"url":"u","akId":"i","akSecret":"CANARY"}`, "MissingParameter", "bucket"},
		"OSSNoKey":      {oss, "", `{"bucket":"b","url":"u","akSecret":"CANARY"}`, "InvalidParameter", "ramRole, or akId and akSecret"},
		"OSSUnknown":    {oss, "", `{"bucket":"b","url":"u","akId":"i","akSecret":"CANARY","token":"CANARY"}`, "InvalidParameter", `"token"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			status, body := r.do(simple + flexVolume(1, c.driver, c.fsType, c.options))
			if c.code == "" {
				if status != http.StatusOK {
					t.Errorf("answered %d %s", status, body)
				}
				return
			}
			if codeOf(t, body) != c.code || !strings.Contains(parse(t, body)["Message"].(string), c.message) || strings.Contains(body, "CANARY") {
				t.Errorf("want %s with %q, got %s", c.code, c.message, body)
			}
		})
	}
}

func TestFlexVolumeIsShown(t *testing.T) {
	r := newRig(t)
	r.must(simple + flexVolume(1, "alicloud/disk", "xfs", `{"volumeId":"d-1"}`))
	groups, _ := r.must("POST Action=DescribeContainerGroups&RegionId=cn-hangzhou")["ContainerGroups"].([]any)
	group, _ := groups[0].(map[string]any)
	want := []any{map[string]any{
		"Name": "v1", "Type": "FlexVolume", "FlexVolumeDriver": "alicloud/disk", "FlexVolumeFsType": "xfs", "FlexVolumeOptions": `{"volumeId":"d-1"}`,
	}}
	if diff := cmp.Diff(want, group["Volumes"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDiskIsOneGroups: while a group has a disk no other gets it, however close
// they come.
func TestDiskIsOneGroups(t *testing.T) {
	r := newRig(t)
	disk := flexVolume(1, "alicloud/disk", "", `{"volumeId":"d-1"}`)
	var wait sync.WaitGroup
	answers := make(chan string, 8)
	for range cap(answers) {
		wait.Go(func() {
			_, body := r.do(simple + disk)
			answers <- body
		})
	}
	wait.Wait()
	close(answers)
	made := 0
	for body := range answers {
		switch {
		case strings.Contains(body, "ContainerGroupId"):
			made++
		case codeOf(t, body) != "DiskVolume.NotSupport" || !strings.Contains(body, "attached to the container group eci-0001"):
			t.Errorf("answered %s", body)
		}
	}
	if made != 1 {
		t.Errorf("%d groups have the disk", made)
	}
	r.groups.groups[0].Status = engine.Terminating
	if _, body := r.do(simple + disk); codeOf(t, body) != "DiskVolume.NotSupport" {
		t.Errorf("a group that ends has its disk until then: %s", body)
	}
	r.groups.groups[0].Status = engine.Succeeded
	r.must(simple + disk)
}

func TestDisksOfAGroup(t *testing.T) {
	r := newRig(t)
	var seven string
	for n := range 7 {
		seven += flexVolume(n+1, "alicloud/disk", "", fmt.Sprintf(`{"volumeId":"d-%d"}`, n))
	}
	if _, body := r.do(simple + seven); codeOf(t, body) != "DiskNumber.LimitExceed" {
		t.Errorf("seven disks: %s", body)
	}
	twice := flexVolume(1, "alicloud/disk", "", `{"volumeId":"d-1"}`) + flexVolume(2, "alicloud/disk", "", `{"volumeId":"d-1"}`)
	if _, body := r.do(simple + twice); codeOf(t, body) != "DiskVolume.NotSupport" {
		t.Errorf("the same disk twice: %s", body)
	}
}

// TestRepeatWithDisk: a repeated request finds its own group, not a disk in use.
func TestRepeatWithDisk(t *testing.T) {
	r := newRig(t)
	request := simple + "&ClientToken=t-1" + flexVolume(1, "alicloud/disk", "", `{"volumeId":"d-1"}`)
	first, second := r.must(request)["ContainerGroupId"], r.must(request)["ContainerGroupId"]
	if first != second {
		t.Errorf("groups %v and %v", first, second)
	}
}
