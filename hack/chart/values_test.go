package main

import (
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
)

// oneNode is the beginning of values that render; a case goes on after it.
const oneNode = `
clusterID: 6f1c2d3e-4b5a-4c6d-8e7f-901234567890
credentials: {eci: {existingSecret: keys}, kci: {existingSecret: keys}}
`

// TestRefusedValues lists values that must not render, with what the message
// has to say.
func TestRefusedValues(t *testing.T) {
	cases := map[string]struct {
		reason string
		values string
		want   string
	}{
		"UnknownName": {
			reason: "A misspelt value would be ignored in silence.",
			values: "replica: 2",
			want:   "additional properties 'replica' not allowed",
		},
		"UnknownNodeField": {
			reason: "cumulet refuses unknown fields of its configuration, so the chart does.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r, vswitches: [x]}]",
			want:   "additional properties 'vswitches' not allowed",
		},
		"NodeWithoutRegion": {
			reason: "There is no default region.",
			values: oneNode + "nodes: [{name: a, cloud: eci}]",
			want:   "missing property 'region'",
		},
		"UnknownCloud": {
			reason: "Two clouds exist.",
			values: oneNode + "nodes: [{name: a, cloud: ecs, region: r}]",
			want:   "/nodes/0/cloud",
		},
		"NodeNameNotDNS": {
			reason: "Kubernetes refuses such a node.",
			values: oneNode + "nodes: [{name: Eci_1, cloud: eci, region: r}]",
			want:   "/nodes/0/name",
		},
		"KCIWithoutSubnet": {
			reason: "KCI places groups into subnets only.",
			values: oneNode + "nodes: [{name: a, cloud: kci, region: r, securityGroups: [s]}]",
			want:   "missing property 'subnets'",
		},
		"TooManySubnetsOnKCI": {
			reason: "KCI takes 5.",
			values: oneNode + "nodes: [{name: a, cloud: kci, region: r, securityGroups: [s], subnets: [a, b, c, d, e, f]}]",
			want:   "/nodes/0/subnets",
		},
		"TwoSubnetsInSeedDialect": {
			reason: "The seed dialect has one field for one subnet.",
			values: oneNode + "nodes: [{name: a, cloud: kci, region: r, dialect: seed, securityGroups: [s], subnets: [a, b]}]",
			want:   "/nodes/0/subnets",
		},
		"DialectOnECI": {
			reason: "Only KCI has dialects.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r, dialect: seed}]",
			want:   "/nodes/0/dialect",
		},
		"UnknownPolicy": {
			reason: "Leaving hardening out in silence is no choice.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r, policy: {securityContext: ignore}}]",
			want:   "/nodes/0/policy/securityContext",
		},
		"BadQuantity": {
			reason: "Kubernetes cannot read it.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r, capacity: {memory: 4TB}}]",
			want:   "/nodes/0/capacity/memory",
		},
		"ClusterIDOfOnesOwn": {
			reason: "Names that people make up meet again in a second cluster.",
			values: "clusterID: production",
			want:   "/clusterID",
		},
		"NoClusterID": {
			reason: "Without a cluster to ask, the chart cannot know it.",
			values: "{nodes: [{name: a, cloud: eci, region: r}], credentials: {eci: {existingSecret: keys}}}",
			want:   "kubectl get namespace kube-system -o jsonpath={.metadata.uid}",
		},
		"NoCredentials": {
			reason: "The pod would start and fail.",
			values: "{clusterID: 6f1c2d3e-4b5a-4c6d-8e7f-901234567890, nodes: [{name: a, cloud: eci, region: r}]}",
			want:   "credentials.eci: a node uses this cloud, so name one source of keys",
		},
		"TwoSources": {
			reason: "One of them would be ignored in silence.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r}]\ncredentials: {eci: {existingSecret: keys, ecsRAMRole: r}}",
			want:   "named: existingSecret, ecsRAMRole",
		},
		"KeyWithoutSecret": {
			reason: "Neither is of use alone.",
			values: "{clusterID: 6f1c2d3e-4b5a-4c6d-8e7f-901234567890, nodes: [{name: a, cloud: eci, region: r}], credentials: {eci: {accessKeyId: k}}}",
			want:   "credentials.eci: accessKeyId and accessKeySecret go together",
		},
		"RRSAWithoutProvider": {
			reason: "The role is taken through the provider.",
			values: "{clusterID: 6f1c2d3e-4b5a-4c6d-8e7f-901234567890, nodes: [{name: a, cloud: eci, region: r}], credentials: {eci: {rrsa: {roleARN: r}}}}",
			want:   "credentials.eci.rrsa: roleARN and oidcProviderARN go together",
		},
		"RAMRoleOnKCI": {
			reason: "Kingsoft has no such thing.",
			values: "credentials: {kci: {ecsRAMRole: r}}",
			want:   "additional properties 'ecsRAMRole' not allowed",
		},
		"DoubledName": {
			reason: "Two nodes cannot share a Node object.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r}, {name: a, cloud: eci, region: s}]",
			want:   `nodes[1].name: "a" is the name of another node`,
		},
		"DoubledPort": {
			reason: "All nodes listen on the pod's address.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r, port: 10251}, {name: b, cloud: eci, region: r}]",
			want:   `nodes[1].port: 10251 is taken by node "a"`,
		},
		"PortOfMetrics": {
			reason: "So do health and metrics.",
			values: oneNode + "nodes: [{name: a, cloud: eci, region: r, port: 8080}]",
			want:   "port 8080 is both a node's and that of health or metrics",
		},
		"ReplicasWithoutElection": {
			reason: "Every copy would create each pod's group.",
			values: "{replicas: 2, leaderElection: {enabled: false}}",
			want:   "replicas is more than 1",
		},
		"ServiceWithoutMetrics": {
			reason: "The Service would lead nowhere.",
			values: "metrics: {enabled: false, service: {enabled: true}}",
			want:   "metrics.service.enabled needs metrics.enabled",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			values, err := common.ReadValues([]byte(c.values))
			if err != nil {
				t.Fatal(err)
			}
			_, err = template(testChart.chart(), release{name: "edge", namespace: "clouds", values: values})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s\nvalues %s\ngave the error %v\nwant one with %q", c.reason, c.values, err, c.want)
			}
		})
	}
}
