// Command sh stands where a shell is expected in an image whose upstream has
// busybox's ash. Debian's build of ash drops environment variables whose names
// are no identifiers, which upstream's keeps: where there are such variables,
// bash takes its place.
package main

import (
	"os"
	"strings"
	"syscall"
)

// The shells behind it. Both see by the name that they are run under that they
// are to be a shell.
const (
	ash  = "/bin/busybox"
	bash = "/bin/bash"
)

// notFound is a shell's exit code for a command that it cannot run.
const notFound = 127

func main() {
	program := choose(os.Environ())
	// Its own name is what the shell calls itself in messages.
	if err := syscall.Exec(program, os.Args, os.Environ()); err != nil {
		// Nobody can be told that this failed.
		_, _ = os.Stderr.WriteString("sh: " + program + ": " + err.Error() + "\n")
		os.Exit(notFound)
	}
}

// choose takes the shell that hands on all of these variables.
func choose(environment []string) string {
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if !identifier(name) {
			return bash
		}
	}
	return ash
}

// identifier tells whether POSIX calls it the name of a variable.
func identifier(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
