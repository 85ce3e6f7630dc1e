package provider

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cumulet/cumulet/cloudapi"
)

// Metrics are the provider's Prometheus metrics, one set for each node. Labels
// come from closed sets; no pod or group ever becomes a label.
type Metrics struct {
	creates, deletes, sweeps *prometheus.HistogramVec
	groups                   prometheus.Gauge
	statusWrites             prometheus.Counter
	refused, lost, orphans   prometheus.Counter
}

// NewMetrics makes the metrics of one node and registers them.
func NewMetrics(registry prometheus.Registerer, node, cloud string) *Metrics {
	labels := prometheus.Labels{"node": node, "cloud": cloud}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "cumulet", Name: name, Help: help, ConstLabels: labels})
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "cumulet", Name: name, Help: help, ConstLabels: labels,
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 14),
		}, []string{"code"})
	}
	m := &Metrics{
		creates:      histogram("group_create_seconds", "Time of one create of a container group, by outcome."),
		deletes:      histogram("group_delete_seconds", "Time of one delete of a container group, by outcome."),
		sweeps:       histogram("sweep_seconds", "Time of one sweep over the node's container groups, by outcome."),
		statusWrites: counter("pod_status_writes_total", "Pod statuses written to the API server."),
		refused:      counter("pods_refused_total", "Pods that the cloud can never run as they are."),
		lost:         counter("groups_lost_total", "Container groups that vanished without our doing."),
		orphans:      counter("groups_orphaned_total", "Container groups without a pod that were deleted."),
		groups: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "cumulet", Name: "groups", Help: "Container groups of the node at the last sweep.", ConstLabels: labels,
		}),
	}
	registry.MustRegister(m.creates, m.deletes, m.sweeps, m.statusWrites, m.refused, m.lost, m.orphans, m.groups)
	return m
}

// outcome is the code label: OK, or the class of the error.
func outcome(err error) string {
	if err == nil {
		return "OK"
	}
	return string(cloudapi.CodeOf(err))
}

func (m *Metrics) created(d time.Duration, err error) {
	m.creates.WithLabelValues(outcome(err)).Observe(d.Seconds())
}

func (m *Metrics) deleted(d time.Duration, err error) {
	m.deletes.WithLabelValues(outcome(err)).Observe(d.Seconds())
}

func (m *Metrics) sweep(d time.Duration, groups int, err error) {
	m.sweeps.WithLabelValues(outcome(err)).Observe(d.Seconds())
	if err == nil {
		m.groups.Set(float64(groups))
	}
}
