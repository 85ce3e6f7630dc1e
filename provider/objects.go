package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/translate"
)

// objects watches single objects of one kind, each by its own field selector:
// that is all a node's identity may read (Node authorizer), and all its pods
// need. An object is watched as long as some pod refers to it.
type objects struct {
	resource schema.GroupResource
	example  runtime.Object
	list     func(ctx context.Context, namespace string, o metav1.ListOptions) (runtime.Object, error)
	watch    func(ctx context.Context, namespace string, o metav1.ListOptions) (watch.Interface, error)
	// client is what list and watch use; client-go asks it what it can do.
	client any
	clock  clock.Clock
	// changed is told of the pods whose object appeared or changed. It must
	// not block.
	changed func(types.UID)

	mu      sync.Mutex
	closed  bool
	watched map[types.NamespacedName]*watched
	group   sync.WaitGroup
}

// watched is one object and its reflector's store.
type watched struct {
	cache.Store
	stop  context.CancelFunc
	users map[types.UID]bool
	// delivered closes when the object was first read, be it there or not.
	delivered chan struct{}
	once      sync.Once
	// update tells the users that the object changed.
	update func()

	mu sync.Mutex
	// err is why the last request failed; nil after one that did not.
	err error
}

// Replace implements the reflector's store.
func (w *watched) Replace(list []any, version string) error {
	err := w.Store.Replace(list, version)
	w.once.Do(func() { close(w.delivered) })
	w.update() // after a gap in the watch anything may have changed
	return err
}

// Add implements the reflector's store.
func (w *watched) Add(object any) error {
	err := w.Store.Add(object)
	w.update()
	return err
}

// Update implements the reflector's store.
func (w *watched) Update(object any) error {
	err := w.Store.Update(object)
	w.update()
	return err
}

// Delete implements the reflector's store.
func (w *watched) Delete(object any) error {
	err := w.Store.Delete(object)
	w.update()
	return err
}

func (w *watched) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *watched) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// acquire watches the object for the pod. It does not wait.
func (o *objects) acquire(key types.NamespacedName, user types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if o.watched == nil {
		o.watched = map[types.NamespacedName]*watched{}
	}
	w, ok := o.watched[key]
	if !ok {
		w = o.start(key)
		o.watched[key] = w
	}
	w.users[user] = true
}

func (o *objects) start(key types.NamespacedName) *watched {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watched{
		Store: cache.NewStore(cache.MetaNamespaceKeyFunc), stop: cancel,
		users: map[types.UID]bool{}, delivered: make(chan struct{}),
	}
	w.update = func() { o.tell(w) }
	selector := fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name).String()
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			return patiently(ctx, o.clock, w.note, func() (runtime.Object, error) { return o.list(ctx, key.Namespace, options) })
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return patiently(ctx, o.clock, w.note, func() (watch.Interface, error) { return o.watch(ctx, key.Namespace, options) })
		},
	}
	reflector := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, o.client), o.example, w, cache.ReflectorOptions{
		Name: fmt.Sprintf("%s %s", o.resource.Resource, key),
	})
	o.group.Go(func() { reflector.RunWithContext(ctx) })
	return w
}

// The pauses between two tries of a request that is forbidden: in all some
// 2.5 s, after which the reflector's own back-off goes on.
const (
	forbiddenFirst = 10 * time.Millisecond
	forbiddenLast  = time.Second
)

// patiently repeats a request that is forbidden. The API server's authorizer
// learns of a pod, and thereby of what its node may read, some milliseconds
// after the node does.
func patiently[T any](ctx context.Context, clk clock.Clock, note func(error), request func() (T, error)) (T, error) {
	for wait := forbiddenFirst; ; wait *= 2 {
		answer, err := request()
		note(err)
		if !apierrors.IsForbidden(err) || wait > forbiddenLast {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-clk.After(wait):
		}
	}
}

// tell tells the pods that refer to an object that it changed.
func (o *objects) tell(w *watched) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for user := range w.users {
		o.changed(user)
	}
}

// retain ends the pod's interest in every object but those of these names in its
// own namespace.
func (o *objects) retain(user types.UID, namespace string, names []translate.Reference) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, w := range o.watched {
		kept := key.Namespace == namespace && slices.ContainsFunc(names, func(n translate.Reference) bool { return n.Name == key.Name })
		if !w.users[user] || kept {
			continue
		}
		delete(w.users, user)
		if len(w.users) == 0 {
			w.stop()
			delete(o.watched, key)
		}
	}
}

// get returns the object, waiting for the first delivery until ctx ends. An
// object that does not exist is an apierrors NotFound.
func (o *objects) get(ctx context.Context, key types.NamespacedName) (any, error) {
	o.mu.Lock()
	w := o.watched[key]
	o.mu.Unlock()
	if w == nil {
		return nil, fmt.Errorf("reading %s %s: not watched", o.resource.Resource, key)
	}
	select {
	case <-w.delivered:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for %s %s: %w", o.resource.Resource, key, cmp.Or(w.failure(), ctx.Err()))
	}
	object, ok, err := w.GetByKey(key.String())
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", o.resource.Resource, key, err)
	}
	if !ok {
		return nil, apierrors.NewNotFound(o.resource, key.Name)
	}
	return object, nil
}

// close ends every watch and waits for it. No new one begins afterwards.
func (o *objects) close() {
	o.mu.Lock()
	o.closed = true
	for key, w := range o.watched {
		w.stop()
		delete(o.watched, key)
	}
	o.mu.Unlock()
	o.group.Wait()
}
