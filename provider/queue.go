package provider

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
)

// The bounds of the exponential back-off of one pod, which is never given up.
// Creates become rare, for they cost the account's quota; what waits for the
// API server or for the end of a group goes on within half a minute.
const (
	retryBase     = 500 * time.Millisecond
	createRetries = 2 * time.Minute
	endRetries    = 30 * time.Second
	writeRetries  = 15 * time.Second
	changeRetries = 30 * time.Second
)

// handler works on one pod. It returns a time after which it wants to see the
// pod again (0: not by itself), or an error, which is logged and backed off;
// the time is then the least to wait.
type handler func(context.Context, types.UID) (time.Duration, error)

// queue works on pods one by one: never on one pod in two workers at once.
type queue struct {
	q       workqueue.TypedRateLimitingInterface[types.UID]
	limiter workqueue.TypedRateLimiter[types.UID]
	handle  handler
	log     logr.Logger

	clock clock.PassiveClock

	mu sync.Mutex
	// resting are the pods that failed, with the time of their next try.
	resting map[types.UID]time.Time
}

func newQueue(name string, o Options, longest time.Duration, handle handler) *queue {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[types.UID](retryBase, longest)
	config := workqueue.TypedRateLimitingQueueConfig[types.UID]{Clock: o.Clock}
	return &queue{
		q:       workqueue.NewTypedRateLimitingQueueWithConfig(limiter, config),
		limiter: limiter,
		handle:  handle,
		log:     o.Log.WithName(name),
		clock:   o.Clock,
		resting: map[types.UID]time.Time{},
	}
}

// add asks for work on a pod now. A pod that rests after a failure keeps
// resting: every write of its own status comes back as news of the pod, and
// would make an end of any back-off.
func (q *queue) add(uid types.UID) { q.q.Add(uid) }

// addAfter asks for work on a pod after this time.
func (q *queue) addAfter(uid types.UID, d time.Duration) { q.q.AddAfter(uid, d) }

func (q *queue) rest(uid types.UID, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.resting[uid] = q.clock.Now().Add(d)
	q.q.AddAfter(uid, d)
}

// restLeft is how long the pod still rests; not positive when it does not.
func (q *queue) restLeft(uid types.UID) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.resting[uid].Sub(q.clock.Now())
	if left <= 0 {
		delete(q.resting, uid)
	}
	return left
}

// run works until ctx ends and then waits for what is under way.
func (q *queue) run(ctx context.Context, workers int) {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for q.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	q.q.ShutDown()
	group.Wait()
}

// next works on the next pod and tells whether to go on. Once ctx has ended
// the pods that still wait are only taken out.
func (q *queue) next(ctx context.Context) bool {
	uid, stop := q.q.Get()
	if stop {
		return false
	}
	defer q.q.Done(uid)
	if ctx.Err() != nil {
		return true
	}
	if left := q.restLeft(uid); left > 0 {
		// Of several times that a pod is to come back at, the queue keeps the
		// first alone, which may be this moment.
		q.q.AddAfter(uid, left)
		return true
	}
	var after time.Duration
	err := contained(func() (err error) {
		after, err = q.handle(ctx, uid)
		return err
	})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		q.log.Error(err, "will be tried again", "uid", uid, "tries", q.q.NumRequeues(uid)+1)
		// Every failure lengthens the pause, also where the cloud names one:
		// under a long throttling the calls must become few.
		q.rest(uid, max(after, q.limiter.When(uid)))
	default:
		q.q.Forget(uid)
		if after > 0 {
			q.q.AddAfter(uid, after)
		}
	}
	return true
}
