package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// release is the Debian release that the packages are from.
const release = "trixie"

// sources are apt's, for that release.
const sources = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian ` + release + ` main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security ` + release + `-security main
`

// errNoApt is returned on machines without apt.
var errNoApt = errors.New("this machine has no apt-get")

// apt runs apt-get with lists and settings of its own: it needs no root,
// changes nothing on the machine and sees the same release on each.
type apt struct {
	state   string // folder
	options []string
}

// newApt prepares a folder and fetches the archive's lists.
func newApt(ctx context.Context, cache, arch string) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, errNoApt
	}
	state, err := filepath.Abs(filepath.Join(cache, "apt-"+arch))
	if err != nil {
		return nil, fmt.Errorf("finding apt's folder: %w", err)
	}
	for _, folder := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(state, folder), 0o755); err != nil { //nolint:gosec // apt reads it under another user.
			return nil, fmt.Errorf("making apt's folder: %w", err)
		}
	}
	list := filepath.Join(state, "sources.list")
	if err := os.WriteFile(list, []byte(sources), 0o644); err != nil { //nolint:gosec // As above.
		return nil, fmt.Errorf("writing apt's sources: %w", err)
	}
	a := &apt{state: state}
	for _, option := range []string{
		"Dir::Etc::SourceList=" + list, "Dir::Etc::SourceParts=/dev/null", "Dir::Etc::Preferences=/dev/null", "Dir::Etc::PreferencesParts=/dev/null",
		"Dir::State=" + state, "Dir::State::Lists=" + filepath.Join(state, "lists"), "Dir::State::Status=/dev/null",
		"Dir::Cache=" + state, "Dir::Cache::Archives=" + filepath.Join(state, "archives"),
		"APT::Architecture=" + arch, "APT::Architectures=" + arch, "APT::Sandbox::User=",
		"Acquire::Languages=none", "Acquire::GzipIndexes=true", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
	} {
		a.options = append(a.options, "-o", option)
	}
	if _, err := a.run(ctx, state, "update"); err != nil {
		return nil, err
	}
	return a, nil
}

// run calls apt-get in a folder and returns what it prints.
func (a *apt) run(ctx context.Context, folder string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "apt-get", slices.Concat([]string{"-q"}, a.options, arguments)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "LC_ALL=C", "APT_CONFIG=")
	var output, complaint bytes.Buffer
	command.Stdout, command.Stderr = &output, io.MultiWriter(&complaint)
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("running apt-get %s: %w: %s", arguments[0], err, strings.TrimSpace(complaint.String()))
	}
	return output.String(), nil
}

// download fetches the packages, in the pinned versions, into a folder.
func (a *apt) download(ctx context.Context, folder string, wanted []pinned) error {
	arguments := []string{"download"}
	for _, p := range wanted {
		arguments = append(arguments, p.name+"="+p.version)
	}
	_, err := a.run(ctx, folder, arguments...)
	return err
}

// candidates are the packages in the versions that apt would install now.
func (a *apt) candidates(ctx context.Context, arch string, names []string) ([]pinned, error) {
	output, err := a.run(ctx, a.state, slices.Concat([]string{"--print-uris", "download"}, names)...)
	if err != nil {
		return nil, err
	}
	var found []pinned
	for line := range strings.Lines(output) {
		p, err := parseURI(arch, line)
		if err != nil {
			return nil, fmt.Errorf("reading what apt-get prints: %w", err)
		}
		found = append(found, p)
	}
	if len(found) != len(names) {
		return nil, fmt.Errorf("apt-get names %d packages; want %d", len(found), len(names))
	}
	slices.SortFunc(found, func(a, b pinned) int { return strings.Compare(a.name, b.name) })
	return found, nil
}

// parseURI reads a line such as
//
//	'http://deb.debian.org/debian/pool/main/c/curl/curl_8.14.1-2%2bdeb13u7_amd64.deb' curl_8.14.1-2+deb13u7_amd64.deb 270212 SHA256:1356...
func parseURI(arch, line string) (pinned, error) {
	columns := strings.Fields(line)
	if len(columns) != 4 {
		return pinned{}, fmt.Errorf("%d columns in %q; want 4", len(columns), line)
	}
	address, err := url.Parse(strings.Trim(columns[0], "'"))
	if err != nil {
		return pinned{}, fmt.Errorf("parsing address: %w", err)
	}
	file, err := url.PathUnescape(columns[1])
	if err != nil {
		return pinned{}, fmt.Errorf("parsing file name: %w", err)
	}
	parts := strings.Split(file, "_")
	digest, ok := strings.CutPrefix(columns[3], "SHA256:")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || !ok {
		return pinned{}, fmt.Errorf("file %q and digest %q; want NAME_VERSION_ARCHITECTURE.deb and SHA256:DIGEST", file, columns[3])
	}
	size, err := strconv.ParseInt(columns[2], 10, 64)
	if err != nil {
		return pinned{}, fmt.Errorf("parsing size: %w", err)
	}
	return pinned{arch: arch, name: parts[0], version: parts[1], size: size, sha256: digest, path: strings.TrimPrefix(address.Path, "/")}, nil
}

// writeLock writes packages.lock with the packages' versions of today.
func writeLock(ctx context.Context, cache string, names []string) error {
	l := lock{snapshot: time.Now().UTC().Format("20060102T150405Z")}
	for _, arch := range []string{"amd64", "arm64"} {
		a, err := newApt(ctx, cache, arch)
		if err != nil {
			return fmt.Errorf("reading Debian's archive: %w", err)
		}
		found, err := a.candidates(ctx, arch, names)
		if err != nil {
			return fmt.Errorf("looking up packages for %s: %w", arch, err)
		}
		l.packages = append(l.packages, found...)
	}
	if err := os.WriteFile("packages.lock", l.format(), 0o644); err != nil { //nolint:gosec // A file of the repository.
		return fmt.Errorf("writing packages.lock: %w", err)
	}
	return nil
}
