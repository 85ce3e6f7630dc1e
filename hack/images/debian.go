package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

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

// arMagic begins an ar archive; arHeader is the length of what comes before
// each member.
const (
	arMagic  = "!<arch>\n"
	arHeader = 60
)

// dataOf finds the files of a package: the member data.tar of an ar archive
// (deb(5)).
func dataOf(archive io.Reader) (io.Reader, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(archive, magic); err != nil || string(magic) != arMagic {
		return nil, errors.New("it is no Debian package: it does not begin as an ar archive does")
	}
	for {
		name, size, err := arMember(archive)
		if err != nil {
			return nil, fmt.Errorf("looking for data.tar in the package: %w", err)
		}
		if compression, ok := strings.CutPrefix(name, "data.tar"); ok {
			return decompress(io.LimitReader(archive, size), compression)
		}
		// Members begin at even places.
		if _, err := io.CopyN(io.Discard, archive, size+size%2); err != nil {
			return nil, fmt.Errorf("looking for data.tar in the package: %w", err)
		}
	}
}

// arMember reads a member's header: a name of 16 bytes, four numbers that tell
// nothing here, the size in 10 decimal digits, and an end mark.
func arMember(archive io.Reader) (name string, size int64, err error) {
	header := make([]byte, arHeader)
	if _, err := io.ReadFull(archive, header); err != nil {
		return "", 0, fmt.Errorf("reading ar archive: %w", err)
	}
	size, err = strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
	if err != nil || size < 0 || string(header[58:]) != "`\n" {
		return "", 0, fmt.Errorf("reading ar archive: the header %q is damaged", header)
	}
	// Some tools end names with a slash.
	return strings.TrimRight(string(header[:16]), " /"), size, nil
}

func decompress(data io.Reader, compression string) (io.Reader, error) {
	switch compression {
	case "":
		return data, nil
	case ".gz":
		return gzip.NewReader(data)
	case ".xz":
		return xz.NewReader(data)
	case ".zst":
		return zstd.NewReader(data, zstd.WithDecoderConcurrency(1))
	default:
		return nil, fmt.Errorf("the package is compressed as data.tar%s; want gz, xz or zst", compression)
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
