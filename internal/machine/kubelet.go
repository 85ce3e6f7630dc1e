package machine

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubelet "k8s.io/kubelet/config/v1beta1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// kubeletConfiguration is the kubelet's configuration: a usual node, but alone
// in its namespaces on a host that is not its own.
func kubeletConfiguration(o Options) kubelet.KubeletConfiguration {
	c := kubelet.KubeletConfiguration{
		TypeMeta: metav1.TypeMeta{APIVersion: "kubelet.config.k8s.io/v1beta1", Kind: "KubeletConfiguration"},

		Address:                  o.Network.Address().String(),
		Port:                     kubeletPort,
		HealthzBindAddress:       ownLoopback,
		HealthzPort:              ptr.To[int32](healthPort),
		TLSCertFile:              certFile,
		TLSPrivateKeyFile:        keyFile,
		ContainerRuntimeEndpoint: "unix://" + containerdSocket,
		PodLogsDir:               podLogs,
		// By default below /usr/libexec, which is the host's.
		VolumePluginDir: kubeletRoot + "/volumeplugins",
		ResolverConfig:  ptr.To(resolverFile),
		ClusterDNS:      o.ClusterDNS,
		ClusterDomain:   o.ClusterDomain,

		RegisterNode:       ptr.To(true),
		RegisterWithTaints: o.Taints,
		MaxPods:            int32(o.MaxPods), //nolint:gosec // complete has bounded it
		CgroupRoot:         "/" + o.Network.id(),
		CgroupDriver:       "cgroupfs",
		FailCgroupV1:       ptr.To(false),
		FailSwapOn:         ptr.To(false),
	}
	setAccess(&c)
	setPace(&c)
	setRetention(&c)
	setHostAside(&c)
	return c
}

// setAccess lets those use the kubelet's API whom the API server allows to.
func setAccess(c *kubelet.KubeletConfiguration) {
	c.Authentication.X509.ClientCAFile = clientCAFile
	c.Authentication.Anonymous.Enabled = ptr.To(false)
	c.Authentication.Webhook.Enabled = ptr.To(false)
	c.Authorization.Mode = kubelet.KubeletAuthorizationModeWebhook
	// Both would show more of the host than of the node.
	c.EnableSystemLogHandler = ptr.To(false)
	c.EnableProfilingHandler = ptr.To(false)
}

// setPace takes the brakes off: there is one kubelet, and an API server of its
// own.
func setPace(c *kubelet.KubeletConfiguration) {
	c.KubeAPIQPS, c.KubeAPIBurst = ptr.To[int32](1000), 2000
	c.RegistryPullQPS = ptr.To[int32](0) // no limit
	c.EventRecordQPS = ptr.To[int32](0)  // no limit
	c.SerializeImagePulls = ptr.To(false)
	c.ConfigMapAndSecretChangeDetectionStrategy = kubelet.WatchChangeDetectionStrategy
}

// setRetention keeps the kubelet from collecting and evicting: how full the
// host is, is no matter of the pods'.
func setRetention(c *kubelet.KubeletConfiguration) {
	c.ImageGCHighThresholdPercent = ptr.To[int32](100) // none
	c.ImageMinimumGCAge = metav1.Duration{Duration: 365 * 24 * time.Hour}
	c.EvictionHard = map[string]string{
		"memory.available":   "0%",
		"nodefs.available":   "0%",
		"nodefs.inodesFree":  "0%",
		"imagefs.available":  "0%",
		"imagefs.inodesFree": "0%",
	}
	c.LocalStorageCapacityIsolation = ptr.To(false)
	c.ContainerLogMaxSize = "10Mi"
	c.ContainerLogMaxFiles = ptr.To[int32](5)
}

// setHostAside keeps the kubelet from what belongs to the host.
func setHostAside(c *kubelet.KubeletConfiguration) {
	c.MakeIPTablesUtilChains = ptr.To(false)
	c.EnforceNodeAllocatable = []string{"none"}
	c.OOMScoreAdj = ptr.To[int32](0)
	// To check the kernel's settings instead of changing them; see
	// kernelSettings.
	c.ProtectKernelDefaults = true
}

// kernelSettings are the files below /proc/sys that a kubelet wants to have
// these values. They concern the whole host, so the machine has files of its
// own in their place, for no one but the kubelet: containers have another
// /proc.
var kernelSettings = map[string]string{
	"kernel/keys/root_maxbytes": "25000000",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
}

// kubeletYAML returns the configuration file.
func kubeletYAML(o Options) ([]byte, error) {
	content, err := yaml.Marshal(kubeletConfiguration(o))
	if err != nil {
		return nil, fmt.Errorf("encoding the kubelet's configuration: %w", err)
	}
	return content, nil
}

// kubeletArguments are the kubelet's flags: what its configuration file has no
// field for.
func kubeletArguments(o Options) []string {
	args := []string{
		"--config=" + kubeletConfig,
		"--kubeconfig=" + kubeconfigFile,
		"--root-dir=" + kubeletRoot,
		"--cert-dir=" + filepath.Join(kubeletRoot, "pki"),
		"--hostname-override=" + o.Node,
		"--node-ip=" + o.Network.Address().String(),
		"--v=1",
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(o.Labels)) {
		labels = append(labels, name+"="+o.Labels[name])
	}
	if len(labels) > 0 {
		args = append(args, "--node-labels="+strings.Join(labels, ","))
	}
	return args
}
