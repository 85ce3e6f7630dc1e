package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider"
)

// names collects the names of the metrics that are registered.
type names struct {
	prometheus.Registerer

	found []string
}

// MustRegister implements prometheus.Registerer.
func (n *names) MustRegister(collectors ...prometheus.Collector) {
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for _, c := range collectors {
		described := make(chan *prometheus.Desc, 10)
		c.Describe(described)
		close(described)
		for d := range described {
			n.found = append(n.found, name.FindStringSubmatch(d.String())[1])
		}
	}
}

// TestOperationsPage holds the tables of docs/operations.md to the metrics and
// the codes of the program.
func TestOperationsPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := func(pattern string) []string {
		var out []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(page), -1) {
			out = append(out, m[1])
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	registry := &names{}
	provider.NewMetrics(registry, "virtual-1", "eci")
	slices.Sort(registry.found)
	if diff := cmp.Diff(registry.found, told("(?m)^\\| `(cumulet_[a-z_]+)`")); diff != "" {
		t.Errorf("metrics (-there +told):\n%s", diff)
	}
	codes := told("(?m)^\\| (?:`[A-Za-z]+`, )*`([A-Z][A-Za-z]+)`")
	for _, code := range []cloudapi.Code{
		cloudapi.CodeOutOfStock, cloudapi.CodeQuota, cloudapi.CodeUnauthorized, cloudapi.CodeForbidden, cloudapi.CodePayment,
	} {
		if !slices.Contains(codes, string(code)) {
			t.Errorf("code %s, which somebody has to act on, has no row", code)
		}
	}
}
