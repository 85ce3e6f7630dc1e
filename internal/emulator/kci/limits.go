package kci

import (
	"regexp"
	"time"
)

// Version is the API version that this package speaks.
const Version = "2020-07-02"

// service is the name of KCI in signatures and in the parameter Service.
const service = "kci"

// Numbers of the KCI document.
const (
	maxNameLength     = 63        // group, container, volume and environment names, characters
	maxSecurityGroups = 3         // CreateContainerGroup, SecurityGroupId.N
	maxFileContent    = 24 * 1024 // ConfigFilePath.N.Content, bytes
	maxBandwidth      = 1024      // IngressBandwidth, EgressBandwidth, Mbps
	maxFilterIndex    = 100       // "rules of Filter.N and ID.N"; 0 is taken too, the SDKs count from it
	defaultMaxResults = 20        // DescribeContainerGroup
	maxMaxResults     = 100
	defaultTail       = 200 // DescribeContainerLog; the SDKs' notes say 500 and 2000, the document wins
	maxTail           = 1000
)

// Numbers of the SDKs' notes.
const (
	maxCPU           = 256 // cores
	maxMemory        = 512 // GiB
	maxDecimals      = 3   // of cores and GiB; also the KCI document, for containers
	maxSubnets       = 5   // MultiSubnetId.N
	maxRetainIPHours = 365 * 24
	defaultRetainIP  = 24 // hours
	maxProjectID     = 1<<53 - 1
)

// Numbers of this package's own choosing.
const (
	// signatureWindow is how far a signature's date may be from the server's
	// clock. The KCI document has the error but no number; AWS allows this much.
	signatureWindow = 15 * time.Minute
	// execLifetime is how long a WebSocket URI may wait for its client.
	execLifetime = 30 * time.Second
	// defaultGrace is what containers get to end on delete: Kubernetes' default,
	// since KCI's call has no parameter for it.
	defaultGrace = 30 * time.Second
	// maxBody bounds a request, bytes: a group may carry many 24 KB files.
	maxBody = 8 << 20
	// maxPath bounds a path, bytes: Linux's PATH_MAX.
	maxPath = 4096
	// maxDepth bounds the parts of a parameter's name; the API's longest has 6.
	maxDepth = 8
)

// Patterns of names. Those of group, container and volume names put into
// symbols what the KCI document says in words; the others are the SDKs' notes.
var (
	groupNamePattern  = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`)
	namePattern       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	envKeyPattern     = regexp.MustCompile(`^[-._a-zA-Z][-._a-zA-Z0-9]*$`)
	labelValuePattern = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?$`)
	decimalPattern    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	indexPattern      = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
)

// labelKeys are the keys that Label.N.Key may have (SDKs' notes).
var labelKeys = []string{"cluster-id", "namespace", "pod-name", "node-name"}

// sizeRange is an allowed range of disk sizes, GB.
type sizeRange struct{ min, max int }

// ebsSizes are the disks that EBSVolume may create (SDKs' notes).
var ebsSizes = map[string]sizeRange{
	"SSD3.0":   {10, 32000},
	"EHDD":     {10, 32000},
	"ESSD_PL0": {40, 32000},
	"ESSD_PL1": {40, 32000},
	"ESSD_PL2": {461, 32000},
}

// systemDiskSizes are the disks of AdvanceSettings.SystemDisk (SDKs' notes).
var systemDiskSizes = map[string]sizeRange{
	"Local_SSD":       {20, 100},
	"SSD3.0":          {20, 500},
	"EHDD":            {20, 500},
	"ESSD_SYSTEM_PL0": {50, 500},
	"ESSD_SYSTEM_PL1": {50, 500},
	"ESSD_SYSTEM_PL2": {461, 500},
}

// Words that parameters may hold.
var (
	restartPolicies = []string{"Always", "OnFailure", "Never"} // KCI document
	pullPolicies    = []string{"Always", "IfNotPresent", "Never"}
	fileSystems     = []string{"ext3", "ext4", "xfs"} // KCI document
)

// The ways to pay: the KCI document has the first only.
const (
	chargeHourly = "HourlyInstantSettlement"
	chargeSpot   = "Spot"
)

// The only values of KciType and SpotStrategy, and the mode of every group here.
const (
	kciTypeRBKCI   = "RBKCI"
	spotAsPriceGo  = "SpotAsPriceGo"
	modeStandalone = "STANDALONE"
)
