package pace

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/cloudapi"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const patience = 20 * time.Second // real time

// drive moves the clock whenever somebody waits for it, until done is closed.
func drive(t *testing.T, clock *clocktesting.FakeClock, step time.Duration, done <-chan struct{}) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case <-done:
			return
		default:
		}
		if clock.HasWaiters() {
			clock.Step(step)
		} else {
			runtime.Gosched()
		}
	}
	t.Fatal("the call did not end")
}

// background runs f and returns a channel that is closed when it has ended.
func background(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

func always(again bool, after time.Duration) Retry {
	return func(error) (bool, time.Duration) { return again, after }
}

func coded(code cloudapi.Code) *cloudapi.Error { return &cloudapi.Error{Op: "Act", Code: code} }

func TestDoRepeats(t *testing.T) {
	unavailable := coded(cloudapi.CodeUnavailable)
	cases := map[string]struct {
		reason    string
		failures  int
		retry     Retry
		want      []time.Duration // times of the calls since start
		wantError error
	}{
		"FirstSucceeds": {
			reason: "a call that succeeds is made once, at once",
			retry:  always(true, 0),
			want:   []time.Duration{0},
		},
		"BackoffDoubles": {
			reason:   "with jitter at its bound the pauses double up to the greatest",
			failures: 4,
			retry:    always(true, 0),
			want:     []time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 1400 * time.Millisecond, 2400 * time.Millisecond},
		},
		"AttemptsEnd": {
			reason:    "after the last attempt its error is returned",
			failures:  9,
			retry:     always(true, 0),
			want:      []time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 1400 * time.Millisecond, 2400 * time.Millisecond},
			wantError: unavailable,
		},
		"NotRepeatable": {
			reason:    "an error that may not be repeated ends the call",
			failures:  1,
			retry:     always(false, 0),
			want:      []time.Duration{0},
			wantError: unavailable,
		},
		"CloudsWish": {
			reason:   "a longer pause that the cloud asks for wins",
			failures: 1,
			retry:    always(true, 3*time.Second),
			want:     []time.Duration{0, 3 * time.Second},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(start)
			pacer := New(Options{
				Clock: clock, Default: Rate{PerSecond: 100, Burst: 10}, MaxAttempts: 5,
				BaseDelay: 200 * time.Millisecond, MaxDelay: time.Second, Jitter: func() float64 { return 1 },
			})
			var got []time.Duration
			var err error
			drive(t, clock, 100*time.Millisecond, background(func() {
				err = pacer.Do(t.Context(), "Act", tc.retry, func(context.Context) error {
					got = append(got, clock.Since(start))
					if len(got) <= tc.failures {
						return unavailable
					}
					return nil
				})
			}))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: times of calls (-want +got):\n%s", tc.reason, diff)
			}
			if !errors.Is(err, tc.wantError) {
				t.Errorf("%s: error %v, want %v", tc.reason, err, tc.wantError)
			}
		})
	}
}

func TestDoKeepsToTheRate(t *testing.T) {
	clock := clocktesting.NewFakeClock(start)
	pacer := New(Options{Clock: clock, Rates: map[string]Rate{"Slow": {PerSecond: 10, Burst: 2}}})
	var got []time.Duration
	drive(t, clock, 50*time.Millisecond, background(func() {
		for range 5 {
			if err := pacer.Do(t.Context(), "Slow", always(false, 0), func(context.Context) error {
				got = append(got, clock.Since(start))
				return nil
			}); err != nil {
				t.Errorf("Do: %v", err)
			}
		}
	}))
	want := []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a burst of 2, then 10 a second (-want +got):\n%s", diff)
	}
}

