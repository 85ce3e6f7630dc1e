package eci

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// Quota is a token bucket: Burst requests at once, Rate requests a second in the
// long run.
type Quota struct {
	Burst int
	Rate  float64
}

// PublishedQuotas returns the flow control of each action. The API's page of
// quotas gives requests in 60 seconds; Create and Delete are the token bucket of
// the newer page of limits. The documents do not say whether a quota belongs to a
// user or an account; here it is the account's.
func PublishedQuotas() map[string]Quota {
	perMinute := func(n int) Quota { return Quota{Burst: n, Rate: float64(n) / 60} }
	return map[string]Quota{
		"CreateContainerGroup":              {Burst: 100, Rate: 20},
		"DeleteContainerGroup":              {Burst: 100, Rate: 20},
		"RestartContainerGroup":             perMinute(1000),
		"UpdateContainerGroup":              perMinute(1000),
		"DescribeContainerGroups":           perMinute(2000),
		"DescribeContainerGroupStatus":      perMinute(10000),
		"DescribeContainerGroupEvents":      perMinute(10000),
		"DescribeRegions":                   perMinute(10000),
		"DescribeContainerLog":              perMinute(500),
		"ExecContainerCommand":              perMinute(500),
		"DescribeMultiContainerGroupMetric": perMinute(2000),
		"TagResources":                      perMinute(1000),
		"UntagResources":                    perMinute(1000),
		"ListTagResources":                  perMinute(1000),
	}
}

// quotas are the buckets by action; actions without one are not limited.
type quotas map[string]*rate.Limiter

func newQuotas(limits map[string]Quota) quotas {
	q := quotas{}
	for action, limit := range limits {
		q[action] = rate.NewLimiter(rate.Limit(limit.Rate), limit.Burst)
	}
	return q
}

// take takes one request out of the action's bucket.
func (q quotas) take(action string, now time.Time) error {
	bucket := q[action]
	if bucket == nil || bucket.AllowN(now, 1) {
		return nil
	}
	reservation := bucket.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	reservation.CancelAt(now)
	return &apiError{code: codeThrottled, message: "Request was denied due to user flow control.", retryAfter: wait}
}

// rateLimitHeader is what clients read the time to wait from.
func rateLimitHeader(wait time.Duration) string {
	return fmt.Sprintf("TimeLeft:%d", wait.Milliseconds()+1)
}
