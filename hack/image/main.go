// Command image builds cumulet's container image: from scratch, with the
// program, the public certificate authorities and a user that is not root, for
// every platform, and the same bytes each time. It needs no Docker and no
// registry, only Go.
//
//	image [-root DIR] [-version V] [-platforms linux/amd64,linux/arm64] [-out DIR] [-archive FILE]
//
// The result is an OCI image layout, which skopeo, crane, podman and buildah
// read (crane push DIR registry.example.com/cumulet:V), and with -archive also
// that layout in one tar file, for ctr images import, podman load and docker
// load.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct{ root, version, platforms, authorities, out, archive string }

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.root, "root", filepath.Join("..", ".."), "the repository's root")
	flags.StringVar(&o.version, "version", "0.1.0-dev", "the version, as `cumulet version` and the image's labels tell it")
	flags.StringVar(&o.platforms, "platforms", "linux/amd64,linux/arm64", "platforms, separated by commas")
	flags.StringVar(&o.authorities, "ca-bundle", "", "PEM file of certificate authorities to trust instead of Mozilla's")
	flags.StringVar(&o.out, "out", filepath.Join("..", "..", "bin", "image"), "folder of the OCI image layout; one that is there is replaced")
	flags.StringVar(&o.archive, "archive", "", "tar file of the layout, if one is wanted")
	if err := flags.Parse(arguments); err != nil {
		return o, fmt.Errorf("reading flags: %w", err)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

func run(ctx context.Context, arguments []string) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	trusted, err := bundle(o.authorities)
	if err != nil {
		return err
	}
	source := program{dir: o.root, name: "./cmd/cumulet", version: o.version}
	var images []v1.Image
	for name := range strings.SplitSeq(o.platforms, ",") {
		platform, err := v1.ParsePlatform(name)
		if err != nil {
			return fmt.Errorf("reading -platforms: %w", err)
		}
		binary, err := source.build(ctx, *platform)
		if err != nil {
			return err
		}
		image, err := newImage(contents{binary: binary, authorities: trusted, platform: *platform, version: o.version})
		if err != nil {
			return err
		}
		images = append(images, image)
	}
	index, err := newIndex(images, o.version)
	if err != nil {
		return err
	}
	return write(index, o.out, o.archive)
}

// write puts the index where the flags say and tells its digest.
func write(index v1.ImageIndex, folder, archive string) error {
	if err := writeLayout(index, folder); err != nil {
		return err
	}
	if archive != "" {
		if err := writeArchive(folder, archive); err != nil {
			return err
		}
	}
	digest, err := index.Digest()
	if err != nil {
		return fmt.Errorf("computing digest: %w", err)
	}
	fmt.Println(digest)
	return nil
}
