package pace

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	// slowest is the rate in calls per second to which throttling may press
	// a bucket: one call in five seconds still finds the end of the storm.
	slowest = 0.2
	// regain is the part of the nominal rate that one success gives back.
	regain = 0.1
)

// bucket is one action's token bucket with a rate that adapts: halved by
// throttling, raised in steps by success.
type bucket struct {
	clock   clock.Clock
	nominal rate.Limit
	burst   int
	limiter *rate.Limiter
	// turn holds one permit. Only its holder has a token reserved; the
	// others wait for the turn and not for far-off tokens, so a change of
	// rate reaches them at once.
	turn chan struct{}

	mu      sync.Mutex
	slowed  time.Time
	current rate.Limit
}

func newBucket(r Rate, c clock.Clock) *bucket {
	limit, burst := rate.Limit(r.PerSecond), max(r.Burst, 1)
	return &bucket{
		clock: c, nominal: limit, current: limit, burst: burst,
		limiter: rate.NewLimiter(limit, burst),
		turn:    make(chan struct{}, 1),
	}
}

// take waits for a token; its error is ctx's.
func (b *bucket) take(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	if err := ctx.Err(); err != nil {
		return err
	}
	now := b.clock.Now()
	reservation := b.limiter.ReserveN(now, 1)
	if err := sleep(ctx, b.clock, reservation.DelayFrom(now)); err != nil {
		reservation.CancelAt(b.clock.Now())
		return err
	}
	return nil
}

// learn adapts the rate to a call's outcome. Calls that were under way when
// the rate was last lowered tell nothing new and do not lower it again.
func (b *bucket) learn(started time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	switch {
	case err == nil && b.current < b.nominal:
		b.current = min(b.nominal, b.current+regain*b.nominal)
	case cloudapi.Is(err, cloudapi.CodeThrottled) && started.After(b.slowed):
		b.slowed = now
		b.current = max(b.current/2, min(b.nominal, slowest))
	default:
		return
	}
	b.limiter.SetLimitAt(now, b.current)
	// The burst shrinks with the rate: what a storm keeps callers from taking
	// must not come down on the cloud at once.
	b.limiter.SetBurstAt(now, max(1, int(float64(b.burst)*float64(b.current/b.nominal))))
}
