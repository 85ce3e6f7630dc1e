package machine

import "path/filepath"

// SharedFolder returns where a folder below Options.Dir is on the host, and where
// the machine and the volumes of its pods see it. Who calls it makes the folder,
// and removes it; the name is none of those that the machine itself uses.
func SharedFolder(o Options, name string) (host, inside string) {
	return filepath.Join(o.Dir, name), filepath.Join(ownFolder, "state", name)
}
