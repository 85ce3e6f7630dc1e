package eci

import (
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type metricRequest struct {
	RegionID          string `wire:"RegionId" req:"all"`
	ContainerGroupIDs string `wire:"ContainerGroupIds" req:"all"`
	ResourceGroupID   string `wire:"ResourceGroupId"`
	MetricType        string `wire:"MetricType" enum:"summary"`
}

type metricAnswer struct {
	RequestID    string `json:"RequestId"`
	MonitorDatas []monitorData
}

type monitorData struct {
	ContainerGroupID   string `json:"ContainerGroupId"`
	ContainerGroupName string
	Records            []metricRecord
}

type metricRecord struct {
	Timestamp  string
	CPU        cpuView
	Memory     memoryView
	Network    networkView
	Containers []containerMetric
}

// cpuView has Limit in thousandths of a core.
type cpuView struct {
	Limit, Load                          int64
	UsageNanoCores, UsageCoreNanoSeconds uint64
}

type memoryView struct {
	UsageBytes, WorkingSet, Rss, Cache, AvailableBytes uint64
}

type networkView struct{ Interfaces []interfaceView }

// interfaceView counts since the group's start.
type interfaceView struct {
	Name                                  string
	RxBytes, RxErrors, RxPackets, RxDrops uint64
	TxBytes, TxErrors, TxPackets, TxDrops uint64
}

type containerMetric struct {
	Name   string
	CPU    cpuView
	Memory memoryView
}

// zone8 is the zone in which the API tells sample times.
var zone8 = time.FixedZone("", 8*60*60)

// describeMultiContainerGroupMetric answers the latest sample of up to 20 groups;
// groups without one, or that do not exist, are left out. The engine counts no
// packets, disks and file systems, so these are zero or absent.
func (s *Server) describeMultiContainerGroupMetric(c *call, r *metricRequest) (any, error) {
	ids, err := readIDs(r.ContainerGroupIDs)
	if err != nil {
		return nil, err
	}
	answer := metricAnswer{RequestID: c.id, MonitorDatas: []monitorData{}}
	for _, id := range ids {
		g, err := s.groups.Get(id)
		if err != nil || !is(r.ResourceGroupID, wireOf(&g).ResourceGroupID) {
			continue
		}
		if usage, err := s.groups.Usage(id); err == nil {
			answer.MonitorDatas = append(answer.MonitorDatas, monitorData{
				ContainerGroupID: id, ContainerGroupName: g.Spec.Name, Records: []metricRecord{recordOf(&g, &usage)},
			})
		}
	}
	return answer, nil
}

func recordOf(g *engine.Group, usage *engine.Usage) metricRecord {
	limits := map[string]engine.Container{}
	for _, c := range g.Spec.Containers {
		limits[c.Name] = c
	}
	record := metricRecord{
		Timestamp:  usage.Time.In(zone8).Format(time.RFC3339),
		Network:    networkView{[]interfaceView{{Name: "eth0", RxBytes: usage.RxBytes, TxBytes: usage.TxBytes}}},
		Containers: []containerMetric{},
	}
	var sum engine.ContainerUsage
	for i := range usage.Containers {
		u := &usage.Containers[i]
		sum.NanoCores += u.NanoCores
		sum.CoreNanoSeconds += u.CoreNanoSeconds
		sum.UsageBytes += u.UsageBytes
		sum.WorkingSetBytes += u.WorkingSetBytes
		sum.RSSBytes += u.RSSBytes
		limit := limits[u.Name]
		record.Containers = append(record.Containers, containerMetric{
			Name:   u.Name,
			CPU:    cpuOf(u, orNumber(limit.CPU, g.Spec.CPU)),
			Memory: memoryOf(u, orNumber(limit.Memory, g.Spec.Memory)),
		})
	}
	record.CPU, record.Memory = cpuOf(&sum, g.Spec.CPU), memoryOf(&sum, g.Spec.Memory)
	return record
}

// orNumber is a container's own limit, or else the group's size.
func orNumber(own, otherwise float64) float64 {
	if own > 0 {
		return own
	}
	return otherwise
}

func cpuOf(u *engine.ContainerUsage, cores float64) cpuView {
	return cpuView{Limit: int64(cores * 1000), UsageNanoCores: u.NanoCores, UsageCoreNanoSeconds: u.CoreNanoSeconds}
}

func memoryOf(u *engine.ContainerUsage, gib float64) memoryView {
	v := memoryView{UsageBytes: u.UsageBytes, WorkingSet: u.WorkingSetBytes, Rss: u.RSSBytes}
	if limit := uint64(gib * (1 << 30)); limit > u.WorkingSetBytes {
		v.AvailableBytes = limit - u.WorkingSetBytes
	}
	if u.UsageBytes > u.RSSBytes {
		v.Cache = u.UsageBytes - u.RSSBytes
	}
	return v
}
