package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rootfs holds the files of the images that are neither from a package nor
// computed.
//
//go:embed rootfs
var rootfs embed.FS

// copyFile puts a file of rootfs into the tree.
func (t *tree) copyFile(name, source string, mode int64) error {
	data, err := rootfs.ReadFile("rootfs/" + source)
	if err != nil {
		return fmt.Errorf("reading own file: %w", err)
	}
	t.file(name, mode, data)
	return nil
}

// baseLayer is a small Debian: the shells and tools that the upstream images
// have, without a package manager.
var baseLayer = &layer{
	name: "Debian " + release,
	packages: []string{
		"base-files", "base-passwd", "netbase", "media-types", "ca-certificates", "tzdata", "libc6", "libc-bin", "libgcc-s1", "zlib1g",
		"busybox-static", "bash-static",
	},
	fill: fillBase,
}

func fillBase(_ context.Context, _ *workshop, t *tree) error {
	// What the packages' scripts would do.
	for _, file := range []string{"passwd", "group"} {
		master, err := t.read("usr/share/base-passwd/" + file + ".master")
		if err != nil {
			return err
		}
		t.file("etc/"+file, 0o644, bytes.ReplaceAll(master, []byte(":*:"), []byte(":x:")))
	}
	t.addAuthorities()
	if err := t.copyFile("etc/nsswitch.conf", "nsswitch.conf", 0o644); err != nil {
		return err
	}
	t.symlink("etc/localtime", "/usr/share/zoneinfo/Etc/UTC")
	t.symlink("usr/bin/bash", "bash-static")
	t.remove("usr/share/base-passwd")
	t.remove("usr/sbin/update-passwd")
	t.remove("usr/sbin/update-ca-certificates")
	return t.linkApplets("usr/bin/busybox")
}

// addAuthorities makes the file of certificate authorities that OpenSSL reads.
func (t *tree) addAuthorities() {
	var all bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(t.nodes)) {
		if strings.HasPrefix(name, "usr/share/ca-certificates/") && strings.HasSuffix(name, ".crt") {
			all.Write(t.nodes[name].data)
		}
	}
	t.file("etc/ssl/certs/ca-certificates.crt", 0o644, all.Bytes())
	t.remove("usr/share/ca-certificates")
}

// linkApplets gives busybox the names of its programs, except those that are
// there already.
func (t *tree) linkApplets(busybox string) error {
	program, err := t.read(busybox)
	if err != nil {
		return err
	}
	names, err := applets(program)
	if err != nil {
		return err
	}
	folder := strings.TrimSuffix(busybox, "busybox")
	for _, name := range names {
		if t.nodes[clean(folder+name)] == nil {
			t.hardlink(folder+name, busybox)
		}
	}
	return nil
}
