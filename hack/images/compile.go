package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// commands are the sources of those that compile builds: what they say is part
// of what the images are made of.
//
//go:embed pause/main.go sh/main.go
var commands embed.FS

// digestCommands stands for all of them.
func digestCommands() (string, error) {
	var all []byte
	for _, name := range []string{"pause/main.go", "sh/main.go"} {
		source, err := commands.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("reading the source of a command: %w", err)
		}
		all = append(all, source...)
	}
	return digest(all), nil
}

// compile builds a Go command of this module for the images: static, and
// without a trace of this machine, so that the same sources and toolchain give
// the same bytes.
func (w *workshop) compile(ctx context.Context, name string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "images")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the program: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "program")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", file, "./"+name)
	command.Dir = filepath.Join(w.root, "hack", "images")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+w.arch, "GOFLAGS=-mod=readonly",
		// Without these a setting of the machine would show in the bytes.
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("building %s for %s: %w", name, w.arch, err)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	return program, nil
}
