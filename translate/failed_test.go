package translate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestFailed(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	newPod := func(phase corev1.PodPhase, reason string) *corev1.Pod {
		return &corev1.Pod{
			Spec:   corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "app:1"}}},
			Status: corev1.PodStatus{Phase: phase, Reason: reason, StartTime: &metav1.Time{Time: now.Add(-time.Minute)}},
		}
	}
	running := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, IPs: []string{"10.0.0.1"}, Containers: []cloudapi.ContainerState{
		{Name: "main", Current: cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: now.Add(-time.Minute)}},
	}}
	for name, c := range map[string]struct {
		reason     string
		pod        *corev1.Pod
		group      *cloudapi.Group
		phase      corev1.PodPhase
		why        string
		containers int
	}{
		"without group": {"no container ever was", newPod(corev1.PodPending, ""), nil, corev1.PodFailed, "DeadlineExceeded", 0},
		"with group":    {"its containers are told as they are", newPod(corev1.PodRunning, ""), running, corev1.PodFailed, "DeadlineExceeded", 1},
		"again":         {"the same verdict follows its group", newPod(corev1.PodFailed, "DeadlineExceeded"), running, corev1.PodFailed, "DeadlineExceeded", 1},
		"ended before":  {"an end is an end", newPod(corev1.PodSucceeded, ""), running, corev1.PodSucceeded, "", 0},
		"failed before": {"the first reason stays", newPod(corev1.PodFailed, "Evicted"), running, corev1.PodFailed, "Evicted", 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.pod.DeepCopy()
			got := Failed(c.pod, c.group, "DeadlineExceeded", "too long", now)
			if got.Phase != c.phase || got.Reason != c.why || len(got.ContainerStatuses) != c.containers {
				t.Errorf("%s: phase %s, reason %q, %d containers", c.reason, got.Phase, got.Reason, len(got.ContainerStatuses))
			}
			for _, condition := range got.Conditions {
				if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionFalse {
					t.Errorf("%s: ready", c.reason)
				}
			}
			if diff := cmp.Diff(before, c.pod); diff != "" {
				t.Errorf("the pod was changed (-before +after):\n%s", diff)
			}
		})
	}
}
