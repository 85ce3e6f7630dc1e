package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// podStore is what the informer knows of pods.
type podStore = corev1listers.PodLister

// eventsLimit is how long Connect waits for the events that there are: without
// them groups run all the same.
const eventsLimit = 10 * time.Second

// errConnected is why Connect cannot be called again.
var errConnected = errors.New("the runtime is connected or closed")

// Connect prepares the backing cluster: it makes the namespace and its service
// account, deletes what an earlier runtime left there, and begins to watch. ctx
// bounds the preparation only: after it, the runtime runs until Close. If it fails
// it may be called again.
func (r *Runtime) Connect(ctx context.Context) error {
	if r.isReady() || r.closing.Err() != nil {
		return fmt.Errorf("connecting to the backing cluster: %w", errConnected)
	}
	steps := []func(context.Context) error{r.makeNamespace, r.makeServiceAccount, r.sweep, r.watch}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return fmt.Errorf("connecting to the backing cluster: %w", err)
		}
	}
	r.setReady()
	return nil
}

// makeNamespace makes the namespace, open to all that the clouds allow.
func (r *Runtime) makeNamespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   r.builder.namespace,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "privileged"},
	}}
	err := r.call(ctx, func(ctx context.Context) error {
		_, err := r.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
		return err
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making namespace %s: %w", r.builder.namespace, err)
	}
	return nil
}

// makeServiceAccount makes the account without which an API server admits no pod,
// for a cluster whose controller manager does not.
func (r *Runtime) makeServiceAccount(ctx context.Context) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: r.builder.namespace}}
	err := r.call(ctx, func(ctx context.Context) error {
		_, err := r.client.CoreV1().ServiceAccounts(r.builder.namespace).Create(ctx, account, metav1.CreateOptions{})
		return err
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making the service account of namespace %s: %w", r.builder.namespace, err)
	}
	return nil
}

// mine selects what belongs to the runtime, or to one of its groups.
func (r *Runtime) mine(group string) metav1.ListOptions {
	set := labels.Set{labelCloud: r.builder.cloud}
	if group != "" {
		set[labelGroup] = group
	}
	return metav1.ListOptions{LabelSelector: labels.SelectorFromSet(set).String()}
}

// sweep deletes all pods and secrets of the cloud by force. The kubelet ends
// their containers afterwards.
func (r *Runtime) sweep(ctx context.Context) error {
	err := r.call(ctx, func(ctx context.Context) error {
		return r.client.CoreV1().Pods(r.builder.namespace).DeleteCollection(ctx, deleteOptions("", 0), r.mine(""))
	})
	if err != nil {
		return fmt.Errorf("deleting leftover pods: %w", err)
	}
	if err := r.deleteSecrets(ctx, ""); err != nil {
		return fmt.Errorf("deleting leftover secrets: %w", err)
	}
	if err := r.removeFiles(""); err != nil {
		return fmt.Errorf("deleting leftover files: %w", err)
	}
	return nil
}

// watch begins to follow pods and events, and waits until the pods are known.
func (r *Runtime) watch(ctx context.Context) error {
	pods := r.newFactory(func(o *metav1.ListOptions) { o.LabelSelector = r.mine("").LabelSelector })
	events := r.newFactory(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("involvedObject.kind", "Pod").String()
	})
	podInformer, eventInformer := pods.Core().V1().Pods(), events.Core().V1().Events()
	if _, err := podInformer.Informer().AddEventHandler(podHandler(r)); err != nil {
		return fmt.Errorf("watching pods: %w", err)
	}
	if _, err := eventInformer.Informer().AddEventHandler(eventHandler(r)); err != nil {
		return fmt.Errorf("watching events: %w", err)
	}
	r.pods = podInformer.Lister()
	watching, stop := context.WithCancel(r.closing)
	for _, f := range []informers.SharedInformerFactory{pods, events} {
		f.Start(watching.Done())
		r.factory = append(r.factory, f)
	}
	if !cache.WaitForCacheSync(ctx.Done(), podInformer.Informer().HasSynced) {
		stop()
		return fmt.Errorf("listing pods: %w", context.Cause(ctx))
	}
	context.AfterFunc(r.closing, stop)
	limited, cancel := context.WithTimeout(ctx, eventsLimit)
	defer cancel()
	if !cache.WaitForCacheSync(limited.Done(), eventInformer.Informer().HasSynced) {
		r.log.Info("The backing cluster has not told its events yet; groups run without until it does")
	}
	return nil
}

func (r *Runtime) newFactory(tweak func(*metav1.ListOptions)) informers.SharedInformerFactory {
	return informers.NewSharedInformerFactoryWithOptions(r.client, 0,
		informers.WithNamespace(r.builder.namespace),
		informers.WithTweakListOptions(tweak),
		informers.WithTransform(withoutManagedFields),
	)
}

// withoutManagedFields drops the bulk of an object that nobody here reads.
func withoutManagedFields(object any) (any, error) {
	if o, err := meta.Accessor(object); err == nil {
		o.SetManagedFields(nil)
	}
	return object, nil
}

// podHandler passes news of pods on to their groups.
func podHandler(r *Runtime) cache.ResourceEventHandler {
	saw := func(object any) {
		if pod, ok := object.(*corev1.Pod); ok {
			if g := r.groupOf(pod.Name); g != nil {
				g.sawPod(pod)
			}
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    saw,
		UpdateFunc: func(_, object any) { saw(object) },
		DeleteFunc: func(object any) {
			certain := true
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object, certain = tombstone.Obj, false
			}
			if pod, ok := object.(*corev1.Pod); ok {
				if g := r.groupOf(pod.Name); g != nil {
					g.lostPod(pod, certain)
				}
			}
		},
	}
}

// eventHandler passes events of pods on to their groups.
func eventHandler(r *Runtime) cache.ResourceEventHandler {
	saw := func(object any) {
		if e, ok := object.(*corev1.Event); ok {
			if g := r.groupOf(e.InvolvedObject.Name); g != nil {
				g.sawEvent(e)
			}
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    saw,
		UpdateFunc: func(_, object any) { saw(object) },
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			if e, ok := object.(*corev1.Event); ok {
				if g := r.groupOf(e.InvolvedObject.Name); g != nil {
					g.forgetEvent(e)
				}
			}
		},
	}
}
