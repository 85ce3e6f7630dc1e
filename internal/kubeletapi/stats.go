package kubeletapi

import (
	"fmt"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider"
)

// statsSummary answers in the kubelet's stats API.
func (s *Server) statsSummary(w http.ResponseWriter, r *http.Request) {
	usage, err := s.options.Pods.Usage(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	summary := stats.Summary{Node: stats.NodeStats{NodeName: s.options.NodeName}}
	for _, u := range usage {
		summary.Pods = append(summary.Pods, podStats(u))
	}
	writeJSON(w, summary)
}

func podStats(u provider.PodUsage) stats.PodStats {
	at := metav1.NewTime(u.Metrics.Time)
	pod := stats.PodStats{
		PodRef: stats.PodReference{Name: u.Pod.Name, Namespace: u.Pod.Namespace, UID: string(u.Pod.UID)},
		CPU:    cpuStats(at, u.Metrics.CPU),
		Memory: memoryStats(at, u.Metrics.Memory),
	}
	if start := u.Pod.Status.StartTime; start != nil {
		pod.StartTime = *start
	}
	for _, c := range u.Metrics.Containers {
		pod.Containers = append(pod.Containers, stats.ContainerStats{
			Name: c.Name, StartTime: pod.StartTime, CPU: cpuStats(at, c.CPU), Memory: memoryStats(at, c.Memory),
		})
	}
	if len(u.Metrics.Network) > 0 {
		pod.Network = networkStats(at, u.Metrics.Network)
	}
	return pod
}

func cpuStats(at metav1.Time, u cloudapi.CPUUsage) *stats.CPUStats {
	return &stats.CPUStats{Time: at, UsageNanoCores: ptr.To(u.UsageNanoCores), UsageCoreNanoSeconds: ptr.To(u.UsageCoreNanoSeconds)}
}

func memoryStats(at metav1.Time, u cloudapi.MemoryUsage) *stats.MemoryStats {
	m := &stats.MemoryStats{Time: at, UsageBytes: ptr.To(u.UsageBytes), WorkingSetBytes: ptr.To(u.WorkingSetBytes), RSSBytes: ptr.To(u.RSSBytes)}
	if u.AvailableBytes > 0 {
		m.AvailableBytes = ptr.To(u.AvailableBytes)
	}
	return m
}

func networkStats(at metav1.Time, interfaces []cloudapi.InterfaceUsage) *stats.NetworkStats {
	n := &stats.NetworkStats{Time: at}
	for i, u := range interfaces {
		one := stats.InterfaceStats{
			Name: u.Name, RxBytes: ptr.To(u.RxBytes), RxErrors: ptr.To(u.RxErrors), TxBytes: ptr.To(u.TxBytes), TxErrors: ptr.To(u.TxErrors),
		}
		if i == 0 {
			n.InterfaceStats = one
		}
		n.Interfaces = append(n.Interfaces, one)
	}
	return n
}

// metricsResource answers with the metrics that metrics-server reads, in the
// Prometheus text format (names: the kubelet's resource metrics).
func (s *Server) metricsResource(w http.ResponseWriter, r *http.Request) {
	usage, err := s.options.Pods.Usage(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var text strings.Builder
	writeFamily(&text, "container_cpu_usage_seconds_total", "counter", usage, func(c cloudapi.ContainerMetrics) string {
		return fmt.Sprintf("%g", float64(c.CPU.UsageCoreNanoSeconds)/1e9)
	})
	writeFamily(&text, "container_memory_working_set_bytes", "gauge", usage, func(c cloudapi.ContainerMetrics) string {
		return fmt.Sprintf("%d", c.Memory.WorkingSetBytes)
	})
	writeFamily(&text, "container_start_time_seconds", "gauge", usage, nil)
	writePodFamily(&text, "pod_cpu_usage_seconds_total", "counter", usage, func(m cloudapi.GroupMetrics) string {
		return fmt.Sprintf("%g", float64(m.CPU.UsageCoreNanoSeconds)/1e9)
	})
	writePodFamily(&text, "pod_memory_working_set_bytes", "gauge", usage, func(m cloudapi.GroupMetrics) string {
		return fmt.Sprintf("%d", m.Memory.WorkingSetBytes)
	})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write([]byte(text.String()))
}

// writeFamily writes one metric of every container; without a value function
// it is the start time.
func writeFamily(text *strings.Builder, name, kind string, usage []provider.PodUsage, value func(cloudapi.ContainerMetrics) string) {
	fmt.Fprintf(text, "# TYPE %s %s\n", name, kind)
	for _, u := range usage {
		for _, c := range u.Metrics.Containers {
			var sample string
			switch start := u.Pod.Status.StartTime; {
			case value != nil:
				sample = fmt.Sprintf("%s %d", value(c), u.Metrics.Time.UnixMilli())
			case start != nil:
				sample = fmt.Sprintf("%d", start.Unix())
			default:
				continue
			}
			fmt.Fprintf(text, "%s{container=%q,namespace=%q,pod=%q} %s\n", name, c.Name, u.Pod.Namespace, u.Pod.Name, sample)
		}
	}
}

func writePodFamily(text *strings.Builder, name, kind string, usage []provider.PodUsage, value func(cloudapi.GroupMetrics) string) {
	fmt.Fprintf(text, "# TYPE %s %s\n", name, kind)
	for _, u := range usage {
		fmt.Fprintf(text, "%s{namespace=%q,pod=%q} %s %d\n", name, u.Pod.Namespace, u.Pod.Name, value(u.Metrics), u.Metrics.Time.UnixMilli())
	}
}
