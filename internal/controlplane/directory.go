package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// directory is where a cluster keeps everything, as an absolute path.
type directory string

func (d directory) path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// pki is the path of a certificate or key.
func (d directory) pki(name string) string { return d.path("pki", name) }

// log is the path of a component's log.
func (d directory) log(component string) string { return d.path("logs", component+".log") }

// adminKubeconfig is the path of the administrator's kubeconfig.
func (d directory) adminKubeconfig() string { return d.path("kubeconfig") }

// userKubeconfig is the path of the kubeconfig with a name.
func (d directory) userKubeconfig(name string) string {
	return d.path("kubeconfigs", name+".kubeconfig")
}

// create makes the folders. Only their owner may look inside: they hold keys.
func (d directory) create() error {
	for _, folder := range []string{"pki", "logs", "kubeconfigs", "etcd", "flexvolume"} {
		if err := os.MkdirAll(d.path(folder), 0o700); err != nil {
			return fmt.Errorf("making the cluster's directory: %w", err)
		}
	}
	return nil
}

// checkFileName refuses a name that would lead out of a folder.
func checkFileName(name string) error {
	if name == "" || name == "." || name == ".." || filepath.Base(name) != name {
		return fmt.Errorf("%q cannot name a file", name)
	}
	return nil
}

// writeFile replaces a file in one step, so that whoever reads it at the same
// time sees the old or the new content.
func writeFile(path string, content []byte, mode os.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the first error tells more
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
