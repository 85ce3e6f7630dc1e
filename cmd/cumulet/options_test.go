package main

import (
	"strings"
	"testing"

	"github.com/cumulet/cumulet/internal/config"
)

// TestCheckOptions: every node's options are held to its cloud when the program
// starts, and all mistakes are told.
func TestCheckOptions(t *testing.T) {
	file := `
clusterID: c-1
nodes:
- name: eci-1
  cloud: eci
  region: cn-hangzhou
  options: {project: 7}
- name: kci-1
  cloud: kci
  region: cn-beijing-6
  subnets: [s]
  securityGroups: [g]
  dialect: seed
  policy: {options: [{namespaces: [shop], allow: {spot-strategy: [SpotAsPriceGo]}}]}
- name: kci-2
  cloud: kci
  region: cn-beijing-6
  subnets: [s]
  securityGroups: [g]
  options: {project: 7}
`
	c, err := config.Parse([]byte(file), nobodysKeys)
	if err != nil {
		t.Fatal(err)
	}
	err = checkOptions(c)
	const want = "validating configuration: nodes[0].options[project]: the cloud has no parameter for it\n" +
		"nodes[1].policy.options[0].allow[spot-strategy]: the policy guards no such option; it guards "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	c.Nodes = c.Nodes[2:]
	if err := checkOptions(c); err != nil {
		t.Errorf("a good node: %v", err)
	}
}
