package translate

import (
	"fmt"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// packedName begins the names of volumes that hold other volumes.
const packedName = "packed-files-"

// pack puts volumes of files together where a group has more volumes than the
// cloud takes: each becomes a directory of a shared volume and is mounted by its
// sub-path, which is the same to a container. It needs a cloud that knows
// sub-paths and directories in a volume of files.
func (t *translation) pack(spec *cloudapi.GroupSpec) {
	at := field.NewPath("spec", "volumes")
	asked := len(spec.Volumes)
	if t.limits.MaxVolumes > 0 && asked > t.limits.MaxVolumes && t.limits.Can.SubPath && t.limits.Can.NestedFilePaths {
		homes := t.packFiles(spec)
		for _, list := range [][]cloudapi.Container{spec.InitContainers, spec.Containers} {
			for i := range list {
				moveMounts(list[i].Mounts, homes)
			}
		}
		t.notef(at, DecisionEmulated, "the cloud takes %d volumes; those made of files share some, each in a directory of its own",
			t.limits.MaxVolumes)
	}
	t.atMost(at, t.limits.MaxVolumes, len(spec.Volumes), "volumes")
}

// packFiles replaces the volumes of files by as few as hold them and tells for
// each which one it went to.
func (t *translation) packFiles(spec *cloudapi.GroupSpec) (homes map[string]string) {
	homes = map[string]string{}
	var packs, others []cloudapi.Volume
	for _, v := range spec.Volumes {
		if v.Files == nil {
			others = append(others, v)
			continue
		}
		last := len(packs) - 1
		if last < 0 || t.limits.MaxFiles > 0 && len(packs[last].Files.Items)+len(v.Files.Items) > t.limits.MaxFiles {
			packs = append(packs, cloudapi.Volume{Name: freeName(spec.Volumes, len(packs)), Files: &cloudapi.Files{DefaultMode: defaultFileMode}})
			last++
		}
		for _, f := range v.Files.Items {
			packs[last].Files.Items = append(packs[last].Files.Items, renamed(f, path.Join(v.Name, f.Path)))
		}
		homes[v.Name] = packs[last].Name
	}
	spec.Volumes = slices.Concat(others, packs)
	return homes
}

// freeName is a name that no volume has, made from the number of a pack.
func freeName(volumes []cloudapi.Volume, number int) string {
	for suffix := ""; ; suffix += "x" {
		name := fmt.Sprintf("%s%d%s", packedName, number, suffix)
		if !slices.ContainsFunc(volumes, func(v cloudapi.Volume) bool { return v.Name == name }) {
			return name
		}
	}
}

func moveMounts(mounts []cloudapi.Mount, homes map[string]string) {
	for i, m := range mounts {
		if home, moved := homes[m.Volume]; moved {
			mounts[i].Volume, mounts[i].SubPath = home, path.Join(m.Volume, m.SubPath)
		}
	}
}
