package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/eci"
	"github.com/cumulet/cumulet/cloudapi/kci"
	"github.com/cumulet/cumulet/internal/agent"
	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/preview"
	"github.com/cumulet/cumulet/provider"
	"github.com/cumulet/cumulet/translate"
)

// assumedRemark says what stands for a node that no configuration describes.
const assumedRemark = "without --config a node is assumed, its cluster's DNS at 10.96.0.10, and ids of its network are made up"

// assumedConfig describes a node on each cloud. The ids are made up, the
// addresses those of kubeadm.
const assumedConfig = `
clusterID: cluster
clusterDNS: [10.96.0.10]
nodes:
- name: eci
  cloud: eci
  region: cn-hangzhou
  subnets: [vsw-example]
  securityGroups: [sg-example]
- name: kci
  cloud: kci
  region: cn-beijing-6
  subnets: [subnet-example]
  securityGroups: [sg-example]
`

// assumed are clouds without a configuration: both, or with --all-fields each
// dialect of KCI.
func (f *translateFlags) assumed() ([]preview.Cloud, error) {
	c, err := config.Parse([]byte(assumedConfig), nobodysKeys)
	if err != nil {
		return nil, fmt.Errorf("assuming nodes: %w", err)
	}
	var clouds []preview.Cloud
	for _, n := range c.Nodes {
		if f.cloud != "" && f.cloud != n.Cloud {
			continue
		}
		dialects := []string{n.Dialect}
		if n.Cloud == config.CloudKCI {
			dialects = f.dialects()
		}
		for _, dialect := range dialects {
			n.Dialect = dialect
			cloud := cloudOf(c, n)
			if len(dialects) > 1 && dialect == config.DialectExtended {
				cloud.Title = "kci (dialect extended)"
			}
			cloud.Remarks = []string{assumedRemark}
			clouds = append(clouds, cloud)
		}
	}
	if len(clouds) == 0 {
		return nil, errors.New("--dialect is for kci: eci has no dialects")
	}
	return clouds, nil
}

// dialects are those of KCI that are shown.
func (f *translateFlags) dialects() []string {
	switch {
	case f.dialect != "":
		return []string{f.dialect}
	case f.allFields:
		return []string{config.DialectExtended, config.DialectSeed}
	default:
		return []string{config.DialectExtended}
	}
}

// configured are the nodes of a configuration.
func (f *translateFlags) configured() ([]preview.Cloud, error) {
	data, err := os.ReadFile(f.configuration)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	c, err := config.Parse(data, nobodysKeys)
	if err != nil {
		return nil, err
	}
	for i := range c.Nodes {
		if f.dialect != "" && c.Nodes[i].Cloud == config.CloudKCI {
			c.Nodes[i].Dialect = f.dialect
		}
	}
	if err := checkOptions(c); err != nil { // as cumulet run does
		return nil, err
	}
	var clouds []preview.Cloud
	var names []string
	for _, n := range c.Nodes {
		names = append(names, n.Name)
		if f.node != "" && f.node != n.Name || f.cloud != "" && f.cloud != n.Cloud {
			continue
		}
		clouds = append(clouds, cloudOf(c, n))
	}
	if len(clouds) == 0 {
		return nil, fmt.Errorf("%s has no such node; it has %s", f.configuration, strings.Join(names, ", "))
	}
	return clouds, nil
}

// nobodysKeys stands for the environment, which has no say here: no access key
// is needed, and the node's own address matters to nothing that is shown but
// status.hostIP.
func nobodysKeys(name string) string {
	if name == "CUMULET_ADVERTISE_ADDRESS" {
		return "192.0.2.1" // an address for documentation (RFC 5737)
	}
	return "unused"
}

// cloudOf is a node's cloud with the node's options.
func cloudOf(c *config.Config, n config.Node) preview.Cloud {
	cloud := preview.Cloud{
		Title: n.Cloud, Name: n.Cloud, Endpoint: n.Endpoint,
		Options: translate.Options{
			Cluster: c.ClusterID, Node: n.Name,
			Placement:  cloudapi.Placement{Zone: n.Zone, SubnetIDs: n.Subnets, SecurityGroupIDs: n.SecurityGroups},
			ClusterDNS: c.ClusterDNS, ClusterDomain: c.ClusterDomain,
			HostIP: n.AdvertiseAddress, NodeAllocatable: n.Capacity,
			SecurityContext: translate.SecurityContextPolicy(n.Policy.SecurityContext),
			Hostname:        translate.HostnamePolicy(n.Policy.Hostname),
			Report:          translate.ReportPolicy(n.Policy.Report),
			Defaults:        n.Options, Rules: agent.OptionRules(n.Policy.Options),
		},
	}
	if n.Cloud == config.CloudECI {
		ofECI(&cloud, n)
	} else {
		ofKCI(&cloud, n)
	}
	return cloud
}

func ofECI(cloud *preview.Cloud, n config.Node) {
	cloud.Options.Limits = limitsOf(n)
	cloud.Restarts = provider.CanRestart((*eci.Client)(nil))
	cloud.Request = func(spec cloudapi.GroupSpec, token string) (cloudapi.Request, error) {
		return eci.Request(spec, n.Region, token)
	}
	if cloud.Endpoint == "" {
		cloud.Endpoint = eci.Endpoint(n.Region, n.Network)
	}
}

func ofKCI(cloud *preview.Cloud, n config.Node) {
	dialect := kciOptions(n).Dialect
	cloud.Dialect = config.DialectExtended
	if dialect == kci.Seed {
		cloud.Dialect = config.DialectSeed
		cloud.Title = "kci (dialect seed)"
	}
	cloud.Options.Limits = limitsOf(n)
	cloud.Restarts = provider.CanRestart((*kci.Client)(nil))
	cloud.Request = func(spec cloudapi.GroupSpec, _ string) (cloudapi.Request, error) { return kci.Request(spec, dialect) }
	if cloud.Endpoint == "" {
		cloud.Endpoint = kci.Endpoint(n.Region)
	}
}
