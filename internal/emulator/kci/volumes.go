package kci

import (
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The kinds of volume; the last two are the SDKs'.
const (
	configFileVolume = "ConfigFileVolume"
	emptyDirVolume   = "EmptyDirVolume"
	ebsVolume        = "EBSVolume"
	nfsVolume        = "NFSVolume"
	hostPathVolume   = "HostPathVolume"
)

// ebsDriver is the Flex driver that stands for a cloud disk.
const ebsDriver = "ksyun/ebs"

// defaultFileMode is Kubernetes' mode of files from a configMap; KCI's is not
// documented.
const defaultFileMode = 0o644

func readVolumes(r *reader, n *node) []engine.Volume {
	var volumes []engine.Volume
	names := map[string]bool{}
	for _, element := range r.list(n, "Volume") {
		v := readVolume(r, element)
		if names[v.Name] {
			r.fail(refuse(element.pathOf("Name"), quote(v.Name)+" is the name of another volume"))
		}
		names[v.Name] = true
		volumes = append(volumes, v)
	}
	return volumes
}

// readVolume reads one volume. Only the parameters of its own type are read, so
// those of another one are refused as unknown.
func readVolume(r *reader, n *node) engine.Volume {
	kinds := []string{configFileVolume, emptyDirVolume, ebsVolume}
	if r.extended() {
		kinds = append(kinds, nfsVolume, hostPathVolume)
	}
	r.required(n, "Type")
	v := engine.Volume{Type: r.oneOf(n, "Type", "", kinds...), Name: r.name(n, "Name", namePattern)}
	if r.err != nil {
		return v
	}
	source := n.grow(v.Type)
	switch v.Type {
	case configFileVolume:
		v.Files = readFiles(r, source)
	case emptyDirVolume:
		v.EmptyDir = &engine.EmptyDir{}
	case ebsVolume:
		v.Flex = readEBS(r, source)
	case nfsVolume:
		v.NFS = &engine.NFS{
			Server: r.required(source, "Server"), Path: r.required(source, "Path"), ReadOnly: r.flag(source, "ReadOnly"),
		}
	case hostPathVolume:
		v.HostPath = r.absolute(source, "Path")
	}
	return v
}

// readEBS reads a cloud disk: one that exists, or, in Extended, one to be made.
func readEBS(r *reader, n *node) *engine.Flex {
	r.required(n, "FsType")
	disk := &engine.Flex{Driver: ebsDriver, FSType: r.oneOf(n, "FsType", "", fileSystems...), Options: map[string]string{}}
	if !r.extended() {
		disk.Options["volumeId"] = r.diskID(n, r.required(n, "VolumeId"))
		return disk
	}
	if id := r.optional(n, "VolumeId"); id != "" {
		disk.Options["volumeId"] = r.diskID(n, id)
	} else {
		kind, size := r.disk(n, ebsSizes)
		disk.Options["type"], disk.Options["size"] = kind, strconv.Itoa(size)
	}
	if snapshot := r.optional(n, "SnapshotId"); snapshot != "" {
		disk.Options["snapshotId"] = snapshot
	}
	disk.Options["deleteWithInstance"] = strconv.FormatBool(r.flag(n, "DeleteWithInstance"))
	return disk
}

// readFiles reads configuration files in the KCI document's spelling, whose
// contents are plain text, or in the SDKs', whose contents are Base64.
func readFiles(r *reader, n *node) *engine.Files {
	files := &engine.Files{DefaultMode: defaultFileMode}
	plain := r.list(n, "ConfigFilePath")
	var encoded []*node
	if r.extended() {
		encoded = r.list(n, "ConfigFileToPath")
		files.DefaultMode = r.mode(n, "DefaultMode", defaultFileMode)
	}
	if len(plain) > 0 && len(encoded) > 0 {
		r.fail(refuse(encoded[0].path, "a volume has either ConfigFilePath or ConfigFileToPath"))
	}
	if len(plain)+len(encoded) == 0 {
		r.fail(missingParameter.with(n.pathOf("ConfigFilePath.1.Path")))
	}
	for _, element := range plain {
		files.Items = append(files.Items, engine.File{
			Path: r.filePath(element), Content: r.content(element, false), Mode: files.DefaultMode,
		})
	}
	for _, element := range encoded {
		files.Items = append(files.Items, engine.File{
			Path: r.filePath(element), Content: r.content(element, true), Mode: r.mode(element, "mode", files.DefaultMode),
		})
	}
	checkFilePaths(r, slices.Concat(plain, encoded), files.Items)
	return files
}

// filePath reads the path of a file below its mount point.
func (r *reader) filePath(n *node) string {
	text := r.required(n, "Path")
	if text == "" || !r.fits(n, "Path", text) {
		return ""
	}
	clean := path.Clean(strings.TrimPrefix(text, "/"))
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.HasPrefix(clean, "/") {
		r.fail(refuse(n.pathOf("Path"), quote(text)+" must name a file below the mount path"))
	}
	return clean
}

// checkFilePaths refuses two files of one path, and a file in whose place
// another one needs a directory.
func checkFilePaths(r *reader, elements []*node, files []engine.File) {
	taken := map[string]bool{}
	for _, file := range files {
		taken[file.Path] = true
	}
	seen := map[string]bool{}
	for i, file := range files {
		clash := seen[file.Path]
		for dir := path.Dir(file.Path); dir != "." && dir != "/"; dir = path.Dir(dir) {
			clash = clash || taken[dir]
		}
		if clash {
			r.fail(refuse(elements[i].pathOf("Path"), quote(file.Path)+" is in the way of another file"))
		}
		seen[file.Path] = true
	}
}

// content reads a file's content. It may be a secret and is never told; it may
// be empty, which the Go SDK says by not sending it.
func (r *reader) content(n *node, encoded bool) []byte {
	text := r.optional(n, "Content")
	content := []byte(text)
	if encoded {
		var err error
		if content, err = base64.StdEncoding.DecodeString(text); err != nil {
			r.fail(refuse(n.pathOf("Content"), "it must be Base64"))
			return nil
		}
	}
	if len(content) > maxFileContent {
		r.fail(refuse(n.pathOf("Content"), fmt.Sprintf("it has %d bytes, at most %d are allowed", len(content), maxFileContent)))
	}
	return content
}

// mode reads the permissions of a file: "0644" is octal, "420" decimal.
func (r *reader) mode(n *node, name string, fallback int32) int32 {
	text, ok := r.text(n, name)
	if !ok {
		return fallback
	}
	base := 10
	if len(text) > 1 && text[0] == '0' {
		base = 8
	}
	value, err := strconv.ParseInt(text, base, 32)
	if err != nil || value < 0 || value > 0o777 {
		r.fail(refuse(n.pathOf(name), quote(text)+" must be octal with a leading zero, as 0644, or decimal, as 420, and at most 0777"))
		return 0
	}
	return int32(value)
}

// absolute reads a required absolute path.
func (r *reader) absolute(n *node, name string) string {
	value := r.required(n, name)
	if r.fits(n, name, value) && value != "" && !path.IsAbs(value) {
		r.fail(refuse(n.pathOf(name), quote(value)+" must be an absolute path"))
	}
	return value
}

// fits tells whether a path is short enough.
func (r *reader) fits(n *node, name, value string) bool {
	if len(value) > maxPath {
		r.fail(refuse(n.pathOf(name), fmt.Sprintf("it must have at most %d bytes", maxPath)))
	}
	return len(value) <= maxPath
}
