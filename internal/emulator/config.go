package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Config is what a client needs to reach the clouds. It holds secrets.
type Config struct {
	ECI   CloudConfig `json:"eci"`
	KCI   CloudConfig `json:"kci"`
	Admin AdminConfig `json:"admin"`
}

// CloudConfig is how to reach one cloud.
type CloudConfig struct {
	// Endpoint is the base URL of the API, without a path.
	Endpoint        string `json:"endpoint"`
	Region          string `json:"region"`
	AccessKeyID     string `json:"accessKeyId"`
	AccessKeySecret string `json:"accessKeySecret"`
}

// AdminConfig is how to reach the admin API.
type AdminConfig struct {
	Endpoint string `json:"endpoint"`
}

// JSON is the configuration as a file holds it.
func (c Config) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the configuration: %w", err)
	}
	return append(text, '\n'), nil
}

// Write stores the configuration in a file that only its owner can read, at once
// and completely: a reader finds the old file or the new one.
func (c Config) Write(name string) (err error) {
	text, err := c.JSON()
	if err != nil {
		return err
	}
	// CreateTemp makes files of mode 0600.
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", name, err), os.Remove(file.Name()))
		}
	}()
	if _, err = file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	if err = file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
