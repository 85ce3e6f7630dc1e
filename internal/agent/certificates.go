package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/certificate"
)

const (
	// bootstrapTimeout bounds the wait for a node's first client
	// certificate; kube-controller-manager approves and signs it in seconds.
	bootstrapTimeout = 5 * time.Minute
	certificatePoll  = 250 * time.Millisecond
)

// requestIdentity gets the node a client certificate of its own, as the
// kubelet does: by a signing request of the bootstrap identity at first, of
// the node itself ever after, renewed before it runs out.
func (n *virtualNode) requestIdentity(ctx context.Context, log logr.Logger) (*rest.Config, error) {
	bootstrap, err := loadKubeconfig(n.config.BootstrapKubeconfig)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(n.config.StateDir, n.node.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making directory for certificates: %w", err)
	}
	store, err := certificate.NewFileStore("client", dir, dir, "", "")
	if err != nil {
		return nil, fmt.Errorf("opening certificate store: %w", err)
	}
	identity := rest.AnonymousClientConfig(bootstrap)
	identity.CertFile, identity.KeyFile = store.CurrentPath(), store.CurrentPath()
	manager, err := certificate.NewManager(&certificate.Config{
		Name: n.node.Name,
		ClientsetFn: func(current *tls.Certificate) (kubernetes.Interface, error) {
			if current == nil {
				return kubernetes.NewForConfig(bootstrap)
			}
			return kubernetes.NewForConfig(identity)
		},
		Template:         &x509.CertificateRequest{Subject: n.subject()},
		SignerName:       certificatesv1.KubeAPIServerClientKubeletSignerName,
		Usages:           []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
		CertificateStore: store,
	})
	if err != nil {
		return nil, fmt.Errorf("managing client certificate: %w", err)
	}
	log.Info("waiting for the node's client certificate")
	return identity, startCertificate(ctx, manager)
}

// subject is how the API server knows a node.
func (n *virtualNode) subject() pkix.Name {
	return pkix.Name{CommonName: "system:node:" + n.node.Name, Organization: []string{"system:nodes"}}
}

// startCertificate runs the manager until ctx ends and waits for a first
// certificate.
func startCertificate(ctx context.Context, manager certificate.Manager) error {
	manager.Start()
	context.AfterFunc(ctx, manager.Stop)
	there := func(context.Context) (bool, error) { return manager.Current() != nil, nil }
	if err := wait.PollUntilContextTimeout(ctx, certificatePoll, bootstrapTimeout, true, there); err != nil {
		return fmt.Errorf("waiting for a client certificate (is the signing request approved?): %w", err)
	}
	return nil
}

// requestServing gets the kubelet API a serving certificate from the cluster.
// Until somebody approves the request, connections fail with a clear error;
// the node works meanwhile.
func (n *virtualNode) requestServing(ctx context.Context, p *parts) (certificateSource, error) {
	dir := filepath.Join(n.config.StateDir, n.node.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making directory for certificates: %w", err)
	}
	store, err := certificate.NewFileStore("serving", dir, dir, "", "")
	if err != nil {
		return nil, fmt.Errorf("opening certificate store: %w", err)
	}
	manager, err := certificate.NewManager(&certificate.Config{
		Name:             n.node.Name,
		ClientsetFn:      func(*tls.Certificate) (kubernetes.Interface, error) { return p.kube, nil },
		Template:         n.servingRequest(),
		SignerName:       certificatesv1.KubeletServingSignerName,
		Usages:           []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageServerAuth},
		CertificateStore: store,
	})
	if err != nil {
		return nil, fmt.Errorf("managing serving certificate: %w", err)
	}
	manager.Start()
	context.AfterFunc(ctx, manager.Stop)
	if n.node.Serving.Approve {
		if err := n.approveServing(ctx, p.log); err != nil {
			return nil, err
		}
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if current := manager.Current(); current != nil {
			return current, nil
		}
		return nil, errors.New("no serving certificate yet: its signing request (signer kubernetes.io/kubelet-serving) awaits approval")
	}, nil
}

// servingRequest names the addresses under which the API server reaches the
// node.
func (n *virtualNode) servingRequest() *x509.CertificateRequest {
	return &x509.CertificateRequest{
		Subject:     n.subject(),
		DNSNames:    []string{n.node.Name},
		IPAddresses: []net.IP{net.ParseIP(n.node.AdvertiseAddress)},
	}
}
