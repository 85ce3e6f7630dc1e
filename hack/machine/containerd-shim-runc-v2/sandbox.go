package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// containerType is the annotation by which containerd tells a pod's sandbox
// from its containers.
const containerType = "io.kubernetes.cri.container-type"

// unfilterSandbox takes the seccomp profile out of the OCI configuration in a
// file if it is a sandbox's. Everything else stays as it is.
func unfilterSandbox(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the container's configuration: %w", err)
	}
	changed, err := withoutSeccomp(content)
	if err != nil {
		return fmt.Errorf("reading the container's configuration: %w", err)
	}
	if changed == nil {
		return nil
	}
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		return fmt.Errorf("writing the container's configuration: %w", err)
	}
	return nil
}

// withoutSeccomp returns a sandbox's configuration without the seccomp profile,
// and nil if there is nothing to change.
func withoutSeccomp(content []byte) ([]byte, error) {
	var config map[string]json.RawMessage
	if err := json.Unmarshal(content, &config); err != nil {
		return nil, err
	}
	var annotations map[string]string
	if err := unmarshal(config["annotations"], &annotations); err != nil {
		return nil, fmt.Errorf("annotations: %w", err)
	}
	var linux map[string]json.RawMessage
	if err := unmarshal(config["linux"], &linux); err != nil {
		return nil, fmt.Errorf("linux: %w", err)
	}
	if _, filtered := linux["seccomp"]; !filtered || annotations[containerType] != "sandbox" {
		return nil, nil
	}
	delete(linux, "seccomp")
	var err error
	if config["linux"], err = json.Marshal(linux); err != nil {
		return nil, err
	}
	return json.Marshal(config)
}

// unmarshal is json.Unmarshal, for a field that may be missing.
func unmarshal(content json.RawMessage, into any) error {
	if content == nil {
		return nil
	}
	return json.Unmarshal(content, into)
}
