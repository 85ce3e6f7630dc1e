package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
)

// TestRecipes checks what can be checked of the recipes without building them.
func TestRecipes(t *testing.T) {
	l, err := parseLock(lockFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		if _, err := l.find(arch, packageNames(recipes())); err != nil {
			t.Error(err)
		}
	}
	seen := map[string]bool{}
	for _, r := range recipes() {
		for _, full := range r.names {
			if _, err := name.NewTag(full, name.StrictValidation); err != nil || seen[full] {
				t.Errorf("%s is no full name (%v), or there twice", full, err)
			}
			seen[full] = true
		}
		if r.contains == "" || len(r.layers) == 0 {
			t.Errorf("%s has %d layers and is described as %q; want some and a text", r.names[0], len(r.layers), r.contains)
		}
	}
	for _, full := range []string{
		"docker.io/library/busybox:latest", "docker.io/library/nginx:1.25", "docker.io/library/nginx:alpine", "docker.io/library/httpd:2.4",
		"registry.k8s.io/pause:3.10.1", "registry.k8s.io/e2e-test-images/agnhost:2.59", "registry.k8s.io/e2e-test-images/nonewprivs:1.3",
	} {
		if !seen[full] {
			t.Errorf("there is no recipe for %s", full)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []recipe{
		{set: setBasic, names: []string{"docker.io/library/nginx:1", "docker.io/library/nginx:2"}},
		{set: setConformance, names: []string{"registry.k8s.io/e2e-test-images/nginx:3"}},
		{set: setConformance, names: []string{"registry.k8s.io/etcd:4"}},
	}
	tests := map[string]struct {
		reason string
		what   []string
		want   []string
		fails  bool
	}{
		"Set":        {reason: "a set is all its images", what: []string{"conformance"}, want: []string{"registry.k8s.io/e2e-test-images/nginx:3", "registry.k8s.io/etcd:4"}},
		"LastPart":   {reason: "a last part is all that end in it", what: []string{"nginx"}, want: []string{"docker.io/library/nginx:1", "docker.io/library/nginx:2", "registry.k8s.io/e2e-test-images/nginx:3"}},
		"WithTag":    {reason: "a tag is that tag alone", what: []string{"nginx:2"}, want: []string{"docker.io/library/nginx:2"}},
		"FullName":   {reason: "a full name is one image", what: []string{"registry.k8s.io/etcd:4"}, want: []string{"registry.k8s.io/etcd:4"}},
		"Repository": {reason: "without a tag it is all tags", what: []string{"docker.io/library/nginx"}, want: []string{"docker.io/library/nginx:1", "docker.io/library/nginx:2"}},
		"Unknown":    {reason: "a slip of the pen shows", what: []string{"nginx", "ngnix"}, fails: true},
		"Part":       {reason: "a part of a word is no name", what: []string{"inx"}, fails: true},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			chosen, err := choose(all, test.what)
			if (err != nil) != test.fails {
				t.Fatalf("%s: error %v, want one: %t", test.reason, err, test.fails)
			}
			var got []string
			for _, r := range chosen {
				got = append(got, r.names...)
			}
			if slices.Sort(got); !test.fails && !slices.Equal(got, test.want) {
				t.Errorf("%s: %v, want %v", test.reason, got, test.want)
			}
		})
	}
}

// TestList compares the committed list with what the recipes and Kubernetes'
// sources say now.
func TestList(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "images.md"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := renderList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("docs/reference/images.md is not up to date (go run . -list writes it):\n%s", cmp.Diff(string(want), string(got)))
	}
	if !strings.Contains(string(got), "Conformance tests that name one of them: 0.") {
		t.Error("a conformance test names an image that is not built")
	}
}

// TestFakeRegistry checks the image that agnhost's fake registry has to serve.
func TestFakeRegistry(t *testing.T) {
	files := newTree()
	if err := files.addRegistry(t.Context(), testWorkshop(t)); err != nil {
		t.Fatal(err)
	}
	const manifests, blobs = "var/registry/pause/manifests/", "var/registry/pause/blobs/"
	tag, err := files.read(manifests + "testing")
	if err != nil {
		t.Fatal(err)
	}
	var index, manifest struct {
		MediaType string
		Manifests []struct{ Digest string }
		Config    struct{ Digest string }
		Layers    []struct{ Digest string }
	}
	decode(t, files, manifests+strings.TrimSpace(string(tag)), &index)
	if len(index.Manifests) != 1 || index.MediaType != "application/vnd.oci.image.index.v1+json" {
		t.Fatalf("the list is %+v, want one image", index)
	}
	decode(t, files, manifests+index.Manifests[0].Digest, &manifest)
	if len(manifest.Layers) != 1 {
		t.Fatalf("the manifest is %+v, want one layer", manifest)
	}
	for _, blob := range []string{manifest.Config.Digest, manifest.Layers[0].Digest} {
		if data, err := files.read(blobs + blob); err != nil || "sha256:"+digest(data) != blob {
			t.Errorf("blob %s is missing or other data (%v)", blob, err)
		}
	}
}
