package simulated

import "time"

// The kubelet's back-off for restarts and pulls (k8s.io/kubernetes
// pkg/kubelet: initial 10 s, doubling to 5 min; k8s.io/client-go
// util/flowcontrol: forgotten after twice the longest).
const (
	backoffFirst   = 10 * time.Second
	backoffLongest = 5 * time.Minute
	backoffForget  = 2 * backoffLongest
)

// backoff is how long to wait before the next attempt.
type backoff struct {
	delay   time.Duration
	updated time.Time
}

// remaining is how long to wait at now after an attempt that failed at failed.
func (b *backoff) remaining(failed, now time.Time) time.Duration {
	if b.delay == 0 || failed.Sub(b.updated) > backoffForget {
		return 0
	}
	return max(0, b.delay-now.Sub(failed))
}

// next notes a new attempt at now after one that failed at failed.
func (b *backoff) next(failed, now time.Time) {
	if b.delay == 0 || failed.Sub(b.updated) > backoffForget {
		b.delay = backoffFirst
	} else {
		b.delay = min(2*b.delay, backoffLongest)
	}
	b.updated = now
}
