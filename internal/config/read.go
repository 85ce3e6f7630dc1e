package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// The environment variables that hold access keys: Alibaba's own names and
// those of Kingsoft's Terraform provider.
const (
	envECIKeyID     = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envECIKeySecret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envECIToken     = "ALIBABA_CLOUD_SECURITY_TOKEN"
	envKCIKeyID     = "KSYUN_ACCESS_KEY"
	envKCIKeySecret = "KSYUN_SECRET_KEY"
	envKCIToken     = "KSYUN_SECURITY_TOKEN"
)

// envAdvertiseAddress is the address of nodes that listen on a wildcard and
// name no advertiseAddress: in a cluster, the pod's own IP.
const envAdvertiseAddress = "CUMULET_ADVERTISE_ADDRESS"

// Load reads the file, fills in defaults and credentials from the process's
// environment, and validates. The error lists every mistake.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	return Parse(data, os.Getenv)
}

// Parse is Load for a file's bytes and any environment.
func Parse(data []byte, getenv func(string) string) (*Config, error) {
	document, err := only(data)
	if err != nil {
		return nil, err
	}
	var c Config
	if err := yaml.UnmarshalStrict(document, &c); err != nil {
		return nil, fmt.Errorf("parsing configuration: %w", err)
	}
	c.setDefaults()
	for i := range c.Nodes {
		setString(&c.Nodes[i].AdvertiseAddress, getenv(envAdvertiseAddress))
		c.Nodes[i].setCredentials(getenv)
	}
	if errs := c.validate(); len(errs) > 0 {
		return nil, fmt.Errorf("validating configuration: %w", errs.ToAggregate())
	}
	return &c, nil
}

// only is the one document of a file that says something: of several the parser
// would read the first and pass the others over.
func only(data []byte) (document []byte, err error) {
	documents := 0
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("parsing configuration: %w", err)
		}
		var anything any
		if err := yaml.Unmarshal(text, &anything); err != nil || anything != nil { // what is wrong in it is told with its document
			document = text
			documents++
		}
	}
	if documents > 1 {
		return nil, fmt.Errorf("parsing configuration: it has %d documents; cumulet reads one", documents)
	}
	return document, nil
}

func (c *Config) setDefaults() {
	setString(&c.ClusterDomain, "cluster.local")
	setString(&c.HealthAddress, "127.0.0.1:8081")
	setString(&c.MetricsAddress, "127.0.0.1:8080")
	setString(&c.StateDir, "/var/lib/cumulet")
	setString(&c.LeaderElection.Namespace, "kube-system")
	setString(&c.LeaderElection.Name, "cumulet")
	for i := range c.Nodes {
		c.Nodes[i].setDefaults()
	}
}

func (n *Node) setDefaults() {
	setString(&n.Address, "0.0.0.0")
	n.setArchitecture()
	setString(&n.Policy.SecurityContext, SecurityContextRefuse)
	setString(&n.Policy.Hostname, HostnameRefuse)
	setString(&n.Policy.Report, ReportWarn)
	if n.Cloud == CloudECI {
		setString(&n.Network, "public")
	}
	if n.Cloud == CloudKCI {
		setString(&n.Dialect, DialectExtended)
		setString(&n.Readiness, ReadinessNode)
	}
	if n.AdvertiseAddress == "" && n.Address != "0.0.0.0" && n.Address != "::" {
		n.AdvertiseAddress = n.Address
	}
	if n.StatusInterval.Duration == 0 {
		n.StatusInterval = metav1.Duration{Duration: time.Second}
	}
	if n.Credentials.RRSA != nil {
		setString(&n.Credentials.RRSA.SessionName, "cumulet")
	}
	n.setCapacity()
}

func (n *Node) setCapacity() {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("1000"),
		corev1.ResourceMemory:           resource.MustParse("4Ti"),
		corev1.ResourcePods:             resource.MustParse("1000"),
		corev1.ResourceEphemeralStorage: resource.MustParse("30Ti"),
	}
	if n.Cloud == CloudECI { // few of KCI's instance types have cards: an operator who wants them says so
		capacity["nvidia.com/gpu"] = resource.MustParse("100")
	}
	maps.Copy(capacity, n.Capacity)
	n.Capacity = capacity
}

// setCredentials takes the keys from the environment when the file names no
// other source.
func (n *Node) setCredentials(getenv func(string) string) {
	c := &n.Credentials
	if c.File != "" || c.ECSRAMRole != "" || c.RRSA != nil {
		return
	}
	switch n.Cloud {
	case CloudECI:
		c.FromEnvironment = Keys{ID: getenv(envECIKeyID), Secret: getenv(envECIKeySecret), Token: getenv(envECIToken)}
	case CloudKCI:
		c.FromEnvironment = Keys{ID: getenv(envKCIKeyID), Secret: getenv(envKCIKeySecret), Token: getenv(envKCIToken)}
	}
}

func setString(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
