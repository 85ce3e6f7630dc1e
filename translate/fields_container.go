package translate

import "slices"

const (
	reasonNodeProbe     = "the cloud cannot run this probe; the node runs it"
	reasonNodeLiveness  = reasonNodeProbe + ", of a container that is alone in its pod"
	reasonNodeReadiness = "the cloud cannot run this probe, or does not tell how it ends; the node runs it"
	reasonStartup       = "the clouds have no startup probe; the node runs it, and the container's readiness probe"
	reasonNodeHook      = "the cloud runs no hooks; the node does: postStart when it sees that the container runs, " +
		"preStop before it deletes the group, not when the cloud ends a container by itself"
	reasonSleep = "the clouds' hooks cannot sleep; the node does: after it sees that the container runs, or before it deletes the " +
		"group, not when the cloud ends a container by itself"
	reasonNoEnd     = "the node would have to end the container when it fails, and the cloud lets nobody"
	reasonNoRestart = "the node would have to restart the container when it fails, and the cloud lets nobody; passes in a pod of one container " +
		"that never restarts"
	reasonNoExec      = "the node would have to run it, and the cloud lets nobody run a command in a container"
	reasonStdin       = "the cloud does not keep a container's standard input or terminal"
	reasonMessage     = "the cloud keeps no termination message"
	reasonPorts       = "the cloud has no list of ports; declaring one opens nothing"
	reasonInitOnly    = "of init containers only a restartable one, a sidecar, has it; it is then read as a container's"
	reasonOnePolicy   = "the group has one restart policy for all containers"
	reasonPrivileged  = "only where the node's policy allows it and the cloud takes it"
	reasonInitRun     = "the cloud does not take it for init containers"
	reasonInitNonRoot = reasonRunAs + "; where it takes a user for init containers, but not this, only with a runAsUser other than 0"
)

// containerFields are the fields of a container.
func containerFields() []Field {
	return slices.Concat(
		commonContainerFields(),
		needing("Exec", reasonNoEnd, withParts(by("LivenessProbe", DecisionEmulated, reasonNodeLiveness, "livenessProbe"))),
		probeFields("livenessProbe", "LivenessProbe", nodeLiveness),
		withParts(by("ReadinessProbe", DecisionEmulated, reasonNodeReadiness, "readinessProbe")),
		probeFields("readinessProbe", "ReadinessProbe", nodeProbe),
		needing("Exec", reasonNoEnd, emulated(reasonStartup, "startupProbe")),
		probeFields("startupProbe", "", nodeProbe),
		runAsFields("RunAsGroup", reasonRunAs, reasonRunAs),
		harmlessAt("false", by("Privileged", DecisionRefused, reasonPrivileged, "securityContext.privileged")),
		parts("lifecycle"),
		hookFields("lifecycle.postStart", needing("Exec", reasonNoEnd, eitherRuns("Hooks", "httpGet"))),
		hookFields("lifecycle.preStop", parts("httpGet")),
		refused("the clouds do not take a stop signal", "lifecycle.stopSignal"),
		remark("the pod's own; "+reasonOnePolicy, "restartPolicy"),
		refused(reasonOnePolicy, "restartPolicyRules"),
		withParts(by("Ports", DecisionIgnored, reasonPorts, "ports")),
		by("Stdin", DecisionRefused, reasonStdin, "stdin", "stdinOnce", "tty"),
	)
}

