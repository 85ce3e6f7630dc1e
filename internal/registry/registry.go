// Package registry serves the images of an OCI image layout over the registry
// protocol, read-only, as a mirror of the registries that the images' names
// belong to. A container runtime that is pointed at it pulls
// docker.io/library/busybox:latest or registry.k8s.io/pause:3.10.1 under these
// very names, and nothing leaves the machine.
//
// A runtime names the registry that it mirrors in the query (?ns=docker.io),
// so two registries may have a repository of one name. Who gives no ns finds
// a repository that exactly one of the registries has.
//
// containerd asks the real registry when a mirror answers 404: an image that
// the layout does not have is not kept from being pulled from elsewhere.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
)

const (
	// DefaultAddress takes a free port that only this machine reaches.
	DefaultAddress = "127.0.0.1:0"

	headerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// closeLimit is how long Close waits for pulls under way.
	closeLimit = 5 * time.Second
)

// Options say what is served and to whom.
type Options struct {
	// Layout is the folder of an OCI image layout. Each image in its
	// index.json carries its full name (registry host, repository and tag) in
	// the annotation io.containerd.image.name or, without that one,
	// org.opencontainers.image.ref.name. Changes of index.json are seen: images
	// that are built later are served.
	Layout string
	// Address is the host and port to listen on; DefaultAddress if empty.
	Address string
	// Username and Password, if set, are what callers must send (HTTP Basic).
	// One without the other is an error.
	Username, Password string
	// Log gets a line for each request at level 1, without credentials; the
	// zero value discards it.
	Log logr.Logger
}

// Registry is a running server.
type Registry struct {
	shelf   *shelf
	server  *http.Server
	address string
	served  chan error
	ended   func() bool
}

// Start reads the layout and serves it until ctx ends or Close is called. A
// folder that is no layout, an image without a full name and a half-given
// credential are errors.
func Start(ctx context.Context, o Options) (*Registry, error) {
	if (o.Username == "") != (o.Password == "") {
		return nil, errors.New("registry credentials: Username and Password go together; one of them is empty")
	}
	found, err := newShelf(o.Layout, o.Log)
	if err != nil {
		return nil, fmt.Errorf("reading layout: %w", err)
	}
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for the image registry: %w", err)
	}
	r := &Registry{
		shelf:   found,
		address: listener.Addr().String(),
		served:  make(chan error, 1),
		server: &http.Server{
			Handler:           logged(o.Log, guarded(o.Username, o.Password, readOnly(found))),
			ReadHeaderTimeout: headerTimeout,
			IdleTimeout:       idleTimeout,
		},
	}
	go func() { r.served <- r.server.Serve(listener) }()
	r.ended = context.AfterFunc(ctx, func() { _ = r.server.Close() })
	return r, nil
}

// URL is where the registry is, such as http://127.0.0.1:40123, without a
// slash at the end.
func (r *Registry) URL() string { return "http://" + r.address }

// Hosts are the registries that the images' names belong to, such as docker.io
// and registry.k8s.io, sorted: those that a runtime may mirror by URL.
func (r *Registry) Hosts() []string { return r.shelf.catalog().hosts() }

// Images are the full names of all images, sorted.
func (r *Registry) Images() []string { return r.shelf.catalog().images() }

// Close ends the server and waits for it. Pulls under way have a few seconds.
func (r *Registry) Close() error {
	r.ended()
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, r.server.Close())
	}
	if served := <-r.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	r.served <- http.ErrServerClosed // for a second Close
	if err != nil {
		return fmt.Errorf("closing the image registry: %w", err)
	}
	return nil
}
