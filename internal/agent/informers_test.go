package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
	"github.com/cumulet/cumulet/provider"
)

func pod(name, uid string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid)},
		Spec:       corev1.PodSpec{NodeName: "virtual-1", Containers: []corev1.Container{{Name: "main", Image: "app:1"}}},
	}
}

func TestLiveLister(t *testing.T) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	ending := pod("ending", "u-2")
	ending.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	for _, p := range []*corev1.Pod{pod("alive", "u-1"), ending} {
		if err := indexer.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	lister := liveLister{corelisters.NewPodLister(indexer)}
	names := func(pods []*corev1.Pod, err error) (names []string) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pods {
			names = append(names, p.Name)
		}
		return names
	}
	want := []string{"alive"}
	if diff := cmp.Diff(want, names(lister.List(labels.Everything()))); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, names(lister.Pods("shop").List(labels.Everything()))); diff != "" {
		t.Errorf("of a namespace (-want +got):\n%s", diff)
	}
	if _, err := lister.Pods("shop").Get("ending"); !apierrors.IsNotFound(err) {
		t.Errorf("a pod that ends: %v", err)
	}
	if _, err := lister.Pods("shop").Get("none"); !apierrors.IsNotFound(err) {
		t.Errorf("no pod: %v", err)
	}
	if got, err := lister.Pods("shop").Get("alive"); err != nil || got.UID != "u-1" {
		t.Errorf("a pod: %v, %v", got, err)
	}
}

func TestTrim(t *testing.T) {
	p := pod("web", "u-1")
	p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	got, err := trim(p)
	if err != nil || got.(*corev1.Pod).ManagedFields != nil {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := trim("tombstone"); err != nil || got != "tombstone" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestInformersTellTheProvider follows a pod from its making to its end, and
// one that is replaced in a gap of the watch.
func TestInformersTellTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kube := fake.NewClientset()
		n := newInformers(kube, "virtual-1")
		p := provider.New(provider.Options{
			Cluster: "c", Node: "virtual-1", Cloud: fakecloud.New(fakecloud.Options{Clock: clock.RealClock{}, Limits: cloudapi.Limits{Provider: "test"}}),
			Kube: kube, Pods: n.pods.Lister(), Services: n.services.Lister(), Recorder: silent{}, Clock: clock.RealClock{},
			Log: logr.Discard(), Metrics: provider.NewMetrics(prometheus.NewRegistry(), "virtual-1", "test"),
			SweepInterval: time.Hour, // this test is of pods alone
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- n.run(ctx, p) }()
		go func() { p.Run(ctx); ended <- nil }()
		defer func() {
			cancel()
			for range 2 {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			<-time.After(10 * time.Second) // queues end on their next tick
		}()
		known := func() (uids []types.UID) {
			<-time.After(5 * time.Second)
			pods, err := p.GetPods(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pods {
				uids = append(uids, p.UID)
			}
			return uids
		}
		pods := kube.CoreV1().Pods("shop")
		if _, err := pods.Create(ctx, pod("web", "u-1"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]types.UID{"u-1"}, known()); diff != "" {
			t.Errorf("made (-want +got):\n%s", diff)
		}
		if _, err := pods.Update(ctx, pod("web", "u-2"), metav1.UpdateOptions{}); err != nil { // no news of the end of the first
			t.Fatal(err)
		}
		if diff := cmp.Diff([]types.UID{"u-2"}, known()); diff != "" {
			t.Errorf("replaced (-want +got):\n%s", diff)
		}
		if err := pods.Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]types.UID(nil), known()); diff != "" {
			t.Errorf("deleted (-want +got):\n%s", diff)
		}
	})
}

// TestInheritedPods: of the pods that were there before the watch, and of no others,
// an earlier process may have asked for a group already.
func TestInheritedPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := pod("before", "u-1")
		before.CreationTimestamp = metav1.NewTime(time.Now().Add(time.Hour)) // by the API server's clock
		kube := fake.NewClientset(before)
		n := newInformers(kube, "virtual-1")
		cloud := fakecloud.New(fakecloud.Options{Clock: clock.RealClock{}, Limits: cloudapi.Limits{
			Provider: "test", Sizes: []cloudapi.Size{{CPU: 2, Memory: []float64{4}}}, DefaultSize: cloudapi.Size{CPU: 2, Memory: []float64{4}},
		}})
		p := provider.New(provider.Options{
			Cluster: "c", Node: "virtual-1", Cloud: cloud,
			Kube: kube, Pods: n.pods.Lister(), Services: n.services.Lister(), Recorder: silent{}, Clock: clock.RealClock{},
			Log: logr.Discard(), Metrics: provider.NewMetrics(prometheus.NewRegistry(), "virtual-1", "test"),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- n.run(ctx, p) }()
		go func() { p.Run(ctx); ended <- nil }()
		<-time.After(time.Minute)
		if _, err := kube.CoreV1().Pods("shop").Create(ctx, pod("after", "u-2"), metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
		<-time.After(time.Minute)
		got := map[string]bool{}
		for _, c := range cloud.Calls(fakecloud.OpCreate) {
			got[c.Spec.Identity.PodUID] = c.Create.MayExist
		}
		if diff := cmp.Diff(map[string]bool{"u-1": true, "u-2": false}, got); diff != "" {
			t.Errorf("creates whose groups may exist (-want +got):\n%s", diff)
		}
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		<-time.After(10 * time.Second) // queues end on their next tick
	})
}

func TestForgotten(t *testing.T) {
	p := provider.New(provider.Options{
		Cloud: &fakecloud.Stub{T: t}, Kube: fake.NewClientset(), Clock: clock.RealClock{}, Log: logr.Discard(),
	})
	observe(p, pod("web", "u-1"))
	observe(p, "no pod")
	forget(p, cache.DeletedFinalStateUnknown{Key: "shop/web", Obj: pod("web", "u-1")})
	forget(p, cache.DeletedFinalStateUnknown{Key: "shop/other", Obj: nil})
	if _, err := p.GetPod(t.Context(), "shop", "web"); err == nil {
		t.Error("a pod whose end fell into a gap of the watch is still there")
	}
}
