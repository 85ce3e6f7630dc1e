package machine

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serviceOptions are testOptions with Services.
func serviceOptions(t *testing.T) Options {
	t.Helper()
	o := testOptions(t)
	o.Services = &Services{Node: "virtual-a", ProxyKubeconfig: "/proxy.kubeconfig", DNSKubeconfig: "/dns.kubeconfig"}
	return o
}

func TestServicesConfiguration(t *testing.T) {
	o := serviceOptions(t)
	golden(t, "Corefile", renderCorefile(o))
	for _, p := range beside(o) {
		golden(t, p.Name+".args", []byte(strings.Join(append(p.Argv, p.Env...), "\n")+"\n"))
	}
	o.Services.NodeAddresses = []netip.Addr{netip.MustParseAddr("10.128.0.8"), netip.MustParseAddr("10.128.0.15")}
	if got := nodePortAddresses(o); got != "10.128.0.8/32,10.128.0.15/32" {
		t.Errorf("NodePorts are at %s", got)
	}
	want := []string{"machine", "containerd", "kubelet", "coredns", "kube-proxy"}
	if diff := cmp.Diff(want, programNames(o)); diff != "" {
		t.Errorf("programs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"machine", "containerd", "kubelet"}, programNames(testOptions(t))); diff != "" {
		t.Errorf("programs without Services (-want +got):\n%s", diff)
	}
	checks := []string{"http://10.128.0.2:10256/healthz", "http://10.128.0.2:8181/ready"}
	if diff := cmp.Diff(checks, o.Network.ServiceChecks()); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// TestServicesForwards checks that the programs reach their API server, which
// need not be the kubelet's.
func TestServicesForwards(t *testing.T) {
	o := serviceOptions(t)
	dir := t.TempDir()
	write := func(name, server string) string {
		path := filepath.Join(dir, name)
		content := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: " + server + "}}]\n" +
			"users: [{name: u}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o.Kubeconfig = write("kubelet", "https://127.0.0.1:7001")
	o.Services.ProxyKubeconfig = write("proxy", "https://127.0.0.1:7002")
	o.Services.DNSKubeconfig = write("dns", "https://127.0.0.1:7002")
	all, err := o.forwards()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range all {
		got[f.Host]++
	}
	if diff := cmp.Diff(map[string]int{"127.0.0.1:7001": 1, "127.0.0.1:7002": 2}, got); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
	o.Services.DNSKubeconfig = write("dns", "https://192.0.2.1:6443")
	if _, err := o.forwards(); err == nil || !strings.Contains(err.Error(), `server "https://192.0.2.1:6443" of kubeconfig `+dir) {
		t.Errorf("a server elsewhere: %v", err)
	}
}

func TestCheckServicesMessages(t *testing.T) {
	all := func(string) bool { return true }
	without := func(missing string) func(string) bool { return func(file string) bool { return file != missing } }
	cases := map[string]struct {
		reason string
		err    error
		want   []string // in the message; none if all is well
	}{
		"Complete": {reason: "Every program is there.", err: checkServicePrograms("bin", all)},
		"NoNft": {
			reason: "It may not be to be had by building.", err: checkServicePrograms("bin", without("machine/nft")),
			want: []string{"(machine/nft): build them with make machine", "package nftables"},
		},
		"NoProxy": {
			reason: "It is of another target.", err: checkServicePrograms("bin", without("kube-proxy")),
			want: []string{"(kube-proxy): build them with make controlplane"},
		},
		"Kernel":      {reason: "It is the oldest.", err: checkKernel("5.13.0-30-generic")},
		"LaterKernel": {reason: "Numbers are compared, not texts.", err: checkKernel("6.1.0")},
		"OldKernel":   {reason: "kube-proxy would end.", err: checkKernel("5.4.0-216-generic"), want: []string{"needs Linux 5.13", "this is 5.4.0-216-generic"}},
		"NoKernel":    {reason: "It is not guessed.", err: checkKernel("?"), want: []string{"reading the kernel's release"}},
		"Rules":       {reason: "nft made them.", err: explainTrial(nil, "")},
		"NoRules": {
			reason: "The first line of what nft says is the cause.",
			err:    explainTrial(errors.New("exit status 1"), "Error: Could not process rule: No such file\n  here\n"),
			want:   []string{"kernel modules nf_tables", "exit status 1: Error: Could not process rule: No such file"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if (tc.err != nil) != (len(tc.want) > 0) {
				t.Fatalf("%s\nerror = %v", tc.reason, tc.err)
			}
			for _, part := range tc.want {
				if !strings.Contains(tc.err.Error(), part) {
					t.Errorf("%s\nerror = %v, want one with %q", tc.reason, tc.err, part)
				}
			}
		})
	}
}
