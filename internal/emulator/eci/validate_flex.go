package eci

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The drivers of FlexVolume and what is documented of them: the user guide's
// page "mount a disk volume", ACK's documents 130895 (NAS) and 86543 (OSS), and
// for ramRole the user guide's "mount-an-oss-bucket".
const (
	driverDisk = "alicloud/disk"
	driverNAS  = "alicloud/nas"
	driverOSS  = "alicloud/oss"

	maxDisks    = 6 // per instance
	minDiskSize = 20
	maxDiskSize = 32768 // GiB
)

var (
	// diskID is the form of all disks' ids; a disk of this form exists. The
	// emulated account has every disk that anybody names.
	diskID = regexp.MustCompile(`^d-[0-9a-z]{1,60}$`)

	diskSystems = []string{"ext4", "ext3", "xfs", "vfat"}
	diskLevels  = []string{"PL0", "PL1", "PL2", "PL3"}

	flexOptions = map[string][]string{
		driverDisk: {"volumeId", "volumeSize", "performanceLevel", "deleteWithInstance", "encrypted", "kmsKeyId", "snapshotId", "tags"},
		driverNAS:  {"server", "path", "vers", "options", "mode"},
		driverOSS:  {"bucket", "url", "otherOpts", "path", "ramRole", "akId", "akSecret"},
	}
)

// checkFlex holds a FlexVolume to what its driver documents. No message tells a
// value of the options but a disk's: a bucket's are credentials.
func checkFlex(f *flex, at string) error {
	if f.Driver == "" {
		return missing(at + "Driver")
	}
	options, err := f.options()
	if err != nil {
		return fail(codeInvalidParameter, "The parameter %sOptions must be a JSON object.", at)
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if !slices.Contains(flexOptions[f.Driver], name) {
			return fail(codeInvalidParameter, "The parameter %sOptions has the option %.64q; %s has %s.",
				at, name, f.Driver, strings.Join(flexOptions[f.Driver], ", "))
		}
	}
	at += "Options "
	switch f.Driver {
	case driverNAS:
		if options["server"] == "" || options["path"] != "" && !path.IsAbs(options["path"]) {
			return fail(codeInvalidParameter, "The parameter %sserver is required; path is absolute.", at)
		}
		return nil
	case driverOSS:
		return checkBucket(options, at)
	default:
		return checkDisk(f, options, at)
	}
}

func checkBucket(options map[string]string, at string) error {
	for _, name := range []string{"bucket", "url"} {
		if options[name] == "" {
			return missing(at + name)
		}
	}
	if options["ramRole"] == "" && (options["akId"] == "" || options["akSecret"] == "") {
		return fail(codeInvalidParameter, "The parameter %sramRole, or akId and akSecret, is required.", at)
	}
	return nil
}

// checkDisk holds a disk to the user guide. Of a disk that exists all other
// options are ignored, as the guide says.
func checkDisk(f *flex, options map[string]string, at string) error {
	if f.FSType != "" && !slices.Contains(diskSystems, f.FSType) {
		return wrong(strings.TrimSuffix(at, "Options ")+"FsType", f.FSType, strings.Join(diskSystems, ", "))
	}
	if id := options["volumeId"]; id != "" {
		if !diskID.MatchString(id) {
			return fail(codeDiskNotFound, "The specified disk %.64q does not exist.", id)
		}
		return nil
	}
	return checkNewDisk(options, at)
}

func checkNewDisk(options map[string]string, at string) error {
	size := options["volumeSize"]
	if n, err := strconv.Atoi(size); err != nil || n < minDiskSize || n > maxDiskSize {
		return wrong(at+"volumeSize", size, fmt.Sprintf("%d to %d GiB where no volumeId is given", minDiskSize, maxDiskSize))
	}
	if level := options["performanceLevel"]; level != "" && !slices.Contains(diskLevels, level) {
		return wrong(at+"performanceLevel", level, strings.Join(diskLevels, ", "))
	}
	for _, name := range []string{"deleteWithInstance", "encrypted"} {
		if value := options[name]; value != "" && value != "true" && value != "false" {
			return wrong(at+name, value, "true or false")
		}
	}
	if options["kmsKeyId"] != "" && options["encrypted"] != "true" {
		return fail(codeKMSIllegal, "The parameter %skmsKeyId needs encrypted.", at)
	}
	return nil
}

// options decodes Options, a JSON object of words, numbers and switches.
func (f *flex) options() (map[string]string, error) {
	var parsed map[string]any
	if f.Options == "" {
		return map[string]string{}, nil
	}
	if err := json.Unmarshal([]byte(f.Options), &parsed); err != nil {
		return nil, fmt.Errorf("decoding flex volume options: %w", err)
	}
	options := make(map[string]string, len(parsed))
	for name, v := range parsed {
		options[name] = fmt.Sprint(v)
	}
	return options, nil
}

// disksOf are the ids of the disks that a group has attached.
func disksOf(spec *engine.Spec) []string {
	var ids []string
	for i := range spec.Volumes {
		if f := spec.Volumes[i].Flex; f != nil && f.Driver == driverDisk && f.Options["volumeId"] != "" {
			ids = append(ids, f.Options["volumeId"])
		}
	}
	return ids
}

// checkDisks bounds the disks of one group, and refuses one that it has twice.
func checkDisks(spec *engine.Spec) error {
	count := 0
	for i := range spec.Volumes {
		if f := spec.Volumes[i].Flex; f != nil && f.Driver == driverDisk {
			count++
		}
	}
	if count > maxDisks {
		return fail(codeDiskNumber, "An elastic container instance has at most %d disks; %d are given.", maxDisks, count)
	}
	ids := disksOf(spec)
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) < len(ids) {
		return fail(codeDiskNotSupport, "A disk can be attached once.")
	}
	return nil
}

// create makes a group.
func (s *Server) create(spec engine.Spec) (id string, err error) {
	err = s.attach(&spec, "", func() error {
		id = s.groups.Create(spec).ID
		return nil
	})
	return id, err
}

// attach does what gives a group its disks, unless one of them is attached to
// another that has not ended: a disk is one group's at a time. Which code the API
// has for that is not documented; of those that are, DiskVolume.NotSupport is
// nearest.
func (s *Server) attach(spec *engine.Spec, self string, do func() error) error {
	if err := checkDisks(spec); err != nil {
		return err
	}
	s.disks.Lock()
	defer s.disks.Unlock()
	for _, id := range disksOf(spec) {
		holders := s.groups.List(func(g *engine.Group) bool {
			return g.ID != self && !g.Status.Final() && slices.Contains(disksOf(g.Spec), id)
		})
		if len(holders) > 0 {
			return fail(codeDiskNotSupport, "The specified disk %s is attached to the container group %s.", id, holders[0].ID)
		}
	}
	return do()
}
