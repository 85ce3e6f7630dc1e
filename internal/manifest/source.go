package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Source is one file of documents in YAML or JSON.
type Source struct {
	// Name is the file's path, or "stdin".
	Name string
	Data []byte
}

// maxSource bounds what is read from one file, in bytes.
const maxSource = 64 << 20

// endings are the file names that are taken from a folder, as kubectl takes
// them.
var endings = []string{".json", ".yaml", ".yml"}

// Load reads files, and of folders the files in them that end in .yaml, .yml or
// .json, but not what is in their folders. "-" stands for stdin, once. The error
// tells every path that could not be read.
func Load(paths []string, stdin io.Reader) ([]Source, error) {
	var sources []Source
	var faults []error
	read := false
	for _, path := range paths {
		if path == "-" && read {
			faults = append(faults, errors.New("stdin (-) can be read once only"))
			continue
		}
		read = read || path == "-"
		found, err := load(path, stdin)
		faults = append(faults, err)
		sources = append(sources, found...)
	}
	return sources, errors.Join(faults...)
}

func load(path string, stdin io.Reader) ([]Source, error) {
	if path == "-" {
		data, err := readAll("stdin", stdin)
		return []Source{{"stdin", data}}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if !info.IsDir() {
		return loadFile(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	var sources []Source
	for _, e := range entries {
		if e.IsDir() || !slices.Contains(endings, filepath.Ext(e.Name())) {
			continue
		}
		found, err := loadFile(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("reading manifests: %s has no file that ends in .yaml, .yml or .json", path)
	}
	return sources, nil
}

func loadFile(path string) ([]Source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := readAll(path, file)
	return []Source{{path, data}}, err
}

func readAll(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSource+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxSource {
		return nil, fmt.Errorf("reading %s: it has more than %d bytes", name, maxSource)
	}
	return data, nil
}
