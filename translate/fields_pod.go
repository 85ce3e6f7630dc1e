package translate

import "slices"

// The reasons that several rows share.
const (
	reasonScheduled  = "the scheduler has acted upon it"
	reasonAdmitted   = "the API server has acted upon it"
	reasonNoSecurity = "the clouds' container groups do not take this setting; leaving it out would weaken the pod"
	reasonHost       = "a container group shares no host with anything"
	reasonWindows    = "container groups run Linux"
)

// podFields are the fields directly below spec.
func podFields() []Field {
	return slices.Concat(
		parts("volumes", "containers", "imagePullSecrets", "hostAliases", "dnsConfig", "dnsConfig.options",
			"securityContext", "resources", "os"),
		honoured("restartPolicy", "dnsPolicy", "serviceAccountName", "enableServiceLinks", "readinessGates",
			"imagePullSecrets[*].name", "hostAliases[*].ip", "hostAliases[*].hostnames",
			"dnsConfig.nameservers", "dnsConfig.searches", "dnsConfig.options[*].name", "dnsConfig.options[*].value"),
		withParts(by("InitContainers", DecisionRefused, "the cloud has no init containers", "initContainers")),
		by("TerminationGrace", DecisionEmulated,
			"the cloud takes no grace period; what there is of it is left to the node", "terminationGracePeriodSeconds"),
		by("ActiveDeadline", DecisionEmulated,
			"the cloud takes no deadline; the node deletes the group when it passes", "activeDeadlineSeconds"),
		by("Hostname", DecisionRefused, "the cloud chooses the host name itself", "hostname", "hostnameOverride"),
		refused("the pod's own fully qualified name cannot be put into its hosts file before its address is known", "subdomain"),
		refusedBut("false", "a container group has no fully qualified host name", "setHostnameAsFQDN"),
		refusedBut("false", "containers of a group have process namespaces of their own", "shareProcessNamespace"),
		refusedBut("true", "user namespaces cannot be asked for", "hostUsers"),
		refusedBut("linux", reasonWindows, "os.name"),
		refused("a container cannot be added to a running group", "ephemeralContainers"),
		refused(reasonHost, "hostNetwork", "hostPID", "hostIPC"),
		refused("runtime classes are settings of a node's container runtime, which a container group does not have",
			"runtimeClassName", "overhead"),
		refused("devices of a node cannot be claimed", "resourceClaims"),
		refused("the group's size follows its containers' resources", "resources.limits", "resources.requests", "resources.claims"),
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
		refused(reasonNoSecurity, "runAsUser", "runAsGroup", "supplementalGroups", "fsGroup", "sysctls"),
		refusedBut("false", reasonNoSecurity, "runAsNonRoot"),
		refusedBut("Merge", reasonNoSecurity, "supplementalGroupsPolicy"),
		ignored("it says how fsGroup is applied, which is refused", "fsGroupChangePolicy"),
		ignored("it says how SELinux labels are applied, which are refused", "seLinuxChangePolicy"),
	)
}

func seLinuxFields() []Field {
	return slices.Concat(
		parts("seLinuxOptions"),
		refused(reasonNoSecurity, "seLinuxOptions.user", "seLinuxOptions.role", "seLinuxOptions.type", "seLinuxOptions.level"),
	)
}

func profileFields() []Field {
	return slices.Concat(
		parts("seccompProfile", "appArmorProfile"),
		refusedBut("Unconfined", reasonNoSecurity, "seccompProfile.type"),
		refused(reasonNoSecurity, "seccompProfile.localhostProfile", "appArmorProfile.type", "appArmorProfile.localhostProfile"),
	)
}
