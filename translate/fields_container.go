package translate

import "slices"

const (
	reasonProbe     = "the cloud does not run this probe"
	reasonProbeHTTP = "the clouds' probes have no word for it"
	reasonStdin     = "the cloud does not keep a container's standard input or terminal"
	reasonMessage   = "the cloud keeps no termination message"
	reasonPorts     = "the cloud has no list of ports; declaring one opens nothing"
	reasonHook      = "the cloud runs no lifecycle hooks"
	reasonInitOnly  = "init containers cannot have it"
)

// containerFields are the fields of a container.
func containerFields() []Field {
	return slices.Concat(
		commonContainerFields(),
		probeFields("livenessProbe", "LivenessProbe"),
		probeFields("readinessProbe", "ReadinessProbe"),
		refused("the clouds have no startup probe", "startupProbe"),
		parts("lifecycle"),
		refused(reasonHook, "lifecycle.postStart", "lifecycle.preStop"),
		refused("the clouds do not take a stop signal", "lifecycle.stopSignal"),
		refused("the group has one restart policy for all containers", "restartPolicy", "restartPolicyRules"),
		[]Field{
			{Path: "ports", Decision: DecisionHonoured, Parts: true, Ability: "Ports", Without: DecisionIgnored, Reason: reasonPorts},
			{Path: "stdin", Decision: DecisionHonoured, Ability: "Stdin", Without: DecisionRefused, Reason: reasonStdin},
			{Path: "stdinOnce", Decision: DecisionHonoured, Ability: "Stdin", Without: DecisionRefused, Reason: reasonStdin},
			{Path: "tty", Decision: DecisionHonoured, Ability: "Stdin", Without: DecisionRefused, Reason: reasonStdin},
		},
	)
}

