package eci

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// TestRequestIsWhatIsSent holds that Create's body is Request's, byte for byte.
func TestRequestIsWhatIsSent(t *testing.T) {
	var spec cloudapi.GroupSpec
	readJSON(t, "testdata/create/full.spec.json", &spec)
	want, err := Request(spec, "cn-hangzhou", "token-1")
	if err != nil {
		t.Fatal(err)
	}
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		body = string(sent)
		for _, h := range want.Headers {
			if got := r.Header.Get(h.Name); got != h.Value {
				t.Errorf("header %s is %q, want %q", h.Name, got, h.Value)
			}
		}
		says(http.StatusOK, `{"RequestId":"R-1","ContainerGroupId":"eci-1"}`)(w, r)
	}))
	defer server.Close()
	client := quickClient(t, Options{Endpoint: server.URL})
	if _, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{Token: "token-1"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Body(), body); diff != "" {
		t.Errorf("what is sent differs (-Request +sent):\n%s", diff)
	}
}

// TestRequestKnowsItsSecrets: by name where a value is a secret, by value where
// one holds a secret.
func TestRequestKnowsItsSecrets(t *testing.T) {
	spec := cloudapi.GroupSpec{
		Name: "ab", PullCredentials: []cloudapi.PullCredential{{Server: "r.example.com", Username: "u", Password: "pw"}},
		InitContainers: []cloudapi.Container{{Name: "i", Image: "i", Env: []cloudapi.EnvVar{{Name: "A", Value: "plain"}, {Name: "B", Value: "1", Secret: true}}}},
		Containers: []cloudapi.Container{{
			Name: "c", Image: "c", Args: []string{"--password=swordfish-7", "1"},
			Env: []cloudapi.EnvVar{{Name: "P", Value: "swordfish-7", Secret: true}},
		}},
		Volumes: []cloudapi.Volume{{Name: "v", Files: &cloudapi.Files{Items: []cloudapi.File{
			{Path: "open", Content: []byte("x")}, {Path: "key", Content: []byte("k"), Secret: true},
		}}}},
	}
	r, err := Request(spec, "cn-hangzhou", "")
	if err != nil {
		t.Fatal(err)
	}
	var secret []string
	for _, p := range r.Parameters {
		if p.Secret {
			secret = append(secret, p.Name)
		}
	}
	want := []string{
		"Container.1.Arg.1", "Container.1.EnvironmentVar.1.Value", "ImageRegistryCredential.1.Password",
		"InitContainer.1.EnvironmentVar.2.Value", "Volume.1.ConfigFileVolume.ConfigFileToPath.2.Content",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, secret); diff != "" {
		t.Errorf("secret parameters (-want +got):\n%s", diff)
	}
	if body := r.Redacted().Body(); strings.Contains(body, "swordfish") || strings.Contains(body, "Password=pw") {
		t.Errorf("the redacted body tells secrets: %s", body)
	}
	if !r.HasSecrets() || strings.Contains(r.String(), "swordfish") {
		t.Errorf("%v", r)
	}
}
