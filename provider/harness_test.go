package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
	"github.com/cumulet/cumulet/provider/prober"
)

const (
	testNamespace = "shop"
	testNode      = "virtual-1"
	testCluster   = "cluster-1"
)

// harness runs a provider in a bubble of its own time, between an API server
// and a cloud that are both in memory.
type harness struct {
	t     *testing.T
	kube  *fake.Clientset
	api   *apiServer
	cloud *fakecloud.Cloud
	// client is the cloud as the provider gets it.
	client   cloudapi.Client
	services cache.Indexer
	events   *eventLog
	log      *textLog

	mu sync.Mutex
	p  *Provider
	// dial is the network; without one nobody can be reached.
	dial prober.Dialer
	// deaf keeps the provider from hearing of changes in the API server.
	deaf    bool
	changes chan change
	stop    func()
}

type change struct {
	pod             *corev1.Pod
	gone, inherited bool
}

// setup changes a harness before it starts.
type setup func(*fakecloud.Options)

func withoutTags(o *fakecloud.Options)   { o.Limits.Tags, o.Details = false, true }
func lag(d time.Duration) setup          { return func(o *fakecloud.Options) { o.Lag = d } }
func endTakes(d time.Duration) setup     { return func(o *fakecloud.Options) { o.EndTakes = d } }
func can(f func(*cloudapi.Limits)) setup { return func(o *fakecloud.Options) { f(&o.Limits) } }

// run calls the test with a provider that has run for a minute.
func run(t *testing.T, test func(*harness), setups ...setup) {
	t.Helper()
	runIdle(t, func(h *harness) {
		h.start()
		h.wait(time.Minute + 50*time.Millisecond) // not at the moment of a sweep
		test(h)
	}, setups...)
}

// runIdle calls the test with a harness whose provider has not started.
func runIdle(t *testing.T, test func(*harness), setups ...setup) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := fakecloud.Options{Limits: testLimits(), Clock: clock.RealClock{}}
		for _, s := range setups {
			s(&o)
		}
		h := &harness{
			t: t, kube: fake.NewClientset(), cloud: fakecloud.New(o), events: &eventLog{}, log: &textLog{},
			services: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}),
			changes:  make(chan change, 10000), stop: func() {},
			dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("there is no network") },
		}
		h.client = h.cloud
		h.api = newAPIServer(t, h.kube)
		h.api.changed = func(pod *corev1.Pod, gone bool) { h.changes <- change{pod: pod, gone: gone} }
		go h.inform()
		defer func() {
			h.halt()
			close(h.changes)
			h.wait(10 * time.Second) // the queues' own goroutines end on their next tick
		}()
		test(h)
	})
}

func testLimits() cloudapi.Limits {
	return cloudapi.Limits{
		Cloud: "test", Provider: "test", Tags: true, MaxTagValue: 128,
		Name: cloudapi.NameLimits{Max: 63, Dots: true}, EnvKey: `^[-._a-zA-Z][-._a-zA-Z0-9]*$`,
		Sizes:       []cloudapi.Size{{CPU: 2, Memory: []float64{4}}},
		DefaultSize: cloudapi.Size{CPU: 2, Memory: []float64{4}},
		Can: cloudapi.Abilities{
			InitContainers: true, ReadinessProbe: true, PullPolicy: true, Ports: true, Exec: true, Metrics: true,
			FileMode: true, BinaryFiles: true, NestedFilePaths: true,
		},
		Log: cloudapi.LogLimits{MaxLines: 10},
	}
}

// inform hands on the changes in the API server, as an informer does.
func (h *harness) inform() {
	for c := range h.changes {
		h.mu.Lock()
		p := h.p
		if h.deaf {
			p = nil
		}
		h.mu.Unlock()
		switch {
		case p == nil:
		case c.gone:
			p.Forget(c.pod.UID)
		case c.inherited:
			p.Inherit(c.pod)
		default:
			p.Observe(c.pod)
		}
	}
}

// start starts a provider, with all that an informer would first tell.
func (h *harness) start() {
	p := New(Options{
		Cluster: testCluster, Node: testNode, Cloud: h.client, Kube: h.kube,
		Pods:     corelisters.NewPodLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})),
		Services: corelisters.NewServiceLister(h.services),
		Recorder: h.events, Clock: clock.RealClock{}, Log: h.log.logger(),
		Metrics: NewMetrics(prometheus.NewRegistry(), testNode, "test"),
		HostIP:  "192.0.2.1", ClusterDNS: []string{"192.0.2.53"}, ClusterDomain: "cluster.local",
		Workers: 4, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return h.dial(ctx, network, address)
		},
	})
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	h.stop = func() {
		cancel()
		<-done
	}
	h.mu.Lock()
	h.p = p
	h.mu.Unlock()
	h.api.mu.Lock()
	defer h.api.mu.Unlock()
	for _, pod := range h.api.pods {
		h.changes <- change{pod: pod.DeepCopy(), inherited: true}
	}
}

// halt stops the provider; what changes afterwards it does not hear of.
func (h *harness) halt() {
	h.mu.Lock()
	h.p = nil
	h.mu.Unlock()
	h.stop()
	h.stop = func() {}
}

