package cloudapi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestShortSecrets: a secret of a few letters is part of anything, but where
// variables are expanded it is looked for all the same.
func TestShortSecrets(t *testing.T) {
	r := cloudapi.NewRequest("Make", "1", map[string]string{
		"Container.1.Command.1": "login", "Container.1.Command.2": "--pin=8347", "InitContainer.2.Arg.10": "8347",
		"Container.1.VolumeMount.1.SubPath": "u/8347", "Container.1.Image": "app:8347", "Container.1.LivenessProbe.Exec.Command.1": "8347",
		"Name": "with-correct-horse", "Other": "plain",
	}, nil, []string{"8347", "", "in", "correct-horse"})
	var got []string
	for _, p := range r.Redacted().Parameters {
		got = append(got, p.Name+"="+p.Value)
	}
	want := []string{
		"Container.1.Command.1=login", "Container.1.Command.2=(secret)", "Container.1.Image=app:8347",
		"Container.1.LivenessProbe.Exec.Command.1=8347", "Container.1.VolumeMount.1.SubPath=(secret)",
		"InitContainer.2.Arg.10=(secret)", "Name=(secret)", "Other=plain",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
