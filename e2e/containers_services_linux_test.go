package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestContainersServices checks that pods of both clouds reach Services of both
// by their names, themselves too, and the API server with their tokens.
func TestContainersServices(t *testing.T) {
	clouds := bothTargets(t)
	if !containers.get(t).Services() {
		t.Fatal("pods have no Services here; the start of the system has told why")
	}
	for _, c := range clouds {
		c.deployWeb(t)
		c.expose(t, "web", map[string]string{"app": "web"}, 80)
		c.create(t, c.pod("client", "", servingAlone))
		// Not called client: a pod knows its own name without asking.
		c.expose(t, "self", map[string]string{"app": "client"}, 8080)
	}
	for _, c := range clouds {
		c.rolledOut(t)
		c.awaitPod(t, "client", "ready", isReady)
	}
	for _, c := range clouds {
		c.reaches(t, "http://web/")
		// Its own address is the only one behind this.
		c.reaches(t, "http://self:8080/")
		for _, other := range clouds {
			c.reaches(t, "http://web."+other.namespace+".svc.cluster.local/")
			c.reaches(t, "http://self."+other.namespace+":8080/")
			c.keepsAddress(t, other)
		}
		c.reachesAPI(t)
		if _, err := c.inClient(t, "curl -s --max-time 10 http://example.test/"); exitCode(err) != curlUnresolved {
			t.Errorf("from a pod of %s, a name that is nowhere: %v, want it not to be resolved", c.cloud, err)
		}
	}
	for _, c := range clouds {
		c.mustKubectl(t, "", "delete", "service", "web")
		c.eventually(t, "the name to be unknown", func(context.Context) (bool, error) {
			_, err := c.inClient(t, "curl -s --max-time 10 http://web/")
			return exitCode(err) == curlUnresolved, nil
		})
	}
}

// curlUnresolved is curl's exit status for a host without an address.
const curlUnresolved = 6

// servingAlone makes a pod a web server of its own, whose image has curl.
func servingAlone(p *corev1.Pod) {
	p.Labels = map[string]string{"app": "client"}
	p.Spec.Containers[0] = corev1.Container{
		Name: "main", Image: "nginx",
		ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(80)}}},
	}
}

// expose makes a Service of web servers.
func (c *target) expose(t *testing.T, name string, selector map[string]string, port int32) {
	t.Helper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Selector: selector, Ports: []corev1.ServicePort{{Port: port, TargetPort: intstr.FromInt32(80)}}},
	}
	if _, err := c.kube.CoreV1().Services(c.namespace).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// reaches asks a web server from the pod client until it answers, for kube-proxy
// hears of a Service a moment later, and then often enough that each endpoint is
// asked: from then on every request is answered.
func (c *target) reaches(t *testing.T, url string) {
	t.Helper()
	const ask = "curl -sSf --max-time 10 "
	c.eventually(t, url+" to answer a pod of "+c.cloud, func(context.Context) (bool, error) {
		_, err := c.inClient(t, ask+url)
		return err == nil, nil
	})
	// Without --fail-early curl's status is that of the last request alone.
	const times = "?[1-8]" // curl's: as many requests, each on a connection of its own
	pages, err := c.inClient(t, ask+"--fail-early -H 'Connection: close' '"+url+times+"'")
	if got := strings.Count(pages, "Welcome to nginx!</h1>"); err != nil || got != 8 {
		t.Errorf("from a pod of %s, %s answers %d times of 8: %q (%v)", c.cloud, url, got, pages, said(err))
	}
}

// keepsAddress checks that a server sees the pod that asked by way of a Service,
// and not a gateway.
func (c *target) keepsAddress(t *testing.T, other *target) {
	t.Helper()
	if c == other {
		return
	}
	address := c.get(t, "client").Status.PodIP
	other.eventually(t, "the request to be logged with "+address, func(context.Context) (bool, error) {
		return strings.Contains(other.mustKubectl(t, "", "logs", "client"), address+" - "), nil
	})
}

// reachesAPI asks the API server by its name, verifies who it is, and is known to
// it.
func (c *target) reachesAPI(t *testing.T) {
	t.Helper()
	const credentials = "/var/run/secrets/kubernetes.io/serviceaccount"
	const ask = "curl -s --max-time 10 --cacert " + credentials + "/ca.crt "
	for _, url := range []string{"https://kubernetes.default.svc/api", "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api"} {
		answer, err := c.inClient(t, ask+`-H "Authorization: Bearer $(cat `+credentials+`/token)" `+url)
		if err != nil || !strings.Contains(answer, `"kind": "APIVersions"`) {
			t.Errorf("from a pod of %s, %s answers %q (%v)", c.cloud, url, answer, err)
		}
		if answer, err = c.inClient(t, ask+url); err != nil || !strings.Contains(answer, `"code": 401`) {
			t.Errorf("from a pod of %s, without a token, %s answers %q (%v)", c.cloud, url, answer, err)
		}
	}
}

// inClient runs a script in the pod client.
func (c *target) inClient(t *testing.T, script string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	output, err := c.kubectlCommand(ctx, "exec", "client", "--", "sh", "-c", script).Output()
	return string(output), err
}

// said is a command's error with what the command wrote of it.
func said(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return err
}

// exitCode is the exit status of a command's error; 0 if it has none.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}
