package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

const (
	// authorityLife is how long a CA is valid: ten years, as kubeadm's, longer
	// than any development environment.
	authorityLife = 10 * 365 * 24 * time.Hour
	// certificateLife is how long an issued certificate is valid: a year, as
	// kubeadm's. The control plane's own are issued anew at every start.
	certificateLife = 365 * 24 * time.Hour
	// clockSkew is how far the clock of one who verifies may be behind.
	clockSkew = 5 * time.Minute
)

// authority is a certificate authority that lives in two files.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte // the certificate
}

// request is what a certificate is to say. Without names and addresses it is
// only good for a client.
type request struct {
	commonName    string
	organizations []string
	usages        []x509.ExtKeyUsage
	dnsNames      []string
	ips           []net.IP
}

// keyPair is a certificate with its private key, both PEM.
type keyPair struct {
	certificate, key []byte
}

// openAuthority reads an authority from its files, or makes a new one if one of
// them is missing. One that is there but of no use is an error: whoever trusts
// it would trust nothing any more if it were replaced.
func openAuthority(certFile, keyFile, commonName string, now time.Time) (*authority, error) {
	certificate, err := os.ReadFile(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return createAuthority(certFile, keyFile, commonName, now)
	}
	if err != nil {
		return nil, fmt.Errorf("reading CA: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return createAuthority(certFile, keyFile, commonName, now)
	}
	if err != nil {
		return nil, fmt.Errorf("reading CA: %w", err)
	}
	a, err := parseAuthority(keyPair{certificate, key})
	if err != nil {
		return nil, fmt.Errorf("reading CA %s: %w", certFile, err)
	}
	if now.Add(certificateLife).After(a.certificate.NotAfter) {
		return nil, fmt.Errorf("reading CA %s: it ends on %s, too soon to issue from", certFile, a.certificate.NotAfter.Format(time.DateOnly))
	}
	return a, nil
}

func parseAuthority(pair keyPair) (*authority, error) {
	// X509KeyPair also checks that the two belong together.
	loaded, err := tls.X509KeyPair(pair.certificate, pair.key)
	if err != nil {
		return nil, err
	}
	key, ok := loaded.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("its key is a %T, not ECDSA", loaded.PrivateKey)
	}
	return &authority{certificate: loaded.Leaf, key: key, pem: pair.certificate}, nil
}

func createAuthority(certFile, keyFile, commonName string, now time.Time) (*authority, error) {
	template, err := newTemplate(pkix.Name{CommonName: commonName}, now, authorityLife)
	if err != nil {
		return nil, fmt.Errorf("making CA %s: %w", commonName, err)
	}
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making CA %s: %w", commonName, err)
	}
	pair, err := sign(template, template, key, key)
	if err != nil {
		return nil, fmt.Errorf("making CA %s: %w", commonName, err)
	}
	// The certificate last: with it the authority counts as made.
	if err := writeFile(keyFile, pair.key, 0o600); err != nil {
		return nil, fmt.Errorf("making CA %s: %w", commonName, err)
	}
	if err := writeFile(certFile, pair.certificate, 0o644); err != nil {
		return nil, fmt.Errorf("making CA %s: %w", commonName, err)
	}
	return parseAuthority(pair)
}

// issue makes a new key and a certificate for it, valid for certificateLife.
func (a *authority) issue(r request, now time.Time) (keyPair, error) {
	template, err := newTemplate(pkix.Name{CommonName: r.commonName, Organization: r.organizations}, now, certificateLife)
	if err != nil {
		return keyPair{}, fmt.Errorf("issuing a certificate for %s: %w", r.commonName, err)
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = r.usages
	template.DNSNames, template.IPAddresses = r.dnsNames, r.ips
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("issuing a certificate for %s: %w", r.commonName, err)
	}
	pair, err := sign(template, a.certificate, key, a.key)
	if err != nil {
		return keyPair{}, fmt.Errorf("issuing a certificate for %s: %w", r.commonName, err)
	}
	return pair, nil
}

func newTemplate(subject pkix.Name, now time.Time, life time.Duration) (*x509.Certificate, error) {
	// RFC 5280 section 4.1.2.2: positive and at most 20 octets; 128 random
	// bits never repeat.
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               subject,
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(life),
		BasicConstraintsValid: true,
	}, nil
}

// sign makes the certificate that template describes for key, signed by the
// issuer's key.
func sign(template, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) (keyPair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		return keyPair{}, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return keyPair{}, err
	}
	return keyPair{
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:         keyPEM,
	}, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// newSigningKey makes the key pair that signs service account tokens.
func newSigningKey() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if private, err = encodeKey(key); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, err
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
