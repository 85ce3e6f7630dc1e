package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/internal/registry"
)

// The login to the private registry of TestContainersPull. The password is
// nowhere but in secrets of the user and of the machine.
const (
	registryUser     = "reader"
	registryPassword = "correct-horse-battery-staple"
	wrongPassword    = "wrong-horse-battery-staple"
)

// pullFailures are pods whose image cannot be had.
var pullFailures = map[string]struct {
	reason string
	// image is a path in the private registry.
	image  string
	secret string
	// want is a part of what is told on the pod.
	want string
}{
	"anonymous": {"no login", "library/busybox:1", "", "401 Unauthorized"},
	"mistaken":  {"a wrong password", "library/busybox:1.36", "mistaken", "401 Unauthorized"},
	"unknown":   {"an image that does not exist", "library/nonesuch:1", "private", "not found"},
}

// TestContainersPull pulls images from a registry that wants a login.
func TestContainersPull(t *testing.T) {
	private, err := registry.Start(context.Background(), registry.Options{Layout: builtImages(), Username: registryUser, Password: registryPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after both clouds
		checkNoPassword(t, containers.get(t).Dir())
		if err := private.Close(); err != nil {
			t.Error(err)
		}
	})
	host := strings.TrimPrefix(private.URL(), "http://")
	inContainers(t, func(t *testing.T, c *target) {
		c.createLogin(t, "private", host, registryPassword)
		c.createLogin(t, "mistaken", host, wrongPassword)
		for name, tc := range pullFailures {
			c.create(t, c.pod(name, lasting, pulling(host, tc.image, tc.secret)))
		}
		c.create(t, c.pod("allowed", lasting, pulling(host, "library/busybox:1.37", "private")))
		c.awaitPod(t, "allowed", "ready", isReady)
		for name, tc := range pullFailures {
			c.checkPullFailure(t, name, tc.want)
		}
		// The machine has that image now. Others still need a login for it.
		c.create(t, c.pod("freeloader", lasting, pulling(host, "library/busybox:1.37", "")))
		c.checkPullFailure(t, "freeloader", "401 Unauthorized")
		c.create(t, c.pod("never", lasting, func(p *corev1.Pod) { p.Spec.Containers[0].ImagePullPolicy = corev1.PullNever }))
		c.checkNeverPulled(t)
	})
}

func (c *target) createLogin(t *testing.T, name, host, password string) {
	t.Helper()
	c.mustKubectl(t, "", "create", "secret", "docker-registry", name,
		"--docker-server="+host, "--docker-username="+registryUser, "--docker-password="+password)
}

// pulling gives a pod an image of a registry, and a login if secret names one.
func pulling(host, image, secret string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Image = host + "/" + image
		if secret != "" {
			p.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: secret}}
		}
	}
}

// checkPullFailure waits until a pod tells that its image cannot be pulled.
func (c *target) checkPullFailure(t *testing.T, name, want string) {
	t.Helper()
	c.awaitPod(t, name, "without its image", func(p *corev1.Pod) bool {
		reason := waitingReason(p)
		return reason == "ErrImagePull" || reason == "ImagePullBackOff"
	})
	c.eventually(t, "an event that says "+want, c.hasMessage(name, "Failed", want))
	c.eventually(t, "event BackOff", c.hasEvent(name, "BackOff"))
}

func waitingReason(p *corev1.Pod) string {
	if len(p.Status.ContainerStatuses) == 0 || p.Status.ContainerStatuses[0].State.Waiting == nil {
		return ""
	}
	return p.Status.ContainerStatuses[0].State.Waiting.Reason
}

// hasMessage tells whether an event with this reason and text was told on the
// pod.
func (c *target) hasMessage(pod, reason, text string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		events, err := c.kube.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + pod + ",reason=" + reason})
		if err != nil {
			return false, err
		}
		for i := range events.Items {
			if strings.Contains(events.Items[i].Message, text) {
				return true, nil
			}
		}
		return false, nil
	}
}

// checkNeverPulled makes sure that a pod whose image must not be pulled does
// not run: a new group has no images.
func (c *target) checkNeverPulled(t *testing.T) {
	t.Helper()
	pod := c.awaitPod(t, "never", "told why it cannot run", func(p *corev1.Pod) bool {
		return p.Status.Phase != corev1.PodPending || waitingReason(p) == "ErrImageNeverPull"
	})
	if pod.Status.Phase == corev1.PodRunning {
		t.Errorf("imagePullPolicy Never: the container runs with an image that is not its group's")
	}
}

// checkNoPassword looks for the passwords in all logs and settings of a system.
func checkNoPassword(t *testing.T, dir string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "logs", "*"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs in %s: %v", dir, err)
	}
	for _, path := range logs {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{registryPassword, wrongPassword} {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s has a password", path)
			}
		}
	}
}
