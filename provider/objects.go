package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// objects watches single objects of one kind, each by its own field selector:
// that is all a node's identity may read (Node authorizer), and all its pods
// need. An object is watched as long as some pod refers to it.
type objects struct {
	resource schema.GroupResource
	example  runtime.Object
	list     func(ctx context.Context, namespace string, o metav1.ListOptions) (runtime.Object, error)
	watch    func(ctx context.Context, namespace string, o metav1.ListOptions) (watch.Interface, error)

	mu      sync.Mutex
	watched map[types.NamespacedName]*watched
	group   sync.WaitGroup
}

// watched is one object's reflector.
type watched struct {
	store     cache.Store
	reflector *cache.Reflector
	stop      context.CancelFunc
	users     map[types.UID]bool
}

// syncPoll is how often a first read looks whether the watch has delivered.
const syncPoll = 10 * time.Millisecond

// acquire watches the object for the pod. It does not wait.
func (o *objects) acquire(key types.NamespacedName, user types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
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
	selector := fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name).String()
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			return o.list(ctx, key.Namespace, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return o.watch(ctx, key.Namespace, options)
		},
	}
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	reflector := cache.NewReflectorWithOptions(lw, o.example, store, cache.ReflectorOptions{
		Name: fmt.Sprintf("%s %s", o.resource.Resource, key),
	})
	o.group.Go(func() { reflector.RunWithContext(ctx) })
	return &watched{store: store, reflector: reflector, stop: cancel, users: map[types.UID]bool{}}
}

// release ends the pod's interest in every object.
func (o *objects) release(user types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, w := range o.watched {
		if !w.users[user] {
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
	delivered := func(context.Context) (bool, error) { return w.reflector.LastSyncResourceVersion() != "", nil }
	if err := wait.PollUntilContextCancel(ctx, syncPoll, true, delivered); err != nil {
		return nil, fmt.Errorf("waiting for %s %s: %w", o.resource.Resource, key, err)
	}
	object, ok, err := w.store.GetByKey(key.String())
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", o.resource.Resource, key, err)
	}
	if !ok {
		return nil, apierrors.NewNotFound(o.resource, key.Name)
	}
	return object, nil
}

// close ends every watch and waits for it.
func (o *objects) close() {
	o.mu.Lock()
	for key, w := range o.watched {
		w.stop()
		delete(o.watched, key)
	}
	o.mu.Unlock()
	o.group.Wait()
}
