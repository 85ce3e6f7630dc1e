// Command docgen writes the reference of the configuration file from the
// comments of package config, so that there is one place to keep them true.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	source := flag.String("source", ".", "folder of package config")
	out := flag.String("out", "", "file to write")
	flag.Parse()
	if err := write(*source, *out); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func write(source, out string) error {
	page, err := generate(source)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, []byte(page), 0o644); err != nil { //nolint:gosec // documentation is for all to read
		return fmt.Errorf("writing page: %w", err)
	}
	return nil
}
