package machine

import (
	"flag"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// testOptions are complete, but for the files that they name.
func testOptions(t *testing.T) Options {
	t.Helper()
	network, err := NewNetwork(netip.MustParsePrefix("10.128.0.0/16"))
	if err != nil {
		t.Fatal(err)
	}
	options, err := Options{
		Dir: "/state", LogDir: "/logs", BinDir: "/programs", Network: network, Node: "node-a",
		Labels:     map[string]string{"example.test/b": "2", "example.test/a": "1"},
		Taints:     []corev1.Taint{{Key: "example.test/own", Effect: corev1.TaintEffectNoSchedule}},
		Kubeconfig: "/kubeconfig", ClientCAFile: "/ca.crt", CertFile: "/kubelet.crt", KeyFile: "/kubelet.key",
		ClusterDNS: []string{"10.96.0.10"}, PauseImage: "registry.example.test/pause:1",
	}.complete()
	if err != nil {
		t.Fatal(err)
	}
	return options
}

// golden compares content with a file below testdata/config.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "config", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestKubeletConfiguration(t *testing.T) {
	content, err := kubeletYAML(testOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "kubelet.yaml", content)
	golden(t, "kubelet.args", []byte(strings.Join(kubeletArguments(testOptions(t)), "\n")+"\n"))
}

func TestContainerdConfiguration(t *testing.T) {
	settings := containerdSettings{Snapshotter: "overlayfs", PauseImage: "registry.example.test/pause:1", RestrictOOMScoreAdj: true}
	golden(t, "containerd.toml", settings.render())
}

func TestPodNetwork(t *testing.T) {
	content, err := podNetwork(testOptions(t).Network)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "pods.conflist", content)
}

