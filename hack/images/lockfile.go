package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Another build may have to compile agnhost first.
const (
	patience  = 30 * time.Minute
	lookAgain = 200 * time.Millisecond
)

// exclusive keeps two builds from writing into one cache at a time: the second
// one waits. The lock ends with the process, however that ends.
func exclusive(ctx context.Context, cache string) (release func(), err error) {
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return nil, fmt.Errorf("making the cache: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock file: %w", err)
	}
	if err := wait(ctx, file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("waiting for another build in %s: %w", cache, err)
	}
	return func() { _ = file.Close() }, nil
}

func wait(ctx context.Context, file *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if !told {
			fmt.Fprintln(os.Stderr, "images: waiting for another build")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
