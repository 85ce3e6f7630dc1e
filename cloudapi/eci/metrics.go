package eci

import (
	"context"
	"slices"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// Metrics implements cloudapi.Client. Groups without a record are missing from
// the answer.
func (c *Client) Metrics(ctx context.Context, ids []string) ([]cloudapi.GroupMetrics, error) {
	return inBatches(ctx, ids, c.metricsBatch)
}

func (c *Client) metricsBatch(ctx context.Context, ids []string) ([]cloudapi.GroupMetrics, error) {
	list, err := idList(opMetrics, ids)
	if err != nil {
		return nil, err
	}
	request := &sdk.DescribeMultiContainerGroupMetricRequest{
		RegionId: &c.region, ContainerGroupIds: &list, MetricType: text1("summary"),
	}
	answer, err := do[metricsAnswer](ctx, c, read(opMetrics, request))
	if err != nil {
		return nil, err
	}
	found := newOrdered[cloudapi.GroupMetrics]()
	for _, data := range answer.MonitorDatas {
		if len(data.Records) > 0 && slices.Contains(ids, string(data.ContainerGroupID)) {
			found.put(string(data.ContainerGroupID), toMetrics(data))
		}
	}
	return inOrder(ids, found), nil
}

// toMetrics reads the newest record of a group; pure. There must be one.
func toMetrics(data wireGroupData) cloudapi.GroupMetrics {
	newest := slices.MaxFunc(data.Records, func(a, b wireRecord) int {
		return a.Timestamp.time().Compare(b.Timestamp.time())
	})
	out := cloudapi.GroupMetrics{
		GroupID: string(data.ContainerGroupID),
		Time:    newest.Timestamp.time(),
		CPU:     toCPU(newest.CPU),
		Memory:  toMemory(newest.Memory),
	}
	for _, i := range newest.Network.Interfaces {
		out.Network = append(out.Network, cloudapi.InterfaceUsage{
			Name:    string(i.Name),
			RxBytes: i.RxBytes.count(), RxErrors: i.RxErrors.count(),
			TxBytes: i.TxBytes.count(), TxErrors: i.TxErrors.count(),
		})
	}
	for _, c := range newest.Containers {
		out.Containers = append(out.Containers, cloudapi.ContainerMetrics{
			Name: string(c.Name), CPU: toCPU(c.CPU), Memory: toMemory(c.Memory),
		})
	}
	return out
}

func toCPU(w wireCPU) cloudapi.CPUUsage {
	return cloudapi.CPUUsage{UsageNanoCores: w.UsageNanoCores.count(), UsageCoreNanoSeconds: w.UsageCoreNanoSeconds.count()}
}

func toMemory(w wireMemory) cloudapi.MemoryUsage {
	return cloudapi.MemoryUsage{
		UsageBytes: w.UsageBytes.count(), WorkingSetBytes: w.WorkingSet.count(),
		RSSBytes: w.RSS.count(), AvailableBytes: w.AvailableBytes.count(),
	}
}
