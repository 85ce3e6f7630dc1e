package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// workshop makes images.
type workshop struct {
	root  string // of the repository
	arch  string
	lock  lock
	store *store
	// self is the digest of this program: of all recipes, files and pins.
	self string
	// programs is the folder of hack/agnhost's programs, once they are built.
	programs string
	// made are the layers that exist already: several images share one.
	made map[*layer]*finished
}

// finished is a layer with the files it was made of.
type finished struct {
	packed v1.Layer
	files  *tree
}

func newWorkshop(o options) (*workshop, error) {
	if o.arch != "amd64" && o.arch != "arm64" {
		return nil, fmt.Errorf("-arch %q; want amd64 or arm64", o.arch)
	}
	l, err := parseLock(lockFile)
	if err != nil {
		return nil, err
	}
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	self, err := os.ReadFile(executable)
	if err != nil {
		return nil, fmt.Errorf("reading this program: %w", err)
	}
	return &workshop{
		root: o.root, arch: o.arch, lock: l, store: newStore(o.cache, o.arch, l.snapshot),
		self: digest(self), made: map[*layer]*finished{},
	}, nil
}

// build makes those of the images that the layout does not have, or has from
// other sources.
func (w *workshop) build(ctx context.Context, folder string, chosen []recipe) error {
	out, err := openLayout(folder)
	if err != nil {
		return err
	}
	keys, err := w.keys(ctx, chosen)
	if err != nil {
		return err
	}
	var stale []recipe
	made := 0
	for i, r := range chosen {
		r.names = slices.DeleteFunc(slices.Clone(r.names), func(name string) bool { return out.has(name, keys[i]) })
		if made += len(r.names); len(r.names) > 0 {
			r.key = keys[i]
			stale = append(stale, r)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	if err := w.fetch(ctx, packageNames(stale)); err != nil {
		return err
	}
	for _, r := range stale {
		if err := w.make(ctx, r, out); err != nil {
			return fmt.Errorf("making %s: %w", r.names[0], err)
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "images: made %d images in %s\n", made, folder)
	return nil
}

// fetch gets all packages at once: apt reads the archive's lists each time.
func (w *workshop) fetch(ctx context.Context, names []string) error {
	pins, err := w.lock.find(w.arch, names)
	if err != nil {
		return err
	}
	return w.store.fetch(ctx, pins)
}

func (w *workshop) keys(ctx context.Context, chosen []recipe) ([]string, error) {
	var keys []string
	for _, r := range chosen {
		key, err := w.key(ctx, r)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// key stands for everything that goes into an image. Programs are built to
// learn theirs; that is a matter of looking if nothing has changed.
func (w *workshop) key(ctx context.Context, r recipe) (string, error) {
	sources, err := digestCommands()
	if err != nil {
		return "", err
	}
	inputs := []string{w.self, w.arch, sources}
	for _, l := range r.layers {
		if len(l.programs) == 0 {
			continue
		}
		if err := w.buildPrograms(ctx); err != nil {
			return "", err
		}
		for _, name := range l.programs {
			program, err := os.ReadFile(filepath.Join(w.programs, name))
			if err != nil {
				return "", fmt.Errorf("reading program: %w", err)
			}
			inputs = append(inputs, digest(program))
		}
	}
	return digest([]byte(strings.Join(inputs, " "))), nil
}

// buildPrograms has hack/agnhost build its programs, once.
func (w *workshop) buildPrograms(ctx context.Context) error {
	if w.programs != "" {
		return nil
	}
	command := exec.CommandContext(ctx, "sh", filepath.Join(w.root, "hack", "agnhost", "build.sh"))
	command.Env = append(os.Environ(), "GOARCH="+w.arch)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("building the programs of hack/agnhost: %w", err)
	}
	w.programs = strings.TrimSpace(string(output))
	return nil
}

// make makes the image under each of its names.
func (w *workshop) make(ctx context.Context, r recipe, out *output) error {
	var layers []*finished
	for _, l := range r.layers {
		done, err := w.makeLayer(ctx, l)
		if err != nil {
			return fmt.Errorf("layer %s: %w", l.name, err)
		}
		layers = append(layers, done)
	}
	if err := checkPrograms(layers); err != nil {
		return err
	}
	for _, name := range r.names {
		image, err := w.assemble(r, name, layers)
		if err != nil {
			return err
		}
		if err := out.add(name, r.key, image); err != nil {
			return err
		}
	}
	return nil
}

func (w *workshop) makeLayer(ctx context.Context, l *layer) (*finished, error) {
	if done := w.made[l]; done != nil {
		return done, nil
	}
	pins, err := w.lock.find(w.arch, l.packages)
	if err != nil {
		return nil, err
	}
	files := newTree()
	for _, p := range pins {
		data, err := os.ReadFile(w.store.path(p))
		if err != nil {
			return nil, fmt.Errorf("reading package: %w", err)
		}
		if err := files.install(bytes.NewReader(data)); err != nil {
			return nil, fmt.Errorf("unpacking %s: %w", p.name, err)
		}
	}
	if l.fill != nil {
		if err := l.fill(ctx, w, files); err != nil {
			return nil, err
		}
	}
	packed, err := files.pack()
	if err != nil {
		return nil, err
	}
	w.made[l] = &finished{packed: packed, files: files}
	return w.made[l], nil
}

// program returns a program of hack/agnhost.
func (w *workshop) program(name string) ([]byte, error) {
	if w.programs == "" {
		return nil, errors.New("the recipe uses a program that it does not list")
	}
	data, err := os.ReadFile(filepath.Join(w.programs, name))
	if err != nil {
		return nil, fmt.Errorf("reading program: %w", err)
	}
	return data, nil
}

// assemble puts an image together from its layers.
func (w *workshop) assemble(r recipe, name string, layers []*finished) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for i, l := range layers {
		var err error
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:   l.packed,
			History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "hack/images: " + r.layers[i].name},
		})
		if err != nil {
			return nil, fmt.Errorf("adding layer: %w", err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading image configuration: %w", err)
	}
	config = config.DeepCopy()
	config.Created = v1.Time{Time: epoch}
	config.OS, config.Architecture = "linux", w.arch
	config.Config = *r.config.DeepCopy()
	config.Config.Labels = map[string]string{refName: name, "org.opencontainers.image.source": "https://github.com/cumulet/cumulet"}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, fmt.Errorf("setting image configuration: %w", err)
	}
	return image, nil
}
