package kci

import (
	"path"
	"strconv"

	"github.com/cumulet/cumulet/cloudapi"
)

// defaultFsType is what Kingsoft's own CSI driver makes of a disk for which no
// file system is named (kingsoftcloud/csi-plugin, driver/disk): EBSVolume needs
// one.
const defaultFsType = "ext4"

// diskLimits are of the document (EBSVolume.FsType, VolumeId) and, for new
// disks, of the SDKs' notes. That ids are UUIDs is what all examples show.
func diskLimits(dialect Dialect) cloudapi.DiskLimits {
	limits := cloudapi.DiskLimits{
		ID:      `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
		FsTypes: []string{"ext3", "ext4", "xfs"},
	}
	if dialect == Seed {
		return limits
	}
	limits.Categories = []cloudapi.DiskCategory{
		{Name: "SSD3.0", MinGiB: 10, MaxGiB: 32000},
		{Name: "EHDD", MinGiB: 10, MaxGiB: 32000},
		{Name: "ESSD_PL0", MinGiB: 40, MaxGiB: 32000},
		{Name: "ESSD_PL1", MinGiB: 40, MaxGiB: 32000},
		{Name: "ESSD_PL2", MinGiB: 461, MaxGiB: 32000},
	}
	limits.Snapshots = true
	return limits
}

// volumeDrivers are Kingsoft's own CSI drivers (csi-plugin,
// deploy/chart/templates/csidriver.yaml), but for its object storage's, for
// which KCI has no volume.
func volumeDrivers(dialect Dialect) []string {
	drivers := []string{"com.ksc.csi.diskplugin"}
	if dialect != Seed {
		drivers = append(drivers, "com.ksc.csi.nfsplugin")
	}
	return drivers
}

// disk writes a cloud disk: one that exists, which the document knows, or, in
// Extended, a new one.
func (w *specWriter) disk(f form, field string, d cloudapi.Disk) {
	f.set("Type", "EBSVolume")
	ebs := f.in("EBSVolume")
	fsType := d.FsType
	if fsType == "" {
		fsType = defaultFsType
	}
	ebs.set("FsType", fsType)
	w.lacks(d.PerformanceLevel != "", field+".disk.performanceLevel")
	w.lacks(d.Encrypted || d.KMSKeyID != "", field+".disk.encrypted")
	if d.ID != "" {
		if d.Category != "" || d.SizeGiB != 0 || d.DeleteWithGroup || d.SnapshotID != "" {
			w.rejectf("%s.disk.id: %s exists; what only a new disk has must be left out", field, d.ID)
		}
		ebs.set("VolumeId", d.ID)
		return
	}
	w.extended(true, field+".disk without an id")
	if d.Category == "" || d.SizeGiB <= 0 {
		w.rejectf("%s.disk without an id is made, and needs a category and a size", field)
	}
	if _, err := strconv.Atoi(d.SnapshotID); d.SnapshotID != "" && err != nil {
		w.rejectf("%s.disk.snapshotID: %q is not a number, as the SDKs have it", field, d.SnapshotID)
	}
	ebs.set("Type", d.Category)
	ebs.int("Size", d.SizeGiB)
	ebs.flag("DeleteWithInstance", d.DeleteWithGroup)
	ebs.text("SnapshotId", d.SnapshotID)
}

func (w *specWriter) hostPath(f form, field string, h cloudapi.HostPath) {
	w.extended(true, field+".hostPath")
	w.lacks(h.Type != "", field+".hostPath.type")
	if !path.IsAbs(h.Path) {
		w.rejectf("%s.hostPath.path: %q is not absolute", field, h.Path)
	}
	f.set("Type", "HostPathVolume")
	f.in("HostPathVolume").set("Path", h.Path)
}

// checkReadOnly holds that a disk which is read-only as a whole is mounted so:
// EBSVolume has no word for it.
func (w *specWriter) checkReadOnly(kind string, c cloudapi.Container, volumes []cloudapi.Volume) {
	for _, m := range c.Mounts {
		for _, v := range volumes {
			if v.Name == m.Volume && v.Disk != nil && v.Disk.ReadOnly && !m.ReadOnly {
				w.rejectf("%s[%s].mounts[%s] must be read-only, as the volume is", kind, c.Name, m.Volume)
			}
		}
	}
}
