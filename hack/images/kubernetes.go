package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// testImage is an image that Kubernetes' tests name.
type testImage struct {
	name string // full
	// places are where it is named, except for lists of images to pull in
	// advance.
	places []place
}

// place is where an image is named.
type place struct {
	file string // below the root of Kubernetes' sources
	// test is the title of the test, if the image is named in one and not in a
	// function that several call.
	test        string
	conformance bool
}

// kubernetesSource finds the sources of the Kubernetes version that hack/agnhost
// is built from, in the module cache. It fetches nothing.
func kubernetesSource(ctx context.Context) (string, error) {
	command := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes")
	command.Dir = filepath.Join("..", "agnhost")
	command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod")
	command.Stderr = os.Stderr
	output, err := command.Output()
	folder := strings.TrimSpace(string(output))
	if err == nil && folder == "" {
		err = errors.New("it is not in the module cache; hack/agnhost/build.sh fetches it")
	}
	if err != nil {
		return "", fmt.Errorf("looking for Kubernetes' sources: %w", err)
	}
	return folder, nil
}

// testImages reads which images the tests name: those of the manifest by their
// identifiers, and those of YAML files by name.
func testImages(source string) ([]testImage, error) {
	named, err := manifestImages(source)
	if err != nil {
		return nil, err
	}
	found := map[string][]place{}
	for _, folder := range []string{"test/e2e", "test/e2e_node"} {
		if err := walkSources(source, folder, named, found); err != nil {
			return nil, err
		}
	}
	var images []testImage
	for _, name := range named {
		if _, ok := found[name]; !ok {
			found[name] = nil
		}
	}
	for name, places := range found {
		images = append(images, testImage{name: name, places: places})
	}
	slices.SortFunc(images, func(a, b testImage) int { return strings.Compare(a.name, b.name) })
	return images, nil
}

func walkSources(source, folder string, named map[string]string, found map[string][]place) error {
	err := filepath.WalkDir(filepath.Join(source, folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := filepath.Rel(source, path)
		if err != nil {
			return fmt.Errorf("naming %s: %w", path, err)
		}
		switch filepath.Ext(path) {
		case ".go":
			return readTests(path, file, named, found)
		case ".yaml", ".in":
			return readManifests(path, file, found)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading %s: %w", folder, err)
	}
	return nil
}

// manifestImages reads test/utils/image/manifest.go: full names by identifier.
func manifestImages(source string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(source, "test", "utils", "image", "manifest.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("reading the tests' images: %w", err)
	}
	registries, named := map[string]string{}, map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr: // PromoterE2eRegistry: "registry.k8s.io/e2e-test-images"
			if key, ok := n.Key.(*ast.Ident); ok && strings.HasSuffix(key.Name, "Registry") {
				registries[key.Name] = text(n.Value)
			}
		case *ast.AssignStmt: // configs[Agnhost] = Config{list.PromoterE2eRegistry, "agnhost", "2.59"}
			if id, registry, rest, ok := imageConfig(n); ok {
				named[id] = registries[registry] + "/" + rest
			}
		}
		return true
	})
	if len(named) == 0 {
		return nil, errors.New("reading the tests' images: manifest.go has none in the form that is known")
	}
	return named, nil
}

func imageConfig(n *ast.AssignStmt) (id, registry, rest string, ok bool) {
	index, left := n.Lhs[0].(*ast.IndexExpr)
	config, right := n.Rhs[0].(*ast.CompositeLit)
	if !left || !right || len(config.Elts) != 3 {
		return "", "", "", false
	}
	key, isName := index.Index.(*ast.Ident)
	of, isField := config.Elts[0].(*ast.SelectorExpr)
	if !isName || !isField {
		return "", "", "", false
	}
	return key.Name, of.Sel.Name, text(config.Elts[1]) + ":" + text(config.Elts[2]), true
}

// text is the value of a string literal, or empty.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
}

// prePulled are files with lists of images to pull in advance.
var prePulled = []string{"test/e2e/common/util.go", "test/e2e_node/image_list.go"}

// readTests looks for identifiers of images in a Go file.
func readTests(path, name string, named map[string]string, found map[string][]place) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading test: %w", err)
	}
	if !bytes.Contains(data, []byte("test/utils/image\"")) || slices.Contains(prePulled, name) {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, data, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parsing test: %w", err)
	}
	var around []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		around = append(around, n)
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, ok := selector.X.(*ast.Ident)
		if image := named[selector.Sel.Name]; ok && (of.Name == "imageutils" || of.Name == "image") && image != "" {
			if p := testAround(name, around); !slices.Contains(found[image], p) {
				found[image] = append(found[image], p)
			}
		}
		return true
	})
	return nil
}

// testAround finds the test that a piece of source is in.
func testAround(file string, around []ast.Node) place {
	p := place{file: file}
	for _, n := range slices.Backward(around) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			continue
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || function.Sel.Name != "It" && function.Sel.Name != "ConformanceIt" {
			continue
		}
		for _, argument := range call.Args {
			if title := text(argument); title != "" {
				p.test, p.conformance = title, function.Sel.Name == "ConformanceIt"
				return p
			}
		}
	}
	return p
}

// imageLine is a container's image in YAML, without templates.
var imageLine = regexp.MustCompile(`(?m)^\s*(?:- )?image: *"?([a-z][^\s"{]+)"?\s*$`)

// readManifests looks for images in a YAML file.
func readManifests(path, name string, found map[string][]place) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading manifest: %w", err)
	}
	for _, match := range imageLine.FindAllSubmatch(data, -1) {
		image := fullName(string(match[1]))
		if p := (place{file: name}); !slices.Contains(found[image], p) {
			found[image] = append(found[image], p)
		}
	}
	return nil
}

// fullName completes an image's name as container runtimes do.
func fullName(name string) string {
	host, _, slash := strings.Cut(name, "/")
	switch {
	case !slash:
		name = "docker.io/library/" + name
	case !strings.ContainsAny(host, ".:"):
		name = "docker.io/" + name
	}
	if !strings.Contains(name[strings.LastIndex(name, "/"):], ":") && !strings.Contains(name, "@") {
		name += ":latest"
	}
	return name
}
