package translate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// disk translates a block device of the cloud: one that exists, by its id, or
// one that is made with the group. The names of the attributes are those of
// ECI's FlexVolume.Options, and of the vendors' StorageClasses.
func (t *translation) disk(s *stored) (cloudapi.Volume, bool) {
	if !t.limits.Can.Disks {
		t.rejectf(s, "the cloud attaches no disks")
		return cloudapi.Volume{}, false
	}
	if !t.plainMount(s) {
		return cloudapi.Volume{}, false
	}
	d := &cloudapi.Disk{ID: s.handle, FsType: s.fsType}
	if id := s.attributes.take("volumeId"); d.ID == "" {
		d.ID = id
	}
	if fsType := s.attributes.take("fsType"); d.FsType == "" {
		d.FsType = fsType
	}
	// The drivers' word for a disk that is attached to be read only.
	d.ReadOnly = t.truth(s, "readOnly", false) || s.readOnly
	told := len(t.refusals)
	if allowed := t.limits.Disk.FsTypes; d.FsType != "" && len(allowed) > 0 && !slices.Contains(allowed, d.FsType) {
		t.rejectf(s, "fsType %q: the cloud makes %s", d.FsType, strings.Join(allowed, ", "))
	}
	switch {
	case d.ID != "":
		t.oldDisk(s, d)
	case !s.inPod:
		t.rejectf(s, "it names no disk: a PersistentVolume of %s needs csi.volumeHandle or flexVolume.options.volumeId", s.driver)
	case !t.limits.Can.NewDisks:
		t.rejectf(s, "it names no disk by volumeId, and the cloud makes none with a group")
	default:
		t.newDisk(s, d)
	}
	return cloudapi.Volume{Name: s.name, Disk: d}, len(t.refusals) == told
}

// made are the attributes that tell how a disk was made: the parameters of the
// drivers' StorageClasses, which a provisioner repeats, and ECI's own options,
// which are ignored with an id (user guide, "mount a disk volume").
var made = []string{
	"allowVolumeExpansion", "autoSnapshotPolicyId", "burstingEnabled", "chargeType", "deleteWithInstance", "diskTags",
	"encrypted", "kmsKeyId", "performanceLevel", "projectId", "provisionedIops", "purchaseTime", "regionId", "resourceGroupId",
	"snapshotId", "storageClusterId", "tags", "type", "volumeExpandAutoSnapshot", "volumeSize", "volumeSizeAutoAvailable", "zone", "zoneId",
}

// oldDisk checks the id, and tells of attributes that do not say how the disk
// was made, such as mkfsOptions.
func (t *translation) oldDisk(s *stored, d *cloudapi.Disk) {
	if !matches(t.limits.Disk.ID, d.ID) {
		t.rejectf(s, "%q is not the id of a disk of this cloud, which is like %s", d.ID, t.limits.Disk.ID)
	}
	// The cloud attaches whatever disk of the account is asked for.
	if reason := t.allowed(PolicyDisk, d.ID); s.inPod && reason != "" {
		t.rejectf(s, "%s", reason)
	}
	for _, name := range made {
		s.attributes.take(name)
	}
	if left := s.attributes.left(); len(left) > 0 {
		s.attributes.takeAll()
		t.notef(s.path, DecisionIgnored, "%sthe cloud attaches a disk that exists as it does: %s", s.origin, strings.Join(left, ", "))
	}
}

// matches tells whether a text has a form; the empty form is any.
func matches(form, text string) bool {
	if form == "" {
		return true
	}
	pattern, err := regexp.Compile(form)
	return err == nil && pattern.MatchString(text) // a form that is none fits nothing
}

