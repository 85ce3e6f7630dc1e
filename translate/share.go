package translate

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

// share translates a network file system of a driver. Alibaba's has server and
// path, vers and options beside Kubernetes' mountOptions; Kingsoft's, made of
// csi-driver-nfs, has server, share, subDir and mountOptions.
func (t *translation) share(s *stored) (cloudapi.Volume, bool) {
	a := s.attributes
	nfs := &cloudapi.NFS{Server: a.take("server"), Path: a.take("path"), Version: a.take("vers"), ReadOnly: s.readOnly}
	if folder := a.take("share"); nfs.Path == "" {
		nfs.Path = folder
	}
	if sub := a.take("subDir"); sub != "" {
		if strings.Contains(sub, "${") {
			t.rejectf(s, "subDir is made of the claim's metadata, which the driver knows")
			return cloudapi.Volume{}, false
		}
		nfs.Path = path.Join("/", nfs.Path, sub)
	}
	if protocol := a.take("mountProtocol"); protocol != "" && protocol != "nfs" {
		t.rejectf(s, "mountProtocol %q: the cloud mounts NFS", protocol)
		return cloudapi.Volume{}, false
	}
	a.take("volumeAs") // how the driver made it; server and path are what it made
	s.mountOptions = append(s.mountOptions, a.take("options"), a.take("mountOptions"))
	return t.network(s, nfs)
}

// nfsOf translates the nfs source of a pod's volume or a PersistentVolume.
func (t *translation) nfsOf(s *stored, v *corev1.NFSVolumeSource) (cloudapi.Volume, bool) {
	return t.network(s, &cloudapi.NFS{Server: v.Server, Path: v.Path, ReadOnly: v.ReadOnly || s.readOnly})
}

// network settles the mount options of a network file system.
func (t *translation) network(s *stored, nfs *cloudapi.NFS) (cloudapi.Volume, bool) {
	if !t.limits.Can.NFS {
		t.rejectf(s, "the cloud mounts no NFS")
		return cloudapi.Volume{}, false
	}
	if nfs.Server == "" {
		t.rejectf(s, "it names no server")
		return cloudapi.Volume{}, false
	}
	nfs.Path = path.Join("/", nfs.Path)
	var options []string
	for _, o := range splitOptions(s.mountOptions) {
		name, value, _ := strings.Cut(o, "=")
		switch {
		case o == "ro":
			nfs.ReadOnly = true
		case o == "rw", o == "defaults":
		case (name == "vers" || name == "nfsvers") && value != "":
			nfs.Version = value
		default:
			options = append(options, o)
		}
	}
	nfs.Options = strings.Join(options, ",")
	if !t.limits.Can.NFSOptions && (nfs.Options != "" || nfs.Version != "") {
		if nfs.Version != "" {
			options = append(options, "vers="+nfs.Version)
		}
		t.rejectf(s, "mount options %s: the cloud takes a server and a path, no options of NFS", strings.Join(options, ","))
		return cloudapi.Volume{}, false
	}
	return cloudapi.Volume{Name: s.name, NFS: nfs}, true
}
