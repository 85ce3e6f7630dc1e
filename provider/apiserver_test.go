package provider

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

// apiServer keeps pods as the API server does, where client-go's fake does
// not: versions, UIDs in patches, preconditions and finalizers of deletes.
type apiServer struct {
	t testing.TB

	mu      sync.Mutex
	pods    map[types.NamespacedName]*corev1.Pod
	version int
	// writes are the status patches that were carried out.
	writes []string
	// refuse answers the next patches and deletes of pods instead.
	refuse []error
	// refusePatch answers every status patch.
	refusePatch error
	// listErr answers every list of pods.
	listErr error
	// changed is told of every change, in order: the pod, and whether it is
	// gone.
	changed func(*corev1.Pod, bool)
}

var podResource = corev1.Resource("pods")

func newAPIServer(t testing.TB, kube *fake.Clientset) *apiServer {
	a := &apiServer{t: t, pods: map[types.NamespacedName]*corev1.Pod{}}
	for verb, react := range map[string]k8stesting.ReactionFunc{"get": a.get, "list": a.list, "patch": a.patch, "delete": a.delete} {
		kube.PrependReactor(verb, "pods", react)
	}
	return a
}

func (a *apiServer) store(pod *corev1.Pod) *corev1.Pod {
	a.version++
	pod = pod.DeepCopy()
	pod.ResourceVersion = strconv.Itoa(a.version)
	a.pods[nameOf(pod)] = pod
	a.changed(pod.DeepCopy(), false)
	return pod.DeepCopy()
}

func (a *apiServer) remove(pod *corev1.Pod) {
	delete(a.pods, nameOf(pod))
	a.changed(pod.DeepCopy(), true)
}

// create binds a new pod to the node.
func (a *apiServer) create(pod *corev1.Pod) *corev1.Pod {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.store(pod)
}

// change changes a pod as another client would.
func (a *apiServer) change(name string, change func(*corev1.Pod)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pod := a.pods[types.NamespacedName{Namespace: testNamespace, Name: name}].DeepCopy()
	change(pod)
	a.store(pod)
}

// end deletes a pod as kubectl delete does; grace 0 is --force.
func (a *apiServer) end(name string, grace int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pod := a.pods[types.NamespacedName{Namespace: testNamespace, Name: name}]
	a.deleteLocked(pod, grace)
}

func (a *apiServer) deleteLocked(pod *corev1.Pod, grace int64) {
	if grace == 0 && len(pod.Finalizers) == 0 {
		a.remove(pod)
		return
	}
	pod = pod.DeepCopy()
	if pod.DeletionTimestamp == nil {
		pod.DeletionTimestamp = ptr.To(metav1.NewTime(time.Now().Add(time.Duration(grace) * time.Second)))
	}
	pod.DeletionGracePeriodSeconds = &grace
	a.store(pod)
}

// pod returns a pod, or nil if there is none of this name.
func (a *apiServer) pod(name string) *corev1.Pod {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pods[types.NamespacedName{Namespace: testNamespace, Name: name}].DeepCopy()
}

func (a *apiServer) statusWrites() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.writes)
}

func (a *apiServer) refusal() error {
	if len(a.refuse) == 0 {
		return nil
	}
	err := a.refuse[0]
	a.refuse = a.refuse[1:]
	return err
}

func (a *apiServer) get(action k8stesting.Action) (bool, runtime.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := action.(k8stesting.GetAction).GetName()
	pod, ok := a.pods[types.NamespacedName{Namespace: action.GetNamespace(), Name: name}]
	if !ok {
		return true, nil, apierrors.NewNotFound(podResource, name)
	}
	return true, pod.DeepCopy(), nil
}

func (a *apiServer) list(k8stesting.Action) (bool, runtime.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listErr != nil {
		return true, nil, a.listErr
	}
	list := &corev1.PodList{}
	for _, pod := range a.pods {
		list.Items = append(list.Items, *pod.DeepCopy())
	}
	return true, list, nil
}

func (a *apiServer) patch(action k8stesting.Action) (bool, runtime.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	patch := action.(k8stesting.PatchAction)
	if action.GetSubresource() != "status" || patch.GetPatchType() != types.StrategicMergePatchType {
		a.t.Errorf("unexpected patch of %q with %s", action.GetSubresource(), patch.GetPatchType())
	}
	if err := a.refusal(); err != nil {
		return true, nil, err
	}
	if a.refusePatch != nil {
		return true, nil, a.refusePatch
	}
	pod, ok := a.pods[types.NamespacedName{Namespace: action.GetNamespace(), Name: patch.GetName()}]
	if !ok {
		return true, nil, apierrors.NewNotFound(podResource, patch.GetName())
	}
	if uid := uidIn(a.t, patch.GetPatch()); uid != pod.UID {
		return true, nil, apierrors.NewConflict(podResource, pod.Name, fmt.Errorf("uid is %s, not %s", pod.UID, uid))
	}
	changed, err := merge(pod, patch.GetPatch())
	if err != nil {
		return true, nil, err
	}
	a.writes = append(a.writes, string(patch.GetPatch()))
	return true, a.store(changed), nil
}

// uidIn is the UID that a status patch must carry.
func uidIn(t testing.TB, patch []byte) types.UID {
	var body struct {
		Metadata struct{ UID types.UID }
	}
	if err := json.Unmarshal(patch, &body); err != nil || body.Metadata.UID == "" {
		t.Errorf("the patch %s carries no UID (%v)", patch, err)
	}
	return body.Metadata.UID
}

func merge(pod *corev1.Pod, patch []byte) (*corev1.Pod, error) {
	before, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	after, err := strategicpatch.StrategicMergePatch(before, patch, corev1.Pod{})
	if err != nil {
		return nil, err
	}
	merged := &corev1.Pod{}
	if err := json.Unmarshal(after, merged); err != nil {
		return nil, err
	}
	changed := pod.DeepCopy()
	changed.Status = merged.Status
	return changed, nil
}

func (a *apiServer) delete(action k8stesting.Action) (bool, runtime.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.refusal(); err != nil {
		return true, nil, err
	}
	d := action.(k8stesting.DeleteActionImpl)
	pod, ok := a.pods[types.NamespacedName{Namespace: d.Namespace, Name: d.Name}]
	if !ok {
		return true, nil, apierrors.NewNotFound(podResource, d.Name)
	}
	o := d.DeleteOptions
	if o.Preconditions == nil || o.Preconditions.UID == nil {
		a.t.Errorf("pod %s is deleted without its UID", d.Name)
	} else if *o.Preconditions.UID != pod.UID {
		return true, nil, apierrors.NewConflict(podResource, d.Name, fmt.Errorf("uid is %s", pod.UID))
	}
	a.deleteLocked(pod, *o.GracePeriodSeconds)
	return true, nil, nil
}
