package agent

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	corev1informers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cumulet/cumulet/provider"
)

// nodeInformers watch what a node's identity may list: its own pods, and the
// services, whose addresses become environment variables.
type nodeInformers struct {
	podFactory, serviceFactory informers.SharedInformerFactory
	pods                       corev1informers.PodInformer
	services                   corev1informers.ServiceInformer
	synced                     []cache.InformerSynced
}

func newInformers(kube kubernetes.Interface, node string) *nodeInformers {
	mine := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	}
	n := &nodeInformers{
		podFactory:     informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithTweakListOptions(mine), informers.WithTransform(trim)),
		serviceFactory: informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithTransform(trim)),
	}
	n.pods = n.podFactory.Core().V1().Pods()
	n.services = n.serviceFactory.Core().V1().Services()
	n.synced = []cache.InformerSynced{n.pods.Informer().HasSynced, n.services.Informer().HasSynced}
	return n
}

// trim drops the bookkeeping of server-side apply, about a quarter of a pod's
// memory, which nothing here reads.
func trim(object any) (any, error) {
	if m, ok := object.(metav1.Object); ok {
		m.SetManagedFields(nil)
	}
	return object, nil
}

// run watches until ctx ends and tells the provider of every pod, also of
// those whose deletion fell into a gap of the watch.
func (n *nodeInformers) run(ctx context.Context, p *provider.Provider) error {
	_, err := n.pods.Informer().AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, isInInitialList bool) {
			if pod, ok := object.(*corev1.Pod); ok && isInInitialList {
				p.Inherit(pod)
				return
			}
			observe(p, object)
		},
		UpdateFunc: func(before, after any) {
			old, _ := before.(*corev1.Pod) // an informer of pods has nothing else
			if pod, ok := after.(*corev1.Pod); ok && old != nil && old.UID != pod.UID {
				p.Forget(old.UID)
			}
			observe(p, after)
		},
		DeleteFunc: func(object any) { forget(p, object) },
	})
	if err != nil {
		return err
	}
	for _, factory := range []informers.SharedInformerFactory{n.podFactory, n.serviceFactory} {
		factory.Start(ctx.Done())
		defer factory.Shutdown()
	}
	<-ctx.Done()
	return nil
}

func observe(p *provider.Provider, object any) {
	if pod, ok := object.(*corev1.Pod); ok {
		p.Observe(pod)
	}
}

// forget also takes the tombstone of a pod whose deletion was missed.
func forget(p *provider.Provider, object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok {
		p.Forget(pod.UID)
	}
}

// livePods is a pod informer whose lister does not show pods being deleted.
type livePods struct{ corev1informers.PodInformer }

// Lister implements PodInformer.
func (l livePods) Lister() corev1listers.PodLister { return liveLister{l.PodInformer.Lister()} }

type liveLister struct{ corev1listers.PodLister }

// List implements PodLister.
func (l liveLister) List(selector labels.Selector) ([]*corev1.Pod, error) {
	return live(l.PodLister.List(selector))
}

// Pods implements PodLister.
func (l liveLister) Pods(namespace string) corev1listers.PodNamespaceLister {
	return liveNamespaceLister{l.PodLister.Pods(namespace)}
}

type liveNamespaceLister struct {
	corev1listers.PodNamespaceLister
}

// List implements PodNamespaceLister.
func (l liveNamespaceLister) List(selector labels.Selector) ([]*corev1.Pod, error) {
	return live(l.PodNamespaceLister.List(selector))
}

// Get implements PodNamespaceLister.
func (l liveNamespaceLister) Get(name string) (*corev1.Pod, error) {
	pod, err := l.PodNamespaceLister.Get(name)
	if err == nil && pod.DeletionTimestamp != nil {
		return nil, apierrors.NewNotFound(corev1.Resource("pods"), name)
	}
	return pod, err
}

func live(pods []*corev1.Pod, err error) ([]*corev1.Pod, error) {
	var kept []*corev1.Pod
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			kept = append(kept, pod)
		}
	}
	return kept, err
}

// silent is an event recorder that records nothing.
type silent struct{}

// Event implements EventRecorder.
func (silent) Event(runtime.Object, string, string, string) {}

// Eventf implements EventRecorder.
func (silent) Eventf(runtime.Object, string, string, string, ...any) {}

// AnnotatedEventf implements EventRecorder.
func (silent) AnnotatedEventf(runtime.Object, map[string]string, string, string, string, ...any) {}
