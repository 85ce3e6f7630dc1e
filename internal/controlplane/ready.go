package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// checkInterval is the pause between two looks at something that is
	// starting.
	checkInterval = 50 * time.Millisecond
	// checkTimeout bounds one look.
	checkTimeout = 5 * time.Second
)

// awaitAPIServer waits until kube-apiserver serves everything, RBAC's bootstrap
// policy included.
func (c *Cluster) awaitAPIServer(ctx context.Context) error {
	client, err := rest.HTTPClientFor(c.admin)
	if err != nil {
		return fmt.Errorf("probing kube-apiserver: %w", err)
	}
	defer client.CloseIdleConnections()
	return c.await(ctx, "kube-apiserver", healthy(client, c.URL()+"/readyz"))
}

// awaitControllers waits until the scheduler schedules and a pod in the
// namespace default would find its service account and its CA certificate.
func (c *Cluster) awaitControllers(ctx context.Context) error {
	client, err := rest.HTTPClientFor(c.admin)
	if err != nil {
		return fmt.Errorf("probing the controllers: %w", err)
	}
	defer client.CloseIdleConnections()
	if !c.options.WithoutScheduler {
		url := "https://" + loopback(c.ports.Scheduler) + "/readyz"
		if err := c.await(ctx, "kube-scheduler", healthy(client, url)); err != nil {
			return err
		}
	}
	if c.options.WithoutControllerManager {
		return nil
	}
	url := "https://" + loopback(c.ports.ControllerManager) + "/healthz"
	if err := c.await(ctx, "kube-controller-manager", healthy(client, url)); err != nil {
		return err
	}
	api, err := kubernetes.NewForConfigAndClient(c.admin, client)
	if err != nil {
		return fmt.Errorf("probing the controllers: %w", err)
	}
	return c.await(ctx, "the service account of the namespace default", podsWelcome(api))
}

// listening looks whether a port takes connections. For etcd this is enough:
// kube-apiserver waits until it answers, but is slow to try again if there is
// nobody to connect to.
func listening(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

// healthy looks at a health endpoint.
func healthy(client *http.Client, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}

// podsWelcome looks for what a pod in the namespace default cannot do without:
// admission refuses it without its service account, and its node cannot start
// it without the ConfigMap that is mounted beside its token.
func podsWelcome(api kubernetes.Interface) func(context.Context) error {
	return func(ctx context.Context) error {
		core := api.CoreV1()
		if _, err := core.ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := core.ConfigMaps(metav1.NamespaceDefault).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	}
}

// bindUsual makes the bindings that kubeadm makes: kube-apiserver may use the
// API of the nodes (a node that asks the API server about its callers allows
// it then), and a node's renewed client certificate needs nobody's approval.
func (c *Cluster) bindUsual(ctx context.Context) error {
	api, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return fmt.Errorf("making usual bindings: %w", err)
	}
	for _, b := range []struct{ name, role, kind, subject string }{
		{"cumulet-local:kube-apiserver-kubelet-client", "system:kubelet-api-admin", rbacv1.UserKind, kubeletClientUser},
		{"cumulet-local:node-renewal", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", rbacv1.GroupKind, "system:nodes"},
	} {
		_, err = api.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: b.name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: b.role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: b.kind, Name: b.subject}},
		}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("making binding %s: %w", b.name, err)
		}
	}
	return nil
}

// await repeats check until it succeeds, a process ends, or ctx does.
func (c *Cluster) await(ctx context.Context, what string, check func(context.Context) error) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		bounded, cancel := context.WithTimeout(ctx, checkTimeout)
		err := check(bounded)
		cancel()
		if err == nil {
			return nil
		}
		if ended := c.ended(); ended != nil {
			return fmt.Errorf("waiting for %s: %w", what, ended)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; at last: %w", what, context.Cause(ctx), err)
		}
	}
}

// ended returns the error of a process that is not running any more.
func (c *Cluster) ended() error {
	for _, p := range c.processes {
		if p.Running() {
			continue
		}
		if strings.Contains(p.LogTail(100), "address already in use") {
			return errors.Join(errPortTaken, p.EndError())
		}
		return p.EndError()
	}
	return nil
}
