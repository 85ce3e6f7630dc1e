// Command chart renders the Helm chart into the plain manifests under deploy/
// and checks both, with helm as a library: nothing but Go is needed.
//
//	chart [-root DIR] render   writes deploy/*.yaml
//	chart [-root DIR] verify   fails if one is stale or helm's linter complains
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", filepath.Join("..", ".."), "the repository's root")
	flag.Parse()
	if err := run(os.Stdout, *root, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// errUsage tells how the command is called.
var errUsage = errors.New("usage: chart [-root DIR] render|verify")

func run(out io.Writer, root string, arguments []string) error {
	if len(arguments) != 1 {
		return errUsage
	}
	tree := repository{root: root}
	switch arguments[0] {
	case "render":
		return tree.render(out)
	case "verify":
		return errors.Join(tree.lint(out), tree.verify(out))
	default:
		return errUsage
	}
}

// repository is the checkout whose chart is rendered.
type repository struct{ root string }

func (r repository) chart() string { return filepath.Join(r.root, "charts", "cumulet") }

func (r repository) manifest(cloud string) string {
	return filepath.Join(r.root, "deploy", cloud+".yaml")
}

func (r repository) values(cloud string) string {
	return filepath.Join(r.root, "hack", "chart", "values", cloud+".yaml")
}
