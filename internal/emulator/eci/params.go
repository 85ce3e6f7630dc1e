package eci

// The parameters of CreateContainerGroup and UpdateContainerGroup. Names, list
// bounds (max, create/update) and number ranges are those of the API metadata of
// 2025-06-07; tighter numbers have their source beside them or in limits.go.

// createRequest is CreateContainerGroup. It is also what a group keeps as its
// engine.Spec.Wire; updates replace it by a changed copy.
type createRequest struct {
	RegionID           string `wire:"RegionId" req:"all"`
	ContainerGroupName string `wire:"ContainerGroupName" req:"all"`
	groupParams
	optionParams

	ZoneID           string   `wire:"ZoneId"`
	VSwitchID        string   `wire:"VSwitchId"`
	ScheduleStrategy string   `wire:"ScheduleStrategy" enum:"VSwitchOrdered,VSwitchRandom"`
	SecurityGroupID  string   `wire:"SecurityGroupId"`
	InstanceType     string   `wire:"InstanceType"`
	CPUArchitecture  string   `wire:"CpuArchitecture" enum:"AMD64,ARM64"`
	OSType           string   `wire:"OsType" enum:"Linux,Windows"`
	ComputeCategory  []string `wire:"ComputeCategory" max:"100" enum:"economy,general"`
	RAMRoleName      string   `wire:"RamRoleName"`

	SpotStrategy     string   `wire:"SpotStrategy" enum:"NoSpot,SpotWithPriceLimit,SpotAsPriceGo"`
	SpotPriceLimit   *float64 `wire:"SpotPriceLimit" range:"0-"`
	SpotDuration     *int64   `wire:"SpotDuration" range:"0-"`
	EphemeralStorage *int32   `wire:"EphemeralStorage" range:"0-5000"`
	CPUOptionsCore   *int32   `wire:"CpuOptionsCore" range:"0-1000"`
	CPUThreads       *int32   `wire:"CpuOptionsThreadsPerCore" range:"0-1000"`

	EipInstanceID     string `wire:"EipInstanceId"`
	AutoCreateEip     *bool  `wire:"AutoCreateEip"`
	EipBandwidth      *int32 `wire:"EipBandwidth" range:"0-1000000"`
	IPv6AddressCount  *int32 `wire:"Ipv6AddressCount" range:"0-1"`
	PrivateIPAddress  string `wire:"PrivateIpAddress"`
	FixedIP           string `wire:"FixedIp" enum:"true,false"`
	FixedIPRetainHour *int32 `wire:"FixedIpRetainHour" range:"0-"`
	IngressBandwidth  *int64 `wire:"IngressBandwidth" range:"0-"`
	EgressBandwidth   *int64 `wire:"EgressBandwidth" range:"0-"`

	DNSPolicy   string      `wire:"DnsPolicy" enum:"None,Default"`
	HostName    string      `wire:"HostName"`
	HostAliases []hostAlias `wire:"HostAliase" max:"101"`
	NTPServer   []string    `wire:"NtpServer" max:"21"`

	ImageSnapshotID     string `wire:"ImageSnapshotId"`
	ImageAccelerateMode string `wire:"ImageAccelerateMode" enum:"nydus,dadi,p2p,imc"`

	SecurityContext     sysctlContext `wire:"SecurityContext"`
	HostSecurityContext sysctlContext `wire:"HostSecurityContext"`

	ShareProcessNamespace         *bool  `wire:"ShareProcessNamespace"`
	TerminationGracePeriodSeconds *int64 `wire:"TerminationGracePeriodSeconds" range:"0-2147483647"`
	ActiveDeadlineSeconds         *int64 `wire:"ActiveDeadlineSeconds" range:"1-2147483647"`
	// 10 to 1440 by the page of pod annotations.
	MaxPendingMinute *int32 `wire:"MaxPendingMinute" range:"10-1440"`
	CorePattern      string `wire:"CorePattern"`

	DryRun      *bool  `wire:"DryRun"`
	ClientToken string `wire:"ClientToken"`
}

// updateRequest is UpdateContainerGroup.
type updateRequest struct {
	RegionID         string `wire:"RegionId" req:"all"`
	ContainerGroupID string `wire:"ContainerGroupId" req:"all"`
	UpdateType       string `wire:"UpdateType" enum:"RenewUpdate,IncrementalUpdate"`
	groupParams
	ClientToken string `wire:"ClientToken"`
}

