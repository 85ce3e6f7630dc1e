package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testTime = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newAuthority(t *testing.T) *authority {
	t.Helper()
	dir := t.TempDir()
	a, err := openAuthority(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"), "test", testTime)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestIssue(t *testing.T) {
	node := server("system:node:a")
	node.organizations = []string{"system:nodes"}
	node.dnsNames, node.ips = []string{"a"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	tests := []struct {
		name    string
		request request
		usage   x509.ExtKeyUsage
		refused x509.ExtKeyUsage
		hosts   []string
		groups  []string
	}{
		{
			name: "client", request: client("somebody", "group-a", "group-b"),
			usage: x509.ExtKeyUsageClientAuth, refused: x509.ExtKeyUsageServerAuth,
			groups: []string{"group-a", "group-b"},
		},
		{
			name: "server", request: node,
			usage: x509.ExtKeyUsageServerAuth, refused: x509.ExtKeyUsageClientAuth,
			hosts: []string{"a", "127.0.0.1"}, groups: []string{"system:nodes"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuthority(t)
			pair, err := a.issue(tt.request, testTime)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := tls.X509KeyPair(pair.certificate, pair.key)
			if err != nil {
				t.Fatal(err)
			}
			leaf := loaded.Leaf
			if leaf.Subject.CommonName != tt.request.commonName {
				t.Errorf("common name = %q, want %q", leaf.Subject.CommonName, tt.request.commonName)
			}
			if diff := cmp.Diff(tt.groups, leaf.Subject.Organization); diff != "" {
				t.Errorf("organizations (-want +got):\n%s", diff)
			}
			for _, host := range tt.hosts {
				if err := verify(leaf, a, tt.usage, testTime, host); err != nil {
					t.Errorf("for %s: %v", host, err)
				}
			}
			checkLimits(t, leaf, a, tt.usage, tt.refused)
		})
	}
}

// checkLimits checks for what use and how long a certificate is good.
func checkLimits(t *testing.T, leaf *x509.Certificate, a *authority, usage, refused x509.ExtKeyUsage) {
	t.Helper()
	if err := verify(leaf, a, usage, testTime.Add(-clockSkew), ""); err != nil {
		t.Errorf("for a clock that is behind: %v", err)
	}
	if err := verify(leaf, a, usage, testTime.Add(certificateLife+time.Second), ""); err == nil {
		t.Error("good after its time")
	}
	if err := verify(leaf, a, refused, testTime, ""); err == nil {
		t.Error("good for another use")
	}
	if err := verify(leaf, a, usage, testTime, "elsewhere"); err == nil {
		t.Error("good for another host")
	}
	if err := verify(leaf, newAuthority(t), usage, testTime, ""); err == nil {
		t.Error("good under another authority")
	}
}

func verify(leaf *x509.Certificate, a *authority, usage x509.ExtKeyUsage, now time.Time, host string) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.pem)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}

func TestOpenAuthority(t *testing.T) {
	tests := []struct {
		name string
		// change is what happens to the files between two openings.
		change func(t *testing.T, cert, key string)
		later  time.Duration
		same   bool
		err    string
	}{
		{name: "reused", change: func(*testing.T, string, string) {}, same: true},
		{name: "key gone", change: func(t *testing.T, _, key string) { remove(t, key) }},
		{name: "certificate gone", change: func(t *testing.T, cert, _ string) { remove(t, cert) }},
		{name: "broken", change: func(t *testing.T, cert, _ string) { overwrite(t, cert, "x") }, err: "ca.crt"},
		{name: "near its end", change: func(*testing.T, string, string) {}, later: authorityLife - time.Hour, err: "too soon"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
			first, err := openAuthority(cert, key, "test", testTime)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(t, cert, key)
			second, err := openAuthority(cert, key, "test", testTime.Add(tt.later))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error = %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if same := first.certificate.Equal(second.certificate); same != tt.same {
				t.Errorf("the same authority: %v, want %v", same, tt.same)
			}
		})
	}
}

func TestKeysAreSecret(t *testing.T) {
	dir := directory(t.TempDir())
	if err := dir.create(); err != nil {
		t.Fatal(err)
	}
	if _, err := openCredentials(dir, request{}, func() time.Time { return testTime }); err != nil {
		t.Fatal(err)
	}
	keys, err := filepath.Glob(dir.pki("*.key"))
	if err != nil || len(keys) == 0 {
		t.Fatalf("found keys %v, error %v", keys, err)
	}
	for _, key := range keys {
		info, err := os.Stat(key)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", key, mode)
		}
	}
}

func TestFileNames(t *testing.T) {
	c := &Cluster{dir: directory(t.TempDir())}
	for _, name := range []string{"", ".", "..", "a/b", "../a", "/a"} {
		if _, err := c.UserKubeconfig(name, "u", nil); err == nil {
			t.Errorf("a kubeconfig was written under the name %q", name)
		}
		if _, _, err := c.ServingCert(name, nil, []string{"a"}, nil); err == nil {
			t.Errorf("a certificate was written under the name %q", name)
		}
	}
	if _, _, err := c.ServingCert("a", nil, nil, nil); err == nil {
		t.Error("a serving certificate was issued for no host")
	}
}

func TestServingNames(t *testing.T) {
	got, err := Options{ServiceCIDR: "10.96.0.0/16", ServingNames: []string{"example.test", "192.0.2.9"}}.servingNames()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.96.0.1", "192.0.2.9"}
	var ips []string
	for _, ip := range got.ips {
		ips = append(ips, ip.String())
	}
	if diff := cmp.Diff(want, ips); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if last := got.dnsNames[len(got.dnsNames)-1]; last != "example.test" {
		t.Errorf("last DNS name = %q, want example.test", last)
	}
	if _, err := (Options{ServiceCIDR: "10.96.0.0"}).servingNames(); err == nil {
		t.Error("a network without its length was accepted")
	}
	for network, want := range map[string]string{"10.96.0.0/16": "10.96.0.10", "172.20.0.0/20": "172.20.0.10"} {
		if got := (Options{ServiceCIDR: network}).serviceAddress(dnsOffset).String(); got != want {
			t.Errorf("the DNS of %s is at %s, want %s", network, got, want)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