// restart is a new process after the old one has ended.
func (h *harness) restart() {
	h.halt()
	h.wait(5 * time.Second)
	h.start()
}

// wait lets this much time pass, and everything happen that is due.
func (h *harness) wait(d time.Duration) {
	h.t.Helper()
	<-time.After(d)
	synctest.Wait()
}

// until waits until the condition holds, and fails the test when it does not
// within this time.
func (h *harness) until(limit time.Duration, what string, condition func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(limit); !condition(); h.wait(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("after %v: not %s; log:\n%s", limit, what, h.log)
		}
	}
}

// never checks that a condition does not come to hold.
func (h *harness) never(during time.Duration, what string, condition func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(during); time.Now().Before(deadline); h.wait(100 * time.Millisecond) {
		if condition() {
			h.t.Fatalf("%s; log:\n%s", what, h.log)
		}
	}
}

// create makes a pod and returns it.
func (h *harness) create(name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	return h.api.create(newPod(name, changes...))
}

func newPod(name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: testNamespace, Name: name, UID: types.UID("uid-" + name),
			CreationTimestamp: metav1.NewTime(time.Now().Truncate(time.Second)),
		},
		Spec: corev1.PodSpec{
			NodeName: testNode, RestartPolicy: corev1.RestartPolicyNever, EnableServiceLinks: ptr.To(false),
			TerminationGracePeriodSeconds: ptr.To[int64](30),
			Containers:                    []corev1.Container{{Name: "main", Image: "registry.example/app:1"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	for _, c := range changes {
		c(pod)
	}
	return pod
}

// running makes a pod and waits until it runs. It returns its group's id.
func (h *harness) running(name string, changes ...func(*corev1.Pod)) string {
	h.t.Helper()
	pod := h.create(name, changes...)
	id := h.group(pod.UID)
	h.cloud.Start(id, "10.0.0.1")
	h.phase(name, corev1.PodRunning)
	return id
}

// group waits until the pod has exactly one group and returns its id.
func (h *harness) group(uid types.UID) string {
	h.t.Helper()
	var ids []string
	h.until(time.Minute, "a group for "+string(uid), func() bool {
		ids = h.groups(uid)
		return len(ids) > 0
	})
	if len(ids) != 1 {
		h.t.Fatalf("pod %s has the groups %v", uid, ids)
	}
	return ids[0]
}

func (h *harness) groups(uid types.UID) []string {
	var ids []string
	for _, g := range h.cloud.Groups() {
		if g.Identity.PodUID == string(uid) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

// phase waits until the pod is in this phase.
func (h *harness) phase(name string, phase corev1.PodPhase) {
	h.t.Helper()
	h.until(time.Minute, fmt.Sprintf("pod %s is %s", name, phase), func() bool {
		pod := h.api.pod(name)
		return pod != nil && pod.Status.Phase == phase
	})
}

// goneFromAPI waits until there is no pod of this name.
func (h *harness) goneFromAPI(limit time.Duration, name string) {
	h.t.Helper()
	h.until(limit, "pod "+name+" is gone", func() bool { return h.api.pod(name) == nil })
}

// nothingLeft checks that neither groups nor records nor watches are left.
func (h *harness) nothingLeft() {
	h.t.Helper()
	h.wait(5 * time.Second)
	if groups := h.cloud.Groups(); len(groups) > 0 {
		h.t.Errorf("groups are left: %+v", groups)
	}
	s := h.p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.records)+len(s.groups)+len(s.names) > 0 {
		h.t.Errorf("left in memory: %d records, %d groups, %d names", len(s.records), len(s.groups), len(s.names))
	}
	if n := h.p.prober.Pods(); n > 0 {
		h.t.Errorf("%d pods are still probed", n)
	}
	for _, o := range []*objects{h.p.refs.configMaps, h.p.refs.secrets} {
		o.mu.Lock()
		if len(o.watched) > 0 {
			h.t.Errorf("%s are still watched: %v", o.resource.Resource, o.watched)
		}
		o.mu.Unlock()
	}
}

// eventLog keeps the events that were recorded, as text.
type eventLog struct {
	mu   sync.Mutex
	list []string
}

// Event implements EventRecorder.
func (e *eventLog) Event(object runtime.Object, kind, reason, message string) {
	where := ""
	if ref, ok := object.(*corev1.ObjectReference); ok {
		where = " " + ref.FieldPath
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, fmt.Sprintf("%s %s%s: %s", kind, reason, where, message))
}

// Eventf implements EventRecorder.
func (e *eventLog) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	e.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

// AnnotatedEventf implements EventRecorder.
func (e *eventLog) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	e.Eventf(object, kind, reason, format, args...)
}

// with returns the events that contain a text.
func (e *eventLog) with(text string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []string
	for _, event := range e.list {
		if strings.Contains(event, text) {
			found = append(found, event)
		}
	}
	return found
}

func (e *eventLog) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// textLog keeps the log.
type textLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *textLog) logger() logr.Logger {
	return funcr.New(func(prefix, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		fmt.Fprintf(&l.text, "%s %s\n", prefix, args)
	}, funcr.Options{})
}

// String is the whole log.
func (l *textLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
