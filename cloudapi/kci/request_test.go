package kci

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// secretSpec has a secret in each place that may hold one.
func secretSpec() cloudapi.GroupSpec {
	return cloudapi.GroupSpec{
		Name: "web", CPU: 2, Memory: 4,
		Placement:       cloudapi.Placement{SubnetIDs: []string{"s"}, SecurityGroupIDs: []string{"g"}},
		PullCredentials: []cloudapi.PullCredential{{Server: "r.example.com", Username: "u", Password: "pw"}},
		Containers: []cloudapi.Container{{
			Name: "c", Image: "c", Env: []cloudapi.EnvVar{{Name: "P", Value: "swordfish-7", Secret: true}, {Name: "Q", Value: "plain & simple"}},
			Args: []string{"-p", "swordfish-7"},
		}},
		Volumes: []cloudapi.Volume{{Name: "v", Files: &cloudapi.Files{DefaultMode: 0o644, Items: []cloudapi.File{
			{Path: "open", Content: []byte("x"), Mode: 0o644}, {Path: "key", Content: []byte("k"), Mode: 0o644, Secret: true},
		}}}},
	}
}

// TestRequestIsWhatIsSent holds that Create's body is Request's, byte for byte.
func TestRequestIsWhatIsSent(t *testing.T) {
	for _, dialect := range []Dialect{Extended, Seed} {
		t.Run(string(dialect), func(t *testing.T) {
			want, err := Request(secretSpec(), dialect)
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
				answers(http.StatusOK, `{"RequestId":"r","ContainerGroupId":"id-1","Return":true}`)(w, r)
			}))
			defer server.Close()
			client := connect(t, server, func(o *Options) { o.Dialect = dialect })
			if _, err := client.Create(t.Context(), secretSpec(), cloudapi.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Body(), body); diff != "" {
				t.Errorf("what is sent differs (-Request +sent):\n%s", diff)
			}
		})
	}
}

// TestRequestKnowsItsSecrets: the list of files has another name in each
// dialect.
func TestRequestKnowsItsSecrets(t *testing.T) {
	for dialect, files := range map[Dialect]string{Extended: "ConfigFileToPath", Seed: "ConfigFilePath"} {
		r, err := Request(secretSpec(), dialect)
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
			"Container.1.Arg.2", "Container.1.EnvironmentVar.1.Value", "ImageRegistryCredential.1.Password",
			"Volume.1.ConfigFileVolume." + files + ".2.Content",
		}
		if diff := cmp.Diff(want, secret); diff != "" {
			t.Errorf("%s: secret parameters (-want +got):\n%s", dialect, diff)
		}
	}
}
