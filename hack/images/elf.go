package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// checkPrograms looks whether the image has all shared libraries that its
// programs need. Packages are named one by one in the recipes, and a missing
// library would show only when the program is run.
func checkPrograms(layers []*finished) error {
	all := map[string]*node{}
	for _, l := range layers {
		maps.Copy(all, l.files.nodes)
	}
	libraries := map[string]bool{}
	for name := range all {
		if strings.Contains(path.Base(name), ".so") {
			libraries[path.Base(name)] = true
		}
	}
	var missing []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		n := all[name]
		if n.kind != tar.TypeReg || !bytes.HasPrefix(n.data, []byte(elf.ELFMAG)) {
			continue
		}
		needed, err := neededBy(n.data)
		if err != nil {
			return fmt.Errorf("reading program %s: %w", name, err)
		}
		for _, library := range needed {
			if !libraries[library] {
				missing = append(missing, fmt.Errorf("%s needs %s, which no package of the recipe has", name, library))
			}
		}
	}
	return errors.Join(missing...)
}

// neededBy are the names of the libraries that a program loads, and of its
// loader.
func neededBy(program []byte) ([]string, error) {
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("reading ELF: %w", err)
	}
	needed, err := file.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("reading ELF: %w", err)
	}
	for _, segment := range file.Progs {
		if segment.Type != elf.PT_INTERP {
			continue
		}
		loader := make([]byte, segment.Filesz)
		if _, err := segment.ReadAt(loader, 0); err != nil {
			return nil, fmt.Errorf("reading ELF: %w", err)
		}
		needed = append(needed, path.Base(string(bytes.TrimRight(loader, "\x00"))))
	}
	return needed, nil
}
