package provider

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

// retryBase and retryMax bound the exponential back-off of one pod: it is
// never given up.
const (
	retryBase = 500 * time.Millisecond
	retryMax  = 2 * time.Minute
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
}

func newQueue(name string, o Options, handle handler) *queue {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[types.UID](retryBase, retryMax)
	config := workqueue.TypedRateLimitingQueueConfig[types.UID]{Clock: o.Clock}
	return &queue{
		q:       workqueue.NewTypedRateLimitingQueueWithConfig(limiter, config),
		limiter: limiter,
		handle:  handle,
		log:     o.Log.WithName(name),
	}
}

func (q *queue) add(uid types.UID)                       { q.q.Add(uid) }
func (q *queue) addAfter(uid types.UID, d time.Duration) { q.q.AddAfter(uid, d) }

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
	after, err := q.handle(ctx, uid)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		q.log.Error(err, "will be tried again", "uid", uid, "tries", q.q.NumRequeues(uid)+1)
		// Every failure lengthens the pause, also where the cloud names one:
		// under a long throttling the calls must become few.
		q.q.AddAfter(uid, max(after, q.limiter.When(uid)))
	default:
		q.q.Forget(uid)
		if after > 0 {
			q.q.AddAfter(uid, after)
		}
	}
	return true
}
