package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// program is a Go command to build.
type program struct {
	// dir is a folder of its module and name its package there.
	dir, name string
	// version goes into its variable main.version.
	version string
}

// build compiles the program for a platform: static, and without a trace of
// this machine, so that the same sources and toolchain give the same bytes.
func (p program) build(ctx context.Context, platform v1.Platform) ([]byte, error) {
	folder, err := os.MkdirTemp("", "image")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the program: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "program")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+p.version, "-o", file, p.name)
	command.Dir = p.dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Architecture, "GOFLAGS=-mod=readonly",
		// Without these a setting of the machine would show in the bytes.
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("building %s for %s: %w", p.name, platform, err)
	}
	binary, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	return binary, nil
}