// newDisk reads what a disk is to be like that is made with the group. It ends
// with the group unless the pod says otherwise: nobody could find it again.
func (t *translation) newDisk(s *stored, d *cloudapi.Disk) {
	limits := &t.limits.Disk
	d.Category, d.PerformanceLevel = s.attributes.take("type"), s.attributes.take("performanceLevel")
	d.DeleteWithGroup = t.truth(s, "deleteWithInstance", true)
	d.Encrypted, d.KMSKeyID = t.truth(s, "encrypted", false), s.attributes.take("kmsKeyId")
	d.SnapshotID = s.attributes.take("snapshotId")
	if (d.Encrypted || d.KMSKeyID != "") && !limits.Encryption {
		t.rejectf(s, "encrypted, kmsKeyId: the cloud encrypts no disk that it makes with a group")
	}
	if d.KMSKeyID != "" && !d.Encrypted {
		t.rejectf(s, "kmsKeyId is of a disk that is encrypted: encrypted must be true")
	}
	if d.SnapshotID != "" && !limits.Snapshots {
		t.rejectf(s, "snapshotId: the cloud makes no disk of a snapshot with a group")
	}
	// A disk made of a snapshot holds what another disk held.
	if reason := t.allowed(PolicyDisk, d.SnapshotID); s.inPod && d.SnapshotID != "" && reason != "" {
		t.rejectf(s, "snapshotId: %s", reason)
	}
	if category := t.category(s, d); category != nil {
		t.diskSize(s, d, category)
	}
}

// category settles the kind of a new disk. Where levels of performance are kinds
// of their own, as ESSD_PL1 is, the two attributes are joined, as Kingsoft's
// driver does.
func (t *translation) category(s *stored, d *cloudapi.Disk) *cloudapi.DiskCategory {
	limits := &t.limits.Disk
	if d.PerformanceLevel != "" && len(limits.PerformanceLevels) == 0 {
		d.Category, d.PerformanceLevel = d.Category+"_"+d.PerformanceLevel, ""
	}
	if d.PerformanceLevel != "" && !slices.Contains(limits.PerformanceLevels, d.PerformanceLevel) {
		t.rejectf(s, "performanceLevel %q: the cloud has %s", d.PerformanceLevel, strings.Join(limits.PerformanceLevels, ", "))
	}
	if d.Category == "" && len(limits.Categories) == 1 {
		d.Category = limits.Categories[0].Name
	}
	var names []string
	for i := range limits.Categories {
		if limits.Categories[i].Name == d.Category {
			return &limits.Categories[i]
		}
		names = append(names, limits.Categories[i].Name)
	}
	t.rejectf(s, "type %q: the cloud makes disks of %s", d.Category, strings.Join(names, ", "))
	return nil
}

func (t *translation) diskSize(s *stored, d *cloudapi.Disk, category *cloudapi.DiskCategory) {
	text := s.attributes.take("volumeSize")
	size, err := strconv.Atoi(strings.TrimSuffix(text, "Gi"))
	if err != nil || size < category.MinGiB || size > category.MaxGiB {
		t.rejectf(s, "volumeSize %q: a disk of %s has %d to %d GiB", text, category.Name, category.MinGiB, category.MaxGiB)
		return
	}
	d.SizeGiB = size
}

// checkDisks holds the group's disks against what a group can have. A disk is
// attached once, so that two volumes cannot be the same one.
func (t *translation) checkDisks(volumes []cloudapi.Volume) {
	base := field.NewPath("spec", "volumes")
	first := map[string]string{}
	disks := 0
	for i := range volumes {
		d := volumes[i].Disk
		if d == nil {
			continue
		}
		disks++
		if d.ID == "" {
			continue
		}
		if other, twice := first[d.ID]; twice {
			t.refusef(base.Index(t.indexOf(volumes[i].Name)), "it is the same disk as volume %q: mount that one twice", other)
			continue
		}
		first[d.ID] = volumes[i].Name
	}
	t.atMost(base, t.limits.Disk.Max, disks, "disks")
}

// indexOf is the place of one of the pod's volumes.
func (t *translation) indexOf(volume string) int {
	return slices.IndexFunc(t.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == volume })
}
