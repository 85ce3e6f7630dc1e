package eci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func TestRoles(t *testing.T) {
	type role struct {
		sidecar bool
		launch  int
	}
	for name, tc := range map[string]struct {
		reason string
		env    []engine.EnvVar
		want   role
	}{
		"None":     {"a container like any other", []engine.EnvVar{{Name: "A", Value: "sidecar"}}, role{}},
		"Sidecar":  {"as the pages have it", []engine.EnvVar{{Name: "ECI_CONTAINER_TYPE", Value: "sidecar"}, {Name: "ECI_CONTAINER_LAUNCH_PRIORITY", Value: "-1000"}}, role{true, -1000}},
		"Normal":   {"the default, said", []engine.EnvVar{{Name: "ECI_CONTAINER_TYPE", Value: "normal"}}, role{}},
		"TooHigh":  {"1000 is the highest", []engine.EnvVar{{Name: "ECI_CONTAINER_LAUNCH_PRIORITY", Value: "1001"}}, role{}},
		"NoNumber": {"not a number", []engine.EnvVar{{Name: "ECI_CONTAINER_LAUNCH_PRIORITY", Value: "first"}}, role{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := engine.Container{Env: tc.env}
			readRoles(&c)
			if diff := cmp.Diff(tc.want, role{c.Sidecar, c.Launch}, cmp.AllowUnexported(role{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
