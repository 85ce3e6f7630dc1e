package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestArchitecture: what the label promises is what the cloud is asked for.
func TestArchitecture(t *testing.T) {
	for name, c := range map[string]struct {
		reason, node string
		want         map[string]string
	}{
		"Default": {"the cloud's default is the node's", "", nil},
		"ARM":     {"beside other options", "architecture: arm64\n  options: {size: 2-4Gi}", map[string]string{"architecture": "ARM64", "size": "2-4Gi"}},
		"Twice":   {"said already", "architecture: arm64\n  options: {architecture: ARM64}", map[string]string{"architecture": "ARM64"}},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := Parse([]byte(minimal+"  "+c.node), keys)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, config.Nodes[0].Options); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
