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
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root := flag.String("root", filepath.Join("..", ".."), "the repository's root")
	version := flag.String("version", "0.1.0-dev", "the version, as `cumulet version` and the image's labels tell it")
	platforms := flag.String("platforms", "linux/amd64,linux/arm64", "platforms, separated by commas")
	authorities := flag.String("ca-bundle", "", "PEM file of certificate authorities to trust instead of Mozilla's")
	out := flag.String("out", filepath.Join("..", "..", "bin", "image"), "folder of the OCI image layout; one that is there is replaced")
	archive := flag.String("archive", "", "tar file of the layout, if one is wanted")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	trusted, err := bundle(*authorities)
	if err != nil {
		return err
	}
	source := program{dir: *root, name: "./cmd/cumulet", version: *version}
	var images []v1.Image
	for name := range strings.SplitSeq(*platforms, ",") {
		platform, err := v1.ParsePlatform(name)
		if err != nil {
			return fmt.Errorf("reading -platforms: %w", err)
		}
		binary, err := source.build(ctx, *platform)
		if err != nil {
			return err
		}
		image, err := newImage(contents{binary: binary, authorities: trusted, platform: *platform, version: *version})
		if err != nil {
			return err
		}
		images = append(images, image)
	}
	index, err := newIndex(images, *version)
	if err != nil {
		return err
	}
	return write(index, *out, *archive)
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
