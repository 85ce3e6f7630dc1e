package eci

import (
	"slices"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type groupsRequest struct {
	listRequest
	ContainerGroupName string `wire:"ContainerGroupName"`
	Status             string `wire:"Status" enum:"Pending,Running,Succeeded,Failed,Scheduling,ScheduleFailed,Restarting,Updating,Terminating,Expired"`
	SecurityGroupID    string `wire:"SecurityGroupId"`
	ComputeCategory    string `wire:"ComputeCategory" enum:"economy,general"`
	WithEvent          *bool  `wire:"WithEvent"`
	Limit              *int32 `wire:"Limit"`
}

type groupsAnswer struct {
	RequestID       string `json:"RequestId"`
	TotalCount      int
	NextToken       string `json:",omitempty"`
	ContainerGroups []groupView
}

// describeContainerGroups answers everything about at most 20 groups.
func (s *Server) describeContainerGroups(c *call, r *groupsRequest) (any, error) {
	limit, err := readLimit(r.Limit, defaultGroups, maxGroups)
	if err != nil {
		return nil, err
	}
	q, err := r.compile(limit, func(g *engine.Group) bool {
		return is(r.ContainerGroupName, g.Spec.Name) && is(r.Status, string(g.Status)) &&
			is(r.ComputeCategory, wireOf(g).category()) &&
			(r.SecurityGroupID == "" || slices.Contains(g.Spec.SecurityGroups, r.SecurityGroupID))
	})
	if err != nil {
		return nil, err
	}
	p := s.page(q)
	answer := groupsAnswer{RequestID: c.id, TotalCount: p.total, NextToken: p.next, ContainerGroups: []groupView{}}
	for i := range p.groups {
		answer.ContainerGroups = append(answer.ContainerGroups, viewOf(&p.groups[i], value(r.WithEvent)))
	}
	return answer, nil
}

// category is the category that a group was asked to be of, the most preferred
// one if there are several.
func (r *createRequest) category() string {
	if len(r.ComputeCategory) == 0 {
		return ""
	}
	return r.ComputeCategory[0]
}

// viewOf is a group as DescribeContainerGroups shows it.
func viewOf(g *engine.Group, withEvents bool) groupView {
	r := wireOf(g)
	v := groupView{
		ContainerGroupID: g.ID, ContainerGroupName: g.Spec.Name, Status: string(g.Status),
		RegionID: g.Spec.Region, ZoneID: g.Spec.Zone, VpcID: g.Spec.VPC, VSwitchID: g.Spec.Subnet,
		SecurityGroupID: strings.Join(g.Spec.SecurityGroups, ","), ResourceGroupID: r.ResourceGroupID,
		CPU: g.Spec.CPU, Memory: g.Spec.Memory, InstanceType: g.Spec.InstanceType,
		ComputeCategory: r.category(), EphemeralStorage: baseStorage + int(value(r.EphemeralStorage)),
		RestartPolicy: g.Spec.RestartPolicy, IntranetIP: g.IP, EniInstanceID: g.ENI,
		RAMRoleName: r.RAMRoleName, DNSPolicy: orDefault(r.DNSPolicy, "Default"), DNSConfig: dnsView(r.DNSConfig),
		EciSecurityContext: sysctlsView(r.SecurityContext.Sysctls),
		SpotStrategy:       orDefault(r.SpotStrategy, "NoSpot"),
		CreationTime:       timestamp(g.CreatedAt),
		Tags:               tagsView(g.Tags),
	}
	if r.SpotStrategy == "SpotWithPriceLimit" {
		v.SpotPriceLimit = r.SpotPriceLimit
	}
	v.setEnd(g)
	v.setAddresses(g)
	for _, a := range r.HostAliases {
		v.HostAliases = append(v.HostAliases, hostAliasView(a))
	}
	if withEvents {
		v.Events = eventViews(g)
	}
	for i := range r.Volumes {
		v.Volumes = append(v.Volumes, volumeOf(&r.Volumes[i]))
	}
	for i := range r.Containers {
		v.Containers = append(v.Containers, containerOf(&r.Containers[i], g.Containers))
	}
	for i := range r.InitContainers {
		v.InitContainers = append(v.InitContainers, initContainerOf(&r.InitContainers[i], g.InitContainers))
	}
	return v
}

// setEnd sets the one of the end times that fits the state.
func (v *groupView) setEnd(g *engine.Group) {
	at := timestamp(g.EndedAt)
	if at == "" {
		at = timestamp(g.ChangedAt)
	}
	switch g.Status {
	case engine.Succeeded:
		v.SucceededTime = at
	case engine.Failed, engine.ScheduleFailed:
		v.FailedTime = at
	case engine.Expired:
		v.ExpiredTime = at
	default: // it has not ended
	}
}

func tagsView(tags []engine.NameValue) []tagView {
	views := []tagView{}
	for _, t := range tags {
		views = append(views, tagView{Key: t.Name, Value: t.Value})
	}
	return views
}

func dnsView(d *dnsConfig) *dnsConfigView {
	if d == nil {
		return nil
	}
	return &dnsConfigView{NameServers: d.NameServers, Searches: d.Searches, Options: namesView(d.Options)}
}

func sysctlsView(sysctls []nameValue) *securityContextView {
	if len(sysctls) == 0 {
		return nil
	}
	return &securityContextView{Sysctls: namesView(sysctls)}
}

func namesView(list []nameValue) []nameValueView {
	var views []nameValueView
	for _, p := range list {
		views = append(views, nameValueView(p))
	}
	return views
}

// eventViews are the newest 50 events.
func eventViews(g *engine.Group) []groupEventView {
	views := []groupEventView{}
	for _, e := range g.Events[max(0, len(g.Events)-maxEvents):] {
		views = append(views, groupEventView{
			Type: e.Type, Reason: e.Reason, Message: e.Message, Name: g.Spec.Name, Count: e.Count,
			FirstTimestamp: timestamp(e.First), LastTimestamp: timestamp(e.Last),
		})
	}
	return views
}
