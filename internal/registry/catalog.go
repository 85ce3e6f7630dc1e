package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The annotations that may hold an image's full name: containerd's own, which
// is always a full one, and the specification's, which many tools fill with
// the tag alone.
const (
	imageName = "io.containerd.image.name"
	refName   = "org.opencontainers.image.ref.name"
)

// indexFile lists a layout's images.
const indexFile = "index.json"

// dockerHub is how names and container runtimes call the registry whose
// address is name.DefaultRegistry.
const dockerHub = "docker.io"

// catalog is all that a layout holds.
type catalog struct {
	blobs string // folder of the layout
	// registries are the library's servers, one for each registry host, over
	// the same blobs.
	registries map[string]http.Handler
	// repositories are the registry hosts that have a repository of a name.
	repositories map[string][]string
	names        []string
}

func readCatalog(folder string) (*catalog, error) {
	file, err := os.Open(filepath.Join(folder, indexFile))
	if err != nil {
		return nil, fmt.Errorf("opening index: %w", err)
	}
	defer func() { _ = file.Close() }()
	index, err := v1.ParseIndexManifest(file)
	if err != nil {
		return nil, fmt.Errorf("parsing index.json: %w", err)
	}
	c := &catalog{
		blobs:      filepath.Join(folder, "blobs"),
		registries: map[string]http.Handler{}, repositories: map[string][]string{},
	}
	for _, image := range index.Manifests {
		if err := c.add(image); err != nil {
			return nil, err
		}
	}
	if len(c.names) == 0 {
		return nil, fmt.Errorf("layout %s lists no image in index.json; want at least one", folder)
	}
	return c, nil
}

// add makes an image of the layout known under its name.
func (c *catalog) add(image v1.Descriptor) error {
	full := image.Annotations[imageName]
	if full == "" {
		full = image.Annotations[refName]
	}
	tag, err := name.NewTag(full, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("image %s in index.json is called %q; want a full name such as docker.io/library/busybox:latest: %w", image.Digest, full, err)
	}
	host, repository := tag.RegistryStr(), tag.RepositoryStr()
	if host == name.DefaultRegistry {
		host = dockerHub
	}
	if c.registries[host] == nil {
		c.registries[host] = registry.New(
			registry.WithBlobHandler(registry.NewDiskBlobHandler(c.blobs)),
			// The requests are logged by this package.
			registry.Logger(log.New(io.Discard, "", 0)),
		)
	}
	if !slices.Contains(c.repositories[repository], host) {
		c.repositories[repository] = append(c.repositories[repository], host)
	}
	c.names = append(c.names, host+"/"+repository+":"+tag.TagStr())
	if err := c.put(host, repository, tag.TagStr(), image); err != nil {
		return fmt.Errorf("reading image %s: %w", full, err)
	}
	return nil
}

// put gives a manifest to the library, those below it first, as it demands.
func (c *catalog) put(host, repository, reference string, image v1.Descriptor) error {
	data, err := os.ReadFile(filepath.Join(c.blobs, image.Digest.Algorithm, image.Digest.Hex))
	if err != nil {
		return fmt.Errorf("reading manifest: %w", err)
	}
	if image.MediaType.IsIndex() {
		index, err := v1.ParseIndexManifest(bytes.NewReader(data))
		if err != nil {
			return fmt.Errorf("parsing manifest %s: %w", image.Digest, err)
		}
		for _, below := range index.Manifests {
			if err := c.put(host, repository, below.Digest.String(), below); err != nil {
				return err
			}
		}
	}
	path := "/v2/" + repository + "/manifests/" + reference
	// It goes to a handler in this process, over no wire: there is nothing to
	// cancel.
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPut, path, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("naming manifest: %w", err)
	}
	request.Header.Set("Content-Type", string(image.MediaType))
	answer := &answer{header: http.Header{}}
	c.registries[host].ServeHTTP(answer, request)
	if answer.status != http.StatusCreated {
		return fmt.Errorf("the library takes manifest %s with status %d, want 201: %s", image.Digest, answer.status, answer.body.String())
	}
	if got := answer.header.Get("Docker-Content-Digest"); got != image.Digest.String() {
		return fmt.Errorf("the manifest's file has the digest %s, want %s", got, image.Digest)
	}
	return nil
}

func (c *catalog) hosts() []string { return slices.Sorted(maps.Keys(c.registries)) }

func (c *catalog) images() []string { return slices.Sorted(slices.Values(c.names)) }

// The errors of find.
var (
	errUnknown   = errors.New("the layout has no such image")
	errAmbiguous = errors.New("several registries have a repository of this name; name one in ?ns=")
)

// find returns the server of a repository. namespace is the registry host that
// the caller mirrors, or empty.
func (c *catalog) find(namespace, repository string) (http.Handler, error) {
	hosts := c.repositories[repository]
	if namespace == name.DefaultRegistry {
		namespace = dockerHub
	}
	switch {
	case namespace != "" && slices.Contains(hosts, namespace):
		return c.registries[namespace], nil
	case namespace != "" || len(hosts) == 0:
		return nil, errUnknown
	case len(hosts) > 1:
		return nil, fmt.Errorf("%w (%s)", errAmbiguous, strings.Join(hosts, ", "))
	}
	return c.registries[hosts[0]], nil
}

// answer keeps what the library answers to this package's own requests.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