// TestThrottleStorm: eight callers meet a cloud that throttles everything for
// an hour and then nothing any more.
func TestThrottleStorm(t *testing.T) {
	clock := clocktesting.NewFakeClock(start)
	pacer := New(Options{Clock: clock, Default: Rate{PerSecond: 20, Burst: 20}, MaxAttempts: 3})
	const storm = time.Hour
	var mu sync.Mutex
	perMinute := map[int]int{}
	call := func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		perMinute[int(clock.Since(start).Minutes())]++
		if clock.Since(start) < storm {
			return coded(cloudapi.CodeThrottled)
		}
		return nil
	}
	drive(t, clock, 500*time.Millisecond, background(func() {
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for clock.Since(start) < storm+3*time.Minute {
					_ = pacer.Do(t.Context(), "Act", always(true, 0), call) // throttled, as scripted
				}
			})
		}
		callers.Wait()
	}))
	mu.Lock()
	defer mu.Unlock()
	if got := perMinute[0]; got > 200 {
		t.Errorf("%d calls in the storm's first minute, want at most 200", got)
	}
	for minute := 1; minute < 60; minute++ {
		// 12 are due at 0.2 per second. The clock runs on while a caller
		// that has its token waits for a processor, so calls can pile up
		// in a minute; half of one per second is still far from a storm.
		if got := perMinute[minute]; got > 30 {
			t.Errorf("%d calls in minute %d of the storm, want about 12", got, minute)
		}
	}
	if got := perMinute[62]; got < 1000 {
		t.Errorf("%d calls in the third minute after the storm, want nearly 1200", got)
	}
}

func TestOneDecreasePerRound(t *testing.T) {
	clock := clocktesting.NewFakeClock(start)
	b := newBucket(Rate{PerSecond: 16, Burst: 4}, clock)
	throttled := coded(cloudapi.CodeThrottled)
	began := start.Add(time.Second)
	clock.SetTime(start.Add(2 * time.Second))
	for range 5 {
		b.learn(began, throttled) // five answers to calls of one moment
	}
	if b.current != 8 {
		t.Errorf("rate %v after one round of throttling, want 8", b.current)
	}
	clock.Step(time.Second)
	b.learn(clock.Now(), nil)
	if b.current != 9.6 {
		t.Errorf("rate %v after a success, want 9.6", b.current)
	}
}

func TestUncertaintyStays(t *testing.T) {
	clock := clocktesting.NewFakeClock(start)
	pacer := New(Options{Clock: clock, MaxAttempts: 2})
	answers := []error{
		&cloudapi.Error{Op: "Act", Code: cloudapi.CodeUnavailable, Uncertain: true},
		coded(cloudapi.CodeQuota),
	}
	var err error
	drive(t, clock, time.Second, background(func() {
		err = pacer.Do(t.Context(), "Act", always(true, 0), func(context.Context) error {
			next := answers[0]
			answers = answers[1:]
			return next
		})
	}))
	var got *cloudapi.Error
	if !errors.As(err, &got) || got.Code != cloudapi.CodeQuota || !got.Uncertain {
		t.Errorf("got %#v, want code Quota, marked uncertain by the attempt before", err)
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	cases := map[string]struct {
		reason string
		rate   Rate
		first  error
	}{
		"WaitingForAToken": {"the bucket is empty", Rate{PerSecond: 0.001, Burst: 1}, nil},
		"BackingOff":       {"the first attempt failed", Rate{PerSecond: 100, Burst: 100}, &cloudapi.Error{Code: cloudapi.CodeUnavailable, Uncertain: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(start)
			pacer := New(Options{Clock: clock, Default: tc.rate, Jitter: func() float64 { return 1 }})
			if tc.first == nil {
				_ = pacer.Do(t.Context(), "Act", always(false, 0), func(context.Context) error { return nil })
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var err error
			done := background(func() {
				err = pacer.Do(ctx, "Act", always(true, 0), func(context.Context) error { return tc.first })
			})
			for deadline := time.Now().Add(patience); !clock.HasWaiters() && time.Now().Before(deadline); {
				runtime.Gosched()
			}
			cancel()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatalf("%s: Do did not end", tc.reason)
			}
			var got *cloudapi.Error
			if !errors.As(err, &got) || got.Code != cloudapi.CodeCanceled || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want code Canceled around context.Canceled", tc.reason, err)
			}
			if got != nil && got.Uncertain != (tc.first != nil) {
				t.Errorf("%s: Uncertain is %v", tc.reason, got.Uncertain)
			}
		})
	}
}
