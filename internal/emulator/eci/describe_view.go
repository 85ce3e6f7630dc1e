package eci

// The answer of DescribeContainerGroups, by the names of its API page. Where a
// field has no json tag its Go name is the name on the wire.

type groupView struct {
	ContainerGroupID   string `json:"ContainerGroupId"`
	ContainerGroupName string
	Status             string
	RegionID           string  `json:"RegionId"`
	ZoneID             string  `json:"ZoneId"`
	VpcID              string  `json:"VpcId"`
	VSwitchID          string  `json:"VSwitchId"`
	SecurityGroupID    string  `json:"SecurityGroupId"`
	ResourceGroupID    string  `json:"ResourceGroupId,omitempty"`
	CPU                float64 `json:"Cpu"`
	Memory             float64
	InstanceType       string `json:",omitempty"`
	ComputeCategory    string `json:",omitempty"`
	EphemeralStorage   int
	RestartPolicy      string
	IntranetIP         string               `json:"IntranetIp,omitempty"`
	InternetIP         string               `json:"InternetIp,omitempty"`
	IPv6Address        string               `json:"Ipv6Address,omitempty"`
	EniInstanceID      string               `json:"EniInstanceId,omitempty"`
	RAMRoleName        string               `json:"RamRoleName,omitempty"`
	DNSPolicy          string               `json:"DnsPolicy"`
	DNSConfig          *dnsConfigView       `json:"DnsConfig,omitempty"`
	EciSecurityContext *securityContextView `json:",omitempty"`
	HostAliases        []hostAliasView      `json:",omitempty"`
	Tags               []tagView
	Events             []groupEventView `json:",omitempty"`
	Volumes            []volumeView     `json:",omitempty"`
	Containers         []containerView
	InitContainers     []initContainerView `json:",omitempty"`
	SpotStrategy       string
	SpotPriceLimit     *float64 `json:",omitempty"`
	CreationTime       string
	SucceededTime      string `json:",omitempty"`
	FailedTime         string `json:",omitempty"`
	ExpiredTime        string `json:",omitempty"`
}

type tagView struct{ Key, Value string }

type nameValueView struct {
	Name  string
	Value string `json:",omitempty"`
}

type dnsConfigView struct {
	NameServers []string
	Searches    []string        `json:",omitempty"`
	Options     []nameValueView `json:",omitempty"`
}

type securityContextView struct{ Sysctls []nameValueView }

type hostAliasView struct {
	IP        string `json:"Ip"`
	Hostnames []string
}

type groupEventView struct {
	Type, Reason, Message, Name   string
	Count                         int
	FirstTimestamp, LastTimestamp string
}

// baseView is what containers and init containers share.
type baseView struct {
	Name, Image     string
	ImagePullPolicy string                 `json:",omitempty"`
	Args            []string               `json:",omitempty"`
	WorkingDir      string                 `json:",omitempty"`
	CPU             *float64               `json:"Cpu,omitempty"`
	Memory          *float64               `json:",omitempty"`
	GPU             *int32                 `json:"Gpu,omitempty"`
	EnvironmentVars []envVarView           `json:",omitempty"`
	Ports           []portView             `json:",omitempty"`
	VolumeMounts    []mountView            `json:",omitempty"`
	SecurityContext *containerSecurityView `json:",omitempty"`
	Ready           bool
	RestartCount    int
	CurrentState    *stateView `json:",omitempty"`
	PreviousState   *stateView `json:",omitempty"`
}

// containerView names the command Commands; initContainerView names it Command.
type containerView struct {
	baseView
	Commands       []string   `json:",omitempty"`
	LivenessProbe  *probeView `json:",omitempty"`
	ReadinessProbe *probeView `json:",omitempty"`
	Stdin          bool
	StdinOnce      bool
	Tty            bool
}

type initContainerView struct {
	baseView
	Command []string `json:",omitempty"`
}

type envVarView struct {
	Key       string
	Value     string         `json:",omitempty"`
	ValueFrom *valueFromView `json:",omitempty"`
}

type valueFromView struct{ FieldRef fieldRefView }

type fieldRefView struct{ FieldPath string }

type portView struct {
	Port     int32
	Protocol string
}

type mountView struct {
	Name, MountPath  string
	SubPath          string `json:",omitempty"`
	ReadOnly         bool
	MountPropagation string `json:",omitempty"`
}

type containerSecurityView struct {
	Capability             *capabilityView `json:",omitempty"`
	ReadOnlyRootFilesystem *bool           `json:",omitempty"`
	RunAsUser              *int64          `json:",omitempty"`
}

type capabilityView struct{ Adds []string }

type probeView struct {
	Execs     []string       `json:",omitempty"`
	HTTPGet   *httpGetView   `json:"HttpGet,omitempty"`
	TCPSocket *tcpSocketView `json:"TcpSocket,omitempty"`

	InitialDelaySeconds, PeriodSeconds, TimeoutSeconds int32
	SuccessThreshold, FailureThreshold                 int32
}

type httpGetView struct {
	Scheme, Path string
	Port         int32
}

type tcpSocketView struct {
	Host string `json:",omitempty"`
	Port int32
}

type stateView struct {
	State      string
	StartTime  string `json:",omitempty"`
	FinishTime string `json:",omitempty"`
	ExitCode   *int   `json:",omitempty"`
	Signal     *int   `json:",omitempty"`
	Reason     string `json:",omitempty"`
	Message    string `json:",omitempty"`
}

// volumeView is flat: the source's name stands before each field's.
type volumeView struct {
	Name, Type                        string
	EmptyDirVolumeMedium              string     `json:",omitempty"`
	EmptyDirVolumeSizeLimit           string     `json:",omitempty"`
	NFSVolumeServer                   string     `json:",omitempty"`
	NFSVolumePath                     string     `json:",omitempty"`
	NFSVolumeReadOnly                 *bool      `json:",omitempty"`
	ConfigFileVolumeConfigFileToPaths []fileView `json:",omitempty"`
	FlexVolumeDriver                  string     `json:",omitempty"`
	FlexVolumeFsType                  string     `json:",omitempty"`
	FlexVolumeOptions                 string     `json:",omitempty"`
	DiskVolumeDiskID                  string     `json:"DiskVolumeDiskId,omitempty"`
	DiskVolumeFsType                  string     `json:",omitempty"`
}

// fileView has the content as it came, in base64.
type fileView struct{ Path, Content string }