// initContainerFields are the fields of an init container: those of a
// container, but for what only long-running containers have.
func initContainerFields() []Field {
	return slices.Concat(
		commonContainerFields(),
		refused(reasonInitOnly, "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "restartPolicyRules"),
		refused("the clouds have no sidecar containers", "restartPolicy"),
		refused("the clouds do not keep an init container's standard input or terminal", "stdin", "stdinOnce", "tty"),
		[]Field{{Path: "ports", Decision: DecisionIgnored, Parts: true, Reason: "an init container's ports serve nobody; declaring one opens nothing"}},
	)
}

func commonContainerFields() []Field {
	return slices.Concat(
		honoured("name", "image", "command", "args", "workingDir"),
		portFields(),
		envFields(),
		resourceFields(),
		mountFields(),
		containerSecurityFields(),
		[]Field{
			{Path: "terminationMessagePath", Decision: DecisionHonoured, Ability: "TerminationMessage", Without: DecisionRefused, Harmless: []string{"/dev/termination-log"}, Reason: reasonMessage},
			{Path: "terminationMessagePolicy", Decision: DecisionHonoured, Ability: "TerminationMessage", Without: DecisionRefused, Harmless: []string{"File"}, Reason: reasonMessage},
			{Path: "imagePullPolicy", Decision: DecisionHonoured, Ability: "PullPolicy", Without: DecisionIgnored, Reason: "a new group has no images yet and pulls what it needs; Never is refused"},
		},
		ignored("a group's containers are never resized", "resizePolicy"),
		refused("block devices cannot be attached", "volumeDevices"),
	)
}

func portFields() []Field {
	return slices.Concat(
		honoured("ports[*].name", "ports[*].containerPort"),
		[]Field{{Path: "ports[*].protocol", Decision: DecisionHonoured, Reason: "TCP and UDP; SCTP is refused where ports are declared to the cloud"}},
		refused(reasonHost, "ports[*].hostPort", "ports[*].hostIP"),
	)
}

func envFields() []Field {
	return slices.Concat(
		parts("envFrom", "envFrom[*].configMapRef", "envFrom[*].secretRef",
			"env", "env[*].valueFrom", "env[*].valueFrom.fieldRef", "env[*].valueFrom.resourceFieldRef",
			"env[*].valueFrom.configMapKeyRef", "env[*].valueFrom.secretKeyRef"),
		honoured("envFrom[*].prefix",
			"envFrom[*].configMapRef.name", "envFrom[*].configMapRef.optional",
			"envFrom[*].secretRef.name", "envFrom[*].secretRef.optional",
			"env[*].name", "env[*].value", "env[*].valueFrom.fieldRef.apiVersion",
			"env[*].valueFrom.resourceFieldRef.containerName", "env[*].valueFrom.resourceFieldRef.resource", "env[*].valueFrom.resourceFieldRef.divisor",
			"env[*].valueFrom.configMapKeyRef.name", "env[*].valueFrom.configMapKeyRef.key", "env[*].valueFrom.configMapKeyRef.optional",
			"env[*].valueFrom.secretKeyRef.name", "env[*].valueFrom.secretKeyRef.key", "env[*].valueFrom.secretKeyRef.optional"),
		[]Field{{Path: "env[*].valueFrom.fieldRef.fieldPath", Decision: DecisionHonoured, Reason: "status.podIP and status.podIPs only where the cloud fills them in"}},
		refused("a file in a volume cannot be read before the group runs", "env[*].valueFrom.fileKeyRef"),
	)
}

func resourceFields() []Field {
	const disk = "every group has the cloud's own disk; no share of it is reserved or enforced"
	return slices.Concat(
		parts("resources", "resources.limits", "resources.requests"),
		[]Field{
			{Path: "resources.limits[cpu]", Decision: DecisionHonoured, Reason: "rounded up to a thousandth of a core; the sum is rounded up to a size that is sold"},
			{Path: "resources.limits[memory]", Decision: DecisionHonoured, Reason: "rounded up to a thousandth of a GiB; the sum is rounded up to a size that is sold"},
			{Path: "resources.limits[nvidia.com/gpu]", Decision: DecisionHonoured, Ability: "GPU", Without: DecisionRefused, Reason: "the cloud's groups have no GPU"},
			{Path: "resources.requests[cpu]", Decision: DecisionHonoured, Reason: "only where there is no limit, and then it is the limit too"},
			{Path: "resources.requests[memory]", Decision: DecisionHonoured, Reason: "only where there is no limit, and then it is the limit too"},
			{Path: "resources.requests[nvidia.com/gpu]", Decision: DecisionHonoured, Ability: "GPU", Without: DecisionRefused, Reason: "the cloud's groups have no GPU"},
		},
		ignored(disk, "resources.limits[ephemeral-storage]", "resources.requests[ephemeral-storage]"),
		refused("the cloud does not sell this resource", "resources.limits[*]", "resources.requests[*]"),
		refused("devices of a node cannot be claimed", "resources.claims"),
	)
}

func mountFields() []Field {
	return slices.Concat(
		parts("volumeMounts"),
		honoured("volumeMounts[*].name", "volumeMounts[*].readOnly", "volumeMounts[*].mountPath"),
		[]Field{
			{Path: "volumeMounts[*].subPath", Decision: DecisionHonoured, Reason: "on a cloud without sub-paths: only of volumes made of files, by making a volume of the files chosen"},
			{Path: "volumeMounts[*].subPathExpr", Decision: DecisionHonoured, Reason: "expanded, then as subPath"},
			{Path: "volumeMounts[*].mountPropagation", Decision: DecisionRefused, Harmless: []string{"None"}, Reason: "mounts are not propagated"},
			{Path: "volumeMounts[*].recursiveReadOnly", Decision: DecisionRefused, Harmless: []string{"Disabled", "IfPossible"}, Reason: "recursive read-only mounts cannot be asked for"},
		},
	)
}

func probeFields(name, ability string) []Field {
	return slices.Concat(
		[]Field{{Path: name, Decision: DecisionHonoured, Parts: true, Ability: ability, Without: DecisionRefused, Reason: reasonProbe}},
		under(name, slices.Concat(
			parts("exec", "httpGet", "tcpSocket"),
			honoured("exec.command", "httpGet.path", "httpGet.port", "httpGet.scheme", "tcpSocket.port",
				"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"),
			[]Field{{Path: "successThreshold", Decision: DecisionHonoured, Reason: "1 only"}},
			refused(reasonProbeHTTP, "httpGet.host", "httpGet.httpHeaders", "tcpSocket.host", "grpc", "terminationGracePeriodSeconds"),
		)),
	)
}

func containerSecurityFields() []Field {
	return append(parts("securityContext"), under("securityContext", slices.Concat(
		seLinuxFields(),
		profileFields(),
		parts("capabilities"),
		refused(reasonNoSecurity, "capabilities.add", "capabilities.drop", "runAsUser", "runAsGroup"),
		refused(reasonWindows, "windowsOptions"),
		[]Field{
			{Path: "privileged", Decision: DecisionRefused, Harmless: []string{"false"}, Reason: "containers of a group are not privileged"},
			{Path: "runAsNonRoot", Decision: DecisionRefused, Harmless: []string{"false"}, Reason: reasonNoSecurity},
			{Path: "readOnlyRootFilesystem", Decision: DecisionRefused, Harmless: []string{"false"}, Reason: reasonNoSecurity},
			{Path: "allowPrivilegeEscalation", Decision: DecisionRefused, Harmless: []string{"true"}, Reason: reasonNoSecurity},
			{Path: "procMount", Decision: DecisionRefused, Harmless: []string{"Default"}, Reason: reasonNoSecurity},
		},
	))...)
}
