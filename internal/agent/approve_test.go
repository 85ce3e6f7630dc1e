package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/url"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/cumulet/cumulet/internal/config"
)

func testNode() *virtualNode {
	return &virtualNode{node: config.Node{Name: "virtual-1", AdvertiseAddress: "192.0.2.1"}, config: &config.Config{}}
}

// signingRequest is what the node itself would ask for, after change.
func signingRequest(t *testing.T, name string, change func(*x509.CertificateRequest)) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := testNode().servingRequest()
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Username: "system:node:virtual-1", SignerName: certificatesv1.KubeletServingSignerName,
			Usages:  []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageServerAuth},
			Request: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		},
	}
}

func TestCheckServing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*x509.CertificateRequest)
		spoil  func(*certificatesv1.CertificateSigningRequest)
		want   string
	}{
		"as it should be": {},
		"common name":     {change: func(r *x509.CertificateRequest) { r.Subject.CommonName = "system:node:other" }, want: `common name is "system:node:other", not "system:node:virtual-1"`},
		"organization":    {change: func(r *x509.CertificateRequest) { r.Subject.Organization = []string{"system:masters"} }, want: `organizations are ["system:masters"], not ["system:nodes"]`},
		"another name":    {change: func(r *x509.CertificateRequest) { r.DNSNames = []string{"kubernetes.default"} }, want: `DNS names are ["kubernetes.default"], not ["virtual-1"]`},
		"one name more":   {change: func(r *x509.CertificateRequest) { r.DNSNames = append(r.DNSNames, "other") }, want: `DNS names are ["virtual-1" "other"], not ["virtual-1"]`},
		"another address": {change: func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 9)} }, want: "IP addresses are [192.0.2.9], not [192.0.2.1]"},
		"no address":      {change: func(r *x509.CertificateRequest) { r.IPAddresses = nil }, want: "IP addresses are [], not [192.0.2.1]"},
		"e-mail":          {change: func(r *x509.CertificateRequest) { r.EmailAddresses = []string{"a@example.com"} }, want: "it names e-mail addresses or URIs"},
		"URI":             {change: func(r *x509.CertificateRequest) { r.URIs = []*url.URL{{Scheme: "spiffe", Host: "a"}} }, want: "it names e-mail addresses or URIs"},
		"not PEM":         {spoil: func(r *certificatesv1.CertificateSigningRequest) { r.Spec.Request = []byte("x") }, want: "it is not PEM"},
		"not a request": {spoil: func(r *certificatesv1.CertificateSigningRequest) {
			r.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")})
		}, want: "parsing it: "},
		"forged": {spoil: func(r *certificatesv1.CertificateSigningRequest) {
			block, _ := pem.Decode(r.Spec.Request)
			block.Bytes[len(block.Bytes)-1] ^= 1
			r.Spec.Request = pem.EncodeToMemory(block)
		}, want: "checking its signature: "},
		"client usage": {spoil: func(r *certificatesv1.CertificateSigningRequest) {
			r.Spec.Usages = append(r.Spec.Usages, certificatesv1.UsageClientAuth)
		}, want: `usage "client auth" is not for serving`},
		"no server usage": {spoil: func(r *certificatesv1.CertificateSigningRequest) { r.Spec.Usages = r.Spec.Usages[:1] }, want: `usages are ["digital signature"], without "server auth"`},
	} {
		t.Run(name, func(t *testing.T) {
			request := signingRequest(t, "r", c.change)
			if c.spoil != nil {
				c.spoil(request)
			}
			err := testNode().checkServing(request)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestApproveOnce(t *testing.T) {
	bad := signingRequest(t, "a-bad", func(r *x509.CertificateRequest) { r.DNSNames = []string{"other"} })
	decided := signingRequest(t, "b-decided", nil)
	decided.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateDenied}}
	other := signingRequest(t, "c-other-node", nil)
	other.Spec.Username = "system:node:virtual-2"
	client := signingRequest(t, "d-client", nil)
	client.Spec.SignerName = certificatesv1.KubeAPIServerClientKubeletSignerName
	good := signingRequest(t, "e-good", nil)
	kube := fake.NewClientset(bad, decided, other, client, good)
	err := testNode().approveOnce(t.Context(), kube)
	if err == nil || !strings.HasPrefix(err.Error(), `refusing signing request a-bad: DNS names are ["other"]`) {
		t.Errorf("error %v", err)
	}
	list, err := kube.CertificatesV1().CertificateSigningRequests().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list.Items {
		approved := len(r.Status.Conditions) == 1 && r.Status.Conditions[0].Type == certificatesv1.CertificateApproved
		if approved != (r.Name == "e-good") {
			t.Errorf("request %s has the conditions %v", r.Name, r.Status.Conditions)
		}
	}
}
