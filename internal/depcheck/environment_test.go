package depcheck_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readers are the functions that look up a variable of the environment, by
// package.
var readers = map[string][]string{
	"os":      {"Getenv", "LookupEnv", "ExpandEnv"},
	"syscall": {"Getenv"},
}

// TestEnvironment checks that the environment is read in few places, tests
// aside.
func TestEnvironment(t *testing.T) {
	used := map[string]bool{}
	for name, p := range goList(t, "./...") {
		if !matches("./...", name, p.Standard) {
			continue
		}
		for _, file := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles) {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, found := range lookUps(t, filepath.Join(p.Dir, file), nil) {
				pattern := "." + strings.TrimPrefix(name, module)
				if _, allowed := environmentReaders[pattern]; !allowed {
					t.Errorf("%s/%s:%s: the environment is read in internal/config only", pattern, file, found)
				}
				used[pattern] = true
			}
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(environmentReaders)) {
		if !used[pattern] {
			t.Errorf("%s does not read the environment any more: take it out of the table", pattern)
		}
	}
}

// lookUps finds where a file looks up environment variables: "line: function".
func lookUps(t *testing.T, path string, source any) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	local := map[string]string{} // name in this file -> package
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Name != nil {
			local[spec.Name.Name] = imported
		} else {
			local[imported] = imported
		}
	}
	var found []string
	ast.Inspect(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := selector.X.(*ast.Ident); ok && slices.Contains(readers[local[of.Name]], selector.Sel.Name) {
			found = append(found, fmt.Sprintf("%d: %s.%s", files.Position(selector.Pos()).Line, local[of.Name], selector.Sel.Name))
		}
		return true
	})
	return found
}

func TestLookUpsSees(t *testing.T) {
	const source = `package p
import ("os"; system "syscall")
var get = os.Getenv
func f() { system.Getenv("A"); os.Environ(); os.ExpandEnv("$A"); g.Getenv("A") }
`
	want := []string{"3: os.Getenv", "4: syscall.Getenv", "4: os.ExpandEnv"}
	if diff := cmp.Diff(want, lookUps(t, "source.go", source)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNames checks that no Go file or folder of the whole repository, its other
// modules included, has a name that says nothing.
func TestNames(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "bin" || name == "testdata" || name == ".git") {
			return fs.SkipDir
		}
		if !entry.IsDir() && filepath.Ext(name) != ".go" {
			return nil
		}
		seen++
		if stem := strings.TrimSuffix(strings.TrimSuffix(name, ".go"), "_test"); slices.Contains(emptyNames, stem) {
			t.Errorf("%s: call it after what it holds, not %s", path, stem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("there is no Go file to look at")
	}
}
