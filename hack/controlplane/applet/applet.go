// Package applet is what makes one binary many programs: it chooses the
// program by the name under which the binary was called, and ends the process
// when the process that started it is gone.
package applet

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Table maps the name of a program to the function which runs it. The function
// finds its command line in os.Args, its own name first, and returns its exit
// status.
type Table map[string]func() int

// Choose returns the program that args asks for and the command line to give
// to it: by the base name of args[0] (a link named kubectl), or else by
// args[1] (kubernetes kubectl get pods). The error names every program.
func Choose(table Table, args []string) (run func() int, commandLine []string, err error) {
	if len(args) > 0 {
		if run, ok := table[filepath.Base(args[0])]; ok {
			return run, args, nil
		}
	}
	known := strings.Join(slices.Sorted(maps.Keys(table)), ", ")
	if len(args) < 2 {
		return nil, nil, fmt.Errorf("which program? Name one of %s", known)
	}
	if run, ok := table[args[1]]; ok {
		return run, args[1:], nil
	}
	return nil, nil, fmt.Errorf("no program %q in this binary, which holds %s", args[1], known)
}
