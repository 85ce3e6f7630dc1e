package credential

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFromFile(t *testing.T) {
	cases := map[string]struct {
		reason  string
		files   map[string]string // relative to the test's directory
		path    string
		want    AccessKey
		wantErr string
	}{
		"YAML": {
			reason: "a YAML mapping is read",
			files:  map[string]string{"key.yaml": "accessKeyId: id1\naccessKeySecret: s3cret\nsecurityToken: tok\nexpires: later\n"},
			path:   "key.yaml",
			want:   AccessKey{ID: "id1", Secret: "s3cret", Token: "tok"},
		},
		"JSON": {
			reason: "JSON is YAML too, and the token may be missing",
			files:  map[string]string{"key.json": `{"accessKeyId":"id1","accessKeySecret":"s3cret"}`},
			path:   "key.json",
			want:   AccessKey{ID: "id1", Secret: "s3cret"},
		},
		"Directory": {
			reason: "a mounted Secret has a file per field, with or without a newline",
			files:  map[string]string{"d/accessKeyId": "id1\n", "d/accessKeySecret": "s3cret", "d/securityToken": "tok\n"},
			path:   "d",
			want:   AccessKey{ID: "id1", Secret: "s3cret", Token: "tok"},
		},
		"DirectoryWithoutToken": {
			reason: "the token's file may be missing",
			files:  map[string]string{"d/accessKeyId": "id1", "d/accessKeySecret": "s3cret"},
			path:   "d",
			want:   AccessKey{ID: "id1", Secret: "s3cret"},
		},
		"NoSecret": {
			reason:  "half a key signs nothing",
			files:   map[string]string{"key.yaml": "accessKeyId: id1\n"},
			path:    "key.yaml",
			wantErr: "accessKeySecret is missing or empty",
		},
		"EmptyDirectory": {
			reason:  "neither half is there",
			files:   map[string]string{"d/other": "x"},
			path:    "d",
			wantErr: "accessKeyId and accessKeySecret are missing or empty",
		},
		"WrongShape": {
			reason:  "what is not a mapping of strings is refused",
			files:   map[string]string{"key.yaml": "accessKeyId: [s3cret]\n"},
			path:    "key.yaml",
			wantErr: "not a YAML or JSON mapping",
		},
		"TooLarge": {
			reason:  "a file of another kind is not read whole",
			files:   map[string]string{"key.yaml": strings.Repeat("# s3cret\n", 10000)},
			path:    "key.yaml",
			wantErr: "larger than 65536 bytes",
		},
		"Missing": {reason: "no such file", path: "none", wantErr: "no such file"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range tc.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, name), content)
			}
			source, err := FromFile(filepath.Join(dir, tc.path))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("%s: error %v, want one with %q", tc.reason, err, tc.wantErr)
				}
				if strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%s: the error quotes the secret: %v", tc.reason, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			got, err := source.AccessKey(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.yaml")
	write(t, path, "accessKeyId: id1\naccessKeySecret: one\n")
	source, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want AccessKey) {
		t.Helper()
		got, err := source.AccessKey(t.Context())
		if err != nil || got != want {
			t.Errorf("got %s %q (%v), want %s %q", got.ID, got.Secret, err, want.ID, want.Secret)
		}
	}
	// Same size and within the same tick: the time of change must be enough.
	write(t, path, "accessKeyId: id1\naccessKeySecret: two\n")
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	expect(AccessKey{ID: "id1", Secret: "two"})
	// Same size and time: another file in its place must be enough.
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path+".new", "accessKeyId: id1\naccessKeySecret: six\n")
	if err := errors.Join(os.Chtimes(path+".new", time.Time{}, info.ModTime()), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	expect(AccessKey{ID: "id1", Secret: "six"})

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := source.AccessKey(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v after the file was removed, want fs.ErrNotExist", err)
	}
	write(t, path, "accessKeyId: id2\naccessKeySecret: new\n")
	expect(AccessKey{ID: "id2", Secret: "new"})
}

// TestMountedSecretIsSwapped swaps a directory the way a kubelet does: the
// files are links into a directory that a link named ..data points to.
func TestMountedSecretIsSwapped(t *testing.T) {
	dir := t.TempDir()
	version := func(name, id, secret string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, fieldID), id)
		write(t, filepath.Join(dir, name, fieldSecret), secret)
		if err := errors.Join(
			os.Symlink(name, filepath.Join(dir, "..tmp")),
			os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")),
		); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", "id1", "one")
	for _, field := range []string{fieldID, fieldSecret} {
		if err := os.Symlink(filepath.Join("..data", field), filepath.Join(dir, field)); err != nil {
			t.Fatal(err)
		}
	}
	source, err := FromFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	version("..2", "id2", "two")
	got, err := source.AccessKey(t.Context())
	if want := (AccessKey{ID: "id2", Secret: "two"}); err != nil || got != want {
		t.Errorf("got %s %q (%v), want id2 and its secret", got.ID, got.Secret, err)
	}
}

// TestConcurrentUse reads while the file is replaced: each key is of one file.
func TestConcurrentUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.yaml")
	replace := func(n int) error {
		content := fmt.Sprintf("accessKeyId: id%d\naccessKeySecret: secret%d\n", n, n)
		return errors.Join(os.WriteFile(path+".new", []byte(content), 0o600), os.Rename(path+".new", path))
	}
	if err := replace(0); err != nil {
		t.Fatal(err)
	}
	source, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 200 {
				key, err := source.AccessKey(t.Context())
				if err != nil || strings.TrimPrefix(key.ID, "id") != strings.TrimPrefix(key.Secret, "secret") {
					t.Errorf("got %s with %q (%v), want both of one file", key.ID, key.Secret, err)
					return
				}
			}
		})
	}
	for n := range 100 {
		if err := replace(n); err != nil {
			t.Error(err)
		}
	}
	readers.Wait()
}

func TestKeysFormatWithoutSecrets(t *testing.T) {
	key := AccessKey{ID: "id1", Secret: "s3cret", Token: "t0ken"}
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s", key, key, key, key)} {
		if strings.Contains(text, "s3cret") || strings.Contains(text, "t0ken") {
			t.Errorf("%q shows a secret", text)
		}
	}
}

func TestStatic(t *testing.T) {
	if _, err := Static(AccessKey{Secret: "s3cret"}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v for a key without id, want one without the secret", err)
	}
	source, err := Static(AccessKey{ID: "id1", Secret: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := source.AccessKey(t.Context()); err != nil || got.Secret != "s3cret" {
		t.Errorf("got %v (%v), want the key", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("accessKeyId: a\naccessKeySecret: b\n"))
	f.Add([]byte(`{"accessKeyId":{"x":1}}`))
	f.Add([]byte("- \x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := parse(data)
		if err != nil && !strings.HasPrefix(err.Error(), "not a YAML or JSON mapping") {
			t.Errorf("error %v quotes its input", err)
		}
	})
}