// initContainerFields are the fields of an init container: those of a
// container, but for what only long-running containers have.
func initContainerFields() []Field {
	return slices.Concat(
		commonContainerFields(),
		runAsFields("InitRunAsGroup", reasonInitRun, reasonInitNonRoot),
		harmlessAt("false", by("InitPrivileged", DecisionRefused, reasonPrivileged, "securityContext.privileged")),
		refused(reasonInitOnly, "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"),
		refused(reasonOnePolicy, "restartPolicyRules"),
		rows(Field{
			Decision: DecisionEmulated, Harmless: []string{"OnFailure", "Never"}, Reason: reasonSidecar,
		}, []string{"restartPolicy"}),
		refused("the clouds do not keep an init container's standard input or terminal", "stdin", "stdinOnce", "tty"),
		withParts(ignored("an init container's ports serve nobody; declaring one opens nothing", "ports")),
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
		harmlessAt("/dev/termination-log", by("TerminationMessage", DecisionRefused, reasonMessage, "terminationMessagePath")),
		harmlessAt("File", by("TerminationMessage", DecisionRefused, reasonMessage, "terminationMessagePolicy")),
		by("PullPolicy", DecisionIgnored,
			"a new group has no images yet and pulls what it needs; Never is refused", "imagePullPolicy"),
		ignored("a group's containers are never resized", "resizePolicy"),
		refused("block devices cannot be attached", "volumeDevices"),
	)
}

func portFields() []Field {
	return slices.Concat(
		honoured("ports[*].name"),
		remark("but for ports that the cloud's own agent has in each group: on ECI 111, 10250 and 10255", "ports[*].containerPort"),
		remark("TCP and UDP; SCTP is refused where ports are declared to the cloud", "ports[*].protocol"),
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
			"env[*].valueFrom.resourceFieldRef.containerName", "env[*].valueFrom.resourceFieldRef.resource",
			"env[*].valueFrom.resourceFieldRef.divisor",
			"env[*].valueFrom.configMapKeyRef.name", "env[*].valueFrom.configMapKeyRef.key",
			"env[*].valueFrom.configMapKeyRef.optional",
			"env[*].valueFrom.secretKeyRef.name", "env[*].valueFrom.secretKeyRef.key", "env[*].valueFrom.secretKeyRef.optional"),
		remark("status.podIP and status.podIPs only where the cloud fills them in", "env[*].valueFrom.fieldRef.fieldPath"),
		refused("a file in a volume cannot be read before the group runs", "env[*].valueFrom.fileKeyRef"),
	)
}

func resourceFields() []Field {
	const (
		disk = "every group has the cloud's own disk; no share of it is reserved or enforced"
		more = "every group has the cloud's own disk; what is requested beyond it is asked for where the cloud can give more"
	)
	return slices.Concat(
		parts("resources", "resources.limits", "resources.requests"),
		remark("rounded up to a thousandth of a core; the sum is rounded up to a size that is sold", "resources.limits[cpu]"),
		remark("rounded up to a thousandth of a GiB; the sum is rounded up to a size that is sold", "resources.limits[memory]"),
		remark("the group holds it: a container without a limit may use what the group has; the cloud knows one number for each "+
			"container, so that of a request beside a limit only the downward API tells", "resources.requests[cpu]", "resources.requests[memory]"),
		by("GPU", DecisionRefused, "on an instance type that an option names; where the cloud takes none there are no cards",
			"resources.limits[nvidia.com/gpu]", "resources.requests[nvidia.com/gpu]"),
		ignored(disk, "resources.limits[ephemeral-storage]"),
		by("EphemeralStorage", DecisionIgnored, more, "resources.requests[ephemeral-storage]"),
		refused("the cloud does not sell this resource", "resources.limits[*]", "resources.requests[*]"),
		refused("devices of a node cannot be claimed", "resources.claims"),
	)
}

func mountFields() []Field {
	return slices.Concat(
		parts("volumeMounts"),
		honoured("volumeMounts[*].name", "volumeMounts[*].readOnly", "volumeMounts[*].mountPath"),
		remark("on a cloud without sub-paths: only of volumes made of files, by making a volume of the files chosen",
			"volumeMounts[*].subPath"),
		remark("expanded, then as subPath; what it cannot be expanded to keeps the container waiting", "volumeMounts[*].subPathExpr"),
		harmlessAt("None", by("MountPropagation", DecisionRefused, "mounts are not propagated", "volumeMounts[*].mountPropagation")),
		harmlessAt("Disabled", remark(reasonRecursive, "volumeMounts[*].recursiveReadOnly")),
	)
}

