package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// The fields of a credential file, and the file names of a directory.
const (
	fieldID     = "accessKeyId"
	fieldSecret = "accessKeySecret"
	fieldToken  = "securityToken"
)

// maxFile bounds a credential file in bytes; real ones have a few hundred,
// with a token a few thousand.
const maxFile = 64 << 10

// maxReads bounds how often files that change while they are read are read
// again.
const maxReads = 100

// FromFile returns a source that reads path: a YAML or JSON file with
// accessKeyId, accessKeySecret and, for temporary keys, securityToken; or a
// directory with one file of each name, as Kubernetes mounts a Secret. The
// files are looked at before each request and read again when their identity,
// size or time of change differs. A file that has become unreadable is an
// error until it is readable again: the old key is not used on.
//
// FromFile reads once itself, so that a wrong path shows at start.
func FromFile(path string) (Source, error) {
	source := &file{path: path}
	if _, err := source.AccessKey(context.Background()); err != nil {
		return nil, err
	}
	return source, nil
}

type file struct {
	path string

	mu    sync.Mutex
	key   AccessKey
	stamp stamp
}

// stamp is what tells a changed file from an unchanged one; nil stands for a
// file that is not there.
type stamp []fs.FileInfo

func (s stamp) equal(other stamp) bool {
	if len(s) != len(other) {
		return false
	}
	for i := range s {
		if !sameFile(s[i], other[i]) {
			return false
		}
	}
	return true
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// AccessKey implements Source.
func (f *file) AccessKey(context.Context) (AccessKey, error) {
	for range maxReads {
		before, err := f.look()
		if err != nil {
			return AccessKey{}, fmt.Errorf("reading credentials: %w", err)
		}
		if key, ok := f.known(before); ok {
			return key, nil
		}
		key, err := f.read(before)
		if err != nil {
			return AccessKey{}, err
		}
		after, err := f.look()
		if err == nil && before.equal(after) {
			f.keep(key, after)
			return key, nil
		}
	}
	return AccessKey{}, fmt.Errorf("reading credentials: %s does not stop changing", f.path)
}

func (f *file) known(s stamp) (AccessKey, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.key, f.stamp != nil && f.stamp.equal(s)
}

func (f *file) keep(key AccessKey, s stamp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key, f.stamp = key, s
}

// look stats the file, or the directory's files.
func (f *file) look() (stamp, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return stamp{info}, nil
	}
	found := make(stamp, 0, 3)
	for _, name := range []string{fieldID, fieldSecret, fieldToken} {
		info, err := os.Stat(filepath.Join(f.path, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		found = append(found, info)
	}
	return found, nil
}

func (f *file) read(s stamp) (AccessKey, error) {
	var key AccessKey
	var err error
	if len(s) == 1 {
		key, err = readFile(f.path)
	} else {
		key, err = readDirectory(f.path, s)
	}
	if err == nil {
		err = key.check()
	}
	if err != nil {
		return AccessKey{}, fmt.Errorf("reading credentials from %s: %w", f.path, err)
	}
	return key, nil
}

func readFile(path string) (AccessKey, error) {
	data, err := readBounded(path)
	if err != nil {
		return AccessKey{}, err
	}
	return parse(data)
}

// parse reads a credential file's content. Its error quotes nothing of it.
func parse(data []byte) (AccessKey, error) {
	var fields struct {
		ID     string `json:"accessKeyId"`
		Secret string `json:"accessKeySecret"`
		Token  string `json:"securityToken"`
	}
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return AccessKey{}, fmt.Errorf("not a YAML or JSON mapping of %s, %s and %s to strings",
			fieldID, fieldSecret, fieldToken)
	}
	return AccessKey{ID: fields.ID, Secret: fields.Secret, Token: fields.Token}, nil
}

// readDirectory reads one file per field. Surrounding white space is dropped:
// editors end files with a newline.
func readDirectory(path string, present stamp) (AccessKey, error) {
	var values [3]string
	for i, name := range []string{fieldID, fieldSecret, fieldToken} {
		if present[i] == nil {
			continue
		}
		data, err := readBounded(filepath.Join(path, name))
		if err != nil {
			return AccessKey{}, err
		}
		values[i] = strings.TrimSpace(string(data))
	}
	return AccessKey{ID: values[0], Secret: values[1], Token: values[2]}, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	}
	return data, nil
}
