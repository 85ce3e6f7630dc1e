package controlplane

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The names under which the control plane's own parts are known. The users
// system:* have their rights from RBAC's bootstrap policy.
const (
	adminUser             = "kubernetes-admin"
	controllerManagerUser = "system:kube-controller-manager"
	schedulerUser         = "system:kube-scheduler"
	// kubeletClientUser is who kube-apiserver is to the nodes; see
	// bindUsual for its rights.
	kubeletClientUser = "kube-apiserver-kubelet-client"
	// frontProxyUser is who kube-apiserver is to an aggregated API server.
	frontProxyUser = "front-proxy-client"
)

// adminGroup may do everything, by a rule in kube-apiserver which RBAC cannot
// take away.
const adminGroup = "system:masters"

// credentials are the certificate authorities and keys of a cluster.
type credentials struct {
	dir directory
	ca  *authority
	now func() time.Time
}

// openCredentials reads the cluster's authorities and signing key, makes what
// is missing, and issues the control plane's own certificates anew.
func openCredentials(dir directory, servingNames request, now func() time.Time) (*credentials, error) {
	ca, err := openAuthority(dir.pki("ca.crt"), dir.pki("ca.key"), "cumulet-local", now())
	if err != nil {
		return nil, err
	}
	if err := openSigningKey(dir); err != nil {
		return nil, err
	}
	c := &credentials{dir: dir, ca: ca, now: now}
	if err := c.issueFiles(ca, clusterCertificates(servingNames)); err != nil {
		return nil, err
	}
	// Whoever holds a certificate of this authority may claim to be anybody,
	// by a header.
	if err := c.issueApart("front-proxy-ca", frontProxyCertificates()); err != nil {
		return nil, err
	}
	// Whoever holds a certificate of this one may do anything to etcd.
	if err := c.issueApart("etcd-ca", etcdCertificates()); err != nil {
		return nil, err
	}
	return c, nil
}

// clusterCertificates lists, by file name, what the cluster's CA issues for the
// control plane. servingNames are the names and addresses of kube-apiserver.
func clusterCertificates(servingNames request) map[string]request {
	apiserver := server("kube-apiserver")
	apiserver.dnsNames = append(apiserver.dnsNames, servingNames.dnsNames...)
	apiserver.ips = append(apiserver.ips, servingNames.ips...)
	return map[string]request{
		"kube-apiserver":           apiserver,
		"kube-controller-manager":  server("kube-controller-manager"),
		"kube-scheduler":           server("kube-scheduler"),
		"apiserver-kubelet-client": client(kubeletClientUser),
	}
}

func frontProxyCertificates() map[string]request {
	return map[string]request{"front-proxy-client": client(frontProxyUser)}
}

func etcdCertificates() map[string]request {
	etcd := server("etcd")
	// etcd also calls itself with it, from its HTTP gateway.
	etcd.usages = append(etcd.usages, x509.ExtKeyUsageClientAuth)
	return map[string]request{
		"etcd":                  etcd,
		"apiserver-etcd-client": client("kube-apiserver-etcd-client"),
	}
}

func client(user string, groups ...string) request {
	return request{commonName: user, organizations: groups, usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
}

// server asks for a certificate that is good for this machine's loopback.
func server(name string) request {
	return request{
		commonName: name,
		usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		dnsNames:   []string{"localhost"},
		ips:        []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// issueApart issues from an authority of its own, kept in name.crt and name.key.
func (c *credentials) issueApart(name string, requests map[string]request) error {
	a, err := openAuthority(c.dir.pki(name+".crt"), c.dir.pki(name+".key"), "cumulet-local-"+name, c.now())
	if err != nil {
		return err
	}
	return c.issueFiles(a, requests)
}

func (c *credentials) issueFiles(from *authority, requests map[string]request) error {
	for name, r := range requests {
		if err := c.issueFile(from, name, r); err != nil {
			return err
		}
	}
	return nil
}

// issueFile writes name.crt and name.key into the pki folder.
func (c *credentials) issueFile(from *authority, name string, r request) error {
	pair, err := from.issue(r, c.now())
	if err != nil {
		return err
	}
	if err := writeFile(c.dir.pki(name+".key"), pair.key, 0o600); err != nil {
		return err
	}
	return writeFile(c.dir.pki(name+".crt"), pair.certificate, 0o644)
}

// openSigningKey makes the key of service account tokens unless it is there:
// with another one, every token in the cluster would be refused.
func openSigningKey(dir directory) error {
	_, err := os.Stat(dir.pki("service-account.key"))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the service account key: %w", err)
	}
	private, public, err := newSigningKey()
	if err != nil {
		return fmt.Errorf("making the service account key: %w", err)
	}
	if err := writeFile(dir.pki("service-account.pub"), public, 0o644); err != nil {
		return err
	}
	return writeFile(dir.pki("service-account.key"), private, 0o600)
}

// clientConfig issues a client certificate and returns how to reach an API
// server with it.
func (c *credentials) clientConfig(url, user string, groups ...string) (*rest.Config, error) {
	pair, err := c.ca.issue(client(user, groups...), c.now())
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host: url,
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   c.ca.pem,
			CertData: pair.certificate,
			KeyData:  pair.key,
		},
		// The API server's own priority and fairness is limit enough.
		QPS: -1,
	}, nil
}

// writeKubeconfig writes a kubeconfig that needs no other file.
func writeKubeconfig(path, user string, config *rest.Config) error {
	const cluster = "cumulet-local"
	content, err := clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			cluster: {Server: config.Host, CertificateAuthorityData: config.CAData},
		},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			user: {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData},
		},
		Contexts: map[string]*clientcmdapi.Context{
			cluster: {Cluster: cluster, AuthInfo: user},
		},
		CurrentContext: cluster,
	})
	if err != nil {
		return fmt.Errorf("encoding the kubeconfig of %s: %w", user, err)
	}
	return writeFile(path, content, 0o600)
}
