package depcheck_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// module is this module's path, which "./" stands for in rules.
const module = "github.com/cumulet/cumulet"

// root is the module's folder, seen from this package's.
var root = filepath.Join("..", "..")

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath string
	Dir        string
	Export     string
	Standard   bool
	Imports    []string
	Deps       []string

	GoFiles, CgoFiles, IgnoredGoFiles []string
}

// goList runs go list over patterns, dependencies included.
func goList(t *testing.T, arguments ...string) map[string]goPackage {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-json"}, arguments...)...)
	command.Dir = root
	var failure bytes.Buffer
	command.Stderr = &failure
	output, err := command.Output()
	if err != nil {
		t.Fatalf("running %v: %v\n%s", command.Args, err, &failure)
	}
	packages := map[string]goPackage{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("reading the output of go list: %v", err)
		}
		packages[p.ImportPath] = p
	}
}

// expand replaces "./" by the module's path.
func expand(pattern string) string {
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		return path.Join(module, rest)
	}
	return pattern
}

// matches tells whether an import path fits a pattern.
func matches(pattern, importPath string, standard bool) bool {
	if pattern == "std" {
		return standard
	}
	full := expand(pattern)
	if above, ok := strings.CutSuffix(full, "/..."); ok {
		return importPath == above || strings.HasPrefix(importPath, above+"/")
	}
	return importPath == full
}

func matchesAny(patterns []string, importPath string, standard bool) bool {
	for _, pattern := range patterns {
		if matches(pattern, importPath, standard) {
			return true
		}
	}
	return false
}

func TestMatches(t *testing.T) {
	cases := map[string]struct {
		reason   string
		pattern  string
		path     string
		standard bool
		want     bool
	}{
		"Itself":         {reason: "A path fits itself.", pattern: "./cloudapi", path: module + "/cloudapi", want: true},
		"NotBelow":       {reason: "Below needs dots.", pattern: "./cloudapi", path: module + "/cloudapi/eci"},
		"Below":          {reason: "Dots are all below.", pattern: "./cloudapi/...", path: module + "/cloudapi/internal/pace", want: true},
		"DotsItself":     {reason: "And the path itself.", pattern: "os/...", path: "os", standard: true, want: true},
		"SamePrefix":     {reason: "A longer name is another one.", pattern: "./cloudapi/...", path: module + "/cloudapix"},
		"WholeModule":    {reason: "All of ours.", pattern: "./...", path: module + "/cmd/cumulet", want: true},
		"Standard":       {reason: "std is what go list says.", pattern: "std", path: "net/http", standard: true, want: true},
		"NotStandard":    {reason: "std is nothing else.", pattern: "std", path: "github.com/go-logr/logr"},
		"ForeignNotOurs": {reason: "Other modules are not ours.", pattern: "./...", path: "k8s.io/api/core/v1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := matches(c.pattern, c.path, c.standard); got != c.want {
				t.Errorf("%s matches(%q, %q) = %v, want %v", c.reason, c.pattern, c.path, got, c.want)
			}
		})
	}
}
