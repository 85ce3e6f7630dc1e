package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// store keeps packages by digest.
type store struct {
	folder string
	arch   string
	// mirrors are the places to fetch a package from where apt is of no help:
	// addresses that end in a slash, and where the archive's name and the rest
	// of the path go in.
	mirrors []mirror
	client  *http.Client
}

// mirror is a web server with Debian's archive: the address of a package is
// base, the archive's name (debian, debian-security), infix and the path in it.
type mirror struct{ base, infix string }

// fetchTimeout bounds the fetching of one package, of which the largest has a
// few MiB.
const fetchTimeout = 5 * time.Minute

func newStore(cache, arch, snapshot string) *store {
	return &store{
		folder: filepath.Join(cache, "packages"), arch: arch,
		client: &http.Client{Timeout: fetchTimeout},
		mirrors: []mirror{
			{base: "http://deb.debian.org/", infix: "/"},
			// A newer version replaces a package in the archive; this one
			// keeps all that ever was there.
			{base: "http://snapshot.debian.org/archive/", infix: "/" + snapshot + "/"},
		},
	}
}

func (s *store) path(p pinned) string { return filepath.Join(s.folder, p.sha256+".deb") }

// fetch sees to it that the packages are in the store. It asks apt, where there
// is one, and else the archive itself; the digest decides in either case.
func (s *store) fetch(ctx context.Context, wanted []pinned) error {
	missing := s.missing(wanted)
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintf(os.Stderr, "images: fetching %d Debian packages\n", len(missing))
	if err := os.MkdirAll(s.folder, 0o750); err != nil {
		return fmt.Errorf("making the store: %w", err)
	}
	byApt := s.fetchByApt(ctx, missing)
	for _, p := range s.missing(missing) {
		if err := s.fetchByHand(ctx, p); err != nil {
			return fmt.Errorf("fetching package %s %s: %w", p.name, p.version, errors.Join(byApt, err))
		}
	}
	return nil
}

func (s *store) missing(wanted []pinned) []pinned {
	var missing []pinned
	for _, p := range wanted {
		if _, err := os.Stat(s.path(p)); err != nil {
			missing = append(missing, p)
		}
	}
	return missing
}

// fetchByApt fetches what apt has. Its error is of interest only if the other
// way fails too.
func (s *store) fetchByApt(ctx context.Context, wanted []pinned) error {
	a, err := newApt(ctx, filepath.Dir(s.folder), s.arch)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(s.folder, "apt")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	// One version that is gone makes apt fetch nothing of all.
	failed := a.download(ctx, folder, wanted)
	if failed != nil {
		failed = nil
		for _, p := range wanted {
			failed = errors.Join(failed, a.download(ctx, folder, []pinned{p}))
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.deb"))
	if err != nil {
		return fmt.Errorf("looking for packages: %w", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading package: %w", err)
		}
		if err := os.Rename(file, filepath.Join(s.folder, digest(data)+".deb")); err != nil {
			return fmt.Errorf("keeping package: %w", err)
		}
	}
	return failed
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fetchByHand asks the mirrors one after the other.
func (s *store) fetchByHand(ctx context.Context, p pinned) error {
	archive, rest, ok := strings.Cut(p.path, "/")
	if !ok {
		return fmt.Errorf("path %q in packages.lock; want ARCHIVE/pool/FILE", p.path)
	}
	var failed error
	for _, m := range s.mirrors {
		// Debian's file names have plus signs and tildes.
		address := m.base + archive + m.infix + (&url.URL{Path: rest}).EscapedPath()
		data, err := s.get(ctx, address, p.size)
		if err == nil && digest(data) != p.sha256 {
			err = fmt.Errorf("%s has the SHA-256 %s; packages.lock has %s", address, digest(data), p.sha256)
		}
		if err == nil {
			return s.keep(p, data)
		}
		failed = errors.Join(failed, err)
	}
	return fmt.Errorf("%w\ngo run . -lock in hack/images takes today's version", failed)
}

func (s *store) get(ctx context.Context, address string, size int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("naming package: %w", err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking for package: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, size+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", address, err)
	}
	return data, nil
}

// keep writes a package so that nobody sees half of one.
func (s *store) keep(p pinned, data []byte) error {
	file, err := os.CreateTemp(s.folder, "fetched")
	if err != nil {
		return fmt.Errorf("keeping package: %w", err)
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), s.path(p))
	}
	if err != nil {
		return fmt.Errorf("keeping package: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}
