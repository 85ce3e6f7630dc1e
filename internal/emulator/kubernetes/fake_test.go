package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// cluster is a backing cluster of which the test plays the kubelet.
type cluster struct {
	t       *testing.T
	client  *fake.Clientset
	nodes   *fakeNodes
	runtime *Runtime

	mu sync.Mutex
	// deletes are the calls that deleted pods: name and grace.
	deletes []string
	killed  []string
	// refuse answers calls by "verb resource", each once.
	refuse map[string][]error
	uids   int
}

// newCluster is a connected runtime over a fake cluster, in a synctest bubble.
func newCluster(t *testing.T, changes ...func(*Options)) *cluster {
	t.Helper()
	c := &cluster{t: t, client: fake.NewClientset(), nodes: &fakeNodes{}, refuse: map[string][]error{}}
	c.client.PrependReactor("*", "*", c.react)
	o := Options{
		Namespace: "groups", Cloud: "eci", NodeName: "machine", NameServers: []string{"10.0.0.2"},
		Kill: func(_ context.Context, uid string) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.killed = append(c.killed, uid)
			return nil
		},
	}
	for _, change := range changes {
		change(&o)
	}
	c.runtime = newRuntime(o, c.client, c.nodes)
	if err := c.runtime.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.runtime.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// react does what an API server does and the fake does not.
func (c *cluster) react(action clienttesting.Action) (bool, runtime.Object, error) {
	c.mu.Lock()
	key := action.GetVerb() + " " + action.GetResource().Resource
	var refusal error
	if list := c.refuse[key]; len(list) > 0 {
		refusal, c.refuse[key] = list[0], list[1:]
	}
	c.uids++
	uid := fmt.Sprintf("uid-%d", c.uids)
	c.mu.Unlock()
	if refusal != nil {
		return true, nil, refusal
	}
	switch action := action.(type) {
	case clienttesting.CreateActionImpl:
		if pod, ok := action.GetObject().(*corev1.Pod); ok {
			pod.UID = types.UID(uid)
			pod.Status.Phase = corev1.PodPending
		}
	case clienttesting.DeleteActionImpl:
		if key == "delete pods" {
			return c.delete(action)
		}
	case clienttesting.DeleteCollectionActionImpl:
		return true, nil, c.deleteAll(action)
	}
	return false, nil, nil
}

func (c *cluster) delete(action clienttesting.DeleteActionImpl) (bool, runtime.Object, error) {
	grace := *action.DeleteOptions.GracePeriodSeconds
	c.mu.Lock()
	c.deletes = append(c.deletes, fmt.Sprintf("%s %d", action.Name, grace))
	c.mu.Unlock()
	pod, err := c.find(action.Name)
	if err != nil {
		return true, nil, err
	}
	if uid := action.DeleteOptions.Preconditions; uid != nil && *uid.UID != pod.UID {
		return true, nil, apierrors.NewConflict(action.Resource.GroupResource(), action.Name, errors.New("another uid"))
	}
	if grace == 0 || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return true, nil, c.client.Tracker().Delete(action.Resource, action.Namespace, action.Name)
	}
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = ptr.To(metav1.Now()), &grace
	return true, pod, c.client.Tracker().Update(action.Resource, pod, action.Namespace)
}

func (c *cluster) deleteAll(action clienttesting.DeleteCollectionActionImpl) error {
	list, err := c.client.Tracker().List(action.Resource, kindOf(action.Resource.Resource), action.Namespace)
	if err != nil {
		return err
	}
	var names []string
	keep := func(meta *metav1.ObjectMeta) {
		if action.ListRestrictions.Labels.Matches(labels.Set(meta.Labels)) {
			names = append(names, meta.Name)
		}
	}
	switch list := list.(type) {
	case *corev1.PodList:
		for i := range list.Items {
			keep(&list.Items[i].ObjectMeta)
		}
	case *corev1.SecretList:
		for i := range list.Items {
			keep(&list.Items[i].ObjectMeta)
		}
	}
	for _, name := range names {
		if err := c.client.Tracker().Delete(action.Resource, action.Namespace, name); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(resource string) schema.GroupVersionKind {
	return corev1.SchemeGroupVersion.WithKind(map[string]string{"pods": "Pod", "secrets": "Secret"}[resource])
}

var podResource = corev1.SchemeGroupVersion.WithResource("pods")

func (c *cluster) find(name string) (*corev1.Pod, error) {
	object, err := c.client.Tracker().Get(podResource, "groups", name)
	if err != nil {
		return nil, err
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, fmt.Errorf("%s is a %T", name, object)
	}
	return pod.DeepCopy(), nil
}

// pod changes a pod's status, as its kubelet would.
func (c *cluster) pod(name string, change func(*corev1.PodStatus)) {
	c.t.Helper()
	pod, err := c.find(name)
	if err != nil {
		c.t.Fatal(err)
	}
	change(&pod.Status)
	if err := c.client.Tracker().Update(podResource, pod, "groups"); err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
}

// vanish removes a pod, as its kubelet does once nothing of it runs.
func (c *cluster) vanish(name string) {
	c.t.Helper()
	if err := c.client.Tracker().Delete(podResource, "groups", name); err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
}

// event tells an event of a pod so many times so far.
func (c *cluster) event(pod, reason, message string, count int32) {
	c.t.Helper()
	e := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: pod + "." + reason, Namespace: "groups", UID: types.UID(pod + reason)},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: pod, FieldPath: "spec.containers{app}"},
		Type:           normal, Reason: reason, Message: message, Count: count,
		FirstTimestamp: metav1.NewTime(clockStart), LastTimestamp: metav1.NewTime(clockStart.Add(time.Duration(count) * time.Second)),
	}
	resource := corev1.SchemeGroupVersion.WithResource("events")
	err := c.client.Tracker().Create(resource, e, "groups")
	if apierrors.IsAlreadyExists(err) {
		err = c.client.Tracker().Update(resource, e, "groups")
	}
	if err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
}

