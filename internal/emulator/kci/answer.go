package kci

import (
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The answer to DescribeContainerGroup, in the order and with the nulls of the
// KCI document's example: what the example has as null is null when empty, what
// it has as [] is []. A pointer to an extras struct that is nil leaves out what
// only the SDKs have.

// groupAnswer is an element of ContainerGroups.
type groupAnswer struct {
	ContainerGroupID           string            `json:"ContainerGroupId"`
	ContainerGroupName         string            `json:"ContainerGroupName"`
	AvailabilityZone           string            `json:"AvailabilityZone"`
	ChargeType                 string            `json:"ChargeType"`
	NetworkInterfaceAttributes []interfaceAnswer `json:"NetworkInterfaceAttributes"`
	CPU                        float64           `json:"Cpu"`
	Memory                     float64           `json:"Memory"`
	CreateTime                 string            `json:"CreateTime"`
	RestartPolicy              string            `json:"RestartPolicy"`
	Status                     string            `json:"Status"`
	SucceededTime              *string           `json:"SucceededTime"`
	Volumes                    []volumeAnswer    `json:"Volumes"`
	DNSConfig                  *dnsAnswer        `json:"DnsConfig"`
	Containers                 []containerAnswer `json:"Containers"`
	Events                     []eventAnswer     `json:"Events"`
	*groupExtras
}

// groupExtras is what the SDKs know of a group beyond the KCI document.
type groupExtras struct {
	ProjectID     int               `json:"ProjectId"`
	KciType       string            `json:"KciType"`
	KciMode       string            `json:"KciMode"`
	InstanceType  *string           `json:"InstanceType"`
	GPU           *float64          `json:"Gpu"`
	RetainIP      *bool             `json:"RetainIp"`
	RetainIPHours *int              `json:"RetainIpHours"`
	Labels        []labelAnswer     `json:"Labels"`
	HostAliases   []hostAliasAnswer `json:"HostAliases"`
}

type labelAnswer struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

type hostAliasAnswer struct {
	Hostnames []string `json:"Hostnames"`
	IP        string   `json:"Ip"`
}

// interfaceAnswer is an element of NetworkInterfaceAttributes.
type interfaceAnswer struct {
	NetworkInterfaceID   string                `json:"NetworkInterfaceId"`
	NetworkInterfaceType string                `json:"NetworkInterfaceType"`
	VpcID                string                `json:"VpcId"`
	SubnetID             string                `json:"SubnetId"`
	PrivateIPAddress     *string               `json:"PrivateIpAddress"`
	MACAddress           string                `json:"MacAddress"`
	SecurityGroups       []securityGroupAnswer `json:"SecurityGroups"`
	*interfaceExtras
}

type interfaceExtras struct {
	// PublicIP is null where no elastic address is bound.
	PublicIP *string `json:"PublicIp"`
}

type securityGroupAnswer struct {
	SecurityGroupID string `json:"SecurityGroupId"`
}

type dnsAnswer struct {
	NameServers []string       `json:"NameServers"`
	Searches    []string       `json:"Searches"`
	Options     []optionAnswer `json:"Options"`
}

type optionAnswer struct {
	Name  string  `json:"Name"`
	Value *string `json:"Value"`
}

// volumeAnswer is an element of Volumes; the source that Type names is there.
type volumeAnswer struct {
	Type             string       `json:"Type"`
	Name             string       `json:"Name"`
	ConfigFileVolume *filesAnswer `json:"ConfigFileVolume,omitempty"`
	EBSVolume        *ebsAnswer   `json:"EBSVolume,omitempty"`
	NFSVolume        *nfsAnswer   `json:"NFSVolume,omitempty"`
	HostPathVolume   *pathAnswer  `json:"HostPathVolume,omitempty"`
}

// filesAnswer tells the paths of configuration files, never the contents.
type filesAnswer struct {
	ConfigFileToPaths []pathAnswer `json:"ConfigFileToPaths"`
}

type pathAnswer struct {
	Path string `json:"Path"`
}

type ebsAnswer struct {
	FsType   string  `json:"FsType"`
	VolumeID *string `json:"VolumeId"`
}

type nfsAnswer struct {
	Path     string `json:"Path"`
	Server   string `json:"Server"`
	ReadOnly bool   `json:"ReadOnly"`
}

// eventAnswer is an element of Events.
type eventAnswer struct {
	FirstTimestamp string `json:"FirstTimestamp"`
	LastTimestamp  string `json:"LastTimestamp"`
	Count          int    `json:"Count"`
	Type           string `json:"Type"`
	Reason         string `json:"Reason"`
	Message        string `json:"Message"`
}

// beijing is the zone of CreateTime: in the KCI document's example it is eight
// hours ahead of the first event, which carries a Z.
var beijing = time.FixedZone("+08:00", 8*60*60)

func createTime(at time.Time) string { return at.In(beijing).Format(time.DateTime) }

// instant writes every other time; zero is null.
func instant(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	text := at.UTC().Format(time.RFC3339)
	return &text
}

// textOrNull makes an empty text null.
func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// numberOrNull makes 0, which means that nothing was asked for, null.
func numberOrNull(number float64) *float64 {
	if number == 0 {
		return nil
	}
	return &number
}

// notNull makes an empty list [].
func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// wireOf returns what readCreate kept for the answers.
func wireOf(g *engine.Group) *wire {
	if echo, ok := g.Spec.Wire.(*wire); ok {
		return echo
	}
	return &wire{chargeType: chargeHourly} // a group that did not come through this API
}

func (s *Server) groupAnswer(g *engine.Group) groupAnswer {
	a := groupAnswer{
		ContainerGroupID:           g.ID,
		ContainerGroupName:         g.Spec.Name,
		AvailabilityZone:           g.Spec.Zone,
		ChargeType:                 wireOf(g).chargeType,
		NetworkInterfaceAttributes: s.interfaceAnswers(g),
		CPU:                        g.Spec.CPU,
		Memory:                     g.Spec.Memory,
		CreateTime:                 createTime(g.CreatedAt),
		RestartPolicy:              g.Spec.RestartPolicy,
		Status:                     s.leaving.status(g),
		Volumes:                    volumeAnswers(g.Spec.Volumes),
		DNSConfig:                  newDNSAnswer(g.Spec.DNS),
		Containers:                 s.containerAnswers(g),
		Events:                     eventAnswers(g.Events),
	}
	if a.Status == statusSucceeded {
		a.SucceededTime = instant(g.EndedAt)
	}
	if s.options.Dialect != Seed {
		a.groupExtras = newGroupExtras(g)
	}
	return a
}

func newGroupExtras(g *engine.Group) *groupExtras {
	echo := wireOf(g)
	extras := &groupExtras{
		ProjectID: echo.projectID, KciType: kciTypeRBKCI, KciMode: modeStandalone,
		InstanceType: textOrNull(g.Spec.InstanceType), GPU: echo.gpu,
		RetainIP: echo.retainIP, RetainIPHours: echo.retainIPHours,
		Labels: []labelAnswer{},
	}
	for _, tag := range g.Tags {
		extras.Labels = append(extras.Labels, labelAnswer{tag.Name, tag.Value})
	}
	for _, alias := range g.Spec.HostAliases {
		extras.HostAliases = append(extras.HostAliases, hostAliasAnswer{alias.Names, alias.IP})
	}
	return extras
}

// interfaceAnswers tells the one network interface, as soon as there is one.
func (s *Server) interfaceAnswers(g *engine.Group) []interfaceAnswer {
	if g.ENI == "" && g.IP == "" {
		return []interfaceAnswer{}
	}
	primary := interfaceAnswer{
		NetworkInterfaceID:   g.ENI,
		NetworkInterfaceType: "primary",
		VpcID:                g.Spec.VPC,
		SubnetID:             g.Spec.Subnet,
		PrivateIPAddress:     textOrNull(g.IP),
		MACAddress:           g.MAC,
		SecurityGroups:       []securityGroupAnswer{},
	}
	for _, id := range g.Spec.SecurityGroups {
		primary.SecurityGroups = append(primary.SecurityGroups, securityGroupAnswer{id})
	}
	if s.options.Dialect != Seed {
		primary.interfaceExtras = &interfaceExtras{PublicIP: publicIP(g)}
	}
	return []interfaceAnswer{primary}
}

func volumeAnswers(volumes []engine.Volume) []volumeAnswer {
	var answers []volumeAnswer
	for _, v := range volumes {
		a := volumeAnswer{Type: v.Type, Name: v.Name}
		switch {
		case v.Files != nil:
			a.ConfigFileVolume = &filesAnswer{ConfigFileToPaths: []pathAnswer{}}
			for _, file := range v.Files.Items {
				a.ConfigFileVolume.ConfigFileToPaths = append(a.ConfigFileVolume.ConfigFileToPaths, pathAnswer{file.Path})
			}
		case v.Flex != nil:
			a.EBSVolume = &ebsAnswer{v.Flex.FSType, textOrNull(v.Flex.Options["volumeId"])}
		case v.NFS != nil:
			a.NFSVolume = &nfsAnswer{v.NFS.Path, v.NFS.Server, v.NFS.ReadOnly}
		case v.HostPath != "":
			a.HostPathVolume = &pathAnswer{v.HostPath}
		}
		answers = append(answers, a)
	}
	return answers
}

func newDNSAnswer(dns *engine.DNS) *dnsAnswer {
	if dns == nil {
		return nil
	}
	a := &dnsAnswer{notNull(dns.NameServers), notNull(dns.Searches), []optionAnswer{}}
	for _, option := range dns.Options {
		a.Options = append(a.Options, optionAnswer{option.Name, textOrNull(option.Value)})
	}
	return a
}

// eventMessage words an event as KCI's agent does: it quotes images in back-ticks
// where a kubelet has quotation marks, and names the container where a younger
// kubelet does not (KCI document, example).
func eventMessage(event *engine.Event) string {
	switch event.Reason {
	case "Pulling", "Pulled":
		return strings.ReplaceAll(event.Message, `"`, "`")
	case "Created", "Started":
		if event.Container != "" {
			return event.Reason + " container " + event.Container
		}
	}
	return event.Message
}

// eventAnswers tells events oldest first.
func eventAnswers(events []engine.Event) []eventAnswer {
	answers := []eventAnswer{}
	for i := range events {
		event := &events[i]
		answers = append(answers, eventAnswer{
			FirstTimestamp: event.First.UTC().Format(time.RFC3339),
			LastTimestamp:  event.Last.UTC().Format(time.RFC3339),
			Count:          event.Count, Type: event.Type, Reason: event.Reason, Message: eventMessage(event),
		})
	}
	return answers
}
