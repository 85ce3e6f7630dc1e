package local

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applydiscoveryv1 "k8s.io/client-go/applyconfigurations/discovery/v1"
	applyrbacv1 "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/cumulet/cumulet/internal/machine"
)

const (
	// proxyUser has the role system:node-proxier from the API server itself.
	proxyUser = "system:kube-proxy"
	// dnsUser has a role of the same name from applyDNSRole.
	dnsUser = "cumulet-local:coredns"
	// dnsService is the service's name in every cluster, whoever answers.
	dnsService = "kube-dns"
	dnsPort    = 53
	// fieldManager owns what is applied here.
	fieldManager = "cumulet-local"
	// servicesTimeout bounds the wait for kube-proxy and CoreDNS, which take a
	// second or two once the nodes are there.
	servicesTimeout = time.Minute
)

// chooseServices decides whether pods can have Services and cluster DNS, and
// says so if they cannot. node is the one that kube-proxy speaks for.
func (s *Stack) chooseServices(node string) {
	if err := machine.CheckServices(s.options.BinDir); err != nil {
		s.options.Progress(fmt.Sprintf("pods have no Services and no cluster DNS: %v", err))
		return
	}
	s.serviceNode = node
}

// Services tells whether pods reach the cluster's Services, by address and name.
func (s *Stack) Services() bool { return s.serviceNode != "" }

// startServices makes what the cluster has to have of its DNS: the service that
// pods ask, its endpoint in the machine's network, and the rights of CoreDNS.
func (s *Stack) startServices(ctx context.Context) error {
	if !s.Services() {
		return nil
	}
	for _, apply := range []func(context.Context) error{s.applyDNSRole, s.applyDNSService, s.applyDNSEndpoint} {
		if err := apply(ctx); err != nil {
			return fmt.Errorf("setting up cluster DNS: %w", err)
		}
	}
	return nil
}

// applyDNSRole lets CoreDNS see what it answers from.
func (s *Stack) applyDNSRole(ctx context.Context) error {
	rule := func(group string, resources ...string) *applyrbacv1.PolicyRuleApplyConfiguration {
		return applyrbacv1.PolicyRule().WithAPIGroups(group).WithResources(resources...).WithVerbs("list", "watch")
	}
	role := applyrbacv1.ClusterRole(dnsUser).WithRules(
		rule(corev1.GroupName, "namespaces", "services"), rule(discoveryv1.GroupName, "endpointslices"))
	if _, err := s.Kube.RbacV1().ClusterRoles().Apply(ctx, role, applying()); err != nil {
		return fmt.Errorf("applying role %s: %w", dnsUser, err)
	}
	binding := applyrbacv1.ClusterRoleBinding(dnsUser).
		WithRoleRef(applyrbacv1.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName(dnsUser)).
		WithSubjects(applyrbacv1.Subject().WithAPIGroup(rbacv1.GroupName).WithKind(rbacv1.UserKind).WithName(dnsUser))
	if _, err := s.Kube.RbacV1().ClusterRoleBindings().Apply(ctx, binding, applying()); err != nil {
		return fmt.Errorf("applying role binding %s: %w", dnsUser, err)
	}
	return nil
}

// applyDNSService makes the service with the address that pods are given.
func (s *Stack) applyDNSService(ctx context.Context) error {
	port := func(name string, protocol corev1.Protocol) *applycorev1.ServicePortApplyConfiguration {
		return applycorev1.ServicePort().WithName(name).WithProtocol(protocol).WithPort(dnsPort).WithTargetPort(intstr.FromInt32(dnsPort))
	}
	service := applycorev1.Service(dnsService, metav1.NamespaceSystem).
		WithLabels(map[string]string{"k8s-app": dnsService, "kubernetes.io/name": "CoreDNS", "kubernetes.io/cluster-service": "true"}).
		WithSpec(applycorev1.ServiceSpec().WithClusterIP(s.Cluster.DNSAddress()).
			WithPorts(port("dns", corev1.ProtocolUDP), port("dns-tcp", corev1.ProtocolTCP)))
	if _, err := s.Kube.CoreV1().Services(metav1.NamespaceSystem).Apply(ctx, service, applying()); err != nil {
		return fmt.Errorf("applying service %s: %w", dnsService, err)
	}
	return nil
}

// applyDNSEndpoint names CoreDNS, which is not a pod that a selector would find.
// After a restart the machine may have another network.
func (s *Stack) applyDNSEndpoint(ctx context.Context) error {
	port := func(name string, protocol corev1.Protocol) *applydiscoveryv1.EndpointPortApplyConfiguration {
		return applydiscoveryv1.EndpointPort().WithName(name).WithProtocol(protocol).WithPort(dnsPort)
	}
	slice := applydiscoveryv1.EndpointSlice(dnsService, metav1.NamespaceSystem).
		WithLabels(map[string]string{discoveryv1.LabelServiceName: dnsService, discoveryv1.LabelManagedBy: fieldManager}).
		WithAddressType(discoveryv1.AddressTypeIPv4).
		WithEndpoints(applydiscoveryv1.Endpoint().WithAddresses(s.network.Gateway().String()).
			WithConditions(applydiscoveryv1.EndpointConditions().WithReady(true))).
		WithPorts(port("dns", corev1.ProtocolUDP), port("dns-tcp", corev1.ProtocolTCP))
	if _, err := s.Kube.DiscoveryV1().EndpointSlices(metav1.NamespaceSystem).Apply(ctx, slice, applying()); err != nil {
		return fmt.Errorf("applying endpoints of service %s: %w", dnsService, err)
	}
	return nil
}

// applying takes fields back that somebody else has changed.
func applying() metav1.ApplyOptions {
	return metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
}

// machineServices are the machine's settings of Services; nil if there are none.
// Their cluster is the one whose pods the machine runs in the end: the users'.
func (s *Stack) machineServices() (*machine.Services, error) {
	if !s.Services() {
		return nil, nil //nolint:nilnil // as the machine's options have it
	}
	services := &machine.Services{Node: s.serviceNode}
	for _, name := range s.options.Nodes {
		if at, ok := s.nodeEndpoints[name]; ok {
			services.NodeAddresses = append(services.NodeAddresses, at.address)
		}
	}
	var err error
	if services.ProxyKubeconfig, err = s.Cluster.UserKubeconfig("kube-proxy", proxyUser, nil); err != nil {
		return nil, fmt.Errorf("issuing identity of kube-proxy: %w", err)
	}
	if services.DNSKubeconfig, err = s.Cluster.UserKubeconfig("coredns", dnsUser, nil); err != nil {
		return nil, fmt.Errorf("issuing identity of CoreDNS: %w", err)
	}
	return services, nil
}

// awaitServices returns when kube-proxy and CoreDNS know the cluster.
func (s *Stack) awaitServices(ctx context.Context) error {
	if !s.Services() {
		return nil
	}
	s.options.Progress("waiting for kube-proxy and CoreDNS")
	// No proxy that this host's user has set knows the machine.
	client := &http.Client{Timeout: adminTimeout, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, url := range s.network.ServiceChecks() {
		var why error
		ready := func(ctx context.Context) (bool, error) {
			why = answersOK(ctx, client, url)
			return why == nil, nil
		}
		if err := wait.PollUntilContextTimeout(ctx, poll, servicesTimeout, true, ready); err != nil {
			return fmt.Errorf("waiting for kube-proxy and CoreDNS (their logs are in %s): %w: %w", s.path("logs"), err, why)
		}
	}
	return nil
}

// answersOK returns why a URL does not answer with status 200.
func answersOK(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	defer func() { _ = answer.Body.Close() }() // the status is all that is wanted
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
