// Package pace keeps calls to a cloud within its rate limits and repeats those
// that may be repeated.
//
// Each action has a token bucket of its own, because the clouds count each
// action for itself. A caller waits for its turn, then for a token, then
// calls. When the cloud answers "too many requests" the bucket's rate is
// halved; each success gives a part of it back. So a throttle storm decays to
// less than one call in some seconds, and full speed returns soon after.
package pace

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
)

// Rate is a token bucket: PerSecond tokens flow in, Burst of them fit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Options configure a Pacer. Zero values mean the defaults named at each field.
type Options struct {
	// Clock tells the time; the real one by default.
	Clock clock.Clock
	// Rates holds the bucket of each action; Default (10 per second, burst
	// 10) serves actions that are not in it.
	Rates   map[string]Rate
	Default Rate
	// MaxAttempts bounds the calls of one Do, the first included; default 5.
	MaxAttempts int
	// BaseDelay bounds the first pause, and each further bound is twice the
	// one before, up to MaxDelay. Defaults 200 ms and 10 s.
	BaseDelay, MaxDelay time.Duration
	// Jitter returns a number in [0,1) that the bound of a pause is
	// multiplied with; random by default.
	Jitter func() float64
}

// Pacer paces and repeats calls. It is safe for concurrent use.
type Pacer struct {
	options Options

	mu      sync.Mutex
	buckets map[string]*bucket
}

// New returns a Pacer with full buckets.
func New(options Options) *Pacer {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Default.PerSecond <= 0 {
		options.Default = Rate{PerSecond: 10, Burst: 10}
	}
	if options.MaxAttempts <= 0 {
		options.MaxAttempts = 5
	}
	if options.BaseDelay <= 0 {
		options.BaseDelay = 200 * time.Millisecond
	}
	if options.MaxDelay <= 0 {
		options.MaxDelay = 10 * time.Second
	}
	if options.Jitter == nil {
		options.Jitter = rand.Float64
	}
	return &Pacer{options: options, buckets: map[string]*bucket{}}
}

// Retry decides about a failed attempt: whether it may be repeated, and the
// least time to wait before (0 if the cloud has no wish).
type Retry func(err error) (again bool, after time.Duration)

// Do calls until call succeeds, retry says no, the attempts are used up, or
// ctx ends. Each attempt takes a token of the action's bucket. The error is
// that of the last attempt. It is marked Uncertain if any attempt was: what an
// earlier attempt may have done, a later refusal does not undo. If ctx ends
// while waiting, the error is a *cloudapi.Error of code Canceled around ctx's
// error and the last attempt's.
func (p *Pacer) Do(ctx context.Context, action string, retry func(err error) (again bool, after time.Duration),
	call func(ctx context.Context) error) error {
	b := p.bucket(action)
	var last error
	uncertain := false
	for attempt := 1; ; attempt++ {
		if err := b.take(ctx); err != nil {
			return canceled(action, err, last, uncertain)
		}
		started := p.options.Clock.Now()
		last = call(ctx)
		b.learn(started, last)
		if last == nil {
			return nil
		}
		uncertain = uncertain || isUncertain(last)
		again, after := retry(last)
		if !again || attempt >= p.options.MaxAttempts {
			return markUncertain(last, uncertain)
		}
		if err := sleep(ctx, p.options.Clock, max(after, p.backoff(attempt))); err != nil {
			return canceled(action, err, last, uncertain)
		}
	}
}

// backoff is the pause after the given attempt (1 is the first): exponential
// with full jitter.
func (p *Pacer) backoff(attempt int) time.Duration {
	bound := p.options.BaseDelay
	for i := 1; i < attempt && bound < p.options.MaxDelay; i++ {
		bound *= 2
	}
	return time.Duration(p.options.Jitter() * float64(min(bound, p.options.MaxDelay)))
}

func (p *Pacer) bucket(action string) *bucket {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.buckets[action]
	if !ok {
		rate, listed := p.options.Rates[action]
		if !listed || rate.PerSecond <= 0 {
			rate = p.options.Default
		}
		b = newBucket(rate, p.options.Clock)
		p.buckets[action] = b
	}
	return b
}

func sleep(ctx context.Context, c clock.Clock, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isUncertain(err error) bool {
	var e *cloudapi.Error
	return errors.As(err, &e) && e.Uncertain
}

// markUncertain returns err with Uncertain set, on a copy.
func markUncertain(err error, uncertain bool) error {
	var e *cloudapi.Error
	if !uncertain || !errors.As(err, &e) || e.Uncertain {
		return err
	}
	marked := *e
	marked.Uncertain = true
	return &marked
}

func canceled(action string, cause, last error, uncertain bool) error {
	return &cloudapi.Error{
		Op: action, Code: cloudapi.CodeCanceled, Uncertain: uncertain,
		Err: errors.Join(cause, last),
	}
}
