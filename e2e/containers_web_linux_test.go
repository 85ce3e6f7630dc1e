package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// webPods is how many pods serve on each cloud.
const webPods = 2

// TestContainersWeb asks web servers on both clouds for a page, from outside
// and from pods of both, and rolls another server out.
func TestContainersWeb(t *testing.T) {
	clouds := bothTargets(t)
	for _, c := range clouds {
		c.deployWeb(t)
		c.create(t, c.pod("client", lasting))
	}
	var addresses []string
	for _, c := range clouds {
		c.rolledOut(t)
		c.awaitPod(t, "client", "ready", isReady)
		addresses = append(addresses, c.checkWeb(t, "nginx")...)
	}
	for _, c := range clouds {
		for _, address := range addresses {
			page := c.mustKubectl(t, "", "exec", "client", "--", "wget", "-q", "-O", "-", "-T", "10", "http://"+address+"/")
			if !strings.Contains(page, "nginx") {
				t.Errorf("from a pod of %s, %s answers %q", c.cloud, address, page)
			}
		}
	}
	for _, c := range clouds {
		c.mustKubectl(t, "", "set", "image", "deployment/web", "main=httpd")
	}
	for _, c := range clouds {
		c.rolledOut(t)
		c.checkWeb(t, "It works!")
	}
}

// deployWeb makes a Deployment of nginx.
func (c *target) deployWeb(t *testing.T) {
	t.Helper()
	labels := map[string]string{"app": "web"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: c.pod("", "").Spec}
	template.Spec.Containers[0] = corev1.Container{
		Name: "main", Image: "nginx", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
		ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(80)}}},
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](webPods), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template,
		},
	}
	if _, err := c.kube.AppsV1().Deployments(c.namespace).Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// rolledOut waits until the Deployment has its new pods alone.
func (c *target) rolledOut(t *testing.T) {
	t.Helper()
	c.mustKubectl(t, "", "rollout", "status", "deployment/web", "--timeout=55s")
	c.eventually(t, "the old pods to be gone", func(ctx context.Context) (bool, error) {
		pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		return err == nil && len(pods.Items) == webPods, err
	})
}

// checkWeb asks each pod of the Deployment for its page, and returns their
// addresses.
func (c *target) checkWeb(t *testing.T, want string) []string {
	t.Helper()
	pods, err := c.kube.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		t.Fatal(err)
	}
	var addresses []string
	for i := range pods.Items {
		address := pods.Items[i].Status.PodIP
		page, err := fetch(t.Context(), "http://"+net.JoinHostPort(address, "80")+"/")
		if err != nil || !strings.Contains(page, want) {
			t.Errorf("%s of %s answers %q (%v), want a page with %q", address, c.cloud, page, err, want)
		}
		addresses = append(addresses, address)
	}
	if len(addresses) != webPods {
		t.Errorf("%d pods serve on %s, want %d", len(addresses), c.cloud, webPods)
	}
	return addresses
}

// fetch gets a page. No proxy that this machine's user has set knows the pods.
func fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return string(page), err
}
