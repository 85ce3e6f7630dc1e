package provider

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// withFiles is a cloud that can replace files.
var withFiles = can(func(l *cloudapi.Limits) { l.Can.FileUpdates, l.MaxUpdateFiles = true, 2 })

// shell is a container's shell, as far as it is asked to write files.
type shell struct {
	mu sync.Mutex
	// answer is its last word, or how the call fails.
	answer string
	code   int
	err    error
	// scripts are what it was given.
	scripts []string
}

func (h *harness) shell() *shell {
	s := &shell{answer: "changed"}
	h.cloud.OnExec(func(_ context.Context, c fakecloud.Call) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if diff := cmp.Diff([]string{"/bin/sh"}, c.Command); diff != "" {
			h.t.Errorf("command (-want +got):\n%s", diff)
		}
		s.scripts = append(s.scripts, c.Stdin)
		if s.answer != "" {
			fmt.Fprintf(c.Stdout, "cumulet-files: %s\n", s.answer)
		}
		return s.code, s.err
	})
	return s
}

func (s *shell) set(answer string, code int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.code, s.err = answer, code, err
}

// given returns the scripts so far.
func (s *shell) given() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.scripts...)
}

// configMap makes or changes the ConfigMap "settings".
func (h *harness) configMap(version string, data map[string]string) {
	h.t.Helper()
	maps := h.kube.CoreV1().ConfigMaps(testNamespace)
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: testNamespace, ResourceVersion: version}, Data: data}
	_, err := maps.Update(h.t.Context(), cm, metav1.UpdateOptions{})
	if err != nil {
		_, err = maps.Create(h.t.Context(), cm, metav1.CreateOptions{})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// mounted gives the first container a volume.
func mounted(source corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "config", VolumeSource: source}}
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "config", MountPath: "/etc/config"}}
	}
}

var settings = mounted(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
	LocalObjectReference: corev1.LocalObjectReference{Name: "settings"},
}})

// filesCurrent is the pod's condition as text, empty if there is none.
func (h *harness) filesCurrent(name string) string {
	for _, c := range h.api.pod(name).Status.Conditions {
		if c.Type == FilesCurrent {
			return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
		}
	}
	return ""
}

// fileUpdates are the files that the cloud was asked to replace.
func (h *harness) fileUpdates() [][]cloudapi.Volume {
	var list [][]cloudapi.Volume
	for _, c := range h.cloud.Calls(fakecloud.OpUpdate) {
		list = append(list, c.Volumes)
	}
	return list
}
