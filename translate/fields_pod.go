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
		parts("volumes", "containers", "imagePullSecrets", "hostAliases", "dnsConfig", "dnsConfig.options", "securityContext", "resources", "os"),
		honoured("restartPolicy", "dnsPolicy", "serviceAccountName", "enableServiceLinks", "readinessGates",
			"imagePullSecrets[*].name", "hostAliases[*].ip", "hostAliases[*].hostnames",
			"dnsConfig.nameservers", "dnsConfig.searches", "dnsConfig.options[*].name", "dnsConfig.options[*].value"),
		[]Field{
			{Path: "initContainers", Decision: DecisionHonoured, Parts: true, Ability: "InitContainers", Without: DecisionRefused, Reason: "the cloud has no init containers"},
			{Path: "terminationGracePeriodSeconds", Decision: DecisionHonoured, Ability: "TerminationGrace", Without: DecisionEmulated, Reason: "the cloud takes no grace period; what there is of it is left to the node"},
			{Path: "activeDeadlineSeconds", Decision: DecisionHonoured, Ability: "ActiveDeadline", Without: DecisionEmulated, Reason: "the cloud takes no deadline; the node deletes the group when it passes"},
			{Path: "hostname", Decision: DecisionHonoured, Ability: "Hostname", Without: DecisionRefused, Reason: "the cloud chooses the host name itself"},
			{Path: "hostnameOverride", Decision: DecisionHonoured, Ability: "Hostname", Without: DecisionRefused, Reason: "the cloud chooses the host name itself"},
			{Path: "subdomain", Decision: DecisionRefused, Reason: "the pod's own fully qualified name cannot be put into its hosts file before its address is known"},
			{Path: "setHostnameAsFQDN", Decision: DecisionRefused, Harmless: []string{"false"}, Reason: "a container group has no fully qualified host name"},
			{Path: "shareProcessNamespace", Decision: DecisionRefused, Harmless: []string{"false"}, Reason: "containers of a group have process namespaces of their own"},
			{Path: "hostUsers", Decision: DecisionRefused, Harmless: []string{"true"}, Reason: "user namespaces cannot be asked for"},
			{Path: "os.name", Decision: DecisionRefused, Harmless: []string{"linux"}, Reason: reasonWindows},
			{Path: "serviceAccount", Decision: DecisionIgnored, Reason: "a deprecated copy of serviceAccountName"},
		},
		refused("a container cannot be added to a running group", "ephemeralContainers"),
		refused(reasonHost, "hostNetwork", "hostPID", "hostIPC"),
		refused("runtime classes are settings of a node's container runtime, which a container group does not have", "runtimeClassName", "overhead"),
		refused("devices of a node cannot be claimed", "resourceClaims"),
		refused("the group's size follows its containers' resources", "resources.limits", "resources.requests", "resources.claims"),
		ignored("it names this node", "nodeName"),
		ignored(reasonScheduled, "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "schedulerName", "schedulingGates", "preemptionPolicy", "priority", "priorityClassName", "workloadRef"),
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
		[]Field{
			{Path: "runAsNonRoot", Decision: DecisionRefused, Harmless: []string{"false"}, Reason: reasonNoSecurity},
			{Path: "supplementalGroupsPolicy", Decision: DecisionRefused, Harmless: []string{"Merge"}, Reason: reasonNoSecurity},
		},
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
		[]Field{{Path: "seccompProfile.type", Decision: DecisionRefused, Harmless: []string{"Unconfined"}, Reason: reasonNoSecurity}},
		refused(reasonNoSecurity, "seccompProfile.localhostProfile", "appArmorProfile.type", "appArmorProfile.localhostProfile"),
	)
}
