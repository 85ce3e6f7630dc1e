package provider

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// TestRestingPodComesBack: a pod that failed comes back after its rest, also if it
// was to come back before that for another reason.
func TestRestingPodComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var calls []time.Duration
		q := newQueue("test", Options{Clock: clock.RealClock{}, Log: logr.Discard()}, time.Minute,
			func(context.Context, types.UID) (time.Duration, error) {
				calls = append(calls, time.Since(begun).Round(time.Second))
				switch len(calls) {
				case 1:
					return 5 * time.Second, nil
				case 2:
					return 20 * time.Second, errors.New("not now")
				}
				return 0, nil
			})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			q.run(ctx, 1)
		}()
		q.add("pod")
		<-time.After(2 * time.Second)
		q.add("pod")
		<-time.After(10 * time.Second)
		q.add("pod") // it rests, and goes on resting
		<-time.After(time.Minute)
		cancel()
		<-done
		want := []time.Duration{0, 2 * time.Second, 22 * time.Second}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		<-time.After(time.Minute) // the queue's own goroutine ends on its next tick
	})
}
