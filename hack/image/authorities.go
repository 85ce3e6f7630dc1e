package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	rootcerts "golang.org/x/crypto/x509roots/fallback/bundle"
)

// bundle is the PEM file of the certificate authorities that the image trusts:
// those of a file, or Mozilla's as the Go project publishes them in a module,
// whose version go.mod pins. The machine's own are never taken, since they
// differ between machines.
//
// Who needs others at run time mounts them and sets SSL_CERT_FILE.
func bundle(file string) ([]byte, error) {
	if file == "" {
		return mozilla(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading -ca-bundle: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading -ca-bundle: %s holds no certificate in PEM form", file)
	}
	return text, nil
}

func mozilla() []byte {
	var text bytes.Buffer
	for root := range rootcerts.Roots() {
		// Trusted under conditions that a PEM file cannot state, such as for
		// certificates before some date: left out rather than trusted in full.
		if root.Constraint != nil {
			continue
		}
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
	}
	return text.Bytes()
}
