package controlplane

import (
	"errors"
	"fmt"
	"net"

	"k8s.io/client-go/rest"
)

// URL returns the address of the API server.
func (c *Cluster) URL() string { return "https://" + loopback(c.ports.APIServer) }

// DNSAddress returns the address that the service of the cluster's DNS is to
// have: the tenth of the service network, as kubeadm chooses it.
func (c *Cluster) DNSAddress() string { return c.options.serviceAddress(dnsOffset).String() }

// AdminConfig returns a client configuration that may do everything, without a
// limit of requests per second. The caller may change it.
func (c *Cluster) AdminConfig() *rest.Config { return rest.CopyConfig(c.admin) }

// AdminKubeconfig returns the path of a kubeconfig that may do everything:
// Dir/kubeconfig, valid for a year from the last start.
func (c *Cluster) AdminKubeconfig() string { return c.dir.adminKubeconfig() }

// CAFile returns the path of the certificate of the cluster's CA, which signs
// the clients' and the servers' certificates.
func (c *Cluster) CAFile() string { return c.dir.pki("ca.crt") }

// UserKubeconfig writes a kubeconfig with a new client certificate for a user
// in some groups, valid for a year, and returns its path, which is the same
// for the same name. A node is the user system:node:NAME in the group
// system:nodes. It stays good over a restart unless a port was taken meanwhile,
// so issue it again after Start.
func (c *Cluster) UserKubeconfig(name, user string, groups []string) (string, error) {
	if err := checkFileName(name); err != nil {
		return "", fmt.Errorf("writing a kubeconfig for %s: %w", user, err)
	}
	config, err := c.credentials.clientConfig(c.URL(), user, groups...)
	if err != nil {
		return "", fmt.Errorf("writing a kubeconfig for %s: %w", user, err)
	}
	path := c.dir.userKubeconfig(name)
	if err := writeKubeconfig(path, user, config); err != nil {
		return "", fmt.Errorf("writing a kubeconfig for %s: %w", user, err)
	}
	return path, nil
}

// ServingCert issues a server certificate for the names and addresses given,
// valid for a year, and returns the paths of it and its key, which are the same
// for the same name. name becomes its common name. The kubelet API of a node
// needs the address in its Node object's status, since kube-apiserver verifies
// it; name is then system:node:NAME and the organization system:nodes.
func (c *Cluster) ServingCert(name string, organizations, dnsNames []string, ips []net.IP) (certFile, keyFile string, err error) {
	if err := checkFileName(name); err != nil {
		return "", "", fmt.Errorf("issuing a serving certificate: %w", err)
	}
	if len(dnsNames)+len(ips) == 0 {
		return "", "", fmt.Errorf("issuing a serving certificate for %s: %w", name, errors.New("neither a DNS name nor an address was given"))
	}
	r := server(name)
	r.organizations, r.dnsNames, r.ips = organizations, dnsNames, ips
	file := "serving-" + name
	if err := c.credentials.issueFile(c.credentials.ca, file, r); err != nil {
		return "", "", err
	}
	return c.dir.pki(file + ".crt"), c.dir.pki(file + ".key"), nil
}
