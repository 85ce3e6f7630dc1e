package eci

import (
	"encoding/base64"
	"strconv"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// The volume types that are used (parameter table of CreateContainerGroup).
const (
	typeEmptyDir = "EmptyDirVolume"
	typeFiles    = "ConfigFileVolume"
	typeNFS      = "NFSVolume"
)

func volume(v cloudapi.Volume) (*sdk.CreateContainerGroupRequestVolume, error) {
	out := &sdk.CreateContainerGroupRequestVolume{Name: &v.Name}
	sources := 0
	if v.EmptyDir != nil {
		sources++
		out.Type, out.EmptyDirVolume = text1(typeEmptyDir), emptyDir(v.EmptyDir)
	}
	if v.Files != nil {
		sources++
		out.Type, out.ConfigFileVolume = text1(typeFiles), files(v.Files)
	}
	stored, err := storage(out, v)
	if sources += stored; sources != 1 {
		return nil, invalid(opCreate, "EmptyDir, Files, NFS, Disk, Bucket, HostPath: exactly one must be set, not %d", sources)
	}
	return out, err
}

// emptyDir writes the size with its unit: the user guide ("mount an emptyDir
// volume") and the parameter table say that there must be one, best Gi or Mi, and
// the Describe page shows 256Mi. An older table has a bare number.
func emptyDir(e *cloudapi.EmptyDir) *sdk.CreateContainerGroupRequestVolumeEmptyDirVolume {
	out := &sdk.CreateContainerGroupRequestVolumeEmptyDirVolume{}
	if e.Memory {
		out.Medium = text1("Memory")
	}
	if e.SizeLimitMiB > 0 {
		out.SizeLimit = text1(strconv.FormatInt(e.SizeLimitMiB, 10) + "Mi")
	}
	return out
}

// files writes modes as decimal numbers: the parameter is an integer, though
// the page shows octal digits (parameter table of CreateContainerGroup). A file's
// own is always sent: 0 is a mode too, and the default would open such a file.
func files(f *cloudapi.Files) *sdk.CreateContainerGroupRequestVolumeConfigFileVolume {
	out := &sdk.CreateContainerGroupRequestVolumeConfigFileVolume{DefaultMode: positive(f.DefaultMode)}
	for _, item := range f.Items {
		content := base64.StdEncoding.EncodeToString(item.Content)
		out.ConfigFileToPath = append(out.ConfigFileToPath,
			&sdk.CreateContainerGroupRequestVolumeConfigFileVolumeConfigFileToPath{
				Path: &item.Path, Content: &content, Mode: &item.Mode,
			})
	}
	return out
}
