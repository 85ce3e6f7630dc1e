// Command images builds the container images that tests and cumulet-local run:
// those that people name in examples (busybox, nginx, httpd, pause) and those
// that the Kubernetes conformance tests name (agnhost and others), each under
// its upstream name. It takes programs from pinned Debian packages and from Go
// modules; it needs no registry, no Docker, no C compiler and no root.
//
//	images [-out DIR] [-cache DIR] [-arch ARCH] [WHAT...]
//
// WHAT is a set (basic, conformance), an image's name as upstream has it, or
// the last part of one (nginx); none means basic. The result is an OCI image
// layout, where every image has its full name in the annotations
// org.opencontainers.image.ref.name and io.containerd.image.name. What is there
// already and up to date is left alone, images that are not named too.
//
//	images -lock
//	images -list
//
// write packages.lock anew from Debian's archive, and the list of images,
// docs/reference/images.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	root, out, cache, arch string
	lock, list             bool
	what                   []string
}

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	flags.StringVar(&o.root, "root", filepath.Join("..", ".."), "the repository's root")
	flags.StringVar(&o.out, "out", "", "folder of the OCI image layout (default bin/images of the root)")
	flags.StringVar(&o.cache, "cache", "", "folder that keeps fetched packages (default bin/.cache/images of the root)")
	flags.StringVar(&o.arch, "arch", runtime.GOARCH, "architecture of the images: amd64 or arm64")
	flags.BoolVar(&o.lock, "lock", false, "write packages.lock anew from Debian's archive, and build nothing")
	flags.BoolVar(&o.list, "list", false, "write docs/reference/images.md, and build nothing")
	if err := flags.Parse(arguments); err != nil {
		return o, fmt.Errorf("reading flags: %w", err)
	}
	if o.out == "" {
		o.out = filepath.Join(o.root, "bin", "images")
	}
	if o.cache == "" {
		o.cache = filepath.Join(o.root, "bin", ".cache", "images")
	}
	if o.what = flags.Args(); len(o.what) == 0 {
		o.what = []string{setBasic}
	}
	return o, nil
}

func run(ctx context.Context, arguments []string) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	if o.list {
		return writeList(ctx, filepath.Join(o.root, "docs", "reference", "images.md"))
	}
	release, err := exclusive(ctx, o.cache)
	if err != nil {
		return err
	}
	defer release()
	if o.lock {
		return writeLock(ctx, o.cache, packageNames(recipes()))
	}
	chosen, err := choose(recipes(), o.what)
	if err != nil {
		return err
	}
	w, err := newWorkshop(o)
	if err != nil {
		return err
	}
	return w.build(ctx, o.out, chosen)
}
