package machine

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// containerdSettings are what containerd's configuration depends on.
type containerdSettings struct {
	// Snapshotter is overlayfs, or native where there can be no overlay.
	Snapshotter string
	// PauseImage is Options.PauseImage.
	PauseImage string
	// RestrictOOMScoreAdj keeps containers from a lower oom_score_adj than
	// containerd's own, for hosts where nobody may lower it.
	RestrictOOMScoreAdj bool
}

// containerdTOML is a configuration of containerd 2. Keys that are left out
// have containerd's defaults.
const containerdTOML = `version = 3
root = %[1]q
state = "/run/containerd"
oom_score = 0
imports = []
# opt would make a folder below /opt; NRI and tracing are for others.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
address = %[2]q

[plugins."io.containerd.grpc.v1.cri"]
disable_tcp_service = true
stream_server_address = %[10]q
stream_server_port = "0"

[plugins."io.containerd.cri.v1.runtime"]
disable_apparmor = true
restrict_oom_score_adj = %[3]t
enable_cdi = false
# Kept below /run/containerd, not in a folder that others use, too.
netns_mounts_under_state_dir = true
ignore_deprecation_warnings = ["io.containerd.deprecation/cgroup-v1"]

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = [%[4]q]
conf_dir = %[5]q
use_internal_loopback = true

[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = %[6]q
SystemdCgroup = false

[plugins."io.containerd.cri.v1.images"]
snapshotter = %[7]q

# The service that pulls has a setting of its own.
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux"
snapshotter = %[7]q
differ = "walking"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = %[8]q

[plugins."io.containerd.cri.v1.images".registry]
config_path = %[9]q
`

// render returns the configuration file.
func (s containerdSettings) render() []byte {
	return fmt.Appendf(nil, containerdTOML, containerdRoot, containerdSocket, s.RestrictOOMScoreAdj,
		programsFolder, networksFolder, programsFolder+"/runc", s.Snapshotter, s.PauseImage, registriesFolder, ownLoopback)
}

// podNetwork is the list of network plugins that a pod goes through: a link of
// its own to the machine, with an address from the machine's network, so that
// all it sends is routed there, to its neighbours too. The host routes that
// network, so nothing need be translated.
func podNetwork(n Network) ([]byte, error) {
	type object = map[string]any
	subnet := object{"subnet": n.Pods().String(), "gateway": n.Gateway().String()}
	list := object{
		"cniVersion": "1.0.0",
		"name":       "pods",
		"plugins": []object{{
			"type":   "ptp",
			"ipMasq": false,
			"ipam": object{
				"type":    "host-local",
				"dataDir": networkData,
				"ranges":  [][]object{{subnet}},
				"routes":  []object{{"dst": "0.0.0.0/0"}},
			},
		}},
	}
	content, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the pods' network: %w", err)
	}
	return append(content, '\n'), nil
}

// registryHosts returns, by path below registriesFolder, the files that name a
// registry's mirrors. The registry itself comes last.
func registryHosts(mirrors map[string][]string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for host, bases := range mirrors {
		content, err := registryHost(host, bases)
		if err != nil {
			return nil, err
		}
		folder := host
		if host == everyRegistry {
			folder = "_default"
		}
		files[folder+"/hosts.toml"] = content
	}
	return files, nil
}

// everyRegistry is the key of Options.Mirrors for registries without their own.
const everyRegistry = "*"

func registryHost(host string, bases []string) ([]byte, error) {
	if host == "" || strings.ContainsAny(host, "/\\\"") || host == "." || host == ".." {
		return nil, fmt.Errorf("mirrors of registry %q: want the registry's host as in an image's name, or %q", host, everyRegistry)
	}
	var b strings.Builder
	switch host {
	case everyRegistry: // each is its own server
	case "docker.io":
		// The name in images is not that of the server.
		b.WriteString("server = \"https://registry-1.docker.io\"\n")
	default:
		fmt.Fprintf(&b, "server = %q\n", "https://"+host)
	}
	for _, base := range bases {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("mirror %q of registry %s: want a URL like http://127.0.0.1:5000", base, host)
		}
		fmt.Fprintf(&b, "\n[host.%q]\ncapabilities = [\"pull\", \"resolve\"]\n", base)
	}
	return []byte(b.String()), nil
}
