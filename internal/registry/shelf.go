package registry

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/go-logr/logr"
)

// shelf is the layout as it is now: images that are built while the registry
// runs are served, without a restart.
type shelf struct {
	folder string
	log    logr.Logger

	mu   sync.Mutex
	seen os.FileInfo // of index.json, when it was read
	has  *catalog
}

func newShelf(folder string, log logr.Logger) (*shelf, error) {
	s := &shelf{folder: folder, log: log}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// read replaces the catalog. What changes between the look at the file and its
// reading is found the next time.
func (s *shelf) read() error {
	info, err := os.Stat(filepath.Join(s.folder, indexFile))
	if err != nil {
		return err
	}
	s.seen = info
	found, err := readCatalog(s.folder)
	if err != nil {
		return err
	}
	s.has = found
	return nil
}

// catalog is what the layout holds now. While it cannot be read, what it held
// before counts.
func (s *shelf) catalog() *catalog {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(filepath.Join(s.folder, indexFile))
	if err == nil && os.SameFile(info, s.seen) && info.ModTime().Equal(s.seen.ModTime()) && info.Size() == s.seen.Size() {
		return s.has
	}
	if err == nil {
		err = s.read()
	}
	if err != nil {
		s.log.Error(err, "the image layout has changed and cannot be read; the images of before are served", "layout", s.folder)
	}
	return s.has
}