// groupParams is what both actions know.
type groupParams struct {
	RestartPolicy   string            `wire:"RestartPolicy" enum:"Always,OnFailure,Never"`
	CPU             *float64          `wire:"Cpu" range:"0-"`
	Memory          *float64          `wire:"Memory" range:"0-"`
	ResourceGroupID string            `wire:"ResourceGroupId"`
	Tags            []tag             `wire:"Tag" max:"21"`
	DNSConfig       *dnsConfig        `wire:"DnsConfig"`
	Credentials     []credential      `wire:"ImageRegistryCredential" max:"11/21"`
	Containers      []containerParams `wire:"Container" max:"41/21" req:"create"`
	InitContainers  []initContainer   `wire:"InitContainer" max:"41/21"`
	Volumes         []volumeParams    `wire:"Volume" max:"101/61"`
}

type tag struct {
	Key   string `wire:"Key"`
	Value string `wire:"Value"`
}

type nameValue struct {
	Name  string `wire:"Name"`
	Value string `wire:"Value"`
}

type dnsConfig struct {
	NameServers []string    `wire:"NameServer" max:"20/21"`
	Searches    []string    `wire:"Search" max:"20/21"`
	Options     []nameValue `wire:"Option" max:"20/21"`
}

type hostAlias struct {
	IP        string   `wire:"Ip"`
	Hostnames []string `wire:"Hostname" max:"51"`
}

type sysctlContext struct {
	Sysctls []nameValue `wire:"Sysctl" max:"101"`
}

type credential struct {
	Server   string `wire:"Server" req:"all"`
	UserName string `wire:"UserName" req:"all"`
	Password string `wire:"Password" req:"all"`
}

// String names the registry and the user, never the password.
func (c credential) String() string { return c.Server + " as " + c.UserName }

// GoString is String, so that %#v shows no password either.
func (c credential) GoString() string { return c.String() }

// baseContainer is what containers and init containers share.
type baseContainer struct {
	Name            string           `wire:"Name" req:"all"`
	Image           string           `wire:"Image" req:"create" len:"1-255"`
	ImagePullPolicy string           `wire:"ImagePullPolicy" enum:"Always,IfNotPresent,Never"`
	Command         []string         `wire:"Command" max:"20" len:"0-256"` // API prose; schema 101
	Args            []string         `wire:"Arg" max:"10"`                 // API prose; schema 101
	WorkingDir      string           `wire:"WorkingDir"`
	CPU             *float64         `wire:"Cpu" range:"0-"`
	Memory          *float64         `wire:"Memory" range:"0-"`
	GPU             *int32           `wire:"Gpu" range:"0-"`
	Env             []envVar         `wire:"EnvironmentVar" max:"241/101"`
	Ports           []port           `wire:"Port" max:"101"`
	Mounts          []volumeMount    `wire:"VolumeMount" max:"101"`
	SecurityContext *securityContext `wire:"SecurityContext"`
	MessagePath     string           `wire:"TerminationMessagePath" only:"create"`
	MessagePolicy   string           `wire:"TerminationMessagePolicy" only:"create" enum:"File,FallbackToLogsOnError"`
}

type containerParams struct {
	baseContainer
	EnvHide        *bool          `wire:"EnvironmentVarHide" only:"create"`
	LivenessProbe  *livenessProbe `wire:"LivenessProbe"`
	ReadinessProbe *probeParams   `wire:"ReadinessProbe"`
	PostStart      hook           `prefix:"LifecyclePostStartHandler"`
	PreStop        hook           `prefix:"LifecyclePreStopHandler"`
	// PostStartHeaders is Update's name, in the plural, of what Create calls
	// LifecyclePostStartHandlerHttpGetHttpHeader; unfold moves it there.
	PostStartHeaders []nameValue `wire:"LifecyclePostStartHandlerHttpGetHttpHeaders" only:"update" max:"101"`
	RunAsGroup       *int64      `wire:"SecurityContextRunAsGroup" only:"create" range:"0-"`
	RunAsNonRoot     *bool       `wire:"SecurityContextRunAsNonRoot" only:"create"`
	Privileged       *bool       `wire:"SecurityContextPrivileged" only:"create"`
	Stdin            *bool       `wire:"Stdin"`
	StdinOnce        *bool       `wire:"StdinOnce"`
	TTY              *bool       `wire:"Tty"`
}

type initContainer struct {
	baseContainer
	Stdin     *bool `wire:"Stdin" only:"update"`
	StdinOnce *bool `wire:"StdinOnce" only:"update"`
	TTY       *bool `wire:"Tty" only:"update"`
}

type envVar struct {
	Key      string   `wire:"Key" req:"all"`
	Value    string   `wire:"Value"`
	FieldRef fieldRef `wire:"FieldRef"`
}

type fieldRef struct {
	FieldPath string `wire:"FieldPath" enum:"status.podIP"`
}

type port struct {
	Port     *int32 `wire:"Port" req:"all" range:"1-65535"`
	Protocol string `wire:"Protocol" enum:"TCP,UDP"`
}

