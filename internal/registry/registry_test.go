package registry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr/testr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/cumulet/cumulet/internal/registry"
)

const nameAnnotation = "io.containerd.image.name"

// image is an image with one layer that holds the text.
func image(t *testing.T, text string) v1.Image {
	t.Helper()
	made, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer([]byte(text), types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// testLayout has an image of each of two registries under one repository name,
// and one for two platforms.
func testLayout(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) layout.Option {
		return layout.WithAnnotations(map[string]string{nameAnnotation: name})
	}
	both := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: image(t, "amd64"), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: image(t, "arm64"), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
	)
	err = errors.Join(
		path.AppendImage(image(t, "docker"), named("docker.io/library/busybox:latest")),
		path.AppendImage(image(t, "kubernetes"), named("registry.k8s.io/library/busybox:latest")),
		path.AppendImage(image(t, "pause"), layout.WithAnnotations(map[string]string{
			"org.opencontainers.image.ref.name": "registry.k8s.io/pause:3.10.1",
		})),
		path.AppendIndex(both, named("docker.io/library/nginx:1.25")),
	)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func start(t *testing.T, o registry.Options) *registry.Registry {
	t.Helper()
	o.Log = testr.New(t)
	r, err := registry.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// namespace adds ?ns= to each request, as containerd does for a mirror.
type namespace string

func (n namespace) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if n != "" {
		r.URL.RawQuery = "ns=" + string(n)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// pull reads the text of the image's layer.
func pull(t *testing.T, r *registry.Registry, repository string, options ...remote.Option) (string, error) {
	t.Helper()
	reference, err := name.ParseReference(strings.TrimPrefix(r.URL(), "http://")+"/"+repository, name.StrictValidation)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(reference, append(options, remote.WithContext(t.Context()))...)
	if err != nil {
		return "", err
	}
	if err := validate.Image(pulled, validate.Fast); err != nil {
		t.Errorf("%s: %v", repository, err)
	}
	layers, err := pulled.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%s: %d layers, error %v; want one", repository, len(layers), err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	text, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func TestPull(t *testing.T) {
	r := start(t, registry.Options{Layout: testLayout(t)})
	arm := remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "arm64"})
	tests := map[string]struct {
		reason     string
		repository string
		namespace  string
		options    []remote.Option
		want       string
		wantStatus int
		wantCode   transport.ErrorCode
	}{
		"OneOfTwoRegistries": {
			reason:     "ns tells the registries apart that have one repository name",
			repository: "library/busybox:latest", namespace: "docker.io", want: "docker",
		},
		"TheOtherRegistry": {
			reason:     "ns tells the registries apart that have one repository name",
			repository: "library/busybox:latest", namespace: "registry.k8s.io", want: "kubernetes",
		},
		"DockerHubsAddress": {
			reason:     "index.docker.io is another name of docker.io",
			repository: "library/busybox:latest", namespace: "index.docker.io", want: "docker",
		},
		"NoNamespace": {
			reason:     "a repository that only one registry has needs no ns",
			repository: "pause:3.10.1", want: "pause",
		},
		"NoNamespaceButTwo": {
			reason:     "neither registry may be taken for the other",
			repository: "library/busybox:latest", wantStatus: http.StatusNotFound, wantCode: transport.ManifestUnknownErrorCode,
		},
		"Platform": {
			reason:     "an image index gives each platform its own image",
			repository: "library/nginx:1.25", namespace: "docker.io", options: []remote.Option{arm}, want: "arm64",
		},
		"UnknownTag": {
			reason:     "the repository is there, the tag is not",
			repository: "library/busybox:1.0", namespace: "docker.io", wantStatus: http.StatusNotFound, wantCode: transport.ManifestUnknownErrorCode,
		},
		"UnknownRepository": {
			reason:     "404 lets containerd ask the real registry",
			repository: "library/redis:latest", namespace: "docker.io", wantStatus: http.StatusNotFound, wantCode: transport.ManifestUnknownErrorCode,
		},
		"RepositoryOfAnotherRegistry": {
			reason:     "docker.io has no repository pause",
			repository: "pause:3.10.1", namespace: "docker.io", wantStatus: http.StatusNotFound, wantCode: transport.ManifestUnknownErrorCode,
		},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			got, err := pull(t, r, test.repository, append(test.options, remote.WithTransport(namespace(test.namespace)))...)
			checkRefusal(t, err, test.wantStatus, test.wantCode)
			if got != test.want {
				t.Errorf("%s: the image holds %q, want %q", test.reason, got, test.want)
			}
		})
	}
}

// checkRefusal compares an error with the wanted status and code; 0 wants none.
func checkRefusal(t *testing.T, err error, status int, code transport.ErrorCode) {
	t.Helper()
	if status == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	var refused *transport.Error
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want status %d", err, status)
	}
	var codes []transport.ErrorCode
	for _, one := range refused.Errors {
		codes = append(codes, one.Code)
	}
	if diff := cmp.Diff([]transport.ErrorCode{code}, codes); refused.StatusCode != status || diff != "" {
		t.Errorf("status %d, want %d; codes (-want +got):\n%s", refused.StatusCode, status, diff)
	}
}