// eitherRuns makes rows whose parts decide, be it the cloud that has the ability or
// the node that does it.
func eitherRuns(ability string, paths ...string) []Field {
	if ability == "" {
		return parts(paths...)
	}
	return withParts(by(ability, DecisionHonoured, "", paths...))
}

// nodeLiveness makes rows by which a liveness probe becomes the node's, which must
// be able to restart the container then.
func nodeLiveness(paths ...string) []Field {
	return needing("Restart", reasonNoRestart, emulated(reasonNodeLiveness, paths...))
}

// nodeProbe makes rows by which another probe becomes the node's.
func nodeProbe(paths ...string) []Field { return emulated(reasonNodeProbe, paths...) }

// probeFields are the fields of a probe, which a cloud with the ability runs. What
// no cloud has words for makes it the node's.
func probeFields(name, ability string, byNode func(paths ...string) []Field) []Field {
	return under(name, slices.Concat(
		needing("Exec", reasonNoExec, eitherRuns(ability, "exec")),
		parts("httpGet", "tcpSocket"),
		honoured("exec.command", "httpGet.path", "httpGet.port", "httpGet.scheme", "tcpSocket.port",
			"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"),
		leaf(byNode("httpGet.host", "tcpSocket.host")),
		leaf(harmlessAt("1", byNode("successThreshold"))),
		byNode("httpGet.httpHeaders", "grpc"),
		honoured("httpGet.httpHeaders[*].name", "httpGet.httpHeaders[*].value", "grpc.port", "grpc.service"),
		refused("no cloud gives a container that failed a probe a grace period of its own", "terminationGracePeriodSeconds"),
	))
}

// hookFields are the fields of a lifecycle hook, whose row of HTTP is given.
func hookFields(name string, web []Field) []Field {
	return append(
		withParts(by("Hooks", DecisionEmulated, reasonNodeHook, name)),
		under(name, slices.Concat(
			needing("Exec", reasonNoExec, eitherRuns("Hooks", "exec")),
			web,
			parts("httpGet.httpHeaders"),
			honoured("exec.command", "httpGet.path", "httpGet.port", "httpGet.host", "httpGet.scheme",
				"httpGet.httpHeaders[*].name", "httpGet.httpHeaders[*].value"),
			withParts(by("Hooks", DecisionRefused, "a kubelet runs no such hook, and the cloud has none", "tcpSocket")),
			honoured("tcpSocket.port", "tcpSocket.host"),
			emulated(reasonSleep, "sleep"),
			honoured("sleep.seconds"),
		))...)
}

// runAsFields are the fields by which containers and init containers differ.
func runAsFields(ability, reason, nonRoot string) []Field {
	return under("securityContext", slices.Concat(
		by(ability, DecisionRefused, reason, "runAsGroup"),
		harmlessAt("false", by("RunAsUser", DecisionRefused, nonRoot, "runAsNonRoot")),
	))
}

func containerSecurityFields() []Field {
	return append(parts("securityContext"), under("securityContext", slices.Concat(
		seLinuxFields(),
		profileFields(),
		parts("capabilities"),
		unasked(needing("Capabilities", "the cloud grants no capability", remark("those that the cloud grants", "capabilities.add"))),
		// Not beside an add that the cloud cannot express, see capabilities.
		hardeningAt(AnyValue, refused(reasonNoSecurity, "capabilities.drop")),
		by("RunAsUser", DecisionRefused, reasonRunAs, "runAsUser"),
		refused(reasonWindows, "windowsOptions"),
		harmlessAt("false", by("ReadOnlyRoot", DecisionRefused,
			"the cloud's root file systems are writable", "readOnlyRootFilesystem")),
		hardeningAt("false", refusedBut("true", reasonNoSecurity, "allowPrivilegeEscalation")),
		refusedBut("Default", reasonNoSecurity, "procMount"),
	))...)
}
