package manifest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cumulet/cumulet/translate"
)

// Missing is something that a pod cannot do without and that is not among the
// manifests.
type Missing struct {
	// Kind and Name are the object's, Namespace the pod's.
	Kind, Namespace, Name string
	// Claim is the claim that fits no PersistentVolume, which has no Name then.
	Claim string
}

// String says what to add.
func (m Missing) String() string {
	if m.Kind == "PersistentVolume" && m.Name == "" {
		return fmt.Sprintf("PersistentVolumeClaim %s/%s fits no PersistentVolume among the files: add the claim as the cluster has it, "+
			"and its volume, with another -f (kubectl get pv,pvc -n %s -o yaml)", m.Namespace, m.Claim, m.Namespace)
	}
	return fmt.Sprintf("%s %s/%s is not among the files: add it with another -f (kubectl get %s %s -n %s -o yaml)",
		m.Kind, m.Namespace, m.Name, strings.ToLower(m.Kind), m.Name, m.Namespace)
}

// placeholderToken stands in for tokens, which only a cluster hands out.
const placeholderToken = "token-of-the-service-account"

// placeholderCertificate stands in for the cluster's root certificate.
const placeholderCertificate = "certificate-of-the-cluster"

// The address of the cluster's API server and of the first service, where the
// manifests name none: those that kubeadm gives.
var (
	masterAddress  = "10.96.0.1"
	firstAddress   = netip.MustParseAddr("10.96.1.1")
	masterServices = metav1.NamespaceDefault
)

// completeServices gives services an address that have none in the manifests,
// and adds the API server's.
func (m *Manifests) completeServices() {
	address := firstAddress
	for _, s := range m.services {
		if s.Spec.ClusterIP != "" || s.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		s.Spec.ClusterIP = address.String()
		address = address.Next()
		m.remarks[s.Namespace] = append(m.remarks[s.Namespace], fmt.Sprintf(
			"Service %s has no clusterIP in the files: %s stands for it in the variables of services", s.Name, s.Spec.ClusterIP))
	}
	isMaster := func(s *corev1.Service) bool { return s.Namespace == masterServices && s.Name == "kubernetes" }
	if slices.ContainsFunc(m.services, isMaster) {
		return
	}
	m.services = append(m.services, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: masterServices, Name: "kubernetes"},
		Spec: corev1.ServiceSpec{ClusterIP: masterAddress, Ports: []corev1.ServicePort{
			{Name: "https", Port: 443, Protocol: corev1.ProtocolTCP},
		}},
	})
}

// References finds what a pod refers to, tells what of it is missing, and what
// stands in for that which only a cluster has. What is optional is never
// missing; a pull secret that is not there is told by the translation, as a
// kubelet tells it.
func (m *Manifests) References(pod *corev1.Pod) (found translate.References, missing []Missing, remarks []string) {
	needs := translate.Needs(pod)
	found = translate.References{
		ConfigMaps: map[string]*corev1.ConfigMap{}, Secrets: map[string]*corev1.Secret{},
		Tokens: map[translate.TokenKey]string{}, Services: m.servicesOf(pod.Namespace),
		Claims: map[string]*corev1.PersistentVolumeClaim{}, Volumes: map[string]*corev1.PersistentVolume{},
		VolumeSecrets: map[types.NamespacedName]*corev1.Secret{},
	}
	lack := func(kind, name string, optional bool) {
		if !optional {
			missing = append(missing, Missing{Kind: kind, Namespace: pod.Namespace, Name: name})
		}
	}
	for _, r := range needs.ConfigMaps {
		key := types.NamespacedName{Namespace: pod.Namespace, Name: r.Name}
		switch {
		case m.configMaps[key] != nil:
			found.ConfigMaps[r.Name] = m.configMaps[key]
		case r.Name == rootCertificates:
			found.ConfigMaps[r.Name] = &corev1.ConfigMap{Data: map[string]string{"ca.crt": placeholderCertificate}}
			remarks = append(remarks, "a placeholder stands for the cluster's root certificate")
		default:
			lack("ConfigMap", r.Name, r.Optional)
		}
	}
	for _, r := range needs.Secrets {
		if s := m.secrets[types.NamespacedName{Namespace: pod.Namespace, Name: r.Name}]; s != nil {
			found.Secrets[r.Name] = s
		} else {
			lack("Secret", r.Name, r.Optional)
		}
	}
	for _, name := range needs.PullSecrets {
		if s := m.secrets[types.NamespacedName{Namespace: pod.Namespace, Name: name}]; s != nil {
			found.Secrets[name] = s
		}
	}
	missing = append(missing, m.storage(pod.Namespace, needs.Claims, &found)...)
	for _, token := range needs.Tokens {
		found.Tokens[token.TokenKey] = placeholderToken
	}
	if len(needs.Tokens) > 0 {
		remarks = append(remarks, "a placeholder stands for the service account's token")
	}
	if needs.ServiceLinks {
		remarks = append(remarks, m.remarks[pod.Namespace]...)
	}
	return found, missing, remarks
}

// servicesOf are those whose variables a pod of the namespace may get.
func (m *Manifests) servicesOf(namespace string) []*corev1.Service {
	var out []*corev1.Service
	for _, s := range m.services {
		if s.Namespace == namespace || s.Namespace == masterServices && s.Name == "kubernetes" {
			out = append(out, s)
		}
	}
	return out
}