func TestCredentials(t *testing.T) {
	r := start(t, registry.Options{Layout: testLayout(t), Username: "robot", Password: "s3cret"})
	tests := map[string]struct {
		reason     string
		credential authn.Authenticator
		wantStatus int
	}{
		"Right":         {reason: "the credential is the server's", credential: &authn.Basic{Username: "robot", Password: "s3cret"}},
		"None":          {reason: "nothing is public", credential: authn.Anonymous, wantStatus: http.StatusUnauthorized},
		"WrongPassword": {reason: "the password decides", credential: &authn.Basic{Username: "robot", Password: "secret"}, wantStatus: http.StatusUnauthorized},
		"WrongUser":     {reason: "so does the user", credential: &authn.Basic{Username: "human", Password: "s3cret"}, wantStatus: http.StatusUnauthorized},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			_, err := pull(t, r, "pause:3.10.1", remote.WithAuth(test.credential))
			checkRefusal(t, err, test.wantStatus, transport.UnauthorizedErrorCode)
		})
	}
	status, header := send(t, http.MethodGet, r.URL()+"/v2/")
	if got, want := header.Get("WWW-Authenticate"), `Basic realm="images"`; status != http.StatusUnauthorized || got != want {
		t.Errorf("status %d with WWW-Authenticate %q, want 401 with %q", status, got, want)
	}
}

func send(t *testing.T, method, url string) (status int, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header
}

func TestRequests(t *testing.T) {
	r := start(t, registry.Options{Layout: testLayout(t)})
	none := "sha256:" + strings.Repeat("0", 64)
	tests := map[string]struct {
		reason       string
		method, path string
		want         int
	}{
		"Version":       {reason: "the ping of every client", method: http.MethodGet, path: "/v2/", want: 200},
		"Tags":          {reason: "tags are listed", method: http.MethodGet, path: "/v2/library/nginx/tags/list", want: 200},
		"Head":          {reason: "runtimes resolve tags by HEAD", method: http.MethodHead, path: "/v2/pause/manifests/3.10.1", want: 200},
		"Upload":        {reason: "nothing can be written", method: http.MethodPost, path: "/v2/library/nginx/blobs/uploads/", want: 405},
		"Push":          {reason: "nothing can be written", method: http.MethodPut, path: "/v2/library/nginx/manifests/new", want: 405},
		"Delete":        {reason: "nothing can be removed", method: http.MethodDelete, path: "/v2/pause/manifests/3.10.1", want: 405},
		"UnknownBlob":   {reason: "a blob that is not there", method: http.MethodGet, path: "/v2/pause/blobs/" + none, want: 404},
		"NoDigest":      {reason: "a path out of the folder is no digest", method: http.MethodGet, path: "/v2/pause/blobs/..%2f..%2findex.json", want: 404},
		"OtherFunction": {reason: "what the registry does not have", method: http.MethodGet, path: "/v2/_catalog", want: 404},
		"OtherPath":     {reason: "what the registry does not have", method: http.MethodGet, path: "/metrics", want: 404},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			if got, _ := send(t, test.method, r.URL()+test.path); got != test.want {
				t.Errorf("%s: status %d, want %d", test.reason, got, test.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	r := start(t, registry.Options{Layout: testLayout(t)})
	if diff := cmp.Diff([]string{"docker.io", "registry.k8s.io"}, r.Hosts()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	want := []string{
		"docker.io/library/busybox:latest", "docker.io/library/nginx:1.25",
		"registry.k8s.io/library/busybox:latest", "registry.k8s.io/pause:3.10.1",
	}
	if diff := cmp.Diff(want, r.Images()); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

func TestStartRefuses(t *testing.T) {
	good := testLayout(t)
	unnamed := t.TempDir()
	path, err := layout.Write(unnamed, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(image(t, "x"), layout.WithAnnotations(map[string]string{nameAnnotation: "busybox"})); err != nil {
		t.Fatal(err)
	}
	hollow := t.TempDir()
	if _, err := layout.Write(hollow, empty.Index); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		options registry.Options
		want    string
	}{
		"NoLayout":       {options: registry.Options{Layout: t.TempDir()}, want: "index.json: no such file"},
		"EmptyLayout":    {options: registry.Options{Layout: hollow}, want: "lists no image"},
		"ShortName":      {options: registry.Options{Layout: unnamed}, want: `called "busybox"; want a full name`},
		"HalfCredential": {options: registry.Options{Layout: good, Username: "robot"}, want: "Username and Password go together"},
		"BadAddress":     {options: registry.Options{Layout: good, Address: "127.0.0.1:port"}, want: "listening"},
		"BrokenManifest": {options: registry.Options{Layout: broken(t)}, want: "has the digest"},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			r, err := registry.Start(t.Context(), test.options)
			if err == nil {
				_ = r.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// broken is a layout where a manifest's file holds something else.
func broken(t *testing.T) string {
	t.Helper()
	folder := testLayout(t)
	digest, err := image(t, "docker").Digest()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "blobs", digest.Algorithm, digest.Hex)
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte("{}"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestChange adds an image to the layout and then breaks it.
func TestChange(t *testing.T) {
	folder := testLayout(t)
	r := start(t, registry.Options{Layout: folder})
	path, err := layout.FromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	annotation := layout.WithAnnotations(map[string]string{nameAnnotation: "quay.io/new/image:1"})
	if err := path.AppendImage(image(t, "new"), annotation); err != nil {
		t.Fatal(err)
	}
	if got, err := pull(t, r, "new/image:1"); err != nil || got != "new" {
		t.Errorf("an image that was added holds %q (error %v), want new", got, err)
	}
	if diff := cmp.Diff([]string{"docker.io", "quay.io", "registry.k8s.io"}, r.Hosts()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(folder, "index.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := pull(t, r, "new/image:1"); err != nil || got != "new" {
		t.Errorf("while the index is damaged the image holds %q (error %v), want new", got, err)
	}
}

func TestEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, err := registry.Start(ctx, registry.Options{Layout: testLayout(t)})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if _, err := pull(t, r, "pause:3.10.1"); err == nil {
		t.Error("an ended registry still answers")
	}
}
