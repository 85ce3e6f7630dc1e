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

// queue works on pods one by one: never on one pod in two workers at once.
type queue struct {
	name string
	q    workqueue.TypedRateLimitingInterface[types.UID]
	// handle returns a time after which it wants to see the pod again (0:
	// not by itself), or an error, which is logged and backed off.
	handle func(context.Context, types.UID) (time.Duration, error)
	log    logr.Logger
}

func newQueue(name string, o Options, handle func(context.Context, types.UID) (time.Duration, error)) *queue {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[types.UID](retryBase, retryMax)
	config := workqueue.TypedRateLimitingQueueConfig[types.UID]{Clock: o.Clock}
	return &queue{
		name:   name,
		q:      workqueue.NewTypedRateLimitingQueueWithConfig(limiter, config),
		handle: handle,
		log:    o.Log.WithName(name),
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

func (q *queue) next(ctx context.Context) bool {
	uid, stop := q.q.Get()
	if stop {
		return false
	}
	defer q.q.Done(uid)
	after, err := q.handle(ctx, uid)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		q.log.Error(err, "will be tried again", "uid", uid, "tries", q.q.NumRequeues(uid)+1)
		if after > 0 {
			q.q.AddAfter(uid, after)
		} else {
			q.q.AddRateLimited(uid)
		}
	default:
		q.q.Forget(uid)
		if after > 0 {
			q.q.AddAfter(uid, after)
		}
	}
	return true
}
