package kci

import (
	"encoding/hex"
	"time"
)

// Values of the simplified signature (Kingsoft's page on its common parameters).
const (
	simplifiedMethod = "HMAC-SHA256"
	simplifiedDate   = "2006-01-02T15:04:05Z"
)

// simplifiedVersions are the ways in which the SDKs write the version 1.0.
var simplifiedVersions = map[string]bool{"1.0": true, "1": true}

// simplifiedSignature is a signature of Kingsoft's own simpler kind.
type simplifiedSignature struct {
	key, signature, timestamp, token string
	at                               time.Time
}

// readSimplified reads the simplified signature from the parameters.
func readSimplified(params []param) (*simplifiedSignature, *apiError) {
	get := func(name string) string { value, _ := find(params, name); return value }
	required := []string{"Accesskey", "Service", "Timestamp", "SignatureVersion", "SignatureMethod", "Signature"}
	for _, name := range required {
		if get(name) == "" {
			return nil, missingQuery.with(name)
		}
	}
	if method := get("SignatureMethod"); method != simplifiedMethod {
		return nil, unknownAlgorithm.with(shorten(method))
	}
	if version := get("SignatureVersion"); !simplifiedVersions[version] {
		return nil, refuse("SignatureVersion", quote(version)+" must be 1.0")
	}
	at, err := time.Parse(simplifiedDate, get("Timestamp"))
	if err != nil {
		return nil, badDate.with(shorten(get("Timestamp")))
	}
	return &simplifiedSignature{
		key: get("Accesskey"), signature: get("Signature"), timestamp: get("Timestamp"),
		token: get("SecurityToken"), at: at,
	}, nil
}

// signSimplified signs parameters: all of them but Signature, sorted by name,
// encoded and joined, under the secret as it is.
func signSimplified(params []param, secret string) string {
	var signed []param
	for _, p := range params {
		if p.name != "Signature" {
			signed = append(signed, param{escape(p.name), escape(p.value)})
		}
	}
	return hex.EncodeToString(hmacSHA256([]byte(secret), joinSorted(signed)))
}
