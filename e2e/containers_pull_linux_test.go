package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/registry"
)

// The login to the private registry of TestContainersPull. The password is
// nowhere but in secrets of the user and of the machine.
const (
	registryUser     = "reader"
	registryPassword = "correct-horse-battery-staple"
	wrongPassword    = "wrong-horse-battery-staple"
)

// noLogin is what containerd says when a registry wants a login and it has none.
const noLogin = "authorization failed: no basic auth credentials"

// pullFailures are pods whose image cannot be had.
var pullFailures = map[string]struct {
	reason string
	// image is a path in the private registry.
	image  string
	secret string
	// want is a part of what is told on the pod.
	want string
}{
	"Anonymous": {"no login", "library/busybox:1", "", noLogin},
	"Mistaken":  {"a wrong password", "library/busybox:1.36", "mistaken", "401 Unauthorized"},
	"Unknown":   {"an image that does not exist", "library/nonesuch:1", "private", "not found"},
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
			c.create(t, c.pod(strings.ToLower(name), lasting, pulling(host, tc.image, tc.secret)))
		}
		c.create(t, c.pod("allowed", lasting, pulling(host, "library/busybox:1.37", "private")))
		c.awaitPod(t, "allowed", "ready", isReady)
		for name, tc := range pullFailures {
			t.Run(name, func(t *testing.T) { c.checkPullFailure(t, strings.ToLower(name), tc.want) })
		}
		// The machine has that image now. Others still need a login for it.
		c.create(t, c.pod("freeloader", lasting, pulling(host, "library/busybox:1.37", "")))
		t.Run("Freeloader", func(t *testing.T) { c.checkPullFailure(t, "freeloader", noLogin) })
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
	c.awaitMessage(t, name, "Failed", want)
	c.eventually(t, "event BackOff", c.hasEvent(name, "BackOff"))
}

func waitingReason(p *corev1.Pod) string {
	if len(p.Status.ContainerStatuses) == 0 || p.Status.ContainerStatuses[0].State.Waiting == nil {
		return ""
	}
	return p.Status.ContainerStatuses[0].State.Waiting.Reason
}

// checkNeverPulled makes sure that a pod whose image must not be pulled does
// not run, though the machine has the image: a new group has none.
func (c *target) checkNeverPulled(t *testing.T) {
	t.Helper()
	c.awaitPod(t, "never", "without its image", func(p *corev1.Pod) bool { return waitingReason(p) == "ErrImageNeverPull" })
	c.awaitMessage(t, "never", "ErrImageNeverPull", "is not present with pull policy of Never")
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
