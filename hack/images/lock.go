package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// lockFile is packages.lock: which Debian packages the images are made of.
//
//go:embed packages.lock
var lockFile string

// lockHeader begins packages.lock.
const lockHeader = `# The Debian packages that the images are made of. Written by
#   go run . -lock
# Columns: architecture, package, version, size in bytes, SHA-256, path in the archive.
`

// pinned is a Debian package in one version.
type pinned struct {
	arch, name, version string
	size                int64
	sha256              string // hexadecimal
	// path is that below deb.debian.org, debian/pool/... or
	// debian-security/pool/...
	path string
}

func (p pinned) String() string {
	return fmt.Sprintf("%s %s %s %d %s %s", p.arch, p.name, p.version, p.size, p.sha256, p.path)
}

// lock is what packages.lock says.
type lock struct {
	// snapshot is when it was written, as snapshot.debian.org names times:
	// 20060102T150405Z.
	snapshot string
	packages []pinned
}

const snapshotLine = "snapshot "

func parseLock(text string) (lock, error) {
	var l lock
	for lines, number := bufio.NewScanner(strings.NewReader(text)), 1; lines.Scan(); number++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		if at, ok := strings.CutPrefix(line, snapshotLine); ok {
			l.snapshot = at
			continue
		}
		p, err := parsePinned(line)
		if err != nil {
			return l, fmt.Errorf("reading packages.lock, line %d: %w", number, err)
		}
		l.packages = append(l.packages, p)
	}
	if l.snapshot == "" || len(l.packages) == 0 {
		return l, fmt.Errorf("reading packages.lock: it has %d packages and the time %q; want some and one", len(l.packages), l.snapshot)
	}
	return l, nil
}

func parsePinned(line string) (pinned, error) {
	columns := strings.Fields(line)
	if len(columns) != 6 {
		return pinned{}, fmt.Errorf("%d columns in %q; want 6", len(columns), line)
	}
	size, err := strconv.ParseInt(columns[3], 10, 64)
	if err != nil {
		return pinned{}, fmt.Errorf("size %q; want bytes: %w", columns[3], err)
	}
	return pinned{arch: columns[0], name: columns[1], version: columns[2], size: size, sha256: columns[4], path: columns[5]}, nil
}

func (l lock) format() []byte {
	var text bytes.Buffer
	text.WriteString(lockHeader)
	fmt.Fprintf(&text, "%s%s\n", snapshotLine, l.snapshot)
	for _, p := range l.packages {
		fmt.Fprintln(&text, p)
	}
	return text.Bytes()
}

// find returns what is pinned of the packages for an architecture.
func (l lock) find(arch string, names []string) ([]pinned, error) {
	var found []pinned
	for _, name := range names {
		i := slices.IndexFunc(l.packages, func(p pinned) bool { return p.arch == arch && p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("packages.lock has no %s for %s; go run . -lock writes it anew", name, arch)
		}
		found = append(found, l.packages[i])
	}
	return found, nil
}
