package main

import (
	"fmt"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

// cluster answers look-ups from a fake API server with a kube-system namespace.
type cluster struct{ client dynamic.Interface }

func newCluster(uid string) cluster {
	kubeSystem := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: types.UID(uid)}}
	return cluster{client: fake.NewSimpleDynamicClient(scheme.Scheme, kubeSystem)}
}

// GetClientFor implements engine.ClientProvider for the one kind that the chart
// may look up.
func (c cluster) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	if apiVersion != "v1" || kind != "Namespace" {
		return nil, false, fmt.Errorf("the chart looks up %s %s", apiVersion, kind)
	}
	return c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}), false, nil
}

func TestClusterID(t *testing.T) {
	const here, elsewhere = "0a1b2c3d-1111-4222-8333-444455556666", "6f1c2d3e-4b5a-4c6d-8e7f-901234567890"
	cases := map[string]struct {
		reason string
		given  string
		want   string // in the configuration
		refuse string // in the error
	}{
		"AskedFor":      {reason: "helm install needs no value.", want: here},
		"GivenAndTrue":  {reason: "A value for helm template may stay.", given: here, want: here},
		"GivenAndWrong": {reason: "One values file for two clusters.", given: elsewhere, refuse: "another cluster's"},
		"Blank":         {reason: "A blank of deploy/ is no id.", given: "<UID>", refuse: "another cluster's"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			values, err := common.ReadValues([]byte(oneNode + "nodes: [{name: a, cloud: eci, region: r}]"))
			if err != nil {
				t.Fatal(err)
			}
			values["clusterID"] = c.given
			result, err := template(testChart.chart(), release{
				name: "edge", namespace: "clouds", values: values, cluster: newCluster(here),
			})
			switch {
			case c.refuse != "":
				if err == nil || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("%s: error %v, want one with %q", c.reason, err, c.refuse)
				}
			case err != nil:
				t.Errorf("%s: %v", c.reason, err)
			case !strings.Contains(strings.Join(result.objects, "\n"), `clusterID: "`+c.want+`"`):
				t.Errorf("%s: the configuration does not have clusterID %q", c.reason, c.want)
			}
		})
	}
}
