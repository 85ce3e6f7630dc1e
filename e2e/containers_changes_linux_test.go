package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// brought is how long a change of a ConfigMap, a Secret or a label may take into
// a running container.
const brought = 2 * time.Minute

// TestContainersChanges changes what the files of running containers are made of:
// in one as root, through exec; in one as another user and in one without a shell,
// which only a cloud's API can reach, if it has such a call. None is started anew.
func TestContainersChanges(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		maps := c.kube.CoreV1().ConfigMaps(c.namespace)
		settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"color": "blue", "gone": "soon"}}
		if _, err := maps.Create(t.Context(), settings, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		pods := []string{"root", "bare"}
		c.create(t, c.pod("root", lasting, changeable))
		c.create(t, c.pod("bare", "", changeable, withoutShell))
		if c.cloud == "eci" { // KCI takes no runAsUser
			c.create(t, c.pod("user", lasting, changeable, asUser))
			pods = append(pods, "user")
		}
		for _, name := range pods {
			c.awaitPod(t, name, "ready", isReady)
		}
		if got := c.mustKubectl(t, "", "exec", "root", "--", "sh", "-c", seen); got != "color=blue gone=soon tier=front" {
			t.Fatalf("the container begins with %q", got)
		}
		settings.Data = map[string]string{"color": "red & 'green'", "new": "here"}
		if _, err := maps.Update(t.Context(), settings, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.mustKubectl(t, "", append(append([]string{"label", "pod"}, pods...), "--overwrite", "tier=back")...)
		c.haveChanged(t, pods)
	})
}

// haveChanged checks what has become of the change in each pod.
func (c *target) haveChanged(t *testing.T, pods []string) {
	t.Helper()
	for _, name := range pods {
		want := corev1.ConditionTrue
		if name == "bare" && c.cloud == "kci" {
			want = corev1.ConditionFalse
		} else if name != "bare" {
			c.seesFiles(t, name, "color=red & 'green' new=here tier=back")
		}
		pod := c.awaitPod(t, name, "told how its files are", filesCurrent(want))
		if n := pod.Status.ContainerStatuses[0].RestartCount; n != 0 {
			t.Errorf("pod %s: %d restarts", name, n)
		}
	}
	if out, _, code := c.kubectl(t, "", "exec", "root", "--", "sh", "-c", "echo x > /etc/pod/color"); code == 0 {
		t.Errorf("the container can write to its files where the pod mounts them: %s", out)
	}
}

// seen shows the files of a container.
const seen = `cd /etc/pod; for f in *; do printf '%s=%s ' "$f" "$(cat $f)"; done | sed 's/ $//'`

// seesFiles waits until a container has these files.
func (c *target) seesFiles(t *testing.T, pod, want string) {
	t.Helper()
	begun := time.Now()
	got := ""
	defer func() {
		if t.Failed() {
			t.Logf("pod %s has the files %q, and the status\n%s", pod, got, statusText(c.get(t, pod)))
		}
	}()
	c.within(t, brought, "the new files in pod "+pod, func(context.Context) (bool, error) {
		got = c.mustKubectl(t, "", "exec", pod, "--", "sh", "-c", seen)
		return got == want, nil
	})
	t.Logf("a change was in the container of pod %s after %v", pod, since(begun))
}

// asUser makes a container run as another user than root.
func asUser(p *corev1.Pod) {
	p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{RunAsUser: ptr.To[int64](1000)}
}

// withoutShell makes a container run the one program of an image.
func withoutShell(p *corev1.Pod) {
	p.Spec.Containers[0].Image, p.Spec.Containers[0].Command = "registry.k8s.io/pause:3.10.1", nil
}

// changeable is a pod with files of a ConfigMap and a label.
func changeable(p *corev1.Pod) {
	p.Labels = map[string]string{"tier": "front"}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "all", MountPath: "/etc/pod"}}
	p.Spec.Volumes = []corev1.Volume{{Name: "all", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: named("settings")}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{
				{Path: "tier", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['tier']"}},
			}}},
		},
	}}}}
}

func filesCurrent(want corev1.ConditionStatus) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool {
		for _, condition := range p.Status.Conditions {
			if condition.Type == "cumulet.dev/FilesCurrent" {
				return condition.Status == want && strings.HasPrefix(condition.Message, "all ")
			}
		}
		return false
	}
}
