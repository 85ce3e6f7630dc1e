package eci

import (
	"encoding/base64"
	"path"
)

func (ru rules) checkVolumes(volumes []volumeParams) error {
	if len(volumes) > maxVolumes {
		return fail(codeValueExceeded, "A container group has at most %d volumes; %d are given.", maxVolumes, len(volumes))
	}
	names := map[string]bool{}
	for i := range volumes {
		v := &volumes[i]
		if names[v.Name] {
			return fail(codeDuplicatedVolume, "The volume name %q is used twice.", v.Name)
		}
		names[v.Name] = true
		if err := ru.checkVolume(v, "Volume."+decimal(i+1)+"."); err != nil {
			return err
		}
	}
	return nil
}

func (ru rules) checkVolume(v *volumeParams, at string) error {
	if !containerName.MatchString(v.Name) {
		return fail(codeInvalidParameter, "The parameter %sName must be at most 63 lower-case letters, digits and hyphens.", at)
	}
	switch v.Type {
	case "EmptyDirVolume":
		return checkEmptyDir(&v.EmptyDir, at+"EmptyDirVolume.")
	case "NFSVolume":
		if v.NFS.Server == "" || !path.IsAbs(v.NFS.Path) {
			return fail(codeInvalidParameter, "The parameters %sNFSVolume.Server and Path are required; Path is absolute.", at)
		}
		return nil
	case "ConfigFileVolume":
		return checkFiles(v.ConfigFile.Files, at+"ConfigFileVolume.ConfigFileToPath.")
	case "FlexVolume":
		return checkFlex(&v.Flex, at+"FlexVolume.")
	case "HostPathVolume":
		return ru.checkHostPath(&v.HostPath, at+"HostPathVolume.")
	case "DiskVolume":
		if v.Disk.DiskID == "" {
			return missing(at + "DiskVolume.DiskId")
		}
		if !diskID.MatchString(v.Disk.DiskID) {
			return fail(codeDiskNotFound, "The specified disk %.64q does not exist.", v.Disk.DiskID)
		}
		return nil
	default:
		return missing(at + "Type")
	}
}

func checkEmptyDir(e *emptyDir, at string) error {
	if e.Medium == "LocalRaid0" {
		return fail(codeInvalidParameter, "The parameter %sMedium is LocalRaid0, which only instances with local disks have.", at)
	}
	if e.SizeLimit != "" && !sizeQuantity.MatchString(e.SizeLimit) {
		return wrong(at+"SizeLimit", e.SizeLimit, "a quantity with its unit, such as 256Mi")
	}
	return nil
}

func checkFiles(files []fileToPath, at string) error {
	seen := map[string]bool{}
	for i, f := range files {
		name := at + decimal(i+1) + "."
		if !insidePath(f.Path) {
			return fail(codeInvalidParameter, "The parameter %sPath must be a relative path without \"..\".", name)
		}
		if seen[path.Clean(f.Path)] {
			return fail(codeInvalidParameter, "The parameter %sPath is used twice.", name)
		}
		seen[path.Clean(f.Path)] = true
		content, err := base64.StdEncoding.DecodeString(f.Content)
		if err != nil {
			return fail(codeInvalidParameter, "The parameter %sContent must be base64.", name)
		}
		if len(content) > maxFileBytes {
			return fail(codeLengthExceeded, "The parameter %sContent has %d bytes when decoded; at most %d are allowed.",
				name, len(content), maxFileBytes)
		}
	}
	return nil
}

func (ru rules) checkHostPath(h *hostPath, at string) error {
	if !ru.hostPath {
		return fail(codeInvitedOnly, "HostPathVolume is for invited accounts only.")
	}
	if !path.IsAbs(h.Path) {
		return fail(codeInvalidParameter, "The parameter %sPath must be an absolute path.", at)
	}
	return nil
}
