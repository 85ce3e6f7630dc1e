package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// reasons say why images that the tests name are not built, by the beginning of
// their names. The first that fits counts.
var reasons = []struct{ begins, reason string }{
	{"invalid.registry.k8s.io/", "must not exist: tests want the pull to fail"},
	{"gcr.io/k8s-authenticated-test/", "a private copy of agnhost in a registry that asks for Google's credentials"},
	{"gcr.io/authenticated-image-pulling/", "a private image in a registry that asks for Google's credentials"},
	{e2e + "node-perf/", "benchmarks in Fortran and TensorFlow: they need compilers and a download of training data"},
	{e2e + "apparmor-loader:", "needs AppArmor in the node's kernel"},
	{e2e + "volume/", "a server in the kernel (NFS, iSCSI), which needs a privileged container and kernel modules"},
	{e2e + "sample-device-plugin:", "a plugin of the kubelet; a virtual node has none"},
	{e2e + "pets/", "databases for tests of upgrades"},
	{e2e + "redis:", "tests of upgrades only"},
	{"registry.k8s.io/sig-storage/", "CSI drivers and NFS-Ganesha: they need the kubelet's plugin folders, which a virtual node has not"},
	{"registry.k8s.io/cloud-provider-gcp/", "a storage driver of another cloud"},
	{"registry.k8s.io/", "add-ons and databases for tests of upgrades and of other clouds"},
	{"gcr.io/", "databases, demonstrations and GPU drivers for tests of upgrades and of Google's machines"},
	{"docker.io/", "servers for tests of upgrades and of other clouds"},
}

const listHead = `# Images that are built here

<!-- Written by: cd hack/images && go run . -list -->

**hack/images/build.sh** builds container images for pods that really run, from packages of Debian 13 (%s; packages.lock beside it
pins them) and Go modules alone, into the OCI layout bin/images. Each has its upstream name, so that manifests need no change; what is
inside can be of another version, as the table says. The set *basic* takes seconds; *conformance*, the images of Kubernetes' own
conformance tests, takes minutes at first.

| set | image | tags | what is inside |
|---|---|---|---|
`

// writeList writes the list of images that are built, and of those that
// Kubernetes' tests name and that are not.
func writeList(ctx context.Context, path string) error {
	text, err := renderList(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // A file of the repository.
		return fmt.Errorf("writing list: %w", err)
	}
	return nil
}

func renderList(ctx context.Context) ([]byte, error) {
	source, err := kubernetesSource(ctx)
	if err != nil {
		return nil, err
	}
	images, err := testImages(source)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, listHead, release)
	built := map[string]bool{}
	for _, r := range recipes() {
		repository, tags := splitNames(r.names)
		fmt.Fprintf(&page, "| %s | `%s` | %s | %s |\n", r.set, repository, strings.Join(tags, ", "), r.contains)
		for _, name := range r.names {
			built[name] = true
		}
	}
	missing := slices.DeleteFunc(images, func(i testImage) bool { return built[i.name] })
	if err := listMissing(&page, missing); err != nil {
		return nil, err
	}
	return page.Bytes(), nil
}

func splitNames(names []string) (repository string, tags []string) {
	for _, name := range names {
		var tag string
		repository, tag = splitName(name)
		tags = append(tags, tag)
	}
	return repository, tags
}

// splitName takes a tag or digest off a name.
func splitName(name string) (repository, tag string) {
	if repository, tag, ok := strings.Cut(name, "@"); ok {
		return repository, tag
	}
	repository, tag, _ = strings.Cut(name, ":")
	return repository, tag
}

// absent is a repository of which images are not built.
type absent struct {
	repository, reason string
	tags, places       []string
}

// listMissing writes the second table. An image without a reason is an error:
// somebody has to decide about it.
func listMissing(page *bytes.Buffer, missing []testImage) error {
	conformance := 0
	var rows []absent
	for _, i := range missing {
		repository, tag := splitName(i.name)
		reason := reasonFor(i.name)
		if reason == "" {
			return fmt.Errorf("image %s of Kubernetes' tests is neither built nor excused in list.go", i.name)
		}
		if len(rows) == 0 || rows[len(rows)-1].repository != repository {
			rows = append(rows, absent{repository: repository, reason: reason})
		}
		row := &rows[len(rows)-1]
		row.tags = append(row.tags, tag)
		for _, p := range i.places {
			if p.conformance {
				conformance++
			}
			if line := p.String(); !slices.Contains(row.places, line) {
				row.places = append(row.places, line)
			}
		}
	}
	fmt.Fprintf(page, missingHead, conformance)
	for _, row := range rows {
		fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", row.repository, strings.Join(row.tags, ", "), row.reason, strings.Join(row.places, "; "))
	}
	return nil
}

const missingHead = `
## Images of Kubernetes' tests that are not built

Of the images that the end-to-end tests of Kubernetes 1.35.4 name, these are missing; a pod with one of them is left to the real
registry. Conformance tests that name one of them: %d. Files are below test/ of Kubernetes' sources, with the test where the image is
named in one and not in a function that several call.

| image | tags | why not | named in |
|---|---|---|---|
`

func reasonFor(name string) string {
	for _, r := range reasons {
		if strings.HasPrefix(name, r.begins) {
			return r.reason
		}
	}
	return ""
}

func (p place) String() string {
	file := strings.TrimPrefix(p.file, "test/")
	switch {
	case p.conformance:
		return fmt.Sprintf("`%s`: **%s**", file, p.test)
	case p.test != "":
		return fmt.Sprintf("`%s`: %s", file, p.test)
	}
	return "`" + file + "`"
}
