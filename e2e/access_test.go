package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// TestIdentity makes sure that cumulet needs no right but a node's: RBAC gives
// its identity nothing beyond what every authenticated user has, and the Node
// authorizer's role.
func TestIdentity(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		config, err := clientcmd.BuildConfigFromFlags("", nodeKubeconfig(t, c.node))
		if err != nil {
			t.Fatal(err)
		}
		node, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		whoami, err := node.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := whoami.Status.UserInfo.Username, "system:node:"+c.node; got != want {
			t.Errorf("cumulet is %q, want %q", got, want)
		}
		for _, forbidden := range []authorizationv1.ResourceAttributes{
			{Verb: "list", Resource: "secrets"},
			{Verb: "list", Resource: "configmaps"},
			{Verb: "get", Resource: "namespaces", Name: "kube-system"},
			{Verb: "create", Group: "apps", Resource: "deployments", Namespace: c.namespace},
			{Verb: "update", Resource: "pods", Namespace: c.namespace},
			{Verb: "get", Resource: "secrets", Namespace: "kube-system", Name: "any"},
		} {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &forbidden}}
			answer, err := node.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if answer.Status.Allowed {
				t.Errorf("the node may %s %s %s", forbidden.Verb, forbidden.Resource, forbidden.Name)
			}
		}
		bindings := c.mustKubectl(t, "", "get", "clusterrolebindings,rolebindings", "-A", "-o", "jsonpath={range .items[*]}{.metadata.name}={.subjects[*].name}{\"\\n\"}{end}")
		for line := range strings.Lines(bindings) {
			if strings.Contains(line, "system:node:") {
				t.Errorf("a binding names the node: %s", line)
			}
		}
	})
}

// nodeKubeconfig is the file from which cumulet takes the node's identity.
func nodeKubeconfig(t *testing.T, node string) string {
	t.Helper()
	data, err := os.ReadFile(system.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "kubeconfig: "); ok && strings.Contains(filepath.Base(path), node) {
			return path
		}
	}
	t.Fatalf("configuration names no kubeconfig of %s", node)
	return ""
}

// TestKubeletAPI asks the node's port as strangers do.
func TestKubeletAPI(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		object, err := c.kube.CoreV1().Nodes().Get(t.Context(), c.node, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("https://127.0.0.1:%d", object.Status.DaemonEndpoints.KubeletEndpoint.Port)
		token := strings.TrimSpace(c.mustKubectl(t, "", "create", "token", "default"))
		for path, want := range map[string]struct{ anonymous, unprivileged int }{
			"/pods":                        {http.StatusUnauthorized, http.StatusForbidden},
			"/healthz":                     {http.StatusUnauthorized, http.StatusForbidden},
			"/containerLogs/default/p/c":   {http.StatusUnauthorized, http.StatusForbidden},
			"/exec/default/p/c?command=sh": {http.StatusUnauthorized, http.StatusForbidden},
		} {
			if got := status(t, address+path, ""); got != want.anonymous {
				t.Errorf("%s without credentials: %d, want %d", path, got, want.anonymous)
			}
			if got := status(t, address+path, token); got != want.unprivileged {
				t.Errorf("%s as a service account: %d, want %d", path, got, want.unprivileged)
			}
		}
		c.mustKubectl(t, "", "create", "clusterrolebinding", c.namespace, "--clusterrole=system:kubelet-api-admin", "--serviceaccount="+c.namespace+":privileged")
		c.mustKubectl(t, "", "create", "serviceaccount", "privileged")
		privileged := strings.TrimSpace(c.mustKubectl(t, "", "create", "token", "privileged"))
		for _, path := range []string{"/healthz", "/pods"} {
			if got := status(t, address+path, privileged); got != http.StatusOK {
				t.Errorf("%s as an administrator of kubelets: %d, want 200", path, got)
			}
		}
	})
}

func status(t *testing.T, url, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // only the status is looked at
	}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}
