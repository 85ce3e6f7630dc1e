package kci

import (
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

// Quota limits how often an action may be called: a token bucket. What Kingsoft
// allows is not public.
type Quota struct {
	// PerSecond calls flow in each second, as long as fewer than Burst are unused.
	PerSecond float64
	// Burst calls may come at once; at least 1.
	Burst int
}

// quotas are the buckets of a server.
type quotas struct {
	clock   clock.PassiveClock
	buckets map[string]*rate.Limiter
}

func newQuotas(limits map[string]Quota, c clock.PassiveClock) *quotas {
	q := &quotas{clock: c, buckets: map[string]*rate.Limiter{}}
	for name, limit := range limits {
		q.buckets[name] = rate.NewLimiter(rate.Limit(limit.PerSecond), max(limit.Burst, 1))
	}
	return q
}

// take tells whether the action may be called now, and counts the call.
func (q *quotas) take(name string) bool {
	bucket := q.buckets[name]
	return bucket == nil || bucket.AllowN(q.clock.Now(), 1)
}
