package kci

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/cumulet/cumulet/cloudapi"
)

// plainMode is the file mode that KCI is taken to use when none can be told:
// dialect Seed has no word for it.
const plainMode = 0o644

func (w *specWriter) volume(f form, volume cloudapi.Volume) {
	field := "volumes[" + volume.Name + "]"
	f.set("Name", volume.Name)
	switch {
	case volume.Files != nil && len(volume.Files.Items) > 0:
		f.set("Type", "ConfigFileVolume")
		w.files(f.in("ConfigFileVolume"), field, *volume.Files)
	case volume.Files != nil:
		// A directory of no files: ConfigFileVolume needs one at least.
		f.set("Type", "EmptyDirVolume")
	case volume.EmptyDir != nil:
		f.set("Type", "EmptyDirVolume")
		w.lacks(volume.EmptyDir.Memory, field+".emptyDir.memory")
		w.lacks(volume.EmptyDir.SizeLimitMiB != 0, field+".emptyDir.sizeLimit")
	case volume.NFS != nil:
		w.extended(true, field+".nfs")
		f.set("Type", "NFSVolume")
		nfs := f.in("NFSVolume")
		nfs.set("Server", volume.NFS.Server)
		nfs.set("Path", volume.NFS.Path)
		nfs.flag("ReadOnly", volume.NFS.ReadOnly)
		w.lacks(volume.NFS.Version != "", field+".nfs.version")
		w.lacks(volume.NFS.Options != "", field+".nfs.options")
	case volume.Disk != nil:
		w.disk(f, field, *volume.Disk)
	case volume.HostPath != nil:
		w.hostPath(f, field, *volume.HostPath)
	case volume.Bucket != nil:
		w.lacks(true, field+".bucket")
	default:
		w.rejectf("%s has no source", field)
	}
}

func (w *specWriter) files(f form, field string, files cloudapi.Files) {
	if w.dialect == Seed {
		w.plainFiles(f, field, files)
		return
	}
	if files.DefaultMode != 0 {
		f.int("DefaultMode", int(files.DefaultMode))
	}
	for i, file := range files.Items {
		content := base64.StdEncoding.EncodeToString(file.Content)
		w.checkContent(field, file, len(content))
		item := f.at("ConfigFileToPath", i)
		item.set("Path", file.Path)
		item.set("Content", content)
		item.int("mode", int(file.Mode)) // lower case on the wire; 0 is a mode too
	}
}

// plainFiles writes files as the document spells them: text, without modes.
func (w *specWriter) plainFiles(f form, field string, files cloudapi.Files) {
	w.extended(files.DefaultMode != 0 && files.DefaultMode != plainMode, field+".files.defaultMode")
	for i, file := range files.Items {
		name := field + ".files[" + file.Path + "]"
		w.extended(file.Mode != plainMode, name+".mode")
		w.extended(strings.Contains(file.Path, "/"), name+" (a nested path)")
		w.extended(!utf8.Valid(file.Content), name+" (binary content)")
		w.checkContent(field, file, len(file.Content))
		item := f.at("ConfigFilePath", i)
		item.set("Path", file.Path)
		item.set("Content", string(file.Content))
	}
}

// checkContent bounds a file by the size of its content as sent.
func (w *specWriter) checkContent(field string, file cloudapi.File, sent int) {
	if sent > maxContent {
		w.rejectf("%s.files[%s] has %d bytes as sent; %d are allowed", field, file.Path, sent, maxContent)
	}
}
