package depcheck_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExported checks that no vendor's type shows in what the clouds' packages
// export: whoever changes the library behind must not have to change callers.
func TestExported(t *testing.T) {
	packages := goList(t, append([]string{"-export"}, exportedFrom.packages...)...)
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(packages[path].Export) }
	compiled := importer.ForCompiler(token.NewFileSet(), "gc", lookup)
	for _, pattern := range exportedFrom.packages {
		t.Run(pattern[2:], func(t *testing.T) {
			pkg, err := compiled.Import(expand(pattern))
			if err != nil {
				t.Fatalf("reading the compiled package: %v", err)
			}
			mentioned, declarations := mentions(pkg)
			if declarations == 0 {
				t.Error("it exports nothing; was it moved?")
			}
			for _, path := range slices.Sorted(maps.Keys(mentioned)) {
				if !matchesAny(exportedFrom.allowed, path, packages[path].Standard) {
					t.Errorf("%s shows %s in its exported API", mentioned[path], path)
				}
			}
		})
	}
}

// mentions returns the import path of every package of which a type shows in
// pkg's exported declarations, with one place where it does, and the number of
// these declarations.
func mentions(pkg *types.Package) (foreign map[string]string, declarations int) {
	w := walk{pkg: pkg, foreign: map[string]string{}, seen: map[types.Type]bool{}}
	for _, name := range pkg.Scope().Names() {
		if object := pkg.Scope().Lookup(name); object.Exported() {
			declarations++
			w.visit(pkg.Name()+"."+name, object.Type())
		}
	}
	return w.foreign, declarations
}

// walk follows types from declaration to declaration.
type walk struct {
	pkg     *types.Package
	foreign map[string]string
	seen    map[types.Type]bool
}

func (w walk) visit(place string, t types.Type) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		w.named(place, t.Obj(), t.TypeArgs(), t.Underlying())
		for method := range t.Methods() {
			if t.Obj().Pkg() == w.pkg && method.Exported() {
				w.visit(place+"."+method.Name(), method.Type())
			}
		}
	case *types.Alias:
		w.named(place, t.Obj(), t.TypeArgs(), t.Rhs())
	case *types.Map:
		w.visit(place, t.Key())
		w.visit(place, t.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		w.visit(place, t.Elem())
	case *types.Signature:
		w.tuple(place, t.Params())
		w.tuple(place, t.Results())
		for parameter := range t.TypeParams().TypeParams() {
			w.visit(place, parameter.Constraint())
		}
	case *types.Struct:
		for field := range t.Fields() {
			if field.Exported() || field.Embedded() {
				w.visit(place+"."+field.Name(), field.Type())
			}
		}
	case *types.Interface:
		for method := range t.Methods() {
			w.visit(place+"."+method.Name(), method.Type())
		}
	case *types.Union:
		for term := range t.Terms() {
			w.visit(place, term.Type())
		}
	}
}

// named notes a foreign type, and goes into one of the package's own.
func (w walk) named(place string, object *types.TypeName, arguments *types.TypeList, under types.Type) {
	for argument := range arguments.Types() {
		w.visit(place, argument)
	}
	switch object.Pkg() {
	case nil: // error, any, comparable
	case w.pkg:
		w.visit(place, under)
	default:
		if _, known := w.foreign[object.Pkg().Path()]; !known {
			w.foreign[object.Pkg().Path()] = place
		}
	}
}

func (w walk) tuple(place string, t *types.Tuple) {
	for variable := range t.Variables() {
		w.visit(place, variable.Type())
	}
}

// TestMentionsSees checks on a made-up package that every way of showing a
// foreign type is found, and that hiding one is not.
func TestMentionsSees(t *testing.T) {
	const sdk = "package sdk; type T struct{}; type I interface{ M() }; type G[E any] struct{}"
	cases := map[string]struct {
		reason string
		source string
		want   string // the place, if it shows
	}{
		"Parameter":       {reason: "A function takes it.", source: "func F(*sdk.T) {}", want: "p.F"},
		"Result":          {reason: "A function returns it.", source: "func F() (map[string][]sdk.T, error) { return nil, nil }", want: "p.F"},
		"Field":           {reason: "A struct has it.", source: "type S struct { A sdk.T }", want: "p.S.A"},
		"Embedded":        {reason: "Its methods become ours.", source: "type S struct { sdk.I }", want: "p.S.I"},
		"Method":          {reason: "A method returns it.", source: "type S struct{}; func (*S) M() chan sdk.T { return nil }", want: "p.S.M"},
		"ThroughHidden":   {reason: "An exported way leads there.", source: "type s struct { A sdk.T }; func F() s { return s{} }", want: "p.F.A"},
		"Variable":        {reason: "Its type is inferred.", source: "var V = sdk.T{}", want: "p.V"},
		"Alias":           {reason: "Another name is the same type.", source: "type A = sdk.T", want: "p.A"},
		"Interface":       {reason: "An interface asks for it.", source: "type X interface { M(sdk.T) }", want: "p.X.M"},
		"Constraint":      {reason: "A type parameter is bound by it.", source: "func F[E sdk.I](E) {}", want: "p.F"},
		"Argument":        {reason: "A generic type of ours is made of it.", source: "type G[E any] struct{}; var V G[sdk.T]", want: "p.V"},
		"HiddenField":     {reason: "Callers cannot see it.", source: "type S struct { a sdk.T }"},
		"HiddenFunction":  {reason: "Callers cannot call it.", source: "func f(sdk.T) {}"},
		"HiddenMethod":    {reason: "Nor this.", source: "type S struct{}; func (S) m(sdk.T) {}"},
		"UsedInside":      {reason: "The body is our own business.", source: "func F() { _ = sdk.T{} }"},
		"StandardLibrary": {reason: "It is noted, and allowed by the rule.", source: "func F(error) { _ = sdk.T{} }"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := fmt.Sprintf("package p; import \"example.com/sdk\"; %s; var _ sdk.T", c.source)
			pkg := check(t, "example.com/p", source, check(t, "example.com/sdk", sdk, nil))
			want := map[string]string{}
			if c.want != "" {
				want["example.com/sdk"] = c.want
			}
			got, _ := mentions(pkg)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%s\n(-want +got):\n%s", c.reason, c.source, diff)
			}
		})
	}
}

type onlyImport struct{ pkg *types.Package }

func (o onlyImport) Import(string) (*types.Package, error) { return o.pkg, nil }

// check type-checks one file.
func check(t *testing.T, path, source string, imported *types.Package) *types.Package {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "source.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: onlyImport{imported}}
	pkg, err := config.Check(path, files, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}
