package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/blakesmith/ar"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// left are the paths of packages that no container needs. Copyright notices
// stay, as in Debian's own small images.
var left = []string{
	"etc/init.d", "etc/cron.d", "etc/cron.daily", "etc/logrotate.d", "etc/ufw", "etc/network", "etc/systemd",
	"usr/share/bash-completion", "usr/share/bug", "usr/share/initramfs-tools", "usr/share/lintian", "usr/share/locale",
	"usr/share/man", "usr/share/menu", "usr/lib/systemd", "usr/share/doc-base", "usr/share/info", "usr/share/zsh",
}

// install unpacks a Debian package into the tree. The package's scripts are not
// run: what they would do is the recipe's business.
func (t *tree) install(archive io.Reader) error {
	files, err := dataOf(archive)
	if err != nil {
		return err
	}
	reader := tar.NewReader(files)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading package: %w", err)
		}
		if err := t.unpack(header, reader); err != nil {
			return err
		}
	}
}

// dataOf finds the files of a package: the member data.tar of an ar archive.
func dataOf(archive io.Reader) (io.Reader, error) {
	for members := ar.NewReader(archive); ; {
		member, err := members.Next()
		if err != nil {
			return nil, fmt.Errorf("looking for data.tar in the package: %w", err)
		}
		// Some tools end member names with a slash.
		switch name := strings.TrimSuffix(member.Name, "/"); name {
		case "data.tar":
			return members, nil
		case "data.tar.gz":
			return gzip.NewReader(members)
		case "data.tar.xz":
			return xz.NewReader(members)
		case "data.tar.zst":
			return zstd.NewReader(members, zstd.WithDecoderConcurrency(1))
		default:
			if strings.HasPrefix(name, "data.tar") {
				return nil, fmt.Errorf("the package is compressed as %s; want gz, xz or zst", name)
			}
		}
	}
}

func (t *tree) unpack(header *tar.Header, content io.Reader) error {
	name := clean(header.Name)
	if name == "" || isLeft(name) {
		return nil
	}
	n := &node{kind: header.Typeflag, mode: header.Mode & 0o7777, uid: header.Uid, gid: header.Gid, target: header.Linkname}
	switch header.Typeflag {
	case tar.TypeReg:
		var data bytes.Buffer
		if _, err := io.Copy(&data, content); err != nil {
			return fmt.Errorf("reading %s: %w", header.Name, err)
		}
		n.data = data.Bytes()
	case tar.TypeLink:
		n.target = clean(header.Linkname)
	case tar.TypeDir:
		// Folders of several packages; and bin/ where bin is a link.
		if t.nodes[name] != nil || slices.Contains(merged, name) {
			return nil
		}
	case tar.TypeSymlink:
	default:
		return fmt.Errorf("%s is of type %q; want a file, folder or link", header.Name, header.Typeflag)
	}
	if other := t.nodes[name]; other != nil {
		return fmt.Errorf("two packages of one layer have %s", name)
	}
	t.nodes[name] = n
	return nil
}

func isLeft(name string) bool {
	for _, folder := range left {
		if name == folder || strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	documents, ok := strings.CutPrefix(name, "usr/share/doc/")
	_, file, below := strings.Cut(documents, "/")
	return ok && below && file != "copyright"
}
