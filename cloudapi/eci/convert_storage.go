package eci

import (
	"encoding/json"
	"path"
	"slices"
	"strconv"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// The drivers of FlexVolume (parameter table of CreateContainerGroup).
const (
	typeFlex     = "FlexVolume"
	typeHostPath = "HostPathVolume"
	driverDisk   = "alicloud/disk"
	driverNAS    = "alicloud/nas"
	driverOSS    = "alicloud/oss"
)

// essd is the one category of disks that ECI makes; its FlexVolume takes no
// other and no word for it (user guide, "mount a disk volume").
const essd = "cloud_essd"

// diskLimits are the user guide's, page "mount a disk volume", but for the form
// of ids, which is that of all the guide's and ECS's examples.
func diskLimits() cloudapi.DiskLimits {
	return cloudapi.DiskLimits{
		Max: 6, ID: `^d-[0-9a-z]{1,60}$`,
		FsTypes:           []string{"ext4", "ext3", "xfs", "vfat"},
		Categories:        []cloudapi.DiskCategory{{Name: essd, MinGiB: 20, MaxGiB: 32768}},
		PerformanceLevels: []string{"PL0", "PL1", "PL2", "PL3"},
		Encryption:        true, Snapshots: true,
	}
}

// volumeDrivers are Alibaba Cloud's: the CSI drivers that ECI's user guide tells
// self-built clusters to use (documents 372500, 151416 and
// "mount-an-oss-bucket"), and FlexVolume's, which are the API's own words.
func volumeDrivers() []string {
	return []string{
		"diskplugin.csi.alibabacloud.com", "nasplugin.csi.alibabacloud.com", "ossplugin.csi.alibabacloud.com",
		driverDisk, driverNAS, driverOSS,
	}
}

// storage sets the source of a volume of a storage system and tells how many
// it had.
func storage(out *sdk.CreateContainerGroupRequestVolume, v cloudapi.Volume) (sources int, err error) {
	if v.NFS != nil {
		sources++
		err = network(out, v.NFS)
	}
	if v.Disk != nil {
		sources++
		err = disk(out, v.Disk)
	}
	if v.Bucket != nil {
		sources++
		err = bucket(out, v.Bucket)
	}
	if v.HostPath != nil {
		sources++
		out.Type = text1(typeHostPath)
		out.HostPathVolume = &sdk.CreateContainerGroupRequestVolumeHostPathVolume{
			Path: &v.HostPath.Path, Type: text1(v.HostPath.Type),
		}
	}
	return sources, err
}

// network writes NFS by its own parameters, or as a FlexVolume where those have
// no word for a version or options. That of the driver has none for read-only:
// the mounts say it.
func network(out *sdk.CreateContainerGroupRequestVolume, n *cloudapi.NFS) error {
	if n.Version != "" || n.Options != "" {
		return flex(out, driverNAS, "", map[string]string{
			"server": n.Server, "path": n.Path, "vers": n.Version, "options": n.Options,
		})
	}
	out.Type = text1(typeNFS)
	out.NFSVolume = &sdk.CreateContainerGroupRequestVolumeNFSVolume{
		Server: &n.Server, Path: &n.Path, ReadOnly: yes(n.ReadOnly),
	}
	return nil
}

// disk writes an existing disk or a new one. Whether a new one ends with the
// group is always said: the user guide has true for the default, the parameter
// table false. With an id the cloud ignores all else, so that all else is an
// error.
func disk(out *sdk.CreateContainerGroupRequestVolume, d *cloudapi.Disk) error {
	rest := *d
	rest.ID, rest.FsType, rest.ReadOnly = "", "", false
	if d.ID != "" {
		if rest != (cloudapi.Disk{}) {
			return invalid(opCreate, "Disk.ID: %s exists; what only a new disk has must be left out", d.ID)
		}
		return flex(out, driverDisk, d.FsType, map[string]string{"volumeId": d.ID})
	}
	if d.SizeGiB <= 0 {
		return invalid(opCreate, "Disk.SizeGiB: %d; a disk without an id is made, and needs a size", d.SizeGiB)
	}
	if d.Category != "" && d.Category != essd {
		return unsupported("Disk.Category: %s; the cloud makes disks of %s", d.Category, essd)
	}
	return flex(out, driverDisk, d.FsType, map[string]string{
		"volumeSize": strconv.Itoa(d.SizeGiB), "performanceLevel": d.PerformanceLevel,
		"deleteWithInstance": strconv.FormatBool(d.DeleteWithGroup), "encrypted": strconv.FormatBool(d.Encrypted),
		"kmsKeyId": d.KMSKeyID, "snapshotId": d.SnapshotID,
	})
}

// bucket writes object storage. The names of the options are those of the
// driver before CSI (ACK's document 86543) and, for the role, of ECI's user guide
// ("mount-an-oss-bucket").
func bucket(out *sdk.CreateContainerGroupRequestVolume, b *cloudapi.Bucket) error {
	options := map[string]string{
		"bucket": b.Name, "url": b.Endpoint, "otherOpts": b.Options, "ramRole": b.RAMRole,
		optionKeyID: b.AccessKeyID, optionKeySecret: b.AccessKeySecret,
	}
	if folder := path.Join("/", b.Path); folder != "/" {
		options["path"] = folder
	}
	return flex(out, driverOSS, "", options)
}

// checkReadOnly holds that a volume which is read-only as a whole is mounted so:
// FlexVolume has no word for it.
func checkReadOnly(spec cloudapi.GroupSpec) error {
	readOnly := map[string]bool{}
	for _, v := range spec.Volumes {
		readOnly[v.Name] = v.Disk != nil && v.Disk.ReadOnly || v.Bucket != nil && v.Bucket.ReadOnly || v.NFS != nil && v.NFS.ReadOnly
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, m := range c.Mounts {
			if readOnly[m.Volume] && !m.ReadOnly {
				return invalid(opCreate, "the mount of volume %s in container %s must be ReadOnly, as the volume is", m.Volume, c.Name)
			}
		}
	}
	return nil
}

// The options of a bucket that are credentials.
const (
	optionKeyID     = "akId"
	optionKeySecret = "akSecret"
)

// flex writes a FlexVolume. Its options are one text of JSON in the order of
// their names, so that equal volumes are equal requests; empty ones are left out.
func flex(out *sdk.CreateContainerGroupRequestVolume, driver, fsType string, options map[string]string) error {
	for name, value := range options {
		if value == "" {
			delete(options, name)
		}
	}
	text, err := json.Marshal(options) // sorts
	if err != nil {
		return invalid(opCreate, "FlexVolume.Options: %v", err)
	}
	out.Type = text1(typeFlex)
	out.FlexVolume = &sdk.CreateContainerGroupRequestVolumeFlexVolume{
		Driver: &driver, FsType: text1(fsType), Options: text1(string(text)),
	}
	return nil
}

// optionSecrets are what of a FlexVolume's options may be told nowhere: the text
// as a whole, which holds a bucket's key, and the key itself.
func optionSecrets(options string) []string {
	var parsed map[string]string
	if json.Unmarshal([]byte(options), &parsed) != nil || parsed[optionKeySecret] == "" {
		return nil
	}
	return []string{options, parsed[optionKeySecret]}
}