// clockStart is when a synctest bubble's clock starts.
var clockStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// noted are the pods' deletions since the last call.
func (c *cluster) noted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	deletes := c.deletes
	c.deletes = nil
	return deletes
}

// objects are the names of the pods or secrets that there are.
func (c *cluster) objects(resource string) []string {
	c.t.Helper()
	list, err := c.client.Tracker().List(corev1.SchemeGroupVersion.WithResource(resource), kindOf(resource), "groups")
	if err != nil {
		c.t.Fatal(err)
	}
	names := []string{}
	switch list := list.(type) {
	case *corev1.PodList:
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
	case *corev1.SecretList:
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

// watched is a group with all that it has reported.
type watched struct {
	engine.Instance
	t         *testing.T
	reporting atomic.Bool
	mu        sync.Mutex
	all       []engine.Observation
}

// start starts a group and waits until it has nothing to do.
func (c *cluster) start(id string, spec *engine.Spec) *watched {
	w := &watched{t: c.t}
	w.Instance = c.runtime.Start(id, spec, func(o engine.Observation) {
		if !w.reporting.CompareAndSwap(false, true) {
			c.t.Error("two observations at once")
		}
		w.mu.Lock()
		w.all = append(w.all, o)
		w.mu.Unlock()
		w.reporting.Store(false)
	})
	synctest.Wait()
	return w
}

// last is the latest observation.
func (w *watched) last() engine.Observation {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		w.t.Fatal("nothing was reported")
	}
	return w.all[len(w.all)-1]
}

// count is how much was reported.
func (w *watched) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}

// told are the events of all observations, as reason, message and count.
func (w *watched) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var told []string
	for _, o := range w.all {
		for _, e := range o.NewEvents {
			told = append(told, fmt.Sprintf("%s %s: %s (%s %d)", e.Type, e.Reason, e.Message, e.Container, e.Count))
		}
	}
	return told
}

// statuses are the states that were told, without repetitions.
func (w *watched) statuses() []engine.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []engine.Status
	for _, o := range w.all {
		all = append(all, o.Status)
	}
	return slices.Compact(all)
}

// pass lets time go by in the bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// fakeNodes are the kubelets' own services.
type fakeNodes struct {
	mu        sync.Mutex
	logs      map[string]string // by pod, container and "previous"
	logCalls  []string
	summaries map[string]string // by node, and with "lean"
	asked     []string
	run       func(ctx context.Context, pod string, options *corev1.PodExecOptions, streams remotecommand.StreamOptions) error
}

func (n *fakeNodes) execute(ctx context.Context, pod string, options *corev1.PodExecOptions, streams remotecommand.StreamOptions) error {
	return n.run(ctx, pod, options, streams)
}

func (n *fakeNodes) log(_ context.Context, pod string, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	key := pod + " " + options.Container
	if options.Previous {
		key += " previous"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	call := key
	if options.Follow {
		call += " follow"
	}
	n.logCalls = append(n.logCalls, call)
	text, ok := n.logs[key]
	if !ok {
		return nil, apierrors.NewBadRequest("container is waiting to start")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (n *fakeNodes) summary(_ context.Context, node string, lean bool) ([]byte, error) {
	if lean {
		node += " lean"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, node)
	text, ok := n.summaries[node]
	if !ok {
		return nil, apierrors.NewInternalError(errors.New("no file system"))
	}
	return []byte(text), nil
}

// The statuses that a kubelet tells of container app.

func runs(container string) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		s.Phase, s.PodIP, s.HostIP = corev1.PodRunning, "10.1.0.5", "10.0.0.1"
		s.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "app", ContainerID: container, ImageID: "sha256:1", Ready: true, Started: ptr.To(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(clockStart)}},
		}}
	}
}

func exits(phase corev1.PodPhase, reason string, code int32) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		s.Phase = phase
		c := &s.ContainerStatuses[0]
		c.Ready, c.Started = false, ptr.To(false)
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: reason, ExitCode: code, StartedAt: metav1.NewTime(clockStart), FinishedAt: metav1.NewTime(clockStart.Add(time.Minute)),
			ContainerID: c.ContainerID,
		}}
	}
}
