package agent

import (
	"context"
	"fmt"
	"time"

	vknode "github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

const (
	// leaseSeconds and statusInterval are the kubelet's own (lease 40 s,
	// renewed each 10 s; status at least every 5 min, here 1 min).
	leaseSeconds   = 40
	leaseRenewal   = 10 * time.Second
	statusInterval = time.Minute
	// podWorkers only put pods into the provider's queues.
	podWorkers = 4
)

func (n *virtualNode) nodeController(p *parts) (*vknode.NodeController, error) {
	nodes := p.kube.CoreV1().Nodes()
	object := p.object
	controller, err := vknode.NewNodeController(p.provider.NodeProvider(object), object, nodes,
		vknode.WithNodeEnableLeaseV1WithRenewInterval(p.kube.CoordinationV1().Leases(corev1.NamespaceNodeLease), leaseSeconds, leaseRenewal),
		vknode.WithNodeStatusUpdateInterval(statusInterval),
		vknode.WithNodeStatusUpdateErrorHandler(func(ctx context.Context, err error) error {
			if !apierrors.IsNotFound(err) {
				return err
			}
			// Somebody deleted the node: register it again, as the kubelet does.
			p.log.Info("node object is gone, registering it again")
			if _, err := nodes.Create(ctx, object.DeepCopy(), metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("registering node again: %w", err)
			}
			return nil
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("making node controller: %w", err)
	}
	return controller, nil
}

// podController dispatches pods to the provider. It gets a lister that hides
// pods being deleted: otherwise it would remove them from the API server
// before their group is gone; the provider does that itself, in order. It gets
// a recorder that tells nothing: the provider's events are the kubelet's. And
// it gets informers of Secrets, ConfigMaps and Services that never start: the
// provider reads what pods name, one by one.
func (n *virtualNode) podController(p *parts) (*vknode.PodController, error) {
	unused := informers.NewSharedInformerFactory(p.kube, 0).Core().V1()
	again := func(context.Context, string, int, time.Time, error) (*time.Duration, error) {
		delay := time.Second
		return &delay, nil
	}
	controller, err := vknode.NewPodController(vknode.PodControllerConfig{
		PodClient:                                p.kube.CoreV1(),
		PodInformer:                              livePods{p.informers.pods},
		EventRecorder:                            silent{},
		Provider:                                 p.provider,
		ConfigMapInformer:                        unused.ConfigMaps(),
		SecretInformer:                           unused.Secrets(),
		ServiceInformer:                          unused.Services(),
		SyncPodsFromKubernetesRateLimiter:        unlimited(),
		SyncPodsFromKubernetesShouldRetryFunc:    again,
		DeletePodsFromKubernetesRateLimiter:      unlimited(),
		DeletePodsFromKubernetesShouldRetryFunc:  again,
		SyncPodStatusFromProviderRateLimiter:     unlimited(),
		SyncPodStatusFromProviderShouldRetryFunc: again,
		SkipDownwardAPIResolution:                true,
	})
	if err != nil {
		return nil, fmt.Errorf("making pod controller: %w", err)
	}
	return controller, nil
}

// unlimited lets every event through at once: virtual-kubelet's default passes
// ten a second, which holds a restart with 5,000 pods for eight minutes.
func unlimited() workqueue.TypedRateLimiter[any] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[any](time.Millisecond, time.Minute)
}

// newRecorder makes the recorder of the pods' events. The broadcaster's own
// limits are client-go's, as in the kubelet.
func newRecorder(ctx context.Context, kube kubernetes.Interface, node string) (record.EventBroadcaster, record.EventRecorder) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: kube.CoreV1().Events("")})
	return broadcaster, broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "cumulet", Host: node})
}
