package controlplane

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSharedEtcd checks that two clusters with one etcd do not see each other's
// objects.
func TestSharedEtcd(t *testing.T) {
	first := startCluster(t, Options{WithoutControllerManager: true, WithoutScheduler: true})
	second := startCluster(t, Options{
		WithoutControllerManager: true, WithoutScheduler: true, EtcdOf: first, EtcdPrefix: "/second",
	})
	var names []string
	for _, p := range second.Processes() {
		names = append(names, p.Name())
	}
	if len(names) != 1 || names[0] != "kube-apiserver" {
		t.Errorf("the second cluster runs %v, want kube-apiserver alone", names)
	}
	mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mark"}}
	ours := clientFor(t, second.AdminConfig()).CoreV1().ConfigMaps("default")
	if _, err := ours.Create(t.Context(), mark, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	theirs := clientFor(t, first.AdminConfig()).CoreV1().ConfigMaps("default")
	if _, err := theirs.Get(t.Context(), "mark", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the first cluster's answer for the second one's object: %v, want not found", err)
	}
}
