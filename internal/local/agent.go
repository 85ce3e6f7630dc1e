package local

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/config"
)

const (
	loopback    = "127.0.0.1"
	nodeTimeout = time.Minute
)

// startAgent writes cumulet's configuration and starts it.
func (s *Stack) startAgent(ctx context.Context) error {
	s.options.Progress("starting cumulet with the virtual nodes " + strings.Join(s.options.Nodes, " and "))
	path, err := s.writeConfig(ctx)
	if err != nil {
		return fmt.Errorf("configuring cumulet: %w", err)
	}
	s.agent, err = supervise(supervisedCommand{
		path: filepath.Join(s.options.BinDir, "cumulet"),
		args: append([]string{"run", "--config", path}, s.options.CumuletFlags...),
		log:  s.path("logs", "cumulet.log"),
		tell: s.options.Progress,
	})
	return err
}

// ConfigFile is the path of cumulet's configuration.
func (s *Stack) ConfigFile() string { return s.path("cumulet.yaml") }

func (s *Stack) writeConfig(ctx context.Context) (string, error) {
	system, err := s.Kube.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("reading namespace kube-system: %w", err)
	}
	c := config.Config{
		ClusterID: string(system.UID), StateDir: s.path("cumulet"), ClusterDNS: []string{s.Cluster.DNSAddress()},
		HealthAddress: "0", MetricsAddress: "0",
	}
	for _, name := range s.options.Nodes {
		n, err := s.nodeConfig(name)
		if err != nil {
			return "", err
		}
		c.Nodes = append(c.Nodes, n)
	}
	data, err := yaml.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encoding configuration: %w", err)
	}
	if err := os.WriteFile(s.ConfigFile(), data, 0o600); err != nil {
		return "", fmt.Errorf("writing configuration: %w", err)
	}
	return s.ConfigFile(), nil
}

func (s *Stack) nodeConfig(name string) (config.Node, error) {
	n := config.Node{Name: name, Address: loopback, AdvertiseAddress: loopback}
	n.Policy.SecurityContext, n.Policy.Hostname = s.options.SecurityContext, s.options.Hostname
	n.DisableTaint = slices.Contains(s.options.Untainted, name)
	var cloud Cloud
	switch name {
	case NodeECI:
		cloud, n.Cloud, n.Zone = s.Clouds.ECI, config.CloudECI, s.Clouds.ECI.Region+"-a"
		n.Subnets, n.SecurityGroups = []string{"vsw-local"}, []string{"sg-local"}
	case NodeKCI:
		cloud, n.Cloud, n.Zone = s.Clouds.KCI, config.CloudKCI, s.Clouds.KCI.Region+"a"
		n.Readiness = s.readiness()
		n.Subnets, n.SecurityGroups = []string{"subnet-local"}, []string{"sg-local"}
	default:
		return n, fmt.Errorf("node %q is not known, must be %s or %s", name, NodeECI, NodeKCI)
	}
	n.Region, n.Endpoint = cloud.Region, cloud.Endpoint
	var err error
	if n.Credentials.File, err = s.writeKey(name, cloud); err != nil {
		return n, err
	}
	if n.Kubeconfig, err = s.Cluster.UserKubeconfig(name, "system:node:"+name, []string{"system:nodes"}); err != nil {
		return n, fmt.Errorf("issuing identity of node %s: %w", name, err)
	}
	n.Serving.ClientCAFile = s.Cluster.CAFile()
	addresses := []net.IP{net.ParseIP(loopback)}
	if at, ok := s.nodeEndpoints[name]; ok {
		n.Address, n.Port, n.AdvertiseAddress = at.listen.Addr().String(), int32(at.listen.Port()), at.address.String()
		addresses = []net.IP{at.listen.Addr().AsSlice(), at.address.AsSlice()}
	}
	n.Serving.CertFile, n.Serving.KeyFile, err = s.Cluster.ServingCert(name, []string{"system:nodes"}, []string{name}, addresses)
	if err != nil {
		return n, fmt.Errorf("issuing serving certificate of node %s: %w", name, err)
	}
	return n, nil
}

func (s *Stack) writeKey(name string, cloud Cloud) (string, error) {
	data, err := json.Marshal(map[string]string{"accessKeyId": cloud.AccessKeyID, "accessKeySecret": cloud.AccessKeySecret})
	if err != nil {
		return "", fmt.Errorf("encoding access key: %w", err)
	}
	path := s.path(name + "-key.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", fmt.Errorf("writing access key: %w", err)
	}
	return path, nil
}

// waitForNodes returns when every virtual node is Ready.
func (s *Stack) waitForNodes(ctx context.Context) error {
	s.options.Progress("waiting for the virtual nodes to be Ready")
	missing, why := "", ""
	ready := func(ctx context.Context) (bool, error) {
		for _, name := range s.options.Nodes {
			if why = s.unready(ctx, name); why != "" {
				missing = name
				return false, nil
			}
		}
		return true, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, poll, nodeTimeout, true, ready); err != nil {
		return fmt.Errorf("waiting for node %s to be Ready: %w: %s; the end of cumulet's log:\n%s", missing, err, why, s.agent.logTail())
	}
	return nil
}

// unready tells why a node is not Ready; "" if it is.
func (s *Stack) unready(ctx context.Context, name string) string {
	n, err := s.Kube.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	switch {
	case err != nil:
		return err.Error()
	case !isReady(n):
		return "condition Ready is not True"
	case !s.agent.running():
		return "cumulet does not run"
	default:
		return ""
	}
}

func isReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
