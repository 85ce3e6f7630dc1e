package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/config"
)

// kubeconfig writes a kubeconfig for this server.
func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "` + server + `"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProcessConfig(t *testing.T) {
	bootstrap, node := kubeconfig(t, "https://bootstrap"), kubeconfig(t, "https://node")
	election := config.LeaderElection{Enabled: true}
	for name, c := range map[string]struct {
		reason string
		config config.Config
		want   string
		err    string
	}{
		"bootstrap":           {"it is there for that", config.Config{BootstrapKubeconfig: bootstrap, Nodes: []config.Node{{Kubeconfig: node}}}, "https://bootstrap", ""},
		"node's own":          {"there is nothing to be done with another", config.Config{Nodes: []config.Node{{Kubeconfig: node}}}, "https://node", ""},
		"leader election":     {"a node may not hold the lease", config.Config{LeaderElection: election, Nodes: []config.Node{{Kubeconfig: node}}}, "", "reading service account (no kubeconfig is configured): "},
		"nothing":             {"the tests run in no pod", config.Config{Nodes: []config.Node{{}}}, "", "reading service account (no kubeconfig is configured): "},
		"file does not exist": {"it is named", config.Config{BootstrapKubeconfig: "/none", Nodes: []config.Node{{}}}, "", "reading kubeconfig /none: "},
	} {
		t.Run(name, func(t *testing.T) {
			kube, err := processConfig(&c.config)
			switch {
			case c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err)):
				t.Errorf("%s: %v, want %s", c.reason, err, c.err)
			case c.err == "" && (err != nil || kube.Host != c.want):
				t.Errorf("%s: %v, %v, want %s", c.reason, kube, err, c.want)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	n := testNode()
	n.node.Kubeconfig, n.options.Version = kubeconfig(t, "https://node"), "1.2.3"
	kube, err := n.identity(t.Context(), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if kube.Host != "https://node" || kube.QPS != kubeQPS || kube.Burst != kubeBurst || kube.UserAgent != "cumulet/1.2.3" {
		t.Errorf("identity %v", kube)
	}
	want := "CN=system:node:virtual-1,O=system:nodes"
	if diff := cmp.Diff(want, n.servingRequest().Subject.String()); diff != "" {
		t.Errorf("subject (-want +got):\n%s", diff)
	}
}

func TestServingFiles(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source, err := servingFiles(t.Context(), certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := source(nil)
	if err != nil || pair.Leaf.SerialNumber.Int64() != 7 {
		t.Errorf("%v, %v", pair, err)
	}
	if _, err := servingFiles(t.Context(), certFile, filepath.Join(dir, "none")); err == nil || !strings.HasPrefix(err.Error(), "reading serving certificate: ") {
		t.Errorf("no key: %v", err)
	}
}
