package translate

import "slices"

const (
	reasonFrozen    = "written once, when the group is created; a later change does not reach the containers"
	reasonMode      = "the cloud takes no file modes; files have mode 0644"
	reasonUnrenewed = "written once, when the group is created; the file belongs to root and is not renewed when the token expires"
)

// volumeFields are the fields of a volume.
func volumeFields() []Field {
	return slices.Concat(
		honoured("name"),
		parts("emptyDir"),
		by("EmptyDirMemory", DecisionRefused, "the cloud keeps emptyDir volumes on disk", "emptyDir.medium"),
		harmlessAt("0", by("EmptyDirSizeLimit", DecisionRefused, "the cloud does not limit an emptyDir", "emptyDir.sizeLimit")),
		withParts(by("NFS", DecisionRefused, "the cloud mounts no NFS", "nfs")),
		emulated(reasonFrozen, "configMap", "secret", "downwardAPI", "projected"),
		honoured("nfs.server", "nfs.path", "nfs.readOnly"),
		honoured("configMap.name", "configMap.optional", "secret.secretName", "secret.optional"),
		modeFields("configMap.defaultMode", "secret.defaultMode", "downwardAPI.defaultMode"),
		itemFields("configMap.items"),
		itemFields("secret.items"),
		downwardFields("downwardAPI.items"),
		refused("a container group shares no host with anything; there is no path of a host to mount", "hostPath"),
		refused("persistent volumes cannot be attached", "persistentVolumeClaim", "ephemeral", "csi"),
		refused("an image cannot be mounted as a volume", "image"),
		refused("container groups do not mount this kind of volume",
			"awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "fc", "flexVolume", "flocker",
			"gcePersistentDisk", "gitRepo", "glusterfs", "iscsi", "photonPersistentDisk", "portworxVolume",
			"quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
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
		emulated(reasonUnrenewed, "sources[*].serviceAccountToken"),
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