func TestRegistryHosts(t *testing.T) {
	files, err := registryHosts(map[string][]string{
		"docker.io":                  {"http://127.0.0.1:5511", "https://mirror.example.test/docker"},
		"registry.example.test:5000": {"http://127.0.0.1:5511"},
		"*":                          {"http://127.0.0.1:5512"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all.WriteString("# " + name + "\n" + string(files[name]))
	}
	golden(t, "hosts.toml", []byte(all.String()))

	for name, mirrors := range map[string]map[string][]string{
		"NoHost":       {"": {"http://127.0.0.1:1"}},
		"Path":         {"../docker.io": {"http://127.0.0.1:1"}},
		"Parent":       {"..": {"http://127.0.0.1:1"}},
		"Quote":        {`a"b`: {"http://127.0.0.1:1"}},
		"NoScheme":     {"docker.io": {"127.0.0.1:1"}},
		"OtherScheme":  {"docker.io": {"ftp://127.0.0.1:1"}},
		"NoMirrorHost": {"docker.io": {"http:///v2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if files, err := registryHosts(mirrors); err == nil {
				t.Errorf("mirrors %v give %q", mirrors, files)
			}
		})
	}
}

func TestComplete(t *testing.T) {
	good := testOptions(t)
	if good.MaxPods != 250 || good.ClusterDomain != "cluster.local" || good.Progress == nil {
		t.Errorf("defaults = %d pods, domain %q", good.MaxPods, good.ClusterDomain)
	}
	cases := map[string]struct {
		reason string
		change func(*Options)
		want   string // in the error
	}{
		"Dir":        {reason: "The state needs a place.", change: func(o *Options) { o.Dir = "" }, want: "Dir is empty"},
		"PauseImage": {reason: "There is no default that could be pulled everywhere.", change: func(o *Options) { o.PauseImage = "" }, want: "PauseImage is empty"},
		"Network":    {reason: "The zero value is none.", change: func(o *Options) { o.Network = Network{} }, want: "want an IPv4 prefix like 10.128.0.0/16"},
		"SmallNetwork": {
			reason: "The addresses within are fixed.",
			change: func(o *Options) { o.Network.Prefix = netip.MustParsePrefix("10.128.0.0/24") }, want: "network 10.128.0.0/24",
		},
		"NegativePods": {reason: "It is no number of pods.", change: func(o *Options) { o.MaxPods = -1 }, want: "MaxPods is -1"},
		"TooManyPods":  {reason: "There would be too few addresses.", change: func(o *Options) { o.MaxPods = 16385 }, want: "between 1 and 16384"},
		"ProxyKubeconfig": {
			reason: "kube-proxy has to be somebody.",
			change: func(o *Options) { o.Services = &Services{Node: "node-a", DNSKubeconfig: "/dns"} }, want: "field ProxyKubeconfig of Services is empty",
		},
		"NodeAddresses": {
			reason: "The host would not route it.",
			change: func(o *Options) {
				o.Services = &Services{Node: "a", ProxyKubeconfig: "/proxy", DNSKubeconfig: "/dns", NodeAddresses: []netip.Addr{netip.MustParseAddr("10.128.0.16")}}
			}, want: "field NodeAddresses of Services has 10.128.0.16: want addresses in 10.128.0.8/29",
		},
		"ServicesNode": {
			reason: "kube-proxy would take the host's name.",
			change: func(o *Options) { o.Services = &Services{ProxyKubeconfig: "/proxy", DNSKubeconfig: "/dns"} }, want: "field Node of Services is empty",
		},
		"ClusterDNS": {reason: "The kubelet would only log it.", change: func(o *Options) { o.ClusterDNS = []string{"dns.test"} }, want: `ClusterDNS has "dns.test"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			options := good
			tc.change(&options)
			if _, err := options.complete(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s\nerror = %v, want one with %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestLoopbackForward(t *testing.T) {
	type result struct {
		Inside, Host string
		OK, Fails    bool
	}
	cases := map[string]struct {
		reason, address string
		want            result
	}{
		"Server":      {reason: "Kubeconfigs look like this.", address: "https://127.0.0.1:6443", want: result{Inside: "127.0.0.1:6443", Host: "127.0.0.1:6443", OK: true}},
		"OtherOf127":  {reason: "All of 127/8 is loopback.", address: "http://127.1.2.3:80/v2", want: result{Inside: "127.1.2.3:80", Host: "127.1.2.3:80", OK: true}},
		"IPv6":        {reason: "So is this.", address: "https://[::1]:6443", want: result{Inside: "[::1]:6443", Host: "[::1]:6443", OK: true}},
		"Name":        {reason: "The host may listen on ::1 only.", address: "https://localhost:6443", want: result{Inside: "127.0.0.1:6443", Host: "localhost:6443", OK: true}},
		"HTTPPort":    {reason: "The scheme has a port.", address: "http://127.0.0.1", want: result{Inside: "127.0.0.1:80", Host: "127.0.0.1:80", OK: true}},
		"HTTPSPort":   {reason: "Likewise.", address: "https://127.0.0.1/", want: result{Inside: "127.0.0.1:443", Host: "127.0.0.1:443", OK: true}},
		"Elsewhere":   {reason: "It is no matter of ours.", address: "https://mirror.example.test"},
		"OtherIP":     {reason: "Likewise.", address: "https://192.0.2.1:6443"},
		"NoURL":       {reason: "It is refused, not ignored.", address: "127.0.0.1:6443", want: result{Fails: true}},
		"PortTooHigh": {reason: "Likewise.", address: "https://127.0.0.1:65536", want: result{Fails: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			forward, ok, err := loopbackForward(tc.address)
			got := result{Host: forward.Host, OK: ok, Fails: err != nil}
			if forward.Inside.IsValid() {
				got.Inside = forward.Inside.String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (%v) (-want +got):\n%s", tc.reason, err, diff)
			}
		})
	}
}

func FuzzLoopbackForward(f *testing.F) {
	f.Add("https://127.0.0.1:6443")
	f.Add("http://[::1]")
	f.Fuzz(func(t *testing.T, address string) {
		forward, ok, err := loopbackForward(address)
		if ok && (err != nil || !forward.Inside.Addr().IsLoopback()) {
			t.Errorf("%q is forwarded as %v, %v", address, forward, err)
		}
	})
}
