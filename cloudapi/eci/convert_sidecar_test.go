package eci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestSidecarVariables: the first sidecar starts first and ends last; what a
// container says itself of these variables is its own.
func TestSidecarVariables(t *testing.T) {
	own := []cloudapi.EnvVar{{Name: "A", Value: "1"}}
	containers := []cloudapi.Container{
		{Name: "proxy", Sidecar: true, Env: own[:1:1]},
		{Name: "logs", Sidecar: true, Env: []cloudapi.EnvVar{{Name: "ECI_CONTAINER_EXIT_PRIORITY", Value: "7"}}},
		{Name: "app", Env: own},
	}
	got := map[string][]cloudapi.EnvVar{}
	for _, c := range withSidecars(containers) {
		got[c.Name] = c.Env
	}
	want := map[string][]cloudapi.EnvVar{
		"proxy": {
			{Name: "A", Value: "1"}, {Name: "ECI_CONTAINER_TYPE", Value: "sidecar"},
			{Name: "ECI_CONTAINER_LAUNCH_PRIORITY", Value: "1000"}, {Name: "ECI_CONTAINER_EXIT_PRIORITY", Value: "-1000"},
		},
		"logs": {
			{Name: "ECI_CONTAINER_EXIT_PRIORITY", Value: "7"}, {Name: "ECI_CONTAINER_TYPE", Value: "sidecar"},
			{Name: "ECI_CONTAINER_LAUNCH_PRIORITY", Value: "999"},
		},
		"app": {{Name: "A", Value: "1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if len(containers[0].Env) != 1 {
		t.Errorf("the spec was changed: %v", containers[0].Env)
	}
}

// TestInitContainersCannotBe: the request has no parameters for it.
func TestInitContainersCannotBe(t *testing.T) {
	for name, c := range map[string]cloudapi.Container{
		"Sidecar":             {Name: "i", Image: "i", Sidecar: true},
		"Security.Privileged": {Name: "i", Image: "i", Security: cloudapi.Security{Privileged: true}},
	} {
		_, err := initContainer(c)
		if !cloudapi.Is(err, cloudapi.CodeUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
