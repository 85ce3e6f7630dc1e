package agent

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/go-logr/logr"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/rest"

	"github.com/cumulet/cumulet/internal/kubeletapi"
)

// The API server's own priority and fairness is the guard against overload;
// these limits only keep one node from flooding it.
const (
	kubeQPS   = 500
	kubeBurst = 1000
)

// identity is the client configuration by which the node speaks to the API
// server, as system:node:<name>.
func (n *virtualNode) identity(ctx context.Context, log logr.Logger) (*rest.Config, error) {
	var kube *rest.Config
	var err error
	if n.node.Kubeconfig != "" {
		kube, err = loadKubeconfig(n.node.Kubeconfig)
	} else {
		kube, err = n.requestIdentity(ctx, log)
	}
	if err != nil {
		return nil, err
	}
	kube.QPS, kube.Burst = kubeQPS, kubeBurst
	kube.UserAgent = "cumulet/" + n.options.Version
	return kube, nil
}

// certificateSource gives the serving certificate for each connection.
type certificateSource = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// servingIdentity is what the kubelet API shows of itself and whom it trusts.
func (n *virtualNode) servingIdentity(ctx context.Context, p *parts) (certificateSource, authenticator.Request, error) {
	var clientCAs dynamiccertificates.CAContentProvider
	if file := n.node.Serving.ClientCAFile; file != "" {
		cas, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca", file)
		if err != nil {
			return nil, nil, fmt.Errorf("reading client CA: %w", err)
		}
		go cas.Run(ctx, 1)
		clientCAs = cas
	}
	request, err := kubeletapi.NewAuthenticator(p.kube, clientCAs)
	if err != nil {
		return nil, nil, err
	}
	if n.node.Serving.CertFile == "" {
		source, err := n.requestServing(ctx, p)
		return source, request, err
	}
	source, err := servingFiles(ctx, n.node.Serving.CertFile, n.node.Serving.KeyFile)
	return source, request, err
}

// servingFiles reads a key pair and reads it again when the files change.
func servingFiles(ctx context.Context, certFile, keyFile string) (certificateSource, error) {
	files, err := dynamiccertificates.NewDynamicServingContentFromFiles("serving", certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading serving certificate: %w", err)
	}
	go files.Run(ctx, 1)
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair(files.CurrentCertKeyContent())
		if err != nil {
			return nil, fmt.Errorf("loading serving certificate: %w", err)
		}
		return &pair, nil
	}, nil
}
