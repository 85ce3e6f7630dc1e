package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// exclusive keeps two builds from writing into one cache and layout. The lock
// ends with the process, however that ends.
func exclusive(cache string) (release func(), err error) {
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return nil, fmt.Errorf("making the cache: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock file: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("another build is at work in %s (%w); wait for its end, or give -cache and -out of your own", cache, err)
	}
	return func() { _ = file.Close() }, nil
}