type volumeMount struct {
	Name        string `wire:"Name" req:"all"`
	MountPath   string `wire:"MountPath" req:"all"`
	SubPath     string `wire:"SubPath"`
	ReadOnly    *bool  `wire:"ReadOnly"`
	Propagation string `wire:"MountPropagation" enum:"None,HostToContainer,HostToCotainer,Bidirectional"`
}

type securityContext struct {
	Capability struct {
		Add []string `wire:"Add" max:"100/101" enum:"NET_ADMIN,NET_RAW"`
	} `wire:"Capability"`
	ReadOnlyRootFilesystem *bool  `wire:"ReadOnlyRootFilesystem" enum:"true"`
	RunAsUser              *int64 `wire:"RunAsUser" range:"0-"`
}

// probeParams is a readiness probe; a liveness probe differs in one bound.
type probeParams struct {
	probeNumbers
	Exec struct {
		Command []string `wire:"Command" max:"20/101"`
	} `wire:"Exec"`
}

type livenessProbe struct {
	probeNumbers
	Exec struct {
		Command []string `wire:"Command" max:"21/101"`
	} `wire:"Exec"`
}

type probeNumbers struct {
	HTTPGet             *httpGet   `wire:"HttpGet"`
	TCPSocket           *tcpSocket `wire:"TcpSocket"`
	InitialDelaySeconds *int32     `wire:"InitialDelaySeconds" range:"0-"`
	PeriodSeconds       *int32     `wire:"PeriodSeconds" range:"1-"`
	TimeoutSeconds      *int32     `wire:"TimeoutSeconds" range:"1-"`
	SuccessThreshold    *int32     `wire:"SuccessThreshold" range:"1-1"`
	FailureThreshold    *int32     `wire:"FailureThreshold" range:"1-"`
}

type httpGet struct {
	Path   string `wire:"Path"`
	Port   *int32 `wire:"Port" req:"all" range:"1-65535"`
	Scheme string `wire:"Scheme" enum:"HTTP,HTTPS"`
}

type tcpSocket struct {
	Port *int32 `wire:"Port" req:"all" range:"1-65535"`
}

// hook is a lifecycle handler; its names are joined to a prefix without dots.
type hook struct {
	Exec    []string    `wire:"Exec" max:"101"`
	Host    string      `wire:"HttpGetHost"`
	Path    string      `wire:"HttpGetPath"`
	Port    *int32      `wire:"HttpGetPort" range:"1-65535"`
	Scheme  string      `wire:"HttpGetScheme" enum:"HTTP,HTTPS"`
	Headers []nameValue `wire:"HttpGetHttpHeader" max:"101"`
	TCPHost string      `wire:"TcpSocketHost"`
	TCPPort *int32      `wire:"TcpSocketPort" range:"1-65535"`
}

type volumeParams struct {
	Name string `wire:"Name" req:"all"`
	Type string `wire:"Type" req:"create" enum:"EmptyDirVolume,NFSVolume,ConfigFileVolume,FlexVolume,HostPathVolume,DiskVolume"`

	EmptyDir   emptyDir   `wire:"EmptyDirVolume"`
	NFS        nfs        `wire:"NFSVolume"`
	ConfigFile configFile `wire:"ConfigFileVolume"`
	Flex       flex       `wire:"FlexVolume"`
	HostPath   hostPath   `wire:"HostPathVolume"`
	Disk       diskVolume `wire:"DiskVolume" only:"create"`
}

type emptyDir struct {
	Medium    string `wire:"Medium" enum:"Memory,memory,LocalRaid0"`
	SizeLimit string `wire:"SizeLimit"`
}

type nfs struct {
	Server   string `wire:"Server"`
	Path     string `wire:"Path"`
	ReadOnly *bool  `wire:"ReadOnly"`
}

type configFile struct {
	// Mode is a decimal number, as the Go SDK prints it: 420 is 0644. An octal
	// literal such as 0755 is out of range rather than misread.
	DefaultMode *int32       `wire:"DefaultMode" only:"create" range:"0-511"`
	Files       []fileToPath `wire:"ConfigFileToPath" max:"90/16"`
}

type fileToPath struct {
	Path    string `wire:"Path" req:"all"`
	Content string `wire:"Content"`
	Mode    *int32 `wire:"Mode" only:"create" range:"0-511"`
}

type flex struct {
	Driver  string `wire:"Driver" enum:"alicloud/disk,alicloud/nas,alicloud/oss"`
	FSType  string `wire:"FsType"`
	Options string `wire:"Options"`
}

type hostPath struct {
	Path string `wire:"Path"`
	Type string `wire:"Type" enum:"Directory,File"`
}

type diskVolume struct {
	DiskID   string `wire:"DiskId"`
	DiskSize *int32 `wire:"DiskSize" range:"20-32768"`
	FSType   string `wire:"FsType"`
}
