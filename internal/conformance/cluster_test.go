package conformance

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func node(name string, change func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	change(n)
	return n
}

func TestUsableNodes(t *testing.T) {
	good := node("good", func(*corev1.Node) {})
	tests := map[string]struct {
		reason string
		nodes  []runtime.Object
		want   int
		err    string
	}{
		"One":      {"as it should be", []runtime.Object{good}, 1, ""},
		"None":     {"", nil, 0, "there is no node"},
		"Cordoned": {"", []runtime.Object{node("a", func(n *corev1.Node) { n.Spec.Unschedulable = true })}, 0, "a is cordoned"},
		"NotReady": {"", []runtime.Object{node("a", func(n *corev1.Node) { n.Status.Conditions = nil })}, 0, "a is not Ready"},
		"Tainted": {
			"the tests' pods tolerate nothing",
			[]runtime.Object{node("a", func(n *corev1.Node) {
				n.Spec.Taints = []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule}}
			})},
			0, "a has the taint k=v:NoSchedule",
		},
		"Preferred": {
			"this taint keeps nothing away",
			[]runtime.Object{node("a", func(n *corev1.Node) {
				n.Spec.Taints = []corev1.Taint{{Key: "k", Effect: corev1.TaintEffectPreferNoSchedule}}
			})},
			1, "",
		},
		"Other": {
			"a second node may be of no use",
			[]runtime.Object{good, node("a", func(n *corev1.Node) { n.Spec.Unschedulable = true })}, 1, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(tt.nodes...)
			synctest.Test(t, func(t *testing.T) { // where waiting takes no time
				got, err := usableNodes(t.Context(), client)
				if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
					t.Fatalf("%s: error %v, want %q", tt.reason, err, tt.err)
				}
				if got != tt.want {
					t.Errorf("%s: %d nodes, want %d", tt.reason, got, tt.want)
				}
			})
		})
	}
}

func suiteNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{suiteLabel: "1"}}}
}

func TestReset(t *testing.T) {
	stuck := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "stuck", Namespace: "pods-1", Finalizers: []string{"example.com/x"}}}
	other := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "other", Namespace: "default"}}
	client := fake.NewClientset(suiteNamespace("pods-1"), stuck, other,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	// As in a real cluster, a namespace goes when its pods are gone.
	client.PrependReactor("delete", "namespaces", func(action clienttesting.Action) (bool, runtime.Object, error) {
		pods, err := client.Tracker().List(corev1.SchemeGroupVersion.WithResource("pods"), corev1.SchemeGroupVersion.WithKind("Pod"), "pods-1")
		list, ok := pods.(*corev1.PodList)
		return err != nil || !ok || len(list.Items) > 0, nil, err
	})
	synctest.Test(t, func(t *testing.T) { // where waiting takes no time
		if err := (testedCluster{client: client}).reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	pods, err := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 || pods.Items[0].Name != "other" {
		t.Errorf("pods %v are left, want only the one that the suite did not make", pods.Items)
	}
	released, force := false, false
	for _, action := range client.Actions() {
		released = released || action.Matches("patch", "pods")
		if d, ok := action.(clienttesting.DeleteActionImpl); ok && action.Matches("delete", "pods") {
			force = force || d.DeleteOptions.GracePeriodSeconds != nil && *d.DeleteOptions.GracePeriodSeconds == 0
		}
	}
	if !released || !force {
		t.Errorf("finalizers taken off: %t, deleted without grace: %t; want both", released, force)
	}
}

func TestResetErrors(t *testing.T) {
	for _, verb := range []string{"list namespaces", "delete namespaces", "list pods", "delete pods"} {
		t.Run(strings.ReplaceAll(verb, " ", ""), func(t *testing.T) {
			client := fake.NewClientset(suiteNamespace("pods-1"),
				&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "pods-1"}})
			what, resource, _ := strings.Cut(verb, " ")
			client.PrependReactor(what, resource, func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, errors.New("etcd is full")
			})
			err := (testedCluster{client: client}).reset(t.Context())
			if err == nil || !strings.Contains(err.Error(), "etcd is full") {
				t.Errorf("error %v, want that of %s", err, verb)
			}
		})
	}
}
