package translate

import "slices"

const (
	reasonChanges = "changes reach the running group file by file: through exec, if a container with the volume runs as root and has a shell, " +
		"else through the cloud's API, if it changes files and containers may restart; else they do not, and cumulet.dev/FilesCurrent tells"
	reasonToken = "the file belongs to root; it is renewed as by a kubelet, and brought in as changes of other files are"
	reasonMode  = "the cloud takes no file modes; files have mode 0644"
)

// volumeFields are the fields of a volume.
func volumeFields() []Field {
	return slices.Concat(
		honoured("name"),
		parts("emptyDir"),
		by("EmptyDirMemory", DecisionRefused, "the cloud keeps emptyDir volumes on disk", "emptyDir.medium"),
		harmlessAt("0", by("EmptyDirSizeLimit", DecisionRefused, "the cloud does not limit an emptyDir", "emptyDir.sizeLimit")),
		withParts(by("NFS", DecisionRefused, "the cloud mounts no NFS", "nfs")),
		emulated(reasonChanges, "configMap", "secret", "downwardAPI", "projected"),
		honoured("nfs.server", "nfs.path", "nfs.readOnly"),
		honoured("configMap.name", "configMap.optional", "secret.secretName", "secret.optional"),
		modeFields("configMap.defaultMode", "secret.defaultMode", "downwardAPI.defaultMode"),
		itemFields("configMap.items"),
		itemFields("secret.items"),
		downwardFields("downwardAPI.items"),
		storageFields(),
		refused("an image cannot be mounted as a volume", "image"),
		refused("container groups do not mount this kind of volume",
			"awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "fc", "flocker",
			"gcePersistentDisk", "gitRepo", "glusterfs", "iscsi", "photonPersistentDisk", "portworxVolume",
			"quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
	)
}

const (
	reasonNoHostPath = "the cloud has no word for a path of the group's machine"
	reasonClaim      = "by the PersistentVolume that the claim is bound to: a disk, network file system or bucket of the cloud, by its CSI " +
		"or FlexVolume driver, or nfs; others are refused with the PersistentVolume's name. The cloud attaches a disk itself: there is " +
		"no VolumeAttachment. While the claim is not bound, the pod waits"
	reasonDriver     = "of the drivers whose volumes the cloud mounts itself; a disk or snapshot that exists and a ramRole need the node's policy"
	reasonAttributes = "those that the cloud has a word for; others are refused by name, and of a disk that exists left out"
)

// storageFields are the fields of volumes that outlive a pod, that a driver
// makes, or that are the machine's.
func storageFields() []Field {
	wholly := func(reason, path string) []Field { return withParts(remark(reason, path)) }
	return slices.Concat(
		wholly(reasonClaim, "persistentVolumeClaim"),
		honoured("persistentVolumeClaim.claimName", "persistentVolumeClaim.readOnly"),
		wholly("as persistentVolumeClaim: the claim that the cluster has made for the pod", "ephemeral"),
		ignored("the cluster makes the claim of it; what counts is the claim", "ephemeral.volumeClaimTemplate"),
		wholly(reasonDriver, "csi"),
		honoured("csi.driver", "csi.readOnly", "csi.fsType"),
		parts("csi.volumeAttributes", "csi.nodePublishSecretRef", "flexVolume.options", "flexVolume.secretRef"),
		remark(reasonAttributes, "csi.volumeAttributes[*]", "flexVolume.options[*]"),
		honoured("csi.nodePublishSecretRef.name", "flexVolume.secretRef.name"),
		wholly(reasonDriver, "flexVolume"),
		honoured("flexVolume.driver", "flexVolume.fsType", "flexVolume.readOnly"),
		withParts(by("HostPath", DecisionRefused, reasonNoHostPath, "hostPath")),
		remark("those that the node's policy allows", "hostPath.path"),
		remark("Directory and File, where the cloud looks what is there", "hostPath.type"),
	)
}

// projectionFields are the fields below a volume's projected.
func projectionFields() []Field {
	return slices.Concat(
		parts("sources", "sources[*].secret", "sources[*].configMap", "sources[*].downwardAPI"),
		modeFields("defaultMode"),
		honoured("sources[*].secret.name", "sources[*].secret.optional", "sources[*].configMap.name", "sources[*].configMap.optional"),
		itemFields("sources[*].secret.items"),
		itemFields("sources[*].configMap.items"),
		downwardFields("sources[*].downwardAPI.items"),
		emulated(reasonToken, "sources[*].serviceAccountToken"),
		honoured("sources[*].serviceAccountToken.audience", "sources[*].serviceAccountToken.expirationSeconds",
			"sources[*].serviceAccountToken.path"),
		refused("trust bundles cannot be fetched for a group", "sources[*].clusterTrustBundle"),
		refused("certificates cannot be requested for a group", "sources[*].podCertificate"),
	)
}

func modeFields(paths ...string) []Field {
	// 420 is 0644, Kubernetes' default for files, in decimal.
	return harmlessAt("420", by("FileMode", DecisionRefused, reasonMode, paths...))
}

func itemFields(items string) []Field {
	return slices.Concat(
		parts(items),
		honoured(items+"[*].key", items+"[*].path"),
		modeFields(items+"[*].mode"),
	)
}

func downwardFields(items string) []Field {
	return slices.Concat(
		parts(items, items+"[*].fieldRef", items+"[*].resourceFieldRef"),
		honoured(items+"[*].path", items+"[*].fieldRef.apiVersion", items+"[*].fieldRef.fieldPath",
			items+"[*].resourceFieldRef.containerName", items+"[*].resourceFieldRef.resource", items+"[*].resourceFieldRef.divisor"),
		modeFields(items+"[*].mode"),
	)
}
