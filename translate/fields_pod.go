package translate

import "slices"

// The reasons that several rows share.
const (
	reasonScheduled  = "the scheduler has acted upon it"
	reasonAdmitted   = "the API server has acted upon it"
	reasonNoSecurity = "the clouds' container groups do not take this setting; leaving it out would weaken the pod"
	reasonRunAs      = "the cloud runs every container as its image says"
	reasonOwner      = "the clouds take no further groups for processes and no owner for volumes, whose files belong to root"
	reasonHost       = "a container group shares no host with anything"
	reasonWindows    = "container groups run Linux"
)

// podFields are the fields directly below spec.
func podFields() []Field {
	return slices.Concat(
		parts("volumes", "containers", "imagePullSecrets", "hostAliases", "dnsConfig", "dnsConfig.options",
			"securityContext", "resources", "resources.limits", "resources.requests", "os"),
		honoured("restartPolicy", "dnsPolicy", "serviceAccountName", "enableServiceLinks", "readinessGates",
			"imagePullSecrets[*].name", "hostAliases[*].ip", "hostAliases[*].hostnames",
			"dnsConfig.nameservers", "dnsConfig.searches", "dnsConfig.options[*].name", "dnsConfig.options[*].value"),
		withParts(by("InitContainers", DecisionRefused, "the cloud has no init containers", "initContainers")),
		by("TerminationGrace", DecisionEmulated,
			"the cloud takes no grace period; what there is of it is left to the node", "terminationGracePeriodSeconds"),
		by("ActiveDeadline", DecisionEmulated,
			"the cloud takes no deadline; the node deletes the group when it passes", "activeDeadlineSeconds"),
		rows(Field{
			Decision: DecisionHonoured, Ability: "Hostname", Without: DecisionRefused, Naming: true,
			Reason: "the cloud chooses the host name itself",
		}, []string{"hostname", "hostnameOverride"}),
		rows(Field{
			Decision: DecisionEmulated, Ability: "Hostname", Without: DecisionRefused, Naming: true,
			Reason: "the cluster's DNS tells the pod's full name, its own hosts file does not, for it is written before the pod has an " +
				"address; where the cloud chooses the host name, the full name would not be the pod's",
		}, []string{"subdomain"}),
		refusedBut("false", "a container group has no fully qualified host name", "setHostnameAsFQDN"),
		harmlessAt("false", by("ShareProcesses", DecisionRefused,
			"containers of a group have process namespaces of their own", "shareProcessNamespace")),
		refusedBut("true", "user namespaces cannot be asked for", "hostUsers"),
		refusedBut("linux", reasonWindows, "os.name"),
		ignored("a container cannot be added to a container group: its status and an event say that it does not run, "+
			"and the pod goes on without", "ephemeralContainers"),
		refused(reasonHost, "hostNetwork", "hostIPC"),
		refused("the processes beside those of a group are the cloud's own", "hostPID"),
		refused("runtime classes are settings of a node's container runtime, which a container group does not have",
			"runtimeClassName", "overhead"),
		refused("devices of a node cannot be claimed", "resourceClaims"),
		remark("the size that the group has at least", "resources.limits[cpu]", "resources.limits[memory]"),
		remark("the size that the group has at least, where no limit is set", "resources.requests[cpu]", "resources.requests[memory]"),
		refused("the cloud does not sell this resource", "resources.limits[*]", "resources.requests[*]"),
		refused("devices of a node cannot be claimed", "resources.claims"),
		ignored("a deprecated copy of serviceAccountName", "serviceAccount"),
		ignored("it names this node", "nodeName"),
		ignored(reasonScheduled, "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "schedulerName",
			"schedulingGates", "preemptionPolicy", "priority", "priorityClassName", "workloadRef"),
		ignored(reasonAdmitted, "automountServiceAccountToken"),
	)
}

// podSecurityFields are the fields below spec.securityContext.
func podSecurityFields() []Field {
	return slices.Concat(
		seLinuxFields(),
		profileFields(),
		refused(reasonWindows, "windowsOptions"),
		by("RunAsUser", DecisionRefused, reasonRunAs, "runAsUser"),
		by("RunAsGroup", DecisionRefused, reasonRunAs, "runAsGroup"),
		harmlessAt("false", by("RunAsGroup", DecisionRefused, reasonRunAs, "runAsNonRoot")),
		needing("Sysctls", "the cloud takes no sysctls", parts("sysctls")),
		remark("those that a kubelet calls safe and the cloud takes", "sysctls[*].name"),
		honoured("sysctls[*].value"),
		refused(reasonOwner, "supplementalGroups", "fsGroup"),
		refusedBut("Merge", reasonNoSecurity, "supplementalGroupsPolicy"),
		ignored("it says how fsGroup is applied, which is refused", "fsGroupChangePolicy"),
		ignored("it says how SELinux labels are applied to volumes, and none is", "seLinuxChangePolicy"),
	)
}

func seLinuxFields() []Field {
	return slices.Concat(
		parts("seLinuxOptions"),
		// A level holds apart what runs on one machine; user, role and type
		// change what a process may do.
		ignored("it separates pods that share a machine, and every group has a machine of its own", "seLinuxOptions.level"),
		refused(reasonNoSecurity, "seLinuxOptions.user", "seLinuxOptions.role", "seLinuxOptions.type"),
	)
}

func profileFields() []Field {
	return slices.Concat(
		parts("seccompProfile", "appArmorProfile"),
		hardeningAt("RuntimeDefault", refusedBut("Unconfined", reasonNoSecurity, "seccompProfile.type")),
		hardeningAt("RuntimeDefault", refused(reasonNoSecurity, "appArmorProfile.type")),
		refused(reasonNoSecurity, "seccompProfile.localhostProfile", "appArmorProfile.localhostProfile"),
	)
}
