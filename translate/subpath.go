package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// A cloud without sub-paths mounts whole volumes as directories. For a volume
// made of files a sub-path is still possible: a directory of it becomes a
// volume of its own, which is the same to the container; a single file becomes
// a volume mounted at the file's directory, which hides what the image has
// there.

// pickedFile is one file to mount and the directory of the container it goes to.
type pickedFile struct {
	dir  string
	file cloudapi.File
	at   *field.Path
}

type picks []pickedFile

// pick replaces a mount with a sub-path by one of a derived volume. A single
// file is kept in files for mountPicks, and ok is false.
func (t *translation) pick(files *picks, mount cloudapi.Mount, volume *corev1.Volume, from subPath) (_ cloudapi.Mount, ok bool) {
	source := t.filesOf(volume.Name)
	if !isFiles(volume) {
		t.refusef(from.at, "the cloud mounts whole volumes only")
		return mount, false
	}
	if source == nil {
		if len(t.report.Missing) == 0 { // else its files are not known yet
			t.refusef(from.at, "the volume has no file or directory %q", from.shown)
		}
		return mount, false
	}
	sub := path.Clean(mount.SubPath)
	derived := &cloudapi.Files{DefaultMode: source.DefaultMode}
	for _, f := range source.Items {
		if f.Path == sub {
			*files = append(*files, pickedFile{dir: path.Dir(mount.Path), file: renamed(f, path.Base(mount.Path)), at: from.at})
			return mount, false
		}
		if rest, below := strings.CutPrefix(f.Path, sub+"/"); below {
			derived.Items = append(derived.Items, renamed(f, rest))
		}
	}
	if len(derived.Items) == 0 {
		t.refusef(from.at, "the volume has no file or directory %q", from.shown)
		return mount, false
	}
	mount.Volume, mount.SubPath = t.derive(volume.Name, sub, derived), ""
	return mount, true
}

// mountPicks adds one volume for each directory that single files go to.
func (t *translation) mountPicks(files picks, container string, mounts []cloudapi.Mount) []cloudapi.Mount {
	var dirs []string
	volumes := map[string]*cloudapi.Files{}
	for _, p := range files {
		if reason := hiding(p.dir, mounts); reason != "" {
			t.refusef(p.at, "%s", reason)
			continue
		}
		t.notef(p.at, DecisionEmulated, "the cloud mounts directories only: %s holds nothing but files mounted this way, "+
			"and the image's own files there are hidden", p.dir)
		if volumes[p.dir] == nil {
			volumes[p.dir] = &cloudapi.Files{DefaultMode: defaultFileMode}
			dirs = append(dirs, p.dir)
		}
		volumes[p.dir].Items = append(volumes[p.dir].Items, p.file)
	}
	for _, dir := range dirs {
		name := t.derive(container, dir, volumes[dir])
		mounts = append(mounts, cloudapi.Mount{Volume: name, Path: dir, ReadOnly: true})
	}
	return mounts
}

// vitalDirectories must not be hidden: nothing would run without them.
var vitalDirectories = []string{
	"/", "/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys",
	"/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local/bin", "/usr/sbin",
}

// hiding says why a directory cannot be covered by a volume; empty if it can.
func hiding(dir string, mounts []cloudapi.Mount) string {
	if slices.Contains(vitalDirectories, dir) {
		return "the cloud mounts directories only, and hiding the image's " + dir + " would break the container"
	}
	for _, m := range mounts {
		if m.Path == dir {
			return "the cloud mounts directories only, and another volume is mounted at " + dir
		}
	}
	return ""
}

// derive makes a volume, once for the same owner and key, and returns its name.
func (t *translation) derive(owner, key string, files *cloudapi.Files) string {
	sum := sha256.Sum256([]byte(owner + "\x00" + key))
	name := shorten(owner, maxVolumeName-9) + "-" + hex.EncodeToString(sum[:4])
	for _, v := range t.derived {
		if v.Name == name {
			return name
		}
	}
	t.derived = append(t.derived, cloudapi.Volume{Name: name, Files: files})
	return name
}

// maxVolumeName is the length of a DNS label, which KCI demands of names of
// volumes, as Kubernetes does.
const maxVolumeName = 63

func (t *translation) filesOf(volume string) *cloudapi.Files {
	for _, v := range t.volumesSeen {
		if v.Name == volume {
			return v.Files
		}
	}
	return nil
}

func renamed(f cloudapi.File, name string) cloudapi.File {
	f.Path = name
	f.Content = slices.Clone(f.Content)
	return f
}
