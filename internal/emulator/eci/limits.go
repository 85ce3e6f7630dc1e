package eci

import (
	"regexp"
	"time"
)

// Limits of one group. Sources: "Limits" page of the product (document 89138),
// the parameter tables of CreateContainerGroup, and for tags those of
// TagResources.
const (
	maxContainers  = 20 // Limits; applied to containers and to init containers
	maxVolumes     = 20 // Limits
	maxCPU         = 64 // cores; Limits
	maxSysctls     = 100
	maxCredentials = 10 // metadata: maxItems 11, which is one more than allowed
	maxVSwitches   = 10 // CreateContainerGroup, VSwitchId
	maxEnvKey      = 128
	maxEnvValue    = 256 // CreateContainerGroup, EnvironmentVar.N.Value
	maxFileBytes   = 32 << 10
	maxTags        = 20
	maxTagKey      = 64
	maxTagValue    = 128
	maxClientToken = 64
	maxIDs         = 20 // ContainerGroupIds of all actions
	// baseStorage is the ephemeral storage in GiB that every size has
	// (specification page).
	baseStorage = 30
	// defaultFileMode is 0644, the mode that a kubelet gives files.
	defaultFileMode = 0o644
	// defaultGrace is Kubernetes' default; ECI's own is not documented.
	defaultGrace = 30 * time.Second
)

// Limits of the reading actions (their parameter tables).
const (
	defaultGroups   = 20
	maxGroups       = 20
	defaultStatuses = 50 // metadata; the prose says 200
	maxStatuses     = 200
	maxEvents       = 50
	defaultTail     = 500
	maxTail         = 2000
	maxLogBytes     = 1 << 20
	defaultTagPage  = 50
	maxTagPage      = 100
	maxResources    = 100
)

// Limits of ExecContainerCommand. The total is not in its documents; independent
// clients report it as enforced.
const (
	maxCommand        = 20
	maxCommandElement = 256
	maxCommandTotal   = 2048
	// ticketLife is the documented life of HttpUrl, taken for WebSocketUri too.
	ticketLife = 30 * time.Second
	// syncLimit bounds a command that is run with Sync.
	syncLimit       = 60 * time.Second
	maxSyncResponse = 1 << 20
)

// Limits of requests. The gateway's bound on a request's size is not documented;
// 20 volumes of 90 files of 32 KiB in base64 are 78 MiB.
const (
	maxBody = 96 << 20
	// clockSkew is how far a request's time may be off (signature mechanism).
	clockSkew = 15 * time.Minute
	// tokenLife is the life of a ClientToken, as on ECS.
	tokenLife = 24 * time.Hour
)

// reservedPorts serve logs, exec and metrics inside the group (Limits).
var reservedPorts = map[int32]bool{111: true, 10250: true, 10255: true}

var (
	// groupName: 2 to 128 of a-z, 0-9 and hyphen, no hyphen at the ends.
	groupName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,126}[a-z0-9]$`)
	// containerName is a DNS label, as in Kubernetes; ECI documents no rule.
	containerName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	hostName      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$`)
	envKey        = regexp.MustCompile(`^[A-Za-z_][0-9A-Za-z_]*$`)
	clientToken   = regexp.MustCompile(`^[\x20-\x7e]*$`)
	// sizeQuantity has a unit: the parameter table and the user guide ask for one.
	sizeQuantity = regexp.MustCompile(`^\d+(\.\d+)?(Ki|Mi|Gi|Ti)$`)
)

// safeSysctls may stand in SecurityContext, unsafeSysctls in HostSecurityContext
// (CreateContainerGroup; vm.min_free_kbytes from the page of pod fields).
var (
	safeSysctls   = regexp.MustCompile(`^net\.ipv4\.(ping_group_range|ip_unprivileged_port_start)$`)
	unsafeSysctls = regexp.MustCompile(`^(kernel\.(shm.+|msg.+|sem)|fs\.mqueue\..+|net\..+|vm\.min_free_kbytes)$`)
	neverSysctls  = regexp.MustCompile(
		`^(kernel\.shm_rmid_forced|net\.ipv4\.(tcp_syncookies|ping_group_range|ip_unprivileged_port_start))$`)
)
