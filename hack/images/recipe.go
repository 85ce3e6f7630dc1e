package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The sets of images.
const (
	// setBasic is what people name in examples, and what every pod needs. It
	// is made in seconds.
	setBasic = "basic"
	// setConformance is what the Kubernetes conformance tests name beside it.
	// Its programs are parts of Kubernetes and take minutes to compile.
	setConformance = "conformance"
)

// recipe says how an image is made.
type recipe struct {
	set string
	// names are the full names that the image is known under: registry host,
	// repository and tag. Each is an image of its own that differs in one
	// label: a runtime that knows one image under several names reports
	// whichever it likes in a pod's status.
	names []string
	// contains says in the list of images what is inside, as opposed to what
	// the name says.
	contains string
	layers   []*layer
	config   v1.Config
	// key stands for all that goes into the image; see workshop.key.
	key string
}

// layer is what a layer is made of: the files of Debian packages and what fill
// adds or changes.
type layer struct {
	name     string
	packages []string
	// programs are those of hack/agnhost that fill needs.
	programs []string
	fill     func(ctx context.Context, w *workshop, t *tree) error
}

// recipes are all images that can be made.
func recipes() []recipe { return slices.Concat(basicRecipes(), conformanceRecipes()) }

// choose finds the images that the command line names.
func choose(all []recipe, what []string) ([]recipe, error) {
	var chosen []recipe
	for _, name := range what {
		before := len(chosen)
		for _, r := range all {
			if only := r.only(name); len(only.names) > 0 {
				chosen = append(chosen, only)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("there is no image or set %q; want %s, %s, or an image that -list lists", name, setBasic, setConformance)
		}
	}
	return chosen, nil
}

// only is the recipe with those of its names that are meant.
func (r recipe) only(meant string) recipe {
	if meant == r.set {
		return r
	}
	r.names = slices.DeleteFunc(slices.Clone(r.names), func(name string) bool {
		repository, _, _ := strings.Cut(name, ":")
		return meant != name && meant != repository && !strings.HasSuffix(name, "/"+meant) && !strings.HasSuffix(repository, "/"+meant)
	})
	return r
}

// packageNames are the Debian packages of all recipes, sorted.
func packageNames(all []recipe) []string {
	found := map[string]bool{}
	for _, r := range all {
		for _, l := range r.layers {
			for _, name := range l.packages {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// tagged are the full names of a repository with several tags.
func tagged(repository string, tags ...string) []string {
	var names []string
	for _, tag := range tags {
		names = append(names, repository+":"+tag)
	}
	return names
}
