package eci

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// algorithmACS3 is the one algorithm of signature version 3 that is emulated; the
// SM3 and RSA variants are refused.
const algorithmACS3 = "ACS3-HMAC-SHA256"

// readACS3 reads a signature in headers ("Request syntax and signature method
// V3"). All x-acs headers and the host must be signed; which others are is the
// client's choice and taken from SignedHeaders.
func readACS3(c *call) (*signature, error) {
	fields, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), algorithmACS3+" ")
	if !ok {
		return nil, fail(codeIncompleteSign, "The Authorization header must be of %s.", algorithmACS3)
	}
	claims := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(field), "=")
		claims[name] = text
	}
	signed := strings.Split(claims["SignedHeaders"], ";")
	if name := unsigned(c.request, signed); name != "" {
		return nil, fail(codeIncompleteSign, "The header %s must be signed.", name)
	}
	sum := sha256.Sum256(c.body)
	bodyHash := hex.EncodeToString(sum[:])
	if c.request.Header.Get("X-Acs-Content-Sha256") != bodyHash {
		return nil, fail(codeSignature, "The header x-acs-content-sha256 does not match the body.")
	}
	canonical := canonicalRequest(c.request, signed, bodyHash)
	return &signature{
		keyID: claims["Credential"],
		token: c.request.Header.Get("X-Acs-Security-Token"),
		nonce: c.request.Header.Get("X-Acs-Signature-Nonce"),
		time:  c.request.Header.Get("X-Acs-Date"),
		given: claims["Signature"],
		sign:  func(secret string) string { return signACS3(canonical, secret) },
	}, nil
}

// unsigned names a header that should be signed and is not.
func unsigned(r *http.Request, signed []string) string {
	if !slices.Contains(signed, "host") {
		return "host"
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-acs-") && !slices.Contains(signed, name) {
			return name
		}
	}
	return ""
}

// canonicalRequest is method, path, query, headers, their names and the body's
// hash, one per line.
func canonicalRequest(r *http.Request, signed []string, bodyHash string) string {
	var headers strings.Builder
	for _, name := range signed {
		text := r.Host
		if name != "host" {
			values := slices.Clone(r.Header.Values(name))
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
			slices.Sort(values)
			text = strings.Join(values, ",")
		}
		headers.WriteString(name + ":" + text + "\n")
	}
	return strings.Join([]string{
		r.Method, orDefault(r.URL.EscapedPath(), "/"), canonicalQuery(r.URL.Query()),
		headers.String(), strings.Join(signed, ";"), bodyHash,
	}, "\n")
}

// canonicalQuery is the encoded query, sorted by name.
func canonicalQuery(query url.Values) string {
	var terms []string
	for name, values := range query {
		for _, v := range values {
			terms = append(terms, percentEncode(name)+"="+percentEncode(v))
		}
	}
	slices.SortFunc(terms, func(a, b string) int {
		nameA, valueA, _ := strings.Cut(a, "=")
		nameB, valueB, _ := strings.Cut(b, "=")
		return 2*strings.Compare(nameA, nameB) + strings.Compare(valueA, valueB)
	})
	return strings.Join(terms, "&")
}

func signACS3(canonical, secret string) string {
	sum := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithmACS3 + "\n" + hex.EncodeToString(sum[:])))
	return hex.EncodeToString(mac.Sum(nil))
}
