package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// testPackage is a Debian package with these files; a regular file holds its
// own name.
func testPackage(t testing.TB, compression string, headers ...tar.Header) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		err := writer.WriteHeader(&h)
		if h.Typeflag == tar.TypeReg {
			_, written := writer.Write([]byte(h.Name))
			err = errors.Join(err, written)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return archive(t, map[string][]byte{"debian-binary": []byte("2.0\n"), strings.TrimSuffix("data.tar."+compression, "."): compress(t, compression, packed.Bytes())})
}

func archive(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	archive := bytes.NewBufferString("!<arch>\n")
	// debian-binary comes first, as in a real package.
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(members))) {
		data := members[name]
		fmt.Fprintf(archive, "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", name, 0, 0, 0, 0o100644, len(data), data)
		if len(data)%2 == 1 {
			archive.WriteByte('\n')
		}
	}
	return archive.Bytes()
}

func compress(t testing.TB, compression string, data []byte) []byte {
	t.Helper()
	var compressed bytes.Buffer
	var writer io.WriteCloser
	var err error
	switch compression {
	case "xz":
		writer, err = xz.NewWriter(&compressed)
	case "zst":
		writer, err = zstd.NewWriter(&compressed)
	case "gz":
		writer = gzip.NewWriter(&compressed)
	default:
		return data
	}
	if err == nil {
		_, err = writer.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.Bytes()
}

func TestInstall(t *testing.T) {
	headers := []tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
		{Typeflag: tar.TypeDir, Name: "./bin/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "./bin/sh", Mode: 0o755},
		{Typeflag: tar.TypeLink, Name: "./usr/bin/rsh", Linkname: "./bin/sh", Mode: 0o755},
		{Typeflag: tar.TypeSymlink, Name: "./lib/libx.so", Linkname: "libx.so.1", Mode: 0o777},
		{Typeflag: tar.TypeReg, Name: "./usr/share/doc/x/copyright", Mode: 0o644},
		{Typeflag: tar.TypeReg, Name: "./usr/share/doc/x/changelog.gz", Mode: 0o644},
		{Typeflag: tar.TypeReg, Name: "./usr/share/man/man1/x.1", Mode: 0o644},
		{Typeflag: tar.TypeReg, Name: "./usr/share/manual", Mode: 0o644},
		{Typeflag: tar.TypeDir, Name: "./var/lib/x/", Mode: 0o2770, Uid: 3, Gid: 4},
	}
	want := map[string]entry{
		"usr/bin/sh":                {Kind: '0', Mode: 0o755},
		"usr/bin/rsh":               {Kind: '1', Mode: 0o755, Target: "usr/bin/sh"},
		"usr/lib/libx.so":           {Kind: '2', Mode: 0o777, Target: "libx.so.1"},
		"usr/share/doc/x/copyright": {Kind: '0', Mode: 0o644},
		"usr/share/manual":          {Kind: '0', Mode: 0o644},
		"var/lib/x":                 {Kind: '5', Mode: 0o2770, UID: 3, GID: 4},
	}
	for _, compression := range []string{"xz", "zst", "gz", ""} {
		t.Run(compression, func(t *testing.T) {
			files := newTree()
			if err := files.install(bytes.NewReader(testPackage(t, compression, headers...))); err != nil {
				t.Fatal(err)
			}
			got := map[string]entry{}
			for name, n := range files.nodes {
				got[name] = entry{Kind: n.kind, Mode: n.mode, UID: n.uid, GID: n.gid, Target: n.target}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if data, err := files.read("bin/sh"); err != nil || string(data) != "./bin/sh" {
				t.Errorf("bin/sh holds %q (%v)", data, err)
			}
		})
	}
}

func TestInstallRefuses(t *testing.T) {
	file := tar.Header{Typeflag: tar.TypeReg, Name: "./etc/x", Mode: 0o644}
	tests := map[string]struct {
		archive []byte
		want    string
	}{
		"OtherCompression": {archive: testPackage(t, "lzma", file), want: "compressed as data.tar.lzma; want gz, xz or zst"},
		"SameFileTwice":    {archive: testPackage(t, "gz", file, file), want: "two packages of one layer have etc/x"},
		"Device":           {archive: testPackage(t, "gz", tar.Header{Typeflag: tar.TypeChar, Name: "./dev/null"}), want: "want a file, folder or link"},
		"NoData":           {archive: archive(t, map[string][]byte{"debian-binary": nil}), want: "looking for data.tar"},
		"BadHeader":        {archive: []byte("!<arch>\n" + strings.Repeat("0", 60)), want: "is damaged"},
		"CutOff":           {archive: testPackage(t, "gz", file)[:100], want: "looking for data.tar"},
		"NoArchive":        {archive: []byte("hello, world"), want: "it is no Debian package"},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			if err := newTree().install(bytes.NewReader(test.archive)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func FuzzInstall(f *testing.F) {
	for _, compression := range []string{"gz", "xz", "zst"} {
		f.Add(testPackage(f, compression, tar.Header{Typeflag: tar.TypeReg, Name: "./etc/x", Mode: 0o644}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		files := newTree()
		if files.install(bytes.NewReader(data)) != nil {
			return
		}
		for name := range files.nodes {
			if name != clean(name) || strings.Contains("/"+name+"/", "/../") {
				t.Errorf("path %q", name)
			}
		}
	})
}

func TestApplets(t *testing.T) {
	got, err := applets([]byte("\x7fELF...version\x00[\x00[[\x00ash\x00zcat\x00\x00next\x00"))
	if diff := cmp.Diff([]string{"[", "[[", "ash", "zcat"}, got); err != nil || diff != "" {
		t.Errorf("error %v; names (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "[\x00[[\x00ash", "[\x00[[\x00\x00[\x00[[\x00\x00"} {
		if got, err := applets([]byte(bad)); err == nil {
			t.Errorf("%q gives %v, want an error", bad, got)
		}
	}
}

const curlLine = "amd64 curl 8.14.1-2+deb13u7 270212 1356 debian-security/pool/updates/main/c/curl/curl_8.14.1-2+deb13u7_amd64.deb"

func TestLock(t *testing.T) {
	text := lockHeader + "snapshot 20261121T000000Z\n" + curlLine + "\n"
	l, err := parseLock(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(l.format()); got != text {
		t.Errorf("read and written again:\n%s\nwant:\n%s", got, text)
	}
	want := []pinned{{
		arch: "amd64", name: "curl", version: "8.14.1-2+deb13u7", size: 270212, sha256: "1356",
		path: "debian-security/pool/updates/main/c/curl/curl_8.14.1-2+deb13u7_amd64.deb",
	}}
	got, err := l.find("amd64", []string{"curl"})
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pinned{})); err != nil || diff != "" {
		t.Errorf("error %v; found (-want +got):\n%s", err, diff)
	}
	if _, err := l.find("arm64", []string{"curl"}); err == nil || !strings.Contains(err.Error(), "no curl for arm64") {
		t.Errorf("another architecture gives %v", err)
	}
	for _, bad := range []string{"", "snapshot now\n", curlLine, "snapshot now\namd64 curl\n", "snapshot now\n" + strings.Replace(curlLine, "270212", "big", 1)} {
		if _, err := parseLock(bad); err == nil {
			t.Errorf("%q is taken as a lock file", bad)
		}
	}
}

func TestParseURI(t *testing.T) {
	got, err := parseURI("amd64", "'http://deb.debian.org/debian/pool/main/b/busybox/busybox-static_1.37.0-6%2bb9_amd64.deb' busybox-static_1%3a1.37.0-6+b9_amd64.deb 955 SHA256:00ff\n")
	want := pinned{arch: "amd64", name: "busybox-static", version: "1:1.37.0-6+b9", size: 955, sha256: "00ff", path: "debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pinned{})); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "'http://a/b' b_1_c.deb 7 MD5Sum:00", "'http://a/b' b.deb 7 SHA256:00", "'http://a/b' b_1_c.deb x SHA256:00", "':' b_1_c.deb 7 SHA256:00", "'http://a/b' %zz 7 SHA256:00"} {
		if _, err := parseURI("amd64", bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzParsers(f *testing.F) {
	f.Add("snapshot now\n" + curlLine)
	f.Add("'http://a/debian/b' b_1%3a_c.deb 7 SHA256:00")
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := parseLock(text); err == nil {
			again, err := parseLock(string(l.format()))
			if diff := cmp.Diff(l, again, cmp.AllowUnexported(lock{}, pinned{})); err != nil || diff != "" {
				t.Errorf("error %v, (-once +twice):\n%s", err, diff)
			}
		}
		if p, err := parseURI("amd64", text); err == nil && p.name+p.version == "" {
			t.Errorf("%q gives %v", text, p)
		}
	})
}

// TestFetchByHand fetches where there is no apt.
func TestFetchByHand(t *testing.T) {
	const right = "the package"
	t.Setenv("PATH", "")
	tests := map[string]struct {
		reason string
		served map[string]string // path -> content
		want   string            // part of the error; empty for none
	}{
		"Archive":   {reason: "the archive has it", served: map[string]string{"/debian/pool/a+b_1.deb": right}},
		"Snapshot":  {reason: "the archive has it no more, the other one keeps all", served: map[string]string{"/old/debian/20260101T000000Z/pool/a+b_1.deb": right}},
		"OtherData": {reason: "the digest decides", served: map[string]string{"/debian/pool/a+b_1.deb": "another one"}, want: "has the SHA-256"},
		"TooLong":   {reason: "no more is read than the package is long", served: map[string]string{"/debian/pool/a+b_1.deb": right + "!!"}, want: "has the SHA-256"},
		"Nowhere":   {reason: "the error says what to do", want: "go run . -lock in hack/images takes today's version"},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				content, ok := test.served[r.URL.Path]
				if !ok {
					w.WriteHeader(http.StatusNotFound)
				}
				_, _ = io.WriteString(w, content)
			}))
			defer server.Close()
			s := newStore(t.TempDir(), "amd64", "20260101T000000Z")
			s.mirrors = []mirror{{base: server.URL + "/", infix: "/"}, {base: server.URL + "/old/", infix: "/20260101T000000Z/"}}
			p := pinned{arch: "amd64", name: "a", version: "1", size: int64(len(right)), sha256: digest([]byte(right)), path: "debian/pool/a+b_1.deb"}
			err := s.fetch(t.Context(), []pinned{p})
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: error %v, want one with %q", test.reason, err, test.want)
				}
				return
			}
			if got, read := os.ReadFile(s.path(p)); err != nil || read != nil || string(got) != right {
				t.Errorf("%s: error %v, the store has %q (%v)", test.reason, err, got, read)
			}
		})
	}
}

// TestMissingLibrary checks a program that needs a loader: a Go program that is
// built to be loaded anywhere.
func TestMissingLibrary(t *testing.T) {
	program, err := os.ReadFile(buildPIE(t))
	if err != nil {
		t.Fatal(err)
	}
	files := newTree()
	files.file("usr/bin/tool", 0o755, program)
	err = checkPrograms([]*finished{{files: files}})
	if err == nil || !strings.Contains(err.Error(), "usr/bin/tool needs ld-linux-x86-64.so.2") {
		t.Errorf("a program without its loader gives %v", err)
	}
	below := newTree()
	below.symlink("lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
	if err := checkPrograms([]*finished{{files: below}, {files: files}}); err != nil {
		t.Error(err)
	}
}

func buildPIE(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tool")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-buildmode=pie", "-o", file, "./pause")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return file
}
